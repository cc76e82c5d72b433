"""Delegations: somebody decides for an absent approver.

A delegation belongs to one approver: a delegate, from when until when. Delegates may be absent
themselves; a chain is followed MOST_STEPS at the most, and a delegation that would make a longer
chain or a circle is refused when it is written.
"""

from collections.abc import Callable, Iterable
from datetime import datetime

from msgspec import Struct

from .addresses import Address, same_person
from .approval import Approval
from .errors import InvalidRequest

MOST_STEPS = 3


class Delegation(Struct, frozen=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """What an operator writes for an approver; times are ISO 8601 with an offset, kept as sent."""

    delegate: Address
    from_: datetime
    until: datetime


Lookup = Callable[[str], Delegation | None]
"""Address -> the delegation stored for it, past ones included."""


def check_delegation(address: str, delegation: Delegation, now: datetime, lookup: Lookup) -> None:
    """Raise InvalidRequest, naming the field, if that approver can't have this delegation."""
    for field, moment in (("from", delegation.from_), ("until", delegation.until)):
        if moment.tzinfo is None:
            raise InvalidRequest(f"{field}: needs an offset from UTC, such as Z", field=field)
    if delegation.until <= delegation.from_ or delegation.until <= now:
        raise InvalidRequest("until: must be later than from, and than now", field="until")
    person, steps = delegation.delegate, 1
    while True:
        if same_person(person, address):
            raise InvalidRequest("delegate: leads back to the absent approver", field="delegate")
        further = lookup(person)
        if further is None or further.until <= now:
            return
        person, steps = further.delegate, steps + 1
        if steps > MOST_STEPS:
            raise InvalidRequest(
                f"delegate: is absent too, and so on for more than {MOST_STEPS} steps",
                field="delegate",
            )


def delegate_for(address: str, now: datetime, lookup: Lookup) -> str:
    """Return the delegate of that approver at that time; `address` if there is none."""
    person = address
    for _ in range(MOST_STEPS):
        delegation = lookup(person)
        if delegation is None or not delegation.from_ <= now < delegation.until:
            return person
        person = delegation.delegate
    return person


def delegates_for(
    people: tuple[str, ...], now: datetime, lookup: Lookup, excluded: Iterable[str]
) -> dict[str, str]:
    """Return `{delegate: absent approver}` for the absent ones among `people`.

    A delegate who is asked anyway, or is `excluded`, stands in for nobody: then the absent approver
    is asked.
    """
    asked = {person.lower() for person in (*people, *excluded)}
    found: dict[str, str] = {}
    for person in people:
        delegate = delegate_for(person, now, lookup)
        if delegate.lower() not in asked:
            asked.add(delegate.lower())
            found[delegate] = person
    return found


def more_delegates_for(
    approval: Approval, people: tuple[str, ...], now: datetime, lookup: Lookup
) -> dict[str, str]:
    """Return `delegates_for` of people whom this approval is about to ask too.

    No delegation leads to an excluded requester, nor to a person who is or was asked: a person who
    was replaced is asked again by name alone.
    """
    known = (approver.address for approver in approval.approvers)
    return delegates_for(people, now, lookup, (*approval.request.barred, *known))
