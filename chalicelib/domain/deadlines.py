"""Deadlines: what becomes of an approval as time passes: expiry, escalation, reminders."""

from datetime import datetime, timedelta

from msgspec.structs import replace

from .approval import Approval, Approver, find_person
from .events import SYSTEM, Event
from .outbox_entries import AT_ONCE
from .request import MOST_APPROVERS
from .transitions import add_approvers, add_reminders


def apply_deadlines(approval: Approval, now: datetime) -> Approval:
    """Return the approval expired, or escalated and reminded, if that is due at `now`."""
    if approval.outcome != "pending":
        return approval
    if now >= approval.expires_at:
        expired = approval.with_event(Event(now, "expired", SYSTEM, "tick"))
        return expired.closed("expired", now, lease=AT_ONCE)
    return _remind(_escalate(approval, now), now)


def _escalate(approval: Approval, now: datetime) -> Approval:
    """Return the approval with the fallback approvers asked, once, if that is due."""
    escalation = approval.request.escalation
    if escalation is None or approval.escalate_at is None or approval.escalate_at > now:
        return approval
    room = MOST_APPROVERS - len(approval.approvers)
    fallback = [a for a in escalation.approvers if find_person(approval.approvers, a) is None]
    added = fallback[:room]
    note = ", ".join(added) if added else "nobody new to add"
    approval = replace(approval, escalate_at=None)
    approval = approval.with_event(Event(now, "escalated", SYSTEM, "tick", note))
    return add_approvers(approval, tuple(map(Approver, added)), "escalation", now)


def _remind(approval: Approval, now: datetime) -> Approval:
    """Return the approval with reminders in its outbox, if due; each interval doubles the last."""
    every = approval.request.remind_every
    if every is None or approval.remind_at is None or approval.remind_at > now:
        return approval
    number = approval.reminders + 1
    next_one = now + timedelta(seconds=every * 2**number)
    approval = replace(approval, reminders=number, remind_at=next_one)
    return add_reminders(approval.with_event(Event(now, "reminded", SYSTEM, "tick")), now)
