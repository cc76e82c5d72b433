"""What the links of an approval show after its outcome: for a time all of it, then less.

A link stays in its mailbox for years, where later readers of the mailbox can open it.
"""

from datetime import datetime, timedelta

from msgspec.structs import replace

from .approval import Approval, Approver
from .events import SYSTEM, Event


def as_shown(approval: Approval, now: datetime, kept: timedelta | None) -> tuple[Approval, bool]:
    """Return the approval as its links show it, and whether that is the outcome alone.

    Once `kept` has passed since the outcome, or since the deadline, details and reasons are left
    out: question, decisions and outcome stay.
    """
    ended = approval.closed_at or approval.expires_at
    if kept is None or now < ended + kept:
        return approval, False
    shown = replace(
        approval,
        request=replace(approval.request, details=""),
        approvers=tuple(_without_reason(approver) for approver in approval.approvers),
        events=tuple(_without_reason_to_cancel(event) for event in approval.events),
    )
    return shown, True


def _without_reason(approver: Approver) -> Approver:
    decision = approver.decision
    return replace(approver, decision=None if decision is None else replace(decision, reason=""))


def _without_reason_to_cancel(event: Event) -> Event:
    by_person = event.what == "cancelled" and event.who != SYSTEM
    return replace(event, note="") if by_person else event
