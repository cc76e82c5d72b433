"""The groups of a policy in the fake: in which group each approval counts."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any, NamedTuple

Json = dict[str, Any]


class Rule(NamedTuple):
    """The policy of a request: its name and version, its groups, and who may approve alone.

    A group has `name`, `needed` and `people`, in lower case. `named` adds the fallback approvers:
    an operator puts in nobody else. `longest` is how many seconds a request may wait.
    """

    reference: Json
    groups: Sequence[Json]
    alone: Sequence[str]
    named: Mapping[str, set[str]]
    longest: int | None = None

    def groups_of(self, address: str) -> list[str]:
        """Return the names of that person's groups."""
        return [one["name"] for one in self.groups if address.lower() in one["people"]]

    def counted(self, own: Sequence[Sequence[str]]) -> dict[int, str]:
        """Return `{position: group}` of the persons who count, given the groups of each.

        One person counts in one group, and the most groups are filled.
        """
        return seated({one["name"]: one["needed"] for one in self.groups}, own)

    def unfilled(self, own: Sequence[Sequence[str]]) -> list[str]:
        """Return the names of the groups that these persons can't fill."""
        counted = list(self.counted(own).values())
        return [g["name"] for g in self.groups if counted.count(g["name"]) < g["needed"]]


def seated(needs: Mapping[str, int], own: Sequence[Sequence[str]]) -> dict[int, str]:
    """Return `{position: group}` of the persons who count where groups need so many."""
    best: dict[int, str] = {}
    for chosen in _largest_first(list(needs)):
        places = [name for name in chosen for _ in range(needs[name])]
        found = dict[int, str]()
        if all(_seated(name, own, found, set()) for name in places):
            best = found
            break
    for name, need in needs.items():
        while list(best.values()).count(name) < need and _seated(name, own, best, set()):
            pass
    return best


def _largest_first(names: Sequence[str]) -> Iterator[Sequence[str]]:
    for size in range(len(names), 0, -1):
        yield from combinations(names, size)


def _seated(name: str, own: Sequence[Sequence[str]], seats: dict[int, str], seen: set[int]) -> bool:
    """Have one person more count in the group; another may move for that."""
    for person, groups in enumerate(own):
        if name not in groups or person in seen or seats.get(person) == name:
            continue
        seen.add(person)
        if person not in seats or _seated(seats[person], own, seats, seen):
            seats[person] = name
            return True
    return False
