"""Deadlines: what becomes of an approval as time passes: expiry, escalation, reminders."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from msgspec.structs import replace

from .approval import Approval, Approver, find_person
from .asking_people import Authors, ask_too, in_groups, people_to_ask
from .events import SYSTEM, Event
from .outbox_entries import AT_ONCE
from .transitions import add_reminders


def apply_deadlines(
    approval: Approval,
    now: datetime,
    delegates: Mapping[str, str] | None = None,
    authors: Authors | None = None,
) -> Approval:
    """Return the approval expired, or escalated and reminded, if that is due at `now`.

    `delegates` is `{delegate: absent approver}` for those whom `escalates_to` names,
    and `authors` says who wrote each of these delegations.
    """
    if approval.outcome != "pending":
        return approval
    if now >= approval.expires_at:
        expired = approval.with_event(Event(now, "expired", SYSTEM, "tick"))
        return expired.closed("expired", now, lease=AT_ONCE)
    return _remind(_escalate(approval, now, delegates or {}, authors or {}), now)


def escalates_to(approval: Approval, now: datetime) -> tuple[str, ...]:
    """Return the fallback approvers to ask at `now`, once it is due: those not asked so far.

    People who may only approve alone count as not asked.
    """
    due_at = approval.escalate_at
    open_ = approval.outcome == "pending" and now < approval.expires_at
    if not open_ or due_at is None or due_at > now:
        return ()
    return tuple(a for a in approval.fallback if _asked_in_a_group(approval, a) is None)


def _escalate(
    approval: Approval, now: datetime, delegates: Mapping[str, str], authors: Authors
) -> Approval:
    """Return the approval with the fallback approvers asked, once, if that is due."""
    if approval.escalate_at is None or approval.escalate_at > now:
        return approval
    added, groups = escalates_to(approval, now), (approval.request.escalation_group,)
    joining = [p for a in approval.fallback if (p := _asked_in_a_group(approval, a)) is not None]
    new = (*added, *(f"{person.address} (asked already)" for person in joining))
    note = ", ".join(new) if new else "nobody new to add"
    approval = replace(approval, escalate_at=None)
    approval = approval.with_event(Event(now, "escalated", SYSTEM, "tick", note))
    for person in joining:  # asked for other groups, as a delegate for example
        approval = approval.with_approver(replace(person, groups=(*person.groups, *groups)))
    people = tuple(in_groups(one, groups) for one in people_to_ask(added, delegates))
    return ask_too(approval, people, "escalation", now, "tick", authors)


def _asked_in_a_group(approval: Approval, address: str) -> Approver | None:
    found = find_person(approval.approvers, address)
    return found if found is not None and found.groups else None


def _remind(approval: Approval, now: datetime) -> Approval:
    """Return the approval with reminders in its outbox, if due; each interval doubles the last."""
    every = approval.request.remind_every
    if every is None or approval.remind_at is None or approval.remind_at > now:
        return approval
    number = approval.reminders + 1
    next_one = now + timedelta(seconds=every * 2**number)
    approval = replace(approval, reminders=number, remind_at=next_one)
    return add_reminders(approval.with_event(Event(now, "reminded", SYSTEM, "tick")), now)
