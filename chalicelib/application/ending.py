"""Ending: approvals whose execution has ended are closed, so that nobody decides in vain."""

from ..domain.approval import Approval
from ..domain.decoding import convert
from ..domain.workflow import EndedExecution, execution_ended
from .ports import Ports
from .saving import save, too_many_conflicts, versions


def end_approvals(ports: Ports, untrusted: object) -> list[str]:
    """Cancel the approvals that an `EndedExecution` leaves pending, and return their ids.

    The tick sends the mails. An approval that isn't in the index yet is left to its deadline.
    Raises InvalidRequest if `untrusted` is something else.
    """
    ended = convert(untrusted, EndedExecution)
    found = ports.store.of_execution(ended.execution_arn)
    pending = [approval for approval in found if approval.outcome == "pending"]
    return [approval.id for approval in pending if _end(ports, approval, ended)]


def _end(ports: Ports, read: Approval, ended: EndedExecution) -> bool:
    """Return whether this end of its execution closed the approval."""
    for current in versions(ports, read.id, read=read):
        changed = execution_ended(current, ended, ports.now())
        if changed == current:
            return False
        if save(ports, current, changed):
            return True
    raise too_many_conflicts()
