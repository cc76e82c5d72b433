"""Transitions that the workflow causes: its execution ended, or it asked again.

In both cases nobody's decision reaches the task any more, and people are told so.
The tick answers the task all the same: should it wait in spite of what we were told, it must not
wait for ever.
"""

from datetime import UTC, datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct
from msgspec.structs import replace

from .approval import Approval
from .events import SYSTEM, Channel, Event
from .outbox_entries import AT_ONCE

EndStatus = Literal["SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"]


class EndedExecution(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """An execution that ended: three fields of Step Functions' event on the event bus.

    `stop_date` is in milliseconds since 1970.
    """

    execution_arn: Annotated[str, Meta(min_length=1, max_length=1_024)]
    status: EndStatus
    stop_date: Annotated[int, Meta(ge=0, le=253_402_300_799_999)]

    @property
    def stopped_at(self) -> datetime:
        """When it ended."""
        return datetime.fromtimestamp(self.stop_date / 1000, UTC)


def execution_ended(approval: Approval, ended: EndedExecution, now: datetime) -> Approval:
    """Return the approval cancelled, because its execution ended before it was decided.

    Unchanged if it is closed, or if it was requested after that end: a redriven execution keeps its
    ARN and asks again.
    """
    if approval.outcome != "pending" or approval.created_at > ended.stopped_at:
        return approval
    note = f"its workflow ended ({ended.status})"
    changed = replace(approval, execution_ended=ended.status, task_waited=False)
    changed = changed.with_event(Event(now, "cancelled", SYSTEM, "queue", note))
    return changed.closed("cancelled", now, lease=AT_ONCE)


def superseded(approval: Approval, by_id: str, now: datetime, via: Channel) -> Approval:
    """Return the approval cancelled, because its execution asked again; unchanged if it is closed.

    `by_id` is the newer approval.
    """
    if approval.outcome != "pending":
        return approval
    note = f"its workflow asked again: {by_id}"
    changed = replace(approval, superseded_by=by_id, task_waited=False)
    changed = changed.with_event(Event(now, "cancelled", SYSTEM, via, note))
    return changed.closed("cancelled", now, lease=AT_ONCE)


def asked_again(approval: Approval, newer: Approval) -> Approval:
    """Return the approval marked if its execution requested the same again; either may wait.

    Unchanged if it is closed or marked, or if the newer request differs: a workflow may ask several
    questions at once.
    """
    marked = approval.asked_again_at is not None
    if approval.outcome != "pending" or marked or approval.request != newer.request:
        return approval
    return replace(approval, asked_again_at=newer.created_at)
