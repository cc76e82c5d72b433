"""How a request stands, for its requester: who has answered, and whether mail reached the others.

Notes that approvers got from each other stay between them.
"""

from ..domain.approval import Approval, Approver
from ..domain.events import ABOUT_MAIL, Event
from ..domain.outbox_entries import Mail
from .wording import past, when


def asked_as(approver: Approver, approval: Approval) -> str:
    """Return in whose place this approver is asked: `for ada@example.com, who is away`; or ""."""
    if approver.stands_in_for is not None:
        return f"for {approver.stands_in_for}, who is away"
    before = [a.address for a in approval.approvers if a.replaced_by == approver.address]
    return f"instead of {', '.join(before)}" if before else ""


def answer_state(approver: Approver, approval: Approval) -> str:
    """Return whether an approver has decided: `approved on ...`, `has not decided`."""
    if approver.decision is not None:
        return f"{past(approver.decision.choice)} on {when(approver.decision.decided_at)}"
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
