"""Figures for operators, over the approvals that were asked last."""

from ..domain import figures as counted
from ..domain.figures import Figures
from .ports import Ports

NEWEST = 500
"""So many decided approvals are counted: those that were asked last."""
DUE = 100
"""So many approvals are looked at for mails that wait: those that have been due longest."""
BATCH = 100
"""How many approvals are read at once; `ApprovalStore.get_many` takes no more."""


def find_figures(ports: Ports) -> Figures:
    """Return the figures of the newest approvals."""
    ids, _ = ports.store.decided(NEWEST)
    decided = [
        approval
        for start in range(0, len(ids), BATCH)
        for approval in ports.store.get_many(ids[start : start + BATCH])
    ]
    due, _ = ports.store.due_since(ports.now(), DUE)
    return counted.figures(decided, ports.store.get_many(due), ports.now())
