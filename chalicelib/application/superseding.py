"""Superseding: an execution that asks again closes or marks what it asked before.

A retried or redriven execution has a new task token, and nobody's answer to the older request
reaches it. `docs/decisions/0023` says when that is certain.

Superseding is tidying up: no fault of it may hold up the new request. An older approval that is
left as it is ends with its execution or by its deadline; raising the fault would fail the workflow
while the index is away, or, once the new approval is stored, have people asked a third time.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from ..domain import workflow
from ..domain.approval import Approval
from ..domain.errors import AssentError, InvalidRequest, Unavailable
from ..domain.events import Channel
from ..domain.request import Request
from .ports import Ports
from .saving import save, too_many_conflicts, versions

SUPERSEDING_LIMIT = timedelta(seconds=5)
"""After so long a request begins no write of an older approval: its own mails come first."""


def check_may_supersede(request: Request, via: Channel) -> None:
    """Raise InvalidRequest if a request by queue would supersede others.

    SQS may deliver an older request last; it would close the newer one.
    """
    if request.supersedes and via != "function":
        raise InvalidRequest(
            "supersedes: a queue doesn't keep the order of requests; ask by the function",
            field="supersedes",
        )


def approvals_before(ports: Ports, approval: Approval, via: Channel) -> list[Approval]:
    """Return what the execution has requested so far, newest first; empty if that can't be read.

    Empty for a request by queue too, since its order isn't known. To be called before the approval
    is stored: the first request of an execution costs a query alone.
    """
    if via != "function":
        return []
    try:
        return ports.store.of_execution(approval.execution_arn)
    except AssentError as e:
        ports.log("superseding_failed", approvalId=approval.id, why=e.message)
        return []


def supersede(
    ports: Ports, before: Iterable[Approval], newer: Approval, via: Channel, *, until: datetime
) -> None:
    """Close those of the approvals `before` whose task token is surely dead, and mark others.

    Writes nothing at `until` or later. The tick sends the mails.
    """
    own = newer.execution_arn.startswith(ports.own_executions)
    for read in before:
        try:
            _supersede(ports, read, newer, own=own, via=via, until=until)
        except AssentError as e:
            ports.log("superseding_failed", approvalId=read.id, why=e.message)


def _supersede(
    ports: Ports, read: Approval, newer: Approval, *, own: bool, via: Channel, until: datetime
) -> None:
    for current in versions(ports, read.id, read=read):
        now = ports.now()
        changed = workflow.requested_again(current, newer, own=own, now=now, via=via)
        if changed == current:
            return
        if now >= until:
            raise Unavailable("no time was left for it")
        if save(ports, current, changed):
            return
    raise too_many_conflicts()
