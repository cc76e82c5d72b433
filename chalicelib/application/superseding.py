"""Superseding: an execution that asks again closes or marks what it asked before.

A retried or redriven execution has a new task token, and nobody's answer to the older request
reaches it. `docs/decisions/0023` says when that is certain.
"""

from collections.abc import Iterable
from datetime import datetime

from ..domain import workflow
from ..domain.approval import Approval
from ..domain.errors import AssentError, InvalidRequest
from ..domain.events import Channel
from ..domain.request import Request
from .ports import Ports
from .saving import save, too_many_conflicts, versions


def check_may_supersede(request: Request, via: Channel) -> None:
    """Raise InvalidRequest if a request by queue would supersede others.

    SQS may deliver an older request last; it would close the newer one.
    """
    if request.supersedes and via != "function":
        raise InvalidRequest(
            "supersedes: a queue doesn't keep the order of requests; ask by the function",
            field="supersedes",
        )


def older_requests(
    ports: Ports, execution_arn: str, began: datetime, via: Channel
) -> list[Approval]:
    """Return the pending approvals that the execution requested before this call began.

    None for a request by queue, since its order isn't known. An approval of the same second isn't
    returned: of two calls at once, neither may take the other for the older one.
    """
    if via != "function":
        return []
    found = ports.store.of_execution(execution_arn)
    return [a for a in found if a.outcome == "pending" and a.created_at < began]


def supersede(ports: Ports, older: Iterable[Approval], newer: Approval, via: Channel) -> None:
    """Close the older approvals if their task token is certainly dead, or else mark them.

    The tick sends the mails. An approval that can't be written now is left to its deadline: the
    newer one is stored already, so the caller must not try again.
    """
    for read in older:
        try:
            _supersede(ports, read, newer, via)
        except AssentError as e:
            ports.log("superseding_failed", approvalId=read.id, why=e.message)


def _supersede(ports: Ports, read: Approval, newer: Approval, via: Channel) -> None:
    for current in versions(ports, read.id, read=read):
        if newer.request.supersedes or newer.execution_arn.startswith(ports.own_executions):
            changed = workflow.superseded(current, newer.id, ports.now(), via)
        else:
            changed = workflow.asked_again(current, newer)
        if save(ports, current, changed):
            return
    raise too_many_conflicts()
