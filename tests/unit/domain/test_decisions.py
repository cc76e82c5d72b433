"""Decisions, by example; test_approval_properties.py has any order of them."""

from dataclasses import dataclass
from datetime import timedelta

import pytest

from chalicelib.domain.approval import Approval, Choice
from chalicelib.domain.errors import AlreadyDecided, Cancelled, Expired, InvalidRequest
from chalicelib.domain.events import Event
from chalicelib.domain.outbox_entries import LEASE, Announce, Mail, OutboxEntry, Resume
from chalicelib.domain.transitions import decide, tally
from tests.builders import after_tick, approval_of, cancelled, decided, people
from tests.fakes import START

SECOND = timedelta(seconds=1)
ONE, _, THREE = people(3)


def tasks_and_questions(approval: Approval) -> list[OutboxEntry]:
    """Return the outbox without the announcement and without notifications."""
    entries = (entry for entry in approval.outbox if not isinstance(entry, Announce))
    return [entry for entry in entries if isinstance(entry, Resume) or entry.asks]


@pytest.mark.parametrize(
    ("fields", "choices", "outcome"),
    [
        ({}, "a", "approved"),
        ({}, "r", "rejected"),
        ({"approvalsNeeded": 2}, "a", "pending"),
        ({"approvalsNeeded": 2}, "aa", "approved"),
        ({"approvalsNeeded": 2, "rejectionsNeeded": 2}, "ara", "approved"),
        ({"approvalsNeeded": 2, "rejectionsNeeded": 2}, "ar", "pending"),
        ({"approvalsNeeded": 2, "rejectionsNeeded": 2}, "arr", "rejected"),
        ({"approvalsNeeded": "all"}, "aa", "pending"),
        ({"approvalsNeeded": "all"}, "aaa", "approved"),
        ({"approvalsNeeded": "all", "rejectionsNeeded": 3}, "r", "rejected"),
        ({"approvalsNeeded": 2, "rejectionsNeeded": 3}, "r", "pending"),
        ({"approvalsNeeded": 2, "rejectionsNeeded": 3}, "rr", "rejected"),
        ({"rejectionsNeeded": 3}, "rr", "pending"),
        ({"rejectionsNeeded": 3}, "rra", "approved"),
        ({"rejectionsNeeded": 3}, "rrr", "rejected"),
    ],
)
def test_three_approvers_close_it_as_soon_as_the_outcome_is_certain(
    fields: dict[str, object], choices: str, outcome: str
) -> None:
    """The quorum approves; `rejectionsNeeded` rejects, and so does an unreachable quorum."""
    approval = approval_of(3, **fields)
    for who, choice in enumerate(choices):
        assert approval.outcome == "pending"
        approval = decided(approval, who, "approve" if choice == "a" else "reject")
    assert approval.outcome == outcome == tally(approval)
    assert (approval.closed_at is None) == (outcome == "pending")


def test_all_means_every_approver() -> None:
    assert approval_of(4, approvalsNeeded="all").approvals_needed == 4
    assert approval_of(4, approvalsNeeded=2).approvals_needed == 2


def test_the_closing_decision_leaves_one_resume_and_no_mail_that_asks() -> None:
    closed = decided(approval_of(3), 0, "approve")
    assert tasks_and_questions(closed) == [Resume(START + LEASE)]
    assert (closed.closed_at, closed.resumed_at) == (START, None)


def test_a_decision_that_does_not_close_drops_only_the_mail_to_its_approver() -> None:
    after = decided(approval_of(3, approvalsNeeded=3), 1, "approve")
    assert [e.to for e in after.outbox if isinstance(e, Mail)] == [ONE, THREE]


def test_a_decision_is_recorded_with_time_reason_and_channel() -> None:
    """The reason belongs to the decision; the event has none."""
    at = START + SECOND
    approval = decide(approval_of(2), ONE, "approve", reason="tests are green", now=at, via="queue")
    decision = approval.approver(ONE).decision
    assert decision is not None
    assert (decision.choice, decision.reason) == ("approve", "tests are green")
    assert decision.decided_at == at
    assert approval.events[-1] == Event(at, "approved", ONE, "queue")


