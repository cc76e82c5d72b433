"""How a request stands, for its requester: who has answered, and whether mail reached the others.

Notes that approvers got from each other stay between them.
"""

from collections.abc import Mapping

from ..domain.approval import Approval, Approver
from ..domain.events import ABOUT_MAIL, Event
from ..domain.outbox_entries import Mail
from .groups import role_in_groups
from .wording import past, when


def asked_as(approver: Approver, approval: Approval) -> str:
    """Return in whose place, and for which groups, this approver is asked; or "".

    `for operations`, `for ada@example.com, who is away`, `instead of grace@example.com`
    """
    before = [a.address for a in approval.approvers if a.replaced_by == approver.address]
    parts = (
        role_in_groups(approver, approval),
        f"for {approver.stands_in_for}, who is away" if approver.stands_in_for else "",
        f"instead of {', '.join(before)}" if before and not approver.stands_in_for else "",
    )
    return ", ".join(filter(None, parts))


def answer_state(approver: Approver, approval: Approval, counted: Mapping[str, str]) -> str:
    """Return whether an approver has decided: `approved on ...`, `has not decided`.

    `counted` is `counted_for` the approval, which is worked out once for a view.
    """
    if approver.decision is not None:
        said = f"{past(approver.decision.choice)}{counted.get(approver.address, '')}"
        return f"{said} on {when(approver.decision.decided_at)}"
    if not approver.groups:
        return "was not needed" if approval.outcome != "pending" else "may approve alone"
    return "has not decided" if approval.outcome == "pending" else "did not decide"


def mail_state(approver: Approver, approval: Approval) -> str:
    """Return in words what became of the mail to an undecided approver; "" if nothing waits."""
    if approver not in approval.waits_for:
        return ""
    coming = is_mail_coming(approver, approval)
    last = last_mail(approver, approval)
    if approver.mail == "failed":
        return "No mail can be sent to this address; tell those who run Assent, or cancel."
    if approver.mail == "sent":
        mailed = f"Mailed on {when(last.at)}." if last and last.what == "mailed" else "Mailed."
        return f"{mailed} A reminder is on its way." if coming else mailed
    if last is not None:
        return "Must first confirm the subscription; the link is in a mail from AWS."
    return "A mail is on its way."


def is_mail_coming(approver: Approver, approval: Approval) -> bool:
    """Return whether the outbox holds a mail that asks this approver."""
    return any(isinstance(e, Mail) and e.asks and e.to == approver.address for e in approval.outbox)


def last_mail(approver: Approver, approval: Approval) -> Event | None:
    """Return the last event about a mail that asks this approver; None if there is none."""
    own = (e for e in reversed(approval.events) if e.who == approver.address)
    asking = (e for e in own if e.what in ABOUT_MAIL and e.note not in ("outcome", "receipt"))
    return next(asking, None)
