"""Groups: which group each approval counts in, so that the most groups are filled.

One approval counts in one group; a person may be in several.
"""

from collections.abc import Sequence
from itertools import combinations

Memberships = Sequence[Sequence[int]]
"""For each person, the positions of their groups."""


def assign(needs: Sequence[int], memberships: Memberships) -> dict[int, int]:
    """Return `{position of a person: position of the group they count in}`; others count in none.

    Group g takes `needs[g]` people. The most groups are filled, and then the most places: a maximum
    matching, to which each place adds an augmenting path (Berge, 1957). The persons' order decides
    between equals, so that the same people give the same answer.
    """
    able = [g for g, need in enumerate(needs) if sum(g in own for own in memberships) >= need]
    sets = (full for size in range(len(able), 0, -1) for full in combinations(able, size))
    enough = (full for full in sets if sum(needs[g] for g in full) <= len(memberships))
    filled = (_filled(full, needs, memberships) for full in enough)
    counted = next((found for found in filled if found is not None), {})
    for group, need in enumerate(needs):
        while list(counted.values()).count(group) < need:
            if not _add(group, memberships, counted, set()):
                break
    return counted


def fills(needs: Sequence[int], memberships: Memberships) -> bool:
    """Return whether these people fill all groups."""
    return _filled(range(len(needs)), needs, memberships) is not None


def unfilled(needs: Sequence[int], memberships: Memberships) -> list[tuple[int, list[int]]]:
    """Return each group that these people can't fill, with the persons who count in it."""
    counted = assign(needs, memberships)
    own = [[person for person, g in counted.items() if g == group] for group in range(len(needs))]
    return [(g, sorted(people)) for g, people in enumerate(own) if len(people) < needs[g]]


def _filled(
    full: Sequence[int], needs: Sequence[int], memberships: Memberships
) -> dict[int, int] | None:
    """Return an assignment that fills all of these groups; None if there is none."""
    counted: dict[int, int] = {}
    places = (group for group in full for _ in range(needs[group]))
    return counted if all(_add(group, memberships, counted, set()) for group in places) else None


def _add(group: int, memberships: Memberships, counted: dict[int, int], seen: set[int]) -> bool:
    """Have one person more count in the group; who counts in another may move if it gets another.

    Nobody moves if that is impossible, which is then False.
    """
    for person, own in enumerate(memberships):
        if group not in own or person in seen or counted.get(person) == group:
            continue
        seen.add(person)
        if person not in counted or _add(counted[person], memberships, counted, seen):
            counted[person] = group
            return True
    return False
