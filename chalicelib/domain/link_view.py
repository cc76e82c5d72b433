"""What the links of an approval show after its outcome: for a time all of it, then less.

A link stays in its mailbox for years, where later readers of the mailbox can open it.
"""

from datetime import datetime, timedelta

from msgspec.structs import replace

from .approval import Approval, Approver
from .events import SYSTEM, Event


def is_outcome_alone(approval: Approval, now: datetime, kept: timedelta | None) -> bool:
    """Return whether links show the outcome alone: `kept` has passed since it, or the deadline."""
    ended = approval.closed_at or approval.expires_at
    return kept is not None and now >= ended + kept


def outcome_alone(approval: Approval) -> Approval:
    """Return the approval without details and reasons: question, decisions and outcome stay."""
    return replace(
        approval,
        request=replace(approval.request, details=""),
        approvers=tuple(_without_reason(approver) for approver in approval.approvers),
        events=tuple(_without_reason_to_cancel(event) for event in approval.events),
    )


def _without_reason(approver: Approver) -> Approver:
    decision = approver.decision
    return replace(approver, decision=None if decision is None else replace(decision, reason=""))


def _without_reason_to_cancel(event: Event) -> Event:
    by_person = event.what == "cancelled" and event.who != SYSTEM
    return replace(event, note="") if by_person else event
