"""Transitions that the workflow causes: its execution ended, or it asked again.

Where nobody's decision reaches the task any more, people are told that none is needed. The tick
answers the task all the same: should it wait in spite of what we were told, it must not wait for
ever.
"""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from msgspec import Meta, Struct
from msgspec.structs import replace

from .approval import Approval
from .events import SYSTEM, Channel, Event
from .outbox_entries import AT_ONCE

EndStatus = Literal["SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"]

SURELY_DEAD = timedelta(minutes=5)
"""Of two approvals of an execution that asks once at a time, the one stored so long before the
other has a dead task token.

Of two stored closer together either token may be the living one: an invocation that Step Functions
gave up may start after its own retry. None starts minutes later, since nothing queues a synchronous
invocation, and none runs for longer than the 60 s of its function.
"""


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


def requested_again(
    approval: Approval, newer: Approval, *, own: bool, now: datetime, via: Channel
) -> Approval:
    """Return the approval cancelled or marked, because its execution requested `newer` after it.

    Cancelled if the execution asks once at a time (it is one of our `own` state machine, or both
    requests say `supersedes`) and the approval is older by SURELY_DEAD. Otherwise either of the two
    may wait, so the approval is marked; not if a workflow that may ask several questions at once
    asked another one. Unchanged if it is closed or marked, or not the older one.
    """
    if approval.outcome != "pending" or approval.created_at >= newer.created_at:
        return approval
    one_at_a_time = own or (approval.request.supersedes and newer.request.supersedes)
    if one_at_a_time and newer.created_at - approval.created_at >= SURELY_DEAD:
        return _superseded(approval, newer.id, now, via)
    same = replace(approval.request, supersedes=newer.request.supersedes) == newer.request
    if approval.asked_again_at is not None or not (one_at_a_time or same):
        return approval
    return replace(approval, asked_again_at=newer.created_at)


def _superseded(approval: Approval, by_id: str, now: datetime, via: Channel) -> Approval:
    note = f"its workflow asked again: {by_id}"
    changed = replace(approval, superseded_by=by_id, task_waited=False)
    changed = changed.with_event(Event(now, "cancelled", SYSTEM, via, note))
    return changed.closed("cancelled", now, lease=AT_ONCE)
