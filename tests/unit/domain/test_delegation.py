"""Delegations: who decides for whom, and which chains can't be written."""

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.domain.decoding import convert
from chalicelib.domain.delegation import (
    TELLING_TRIES,
    Delegation,
    DelegationForm,
    check_delegation,
    delegate_for,
    delegates_for,
    ended,
    lease_telling,
    more_delegates_for,
    to_be_told,
    told,
)
from chalicelib.domain.errors import InvalidRequest
from chalicelib.domain.transitions import reassign
from tests.builders import an_approval
from tests.fakes import START

ADA, GRACE, LINUS, MARY, ZOE = "ada", "grace", "linus", "mary", "zoe"
ADA_AT, LINUS_AT, MARY_AT = (f"{name}@example.com" for name in (ADA, LINUS, MARY))
DAY, SECOND = timedelta(days=1), timedelta(seconds=1)


def _to(delegate: str, first: int = 0, last: int = 7) -> Delegation:
    """Return a delegation from one day to another, counted from now."""
    return Delegation(delegate, START + first * DAY, START + last * DAY)


def _read(sent: dict[str, Any]) -> Delegation:
    """Return the delegation that an operator sends."""
    form = convert(sent, DelegationForm)
    return Delegation(form.delegate, form.from_, form.until)


def test_a_delegation_holds_from_its_first_second_until_before_its_last() -> None:
    lookup = {ADA: _to(GRACE, 1, 7)}.get
    for now, expected in (
        (START + DAY - SECOND, ADA),
        (START + DAY, GRACE),
        (START + 7 * DAY - SECOND, GRACE),
        (START + 7 * DAY, ADA),
    ):
        assert delegate_for(ADA, now, lookup) == expected


def test_a_chain_of_delegations_is_followed_for_three_steps() -> None:
    """Also past a fourth that came about later, which nobody could refuse."""
    chain = {ADA: _to(GRACE), GRACE: _to(LINUS), LINUS: _to(MARY), MARY: _to(ZOE)}
    assert delegate_for(LINUS, START, chain.get) == ZOE
    assert delegate_for(ADA, START, chain.get) == MARY


@pytest.mark.parametrize(
    ("person", "delegate", "message"),
    [
        (ADA, GRACE, "more than 3 steps"),
        (ZOE, LINUS, "leads back"),
        (ADA, "ADA", "leads back"),
    ],
)
def test_a_longer_chain_or_a_circle_can_not_be_written(
    person: str, delegate: str, message: str
) -> None:
    stored = {MARY: _to(ZOE), LINUS: _to(MARY), GRACE: _to(LINUS)}
    with pytest.raises(InvalidRequest, match=message) as refusal:
        check_delegation(person, _to(delegate), START, stored.get)
    assert refusal.value.field == "delegate"


def test_delegations_that_are_over_make_no_chain() -> None:
    stored = {GRACE: _to(ADA, -7, 0)}
    check_delegation(ADA, _to(GRACE), START, stored.get)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"until": "2026-11-21T00:00:00Z"}, "until"),
        ({"until": "2026-11-22T00:00:00"}, "until"),
        ({"from": "2026-11-22T00:00:00"}, "from"),
        ({"from": "2026-11-30T00:00:00Z"}, "until"),
        ({"from": "soon"}, "from"),
        ({"from": 7}, "from"),
        ({"why": "ill"}, "why"),
        ({"delegate": 7}, "delegate"),
    ],
)
def test_a_delegation_that_makes_no_sense_is_refused_by_field(
    fields: dict[str, Any], field: str
) -> None:
    """Times need an offset from UTC; the end is later than the beginning, and than now."""
    nobody_else = dict[str, Delegation]().get
    sent = {"delegate": GRACE, "from": "2026-11-22T00:00:00Z", "until": "2026-11-29T00:00:00+02:00"}
    check_delegation(ADA, _read(sent), START, nobody_else)
    with pytest.raises(InvalidRequest) as refusal:
        check_delegation(ADA, _read(sent | fields), START, nobody_else)
    assert refusal.value.field == field


