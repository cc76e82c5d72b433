"""CORE: who is away, and who is asked instead.

An absence is one person's: from when until when, and their delegate. Delegates may be away too;
a chain is followed three steps at the most, and one that would be longer, or comes back to where
it began, is refused when it is written.
"""

from collections.abc import Callable
from datetime import datetime

from msgspec import Struct

from .errors import InvalidRequest
from .request import Address, same_person

MOST_STEPS = 3


class Absence(Struct, frozen=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """What an operator writes for an approver; times are ISO 8601 with an offset, kept in UTC."""

    delegate: Address
    from_: datetime
    until: datetime


Lookup = Callable[[str], Absence | None]
"""Address -> the absence on record, if there is one."""


def check(address: str, absence: Absence, now: datetime, lookup: Lookup) -> None:
    """Raise InvalidRequest, naming the field, if this absence can't be written for that person."""
    for field, moment in (("from", absence.from_), ("until", absence.until)):
        if moment.tzinfo is None:
            raise InvalidRequest(f"{field}: needs an offset from UTC, such as Z", field=field)
    if absence.until <= absence.from_ or absence.until <= now:
        raise InvalidRequest("until: must be later than from, and than now", field="until")
    person, steps = absence.delegate, 1
    while True:
        if same_person(person, address):
            raise InvalidRequest("delegate: leads back to the one who is away", field="delegate")
        further = lookup(person)
        if further is None or further.until <= now:
            return
        person, steps = further.delegate, steps + 1
        if steps > MOST_STEPS:
            raise InvalidRequest(
                f"delegate: is away too, and so on for more than {MOST_STEPS} steps",
                field="delegate",
            )


def stand_in(address: str, now: datetime, lookup: Lookup) -> str:
    """Return who is asked at that time instead of this person: mostly they themselves."""
    person = address
    for _ in range(MOST_STEPS):
        absence = lookup(person)
        if absence is None or not absence.from_ <= now < absence.until:
            return person
        person = absence.delegate
    return person


def stand_ins(
    people: tuple[str, ...], now: datetime, lookup: Lookup, excluded: str | None
) -> dict[str, str]:
    """Return who is asked for whom, `{delegate: absent person}`, for those who are away.

    Nobody stands in who is asked anyway, or is `excluded`: the absent person is asked then.
    """
    asked = {person.lower() for person in people} | {(excluded or "").lower()}
    found: dict[str, str] = {}
    for person in people:
        other = stand_in(person, now, lookup)
        if other.lower() not in asked:
            asked.add(other.lower())
            found[other] = person
    return found