def test_an_address_finds_its_approver_in_any_case() -> None:
    approval = decide(approval_of(2), ONE.upper(), "approve", reason="", now=START, via="page")
    assert approval.approver(ONE).decision is not None
    assert [a.address for a in approval.approvers] == people(2)


def test_a_person_who_was_not_asked_can_not_decide() -> None:
    """A KeyError, since only a bug of the caller can cause it: a link names an approver."""
    with pytest.raises(KeyError):
        decide(approval_of(2), "eve@example.com", "approve", reason="", now=START, via="page")


OPEN = decided(approval_of(2, approvalsNeeded=2), 0, "approve")
CLOSED = decided(approval_of(2), 0, "approve")


@pytest.mark.parametrize("approval", [OPEN, CLOSED], ids=["pending", "closed"])
def test_the_same_decision_again_changes_nothing_and_the_opposite_is_refused(
    approval: Approval,
) -> None:
    """A decision is final, whether or not it closed the approval."""
    assert decided(approval, 0, "approve", reason="another") is approval
    with pytest.raises(AlreadyDecided) as refusal:
        decided(approval, 0, "reject")
    assert refusal.value.status == 409


@pytest.mark.parametrize(("outcome", "opposite"), [("approve", "reject"), ("reject", "approve")])
def test_once_others_closed_it_their_choice_changes_nothing_and_the_opposite_is_refused(
    outcome: Choice, opposite: Choice
) -> None:
    """An undecided approver who agrees gets no decision of their own on record."""
    closed = decided(approval_of(2), 0, outcome)
    assert decided(closed, 1, outcome) is closed
    with pytest.raises(AlreadyDecided, match="by others") as refusal:
        decided(closed, 1, opposite)
    assert refusal.value.status == 409


def test_an_own_decision_can_be_repeated_after_the_deadline() -> None:
    """A second click long after shows the decision, not the expiry."""
    late = OPEN.expires_at
    for approval in (OPEN, after_tick(OPEN, late)):
        assert decided(approval, 0, "approve", now=late) is approval
        with pytest.raises(AlreadyDecided):
            decided(approval, 0, "reject", now=late)


def test_a_decision_counts_until_just_before_the_deadline() -> None:
    """At `expires_at` itself it is too late, although no tick has run."""
    approval = approval_of(2)
    last = approval.expires_at - timedelta(microseconds=1)
    assert decided(approval, 0, "approve", now=last).outcome == "approved"
    for late in (approval.expires_at, approval.expires_at + SECOND):
        with pytest.raises(Expired):
            decided(approval, 0, "approve", now=late)


def test_an_expired_or_cancelled_approval_takes_no_decision() -> None:
    approval = approval_of(2)
    with pytest.raises(Expired):
        decided(after_tick(approval, approval.expires_at), 0, "approve")
    with pytest.raises(Cancelled):
        decided(cancelled(approval), 0, "approve")


@dataclass
class _Reasons:
    required: str
    approve: bool
    reject: bool


@pytest.mark.parametrize(
    "case",
    [
        _Reasons("never", approve=False, reject=False),
        _Reasons("onReject", approve=False, reject=True),
        _Reasons("always", approve=True, reject=True),
    ],
    ids=lambda case: case.required,
)
def test_a_reason_is_required_as_the_request_says(case: _Reasons) -> None:
    approval = approval_of(2, reasonRequired=case.required)
    choices: list[tuple[Choice, bool]] = [("approve", case.approve), ("reject", case.reject)]
    for choice, required in choices:
        if required:
            with pytest.raises(InvalidRequest) as refusal:
                decided(approval, 0, choice, reason="")
            assert refusal.value.field == "reason"
        else:
            assert decided(approval, 0, choice, reason="").outcome != "pending"
        assert decided(approval, 0, choice, reason="so").outcome != "pending"


def test_the_deadline_is_checked_before_the_reason() -> None:
    """Nobody has to write a reason for a decision that is too late."""
    approval = approval_of(2)
    with pytest.raises(Expired):
        decided(approval, 0, "reject", reason="", now=approval.expires_at)
