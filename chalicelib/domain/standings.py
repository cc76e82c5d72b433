"""Standings: how each group of an approval stands, and in which group an approval counts."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from .approval import Approval, Approver
from .groups import assign, fills
from .policy import Group


class GroupStanding(NamedTuple):
    """How a group stands: who counts in it, and whose approval would bring it nearer."""

    name: str
    needed: int
    approved: tuple[Approver, ...]
    undecided: tuple[Approver, ...]

    @property
    def is_filled(self) -> bool:
        """Whether it has its count."""
        return len(self.approved) >= self.needed


def standings(approval: Approval) -> list[GroupStanding]:
    """Return how each group stands.

    Of an open group, `undecided` are the people whose approval would bring it one nearer: by
    counting in it, or by counting where somebody counts now who is in it.
    """
    groups, approved = approval.request.groups, approval.approved
    counted = _assigned(groups, approved)
    have = [list(counted.values()).count(at) for at in range(len(groups))]
    return [
        GroupStanding(
            group.name,
            group.needed,
            tuple(approved[person] for person, g in sorted(counted.items()) if g == at),
            tuple(_nearer(approval, have, at)) if have[at] < group.needed else (),
        )
        for at, group in enumerate(groups)
    ]


def _nearer(approval: Approval, have: Sequence[int], group: int) -> Iterator[Approver]:
    """Yield the undecided whose approval would let this group have one more than now."""
    needs = [*have[:group], have[group] + 1, *have[group + 1 :]]
    for one in approval.undecided:
        if fills(needs, [*(a.groups for a in approval.approved), one.groups]):
            yield one


def counted_in(approval: Approval) -> dict[str, str]:
    """Return `{approver: name of the group that their approval counts in}`; "" has no name."""
    groups, approved = approval.request.groups, approval.approved
    counted = _assigned(groups, approved)
    return {approved[person].address: groups[at].name for person, at in counted.items()}


def _assigned(groups: Sequence[Group], approved: Sequence[Approver]) -> dict[int, int]:
    return assign([g.needed for g in groups], [a.groups for a in approved])


def can_fill(groups: Sequence[Group], people: Sequence[Approver]) -> bool:
    """Return whether the approvals of all these people fill each group."""
    return fills([g.needed for g in groups], [person.groups for person in people])
