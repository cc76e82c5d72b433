"""The parts of the requester's page: who has decided, and the button that reminds the others."""

from collections.abc import Mapping
from datetime import datetime

from ...domain.approval import Approval, Approver
from ...domain.reminding import last_reminder, may_remind_at
from ..groups import counted_for
from ..standing import answer_state, asked_as, mail_state
from ..wording import when
from .markup import Markup
from .parts import joined

_BUTTON = Markup(
    '<form method="post">\n<input type="hidden" name="action" value="remind">\n'
    '<button type="submit">{}</button>\n</form>\n'
)


def answers(approval: Approval) -> Markup:
    """Return each approver asked now: their decision, or what became of the mail to them."""
    counted = counted_for(approval)
    items = joined(_answer(one, approval, counted) for one in approval.active_approvers)
    return Markup('<ul class="decisions">\n{}</ul>\n').format(items)


def reminder(approval: Approval, now: datetime) -> Markup:
    """Return the button that reminds, or from when on there is one."""
    again = may_remind_at(approval)
    if again is None or now >= again:
        others = "the others" if approval.decisions else "the approvers"
        return _BUTTON.format(f"Remind {others}")
    last = last_reminder(approval)
    said = f"You had them reminded on {when(last)}; " if last else ""
    return Markup('<p class="fact">{}you can do so again from {} on.</p>').format(said, when(again))


def _answer(approver: Approver, approval: Approval, counted: Mapping[str, str]) -> Markup:
    decision = approver.decision
    reason = Markup(':<blockquote class="reason" dir="auto">{}</blockquote>')
    remark = Markup('<span class="fact">{}</span>')
    role, mail = asked_as(approver, approval), mail_state(approver, approval)
    return Markup("<li><strong>{}</strong> {}{}{}{}</li>\n").format(
        approver.address,
        f"({role}) " if role else "",
        answer_state(approver, approval, counted),
        remark.format(mail) if mail else "",
        reason.format(decision.reason) if decision and decision.reason else "",
    )
