"""Optimistic locking: every write is conditional on the version that was read.

A use case loops over `versions`, applies a transition to each and leaves the loop once `save` took
one. The loop turns only after a version conflict, that is if another write came in between.
"""

from collections.abc import Iterator

from ..domain.approval import Approval
from ..domain.errors import NotFound, Unavailable
from .ports import Ports

MOST_CONFLICTS = 100
"""After so many version conflicts in a row a change gives up."""


def versions(ports: Ports, approval_id: str, *, read: Approval | None = None) -> Iterator[Approval]:
    """Yield the stored approval, and its newer version after each conflict.

    `read` is a version in hand, to begin with. Raises NotFound if there is no such approval.
    """
    for _ in range(MOST_CONFLICTS):
        current = read or ports.store.get(approval_id)
        if current is None:
            raise no_approval(approval_id)
        yield current
        read = None


def save(ports: Ports, read: Approval, changed: Approval) -> Approval | None:
    """Return the approval as stored now, or None on a version conflict.

    An unchanged approval isn't written.
    """
    return read if changed == read else ports.store.replace(read, changed)


def too_many_conflicts() -> Unavailable:
    """Return the error for the end of `versions`."""
    return Unavailable("Too many people are changing this approval at once; please try again")


def no_approval(approval_id: str) -> NotFound:
    """Return the error for an id that no approval has."""
    return NotFound(f"There is no approval {approval_id[:40]}.")
