"""Standings: how each group of an approval stands, and in which group an approval counts."""

from collections.abc import Sequence
from typing import NamedTuple

from .approval import Approval, Approver
from .groups import assign, unfilled
from .policy import Group


class Standing(NamedTuple):
    """How a group stands: who counts in it, and who of it hasn't decided."""

    name: str
    needed: int
    approved: tuple[Approver, ...]
    undecided: tuple[Approver, ...]

    @property
    def is_filled(self) -> bool:
        """Whether it has its count."""
        return len(self.approved) >= self.needed


def standings(approval: Approval) -> list[Standing]:
    """Return how each group stands."""
    groups = approval.request.groups
    approved = [a for a in approval.approvers if a.decision and a.decision.choice == "approve"]
    counted = assign([g.needed for g in groups], [a.groups for a in approved])
    return [
        Standing(
            group.name,
            group.needed,
            tuple(approved[person] for person, g in sorted(counted.items()) if g == at),
            tuple(a for a in approval.undecided if at in a.groups),
        )
        for at, group in enumerate(groups)
    ]


def counted_in(approval: Approval) -> dict[str, str]:
    """Return `{approver: name of the group that their approval counts in}`; "" has no name."""
    return {
        approver.address: standing.name
        for standing in standings(approval)
        for approver in standing.approved
    }


def can_fill(groups: Sequence[Group], people: Sequence[Approver]) -> bool:
    """Return whether the approvals of all these people fill each group."""
    return not unfilled([g.needed for g in groups], [person.groups for person in people])
