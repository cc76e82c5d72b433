"""Delegations: somebody decides for an absent approver.

A delegation belongs to one approver: a delegate, from when until when. Delegates may be absent
themselves; a chain is followed MOST_STEPS at the most, and a delegation that would make a longer
chain or a circle is refused when it is written. Approver and delegate are told of it by the tick.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta

from msgspec import Struct
from msgspec.structs import replace

from .addresses import Address, same_person
from .approval import Approval, find_person
from .errors import InvalidRequest
from .events import SYSTEM
from .outbox_entries import lease_after

MOST_STEPS = 3
LONGEST = timedelta(days=366)
"""The longest delegation, and how far ahead one may begin."""
TELLING_TRIES = 20
"""After so many tries Assent gives up telling a person of a delegation."""
LONGEST_PAUSE = timedelta(minutes=15)


class DelegationForm(Struct, frozen=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """What an operator sends for an approver; times are ISO 8601 with an offset, kept as sent."""

    delegate: Address
    from_: datetime
    until: datetime
    reason: str = ""
    by: Address | None = None


class Delegation(Struct, frozen=True, rename={"from_": "from"}):
    """Who decides for an approver, from when until when, and who wrote or ended that.

    What earlier versions stored has the first three fields alone.
    """

    delegate: str
    from_: datetime
    until: datetime
    reason: str = ""
    by: str = ""
    """The approver, or whom an operator named; if nobody, `principal`."""
    principal: str = ""
    """The IAM principal of the operator; empty if the approver wrote it."""
    at: datetime | None = None
    """When it was written or ended."""
    ended: bool = False
    """Whether somebody ended it, at `until`."""
    untold: tuple[str, ...] = ()
    """Who is still to be told of it by mail."""
    tell_at: datetime | None = None
    """When the tick tells them; None once all are told."""
    tries: int = 0


Lookup = Callable[[str], Delegation | None]
"""Address -> the delegation stored for it, past ones included."""


def form_of_days(
    delegate: str, *, first: str, last: str, reason: str, now: datetime
) -> DelegationForm:
    """Return a delegation from the beginning of `first` (empty: from now) to the end of `last`.

    Days are in UTC, as YYYY-MM-DD. Raises InvalidRequest, naming the field.
    """
    begin = _day(first, "from") if first.strip() else now
    return DelegationForm(delegate, begin, _day(last, "until") + timedelta(days=1), reason)


def _day(written: str, field: str) -> datetime:
    """Return the beginning of that day in UTC."""
    try:
        day = date.fromisoformat(written.strip())
    except ValueError:
        raise InvalidRequest(f"{field}: is a day such as 2026-12-24", field=field) from None
    if not 2000 <= day.year <= 9000:
        raise InvalidRequest(f"{field}: is a day of this century", field=field)
    return datetime.combine(day, time(), UTC)


def check_delegation(address: str, delegation: Delegation, now: datetime, lookup: Lookup) -> None:
    """Raise InvalidRequest, naming the field, if that approver can't have this delegation."""
    for field, moment in (("from", delegation.from_), ("until", delegation.until)):
        if moment.tzinfo is None:
            raise InvalidRequest(f"{field}: needs an offset from UTC, such as Z", field=field)
    if delegation.until <= delegation.from_ or delegation.until <= now:
        raise InvalidRequest("until: must be later than from, and than now", field="until")
    if delegation.from_ > now + LONGEST:
        raise InvalidRequest("from: is more than a year ahead", field="from")
    if delegation.until > max(delegation.from_, now) + LONGEST:
        raise InvalidRequest("until: a delegation lasts a year at most", field="until")
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


def author_of(delegation: Delegation | None) -> tuple[str, str]:
    """Return who wrote the delegation, and the IAM principal if that was an operator."""
    if delegation is None or not delegation.by:
        return SYSTEM, ""  # An earlier version stored it, without an author.
    return delegation.by, delegation.principal


def authors_of(delegates: Mapping[str, str], lookup: Lookup) -> dict[str, tuple[str, str]]:
    """Return `{absent approver: author_of their delegation}` for `{delegate: absent approver}`."""
    return {absent: author_of(lookup(absent)) for absent in delegates.values()}


def ended(delegation: Delegation, by: str, principal: str, now: datetime) -> Delegation:
    """Return the delegation ended now; unchanged if it is over."""
    if delegation.until <= now:
        return delegation
    return replace(delegation, until=now, by=by, principal=principal, at=now, ended=True, reason="")


def to_be_told(address: str, delegation: Delegation, now: datetime) -> Delegation:
    """Return the delegation of which the next tick tells its approver and the delegate."""
    people = (address, delegation.delegate)
    return replace(delegation, untold=people, tell_at=now, tries=0)


def lease_telling(delegation: Delegation, now: datetime) -> Delegation | None:
    """Return the delegation leased to the tick that tells of it now; None if nothing is due."""
    if delegation.tell_at is None or delegation.tell_at > now:
        return None
    tell_at = now + lease_after(delegation.tries, LONGEST_PAUSE)
    return replace(delegation, tell_at=tell_at, tries=delegation.tries + 1)


def told(delegation: Delegation, untold: tuple[str, ...]) -> Delegation:
    """Return the delegation after a try that left these people untold; given up after many."""
    left = () if delegation.tries >= TELLING_TRIES else untold
    return replace(delegation, untold=left, tell_at=delegation.tell_at if left else None)


def delegate_for(address: str, now: datetime, lookup: Lookup, *, own_alone: bool = False) -> str:
    """Return the delegate of that approver at that time; `address` if there is none.

    `own_alone` leaves out what operators wrote: delegations of the absent approvers count alone.
    """
    person = address
    for _ in range(MOST_STEPS):
        delegation = lookup(person)
        if delegation is None or not delegation.from_ <= now < delegation.until:
            return person
        if own_alone and not _is_own(person, delegation):
            return person
        person = delegation.delegate
    return person


def _is_own(approver: str, delegation: Delegation) -> bool:
    """Return whether the absent approver wrote it, and no operator in their name."""
    return same_person(delegation.by, approver) and not delegation.principal


def delegates_for(
    people: tuple[str, ...],
    now: datetime,
    lookup: Lookup,
    excluded: Iterable[str],
    *,
    own_alone: bool = False,
) -> dict[str, str]:
    """Return `{delegate: absent approver}` for the absent ones among `people`.

    `own_alone` is as in `delegate_for`: under a policy no operator picks who approves. A delegate
    who is asked anyway, or is `excluded`, stands in for nobody: then the absent approver is asked.
    """
    asked = {person.lower() for person in (*people, *excluded)}
    found: dict[str, str] = {}
    for person in people:
        delegate = delegate_for(person, now, lookup, own_alone=own_alone)
        if delegate.lower() not in asked:
            asked.add(delegate.lower())
            found[delegate] = person
    return found


def more_delegates_for(
    approval: Approval, people: tuple[str, ...], now: datetime, lookup: Lookup
) -> dict[str, str]:
    """Return `delegates_for` of people whom this approval is about to ask too.

    No delegation leads to an excluded requester, nor to a person who is or was asked: a person who
    was replaced is asked again by name alone. People who may approve alone so far have their own
    link.
    """
    asked = approval.active_approvers
    people = tuple(one for one in people if find_person(asked, one) is None)
    known = (approver.address for approver in approval.approvers)
    excluded = (*approval.request.barred, *known)
    return delegates_for(
        people, now, lookup, excluded, own_alone=approval.request.policy is not None
    )
