"""Reassigning: one person is asked instead of another, also to and fro."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain import link_tokens
from chalicelib.domain.approval import Approval, find_person
from chalicelib.domain.errors import InvalidRequest, NotFound, Reassigned
from chalicelib.domain.events import SYSTEM, Event
from chalicelib.domain.outbox_entries import Mail
from chalicelib.domain.transitions import reassign, tally
from tests.builders import after_tick, approval_of, decided, hashes_of, people
from tests.fakes import START

ONE, TWO, THREE, FOUR = people(4)
OPERATOR = "operator@example.com"


def _mailed_addresses(approval: Approval) -> list[str]:
    return [entry.to for entry in approval.outbox if isinstance(entry, Mail)]


def _reassign(approval: Approval, from_: str, to: str, **more: Any) -> Approval:
    given: dict[str, Any] = {"by": OPERATOR, "note": "", "now": START, "via": "api"} | more
    return reassign(approval, from_, to, **given)


def test_reassigning_asks_one_person_instead_of_another() -> None:
    """The record names both; the note belongs to the new approver."""
    note = "ONE is away"
    approval = _reassign(approval_of(2), ONE.upper(), THREE, note=note)
    assert [(a.address, a.replaced_by) for a in approval.approvers] == [
        (ONE, THREE),
        (TWO, None),
        (THREE, None),
    ]
    assert _mailed_addresses(approval) == [TWO, THREE]
    assert approval.approver(THREE).note == note
    assert approval.events[-1] == Event(
        START, "reassigned", OPERATOR, "api", f"{ONE} -> {THREE}", note
    )


def test_reassigning_to_the_same_person_again_changes_nothing() -> None:
    once = _reassign(approval_of(2), ONE, THREE)
    assert _reassign(once, ONE, THREE.upper(), note="again") is once
    with pytest.raises(InvalidRequest) as refusal:
        _reassign(once, ONE, "zoe@example.com")
    assert refusal.value.field == "from"


@pytest.mark.parametrize(
    ("from_", "to", "field"),
    [
        ("grace@example.com", THREE, "from"),
        (ONE, THREE, "from"),
        (TWO, TWO, "to"),
        (TWO, ONE.upper(), "to"),
        (TWO, "Mary@example.com", "to"),
    ],
    ids=["not asked", "has decided", "themselves", "asked already", "the requester"],
)
def test_a_person_who_can_not_be_reassigned_is_named(from_: str, to: str, field: str) -> None:
    approval = approval_of(2, approvalsNeeded=2, requestedBy="mary@example.com")
    with pytest.raises(InvalidRequest) as refusal:
        _reassign(decided(approval, 0, "approve"), from_, to)
    assert refusal.value.field == field


def test_a_request_can_be_reassigned_to_its_requester_if_that_is_allowed() -> None:
    approval = approval_of(1, requestedBy="mary@example.com", allowSelfApproval=True)
    assert _reassign(approval, ONE, "mary@example.com").undecided[0].address == "mary@example.com"


def test_a_person_who_was_replaced_can_be_asked_again() -> None:
    """With a fresh link, in their old place; the links of before stay dead."""
    away = _reassign(approval_of(2), ONE, THREE)
    back = _reassign(away, THREE, ONE.upper(), note="it is yours")
    assert [(a.address, a.replaced_by) for a in back.approvers] == [
        (ONE, None),
        (TWO, None),
        (THREE, ONE),
    ]
    assert _mailed_addresses(back) == [TWO, ONE]
    person = back.approver(ONE)
    assert (person.link_hashes, person.mail, person.note) == ((), "waiting", "it is yours")
    assert person.instead_of == THREE
    with pytest.raises(Reassigned, match="newest mail"):
        link_tokens.approver_of(back, ONE)  # `hashes_of` makes links of addresses
    fresh = after_tick(back, START, {to: hashes_of(["new"])["new"] for to in people(3)})
    assert link_tokens.approver_of(fresh, "new").address == ONE


def test_dead_links_stay_dead_however_often_somebody_is_asked_again() -> None:
    """The newest of them are still told from links that never were."""
    approval = approval_of(1)
    for turn in range(30):
        approval = _reassign(_reassign(approval, ONE, TWO), TWO, ONE)
        fresh = {to: hashes_of([f"{turn}{to}"])[f"{turn}{to}"] for to in (ONE, TWO)}
        approval = after_tick(approval, START, fresh)
    link_tokens.approver_of(approval, f"29{ONE}")
    with pytest.raises(Reassigned):
        link_tokens.approver_of(approval, f"28{ONE}")
    with pytest.raises(NotFound):
        link_tokens.approver_of(approval, f"0{ONE}")


def test_repeating_a_reassignment_to_and_fro_changes_nothing() -> None:
    there = _reassign(approval_of(1), ONE, TWO)
    back = _reassign(there, TWO, ONE)
    assert _reassign(there, ONE, TWO) is there
    assert _reassign(back, TWO, ONE) is back


def test_an_absent_person_is_replaced_by_their_delegate() -> None:
    """The record names both; repeating the command changes nothing, absent or not."""
    approval = _reassign(approval_of(2), ONE, THREE, note="please", delegates={FOUR: THREE})
    person = approval.approver(FOUR)
    assert (person.stands_in_for, person.instead_of, person.note) == (THREE, ONE, "please")
    assert approval.approver(ONE).replaced_by == FOUR
    assert find_person(approval.approvers, THREE) is None
    assert [(e.what, e.who, e.note) for e in approval.events[-2:]] == [
        ("reassigned", OPERATOR, f"{ONE} -> {THREE}"),
        ("delegated", SYSTEM, f"{THREE} -> {FOUR}"),
    ]
    assert _reassign(approval, ONE, THREE) is approval
    assert _reassign(approval, ONE, THREE, delegates={FOUR: THREE}) is approval
    assert _reassign(approval, ONE, FOUR) is approval


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=40),
    st.integers(1, 3),
    st.sampled_from([1, 2, "all"]),
)
def test_any_reassignments_leave_as_many_people_asked_as_before(
    moves: list[tuple[int, int]], number: int, needed: Any
) -> None:
    """And each replaced person is told who is asked now; the quorum stays in reach."""
    crowd = people(6)
    needed = min(needed, number) if needed != "all" else needed
    approval = approval_of(number, approvalsNeeded=needed)
    for from_, to in moves:
        with suppress(InvalidRequest):
            approval = _reassign(approval, crowd[from_], crowd[to])
        assert len(approval.active_approvers) == number
        active = {approver.address for approver in approval.active_approvers}
        assert {approval.asked_instead_of(a) for a in approval.approvers} == active
        assert set(_mailed_addresses(approval)) == active
        assert len(_mailed_addresses(approval)) == number
        assert tally(approval) == "pending"


def test_fifty_people_can_be_replaced_again_and_again() -> None:
    """The bound is on the people asked now, and on the item's size."""
    approval = approval_of(50)
    for turn in range(60):
        leaving = approval.active_approvers[0].address
        approval = _reassign(approval, leaving, f"other{turn}@example.com", note="I am away")
    assert (len(approval.active_approvers), len(approval.approvers)) == (50, 110)
