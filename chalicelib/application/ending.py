"""Ending: approvals whose execution has ended are closed, so that nobody decides in vain."""

from datetime import datetime, timedelta
from itertools import islice

from ..domain.approval import Approval
from ..domain.decoding import convert
from ..domain.errors import Unavailable
from ..domain.workflow import EndedExecution, execution_ended
from .ports import Ports
from .saving import save, too_many_conflicts, versions

BATCH = 100
"""How many approvals are read at once; `ApprovalStore.get_many` takes no more."""
ENDING_LIMIT = timedelta(seconds=12)
"""After so long a call begins no other read or write: SQS delivers the message again."""


def end_approvals(ports: Ports, untrusted: object) -> list[str]:
    """Cancel the approvals that an `EndedExecution` leaves pending, and return their ids.

    The tick sends the mails. An approval that isn't in the index yet is left to its deadline.
    Raises InvalidRequest if `untrusted` is something else; Unavailable if there are more than one
    call can close: those that are closed stay so, and the same call again goes on with the rest.
    """
    until = ports.now() + ENDING_LIMIT
    ended = convert(untrusted, EndedExecution)
    ids = ports.store.ids_of_execution(ended.execution_arn)
    closed: list[str] = []
    while batch := list(islice(ids, BATCH)):
        for approval in ports.store.get_many(batch):
            if approval.outcome == "pending":
                _check_time(ports, until)
                closed += [approval.id] if _end(ports, approval, ended) else []
        _check_time(ports, until)
    return closed


def _check_time(ports: Ports, until: datetime) -> None:
    if ports.now() >= until:
        raise Unavailable("the execution has more approvals than one call can close")


def _end(ports: Ports, read: Approval, ended: EndedExecution) -> bool:
    """Return whether this end of its execution closed the approval."""
    for current in versions(ports, read.id, read=read):
        changed = execution_ended(current, ended, ports.now())
        if changed == current:
            return False
        if save(ports, current, changed):
            return True
    raise too_many_conflicts()
