"""Approvers of an approval as operators see them: who answered, and why the others are silent."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ...domain.approval import Approval, Approver
from ..groups import counted_for
from ..pages.markup import NOTHING, Markup
from ..pages.parts import joined
from ..standing import answer_state, asked_as, is_mail_coming, last_mail
from ..wording import count, when

State = str
"""A class of the style: `late` has no mail, as it was refused for example; `over` needs none."""

_ITEM = Markup('<li class="{}"><strong>{}</strong> {}{}</li>\n')
_FACT = Markup('<span class="fact">{}</span>')


class Standing(NamedTuple):
    """How one approver stands."""

    state: State
    said: str
    why: str
    """Why they are silent; "" if they have answered or needn't any more."""


def standing(approver: Approver, approval: Approval, counted: Mapping[str, str]) -> Standing:
    """Return how an approver stands, in words; `counted` is `counted_for` the approval."""
    said = answer_state(approver, approval, counted)
    if approver.decision is not None:
        return Standing(approver.decision.choice, said, "")
    if approver not in approval.waits_for:
        return Standing("over", said, "")
    last = last_mail(approver, approval)
    held_up = last is not None and last.what != "mailed"
    return Standing("late" if held_up else "asked", said, silence(approver, approval))


def silence(approver: Approver, approval: Approval) -> str:
    """Return why an approver who is waited for is silent, as far as mail tells.

    Begins with when mail reached them, if any did. Older events may have been folded.
    """
    last, reached = last_mail(approver, approval), mailed(approver, approval)
    coming = is_mail_coming(approver, approval)
    if last is None and approver.mail != "sent":
        return "No mail yet: it is on its way." if coming else "Not invited yet."
    if last is None or last.what == "mailed":
        return f"{reached or 'Mailed.'}{' The next mail is on its way.' if coming else ''}"
    why = {
        "invited": f"Has not confirmed: AWS mailed an invitation on {when(last.at)}, and its "
        "link has not been followed.",
        "unconfirmed": f"Has not confirmed the invitation, as of {when(last.at)}.",
        "refused": f"SNS refuses mail to this address{f' ({last.note})' if last.note else ''}.",
        "undelivered": f"No mail could be sent, last tried on {when(last.at)}.",
    }[last.what]
    return f"{reached} {why}" if reached else why


def mailed(approver: Approver, approval: Approval) -> str:
    """Return when an approver was last mailed, and how often before; "" if never."""
    about, no_question = ("mailed", approver.address), ("outcome", "receipt")
    mails = [e for e in approval.events if (e.what, e.who) == about and e.note not in no_question]
    if not mails:
        return ""
    reminders, least = len(mails) - 1, "at least " if approval.folded_events else ""
    if not reminders:
        return f"Mailed on {when(mails[0].at)}."
    times = "once" if reminders == 1 else f"{reminders} times"
    return f"Last mailed on {when(mails[-1].at)}, reminded {least}{times}."


def people(approval: Approval, most: int) -> Markup:
    """Return the approvers who are asked now, those first who hold it up; at most `most`."""
    order = ("late", "asked", "reject", "approve", "over")
    counted = counted_for(approval)
    found = [(a, standing(a, approval, counted)) for a in approval.active_approvers]
    found.sort(key=lambda one: order.index(one[1].state))
    left = len(found) - most
    more = Markup("<li>and {}</li>\n").format(count(left, "more approver")) if left > 0 else NOTHING
    return Markup('<ul class="people">\n{}{}</ul>\n').format(_items(found[:most], approval), more)


def _items(found: Sequence[tuple[Approver, Standing]], approval: Approval) -> Markup:
    return joined(
        _ITEM.format(
            stands.state,
            approver.address,
            " ".join(filter(None, (role(approver, approval), stands.said))),
            _FACT.format(stands.why) if stands.why else "",
        )
        for approver, stands in found
    )


def role(approver: Approver, approval: Approval) -> str:
    """Return in whose place an approver is asked, in brackets; or ""."""
    asked = asked_as(approver, approval)
    return f"({asked})" if asked else ""
