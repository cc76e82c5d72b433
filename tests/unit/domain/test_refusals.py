"""Refusals: opening a page refuses exactly when pressing its button would."""

import pytest
from msgspec.structs import replace

from chalicelib.domain.approval import Approval, Choice
from chalicelib.domain.errors import AssentError, InvalidRequest, Reassigned, WrongCode
from chalicelib.domain.refusals import (
    WRONG_CODES,
    changes_nothing,
    check_can_be_asked,
    check_can_decide,
    check_not_locked,
    why_cannot_decide,
)
from chalicelib.domain.transitions import record_wrong_code
from tests.builders import after_tick, approval_of, cancelled, decided, people
from tests.fakes import START

FRESH = approval_of(2)
LATE = FRESH.expires_at
STATES = {
    "pending": FRESH,
    "approved": decided(FRESH, 0, "approve"),
    "rejected": decided(FRESH, 0, "reject"),
    "expired": after_tick(FRESH, LATE),
    "cancelled": cancelled(FRESH),
}


@pytest.mark.parametrize("late", [False, True], ids=["in time", "late"])
@pytest.mark.parametrize("who", [0, 1])
@pytest.mark.parametrize("choice", ["approve", "reject"])
@pytest.mark.parametrize("state", STATES)
def test_a_page_refuses_exactly_when_its_button_would(
    state: str, choice: Choice, who: int, late: bool
) -> None:
    """Except for a repeated decision: that is shown and changes nothing."""
    approval, now = STATES[state], LATE if late else START
    approver = approval.approvers[who]
    over = why_cannot_decide(approval, approver, now)
    if changes_nothing(approval, approver, choice):
        assert over is not None
        assert decided(approval, who, choice, now=now) is approval
    elif over is None:
        assert decided(approval, who, choice, now=now) != approval
    else:
        with pytest.raises(type(over)) as pressed:
            decided(approval, who, choice, now=now)
        assert (pressed.value.message, pressed.value.status) == (over.message, over.status)


def _message(approval: Approval, who: int) -> str:
    with pytest.raises(AssentError) as refusal:
        check_can_decide(approval, approval.approvers[who], LATE)
    return refusal.value.message


def test_an_own_decision_is_mentioned_before_the_outcome_and_the_deadline() -> None:
    approved = STATES["approved"]
    assert "You have decided" in _message(approved, 0)
    assert "approved already, by others" in _message(approved, 1)
    assert "time for answering has passed" in _message(FRESH, 1)


def test_the_refusal_of_a_replaced_approver_names_the_person_asked_now() -> None:
    """Also after the request was reassigned again."""
    one, two = people(2)
    first = replace(FRESH.approvers[0], replaced_by=two)
    second = replace(FRESH.approvers[1], replaced_by="zoe@example.com")
    third = replace(FRESH.approvers[1], address="zoe@example.com")
    approval = replace(FRESH, approvers=(first, second, third))
    with pytest.raises(Reassigned, match=r"zoe@example\.com") as refusal:
        check_can_decide(approval, approval.approver(one), START)
    assert refusal.value.status == 410


def test_five_wrong_codes_lock_one_link() -> None:
    """The approver's other links, and those of other approvers, aren't locked."""
    approval = FRESH
    for _ in range(WRONG_CODES):
        check_not_locked(approval.approvers[0], "leaked")
        approval = record_wrong_code(approval, people(1)[0], "leaked", START, "page")
    with pytest.raises(WrongCode, match="Too many"):
        check_not_locked(approval.approvers[0], "leaked")
    with pytest.raises(WrongCode, match="Too many"):
        record_wrong_code(approval, people(1)[0], "leaked", START, "page")
    check_not_locked(approval.approvers[0], "newer")
    check_not_locked(approval.approvers[1], "leaked")
    assert [event.what for event in approval.events[1:]] == ["wrongCode"] * WRONG_CODES


@pytest.mark.parametrize("address", [people(1)[0], people(1)[0].upper(), "Mary@example.com"])
def test_a_person_asked_already_and_the_requester_can_not_be_added(address: str) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        check_can_be_asked(approval_of(2, requestedBy="mary@example.com"), address)
    assert refusal.value.field == "to"