def test_a_delegate_who_is_asked_anyway_stands_in_for_nobody() -> None:
    """The quorum stays reachable; one delegate stands in for one absent approver."""
    lookup = {ADA: _to(GRACE), LINUS: _to(GRACE)}.get
    assert delegates_for((ADA, MARY), START, lookup, ()) == {GRACE: ADA}
    assert delegates_for((ADA, "Grace"), START, lookup, ()) == {}
    assert delegates_for((ADA, LINUS), START, lookup, ()) == {GRACE: ADA}


def test_the_requester_stands_in_for_nobody() -> None:
    """Nobody approves their own request by delegation."""
    lookup = {ADA: _to(GRACE)}.get
    assert delegates_for((ADA,), START, lookup, ("GRACE",)) == {}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, {MARY_AT: LINUS_AT}),
        ({"requestedBy": MARY_AT.upper()}, {}),
        ({"requestedBy": MARY_AT, "excludeRequester": True}, {}),
        ({"requestedBy": MARY_AT, "allowSelfApproval": True}, {MARY_AT: LINUS_AT}),
        ({"approvers": [MARY_AT]}, {}),
    ],
    ids=["nobody bars her", "the requester", "excluded", "allowed", "asked already"],
)
def test_the_delegate_of_an_absent_person_is_asked_later_too(
    fields: dict[str, Any], expected: dict[str, str]
) -> None:
    """The same rule as when first asked: not the requester, and nobody who is asked already."""
    lookup = {LINUS_AT: _to(MARY_AT)}.get
    approval = an_approval(**fields)
    assert more_delegates_for(approval, (LINUS_AT,), START, lookup) == expected


def test_a_person_who_was_replaced_is_not_asked_again_by_a_delegation() -> None:
    """They are asked again by name alone: they gave it away, or their address was a mistake."""
    approval = reassign(an_approval(), ADA_AT, LINUS_AT, by=ADA_AT, note="", now=START, via="page")
    lookup = {MARY_AT: _to(ADA_AT)}.get
    assert more_delegates_for(approval, (MARY_AT,), START, lookup) == {}


@pytest.mark.parametrize(
    ("first", "last", "field"),
    [(0, 366, None), (0, 367, "until"), (-500, 366, None), (-500, 367, "until"),
     (366, 732, None), (366, 733, "until"), (367, 368, "from"), (300_000, 300_001, "from")],
)  # fmt: skip
def test_a_delegation_lasts_a_year_at_most(first: int, last: int, field: str | None) -> None:
    """Counted from its beginning, or from now; it begins within a year."""
    nobody_else = dict[str, Delegation]().get
    if field is None:
        check_delegation(ADA, _to(GRACE, first, last), START, nobody_else)
        return
    with pytest.raises(InvalidRequest) as refusal:
        check_delegation(ADA, _to(GRACE, first, last), START, nobody_else)
    assert refusal.value.field == field


def test_a_delegation_that_is_ended_holds_no_more() -> None:
    """Its author is then who ended it."""
    over = ended(_to(GRACE), "mary", "arn:mary", START + DAY)
    assert delegate_for(ADA, START + DAY, {ADA: over}.get) == ADA
    assert (over.by, over.principal, over.at, over.ended) == ("mary", "arn:mary", START + DAY, True)
    assert ended(over, "zoe", "", START + 2 * DAY) is over


def test_a_delegation_is_told_until_it_is_given_up() -> None:
    """The pauses grow; nobody else tells it meanwhile."""
    delegation, now, tries = to_be_told(ADA, _to(GRACE), START), START, 0
    assert (delegation.untold, delegation.tell_at) == ((ADA, GRACE), START)
    while (leased := lease_telling(delegation, now)) is not None:
        assert lease_telling(leased, now) is None
        assert leased.tell_at is not None
        tries, now, delegation = tries + 1, leased.tell_at, told(leased, (GRACE,))
    assert tries == TELLING_TRIES
    assert (delegation.untold, delegation.tell_at) == ((), None)
