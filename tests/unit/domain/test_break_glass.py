"""Break-glass: who may approve alone, and how."""

import pytest

from chalicelib.domain.approval import Approval, Choice
from chalicelib.domain.deadlines import apply_deadlines
from chalicelib.domain.errors import AlreadyDecided, InvalidRequest
from chalicelib.domain.outbox_entries import Mail
from chalicelib.domain.transitions import BREAK_GLASS, add_reminders, decide, reassign
from tests.fakes import START
from tests.policies import approval_under, approved, group, policy_version

POLICY = policy_version(breakGlass=["cto@example.com", "sam@example.com"])


def _decide(
    approval: Approval, name: str, choice: Choice = "approve", *, alone: bool, reason: str = "fire"
) -> Approval:
    return decide(
        approval,
        f"{name}@example.com",
        choice,
        reason=reason,
        now=START,
        via="page",
        break_glass=alone,
    )


@pytest.mark.parametrize("name", ["cto", "sam"])
def test_a_named_person_approves_alone_and_it_is_marked(name: str) -> None:
    """Whether they are in a group or not."""
    approval = _decide(approval_under(POLICY), name, alone=True)
    assert approval.outcome == "approved"
    assert approval.broken_glass is not None
    assert approval.broken_glass.address == f"{name}@example.com"
    assert [e.note for e in approval.events if e.what == "approved"] == [BREAK_GLASS]


def test_everybody_is_told_but_the_person() -> None:
    """Also those who might have approved alone."""
    approval = _decide(approval_under(POLICY), "cto", alone=True)
    told = {e.to for e in approval.outbox if isinstance(e, Mail)}
    members = {f"{name}@example.com" for name in ("sam", "sue", "ops1", "ops2", "ops3")}
    assert told == members


def test_who_is_in_no_group_is_not_told_of_an_ordinary_outcome() -> None:
    """Nothing waited for them."""
    approval = approved(approval_under(POLICY), "sam", "ops1", "ops2")
    assert approval.outcome == "approved"
    assert "cto@example.com" not in {e.to for e in approval.outbox if isinstance(e, Mail)}


def test_a_reason_is_required() -> None:
    """Even where the policy requires none."""
    policy = policy_version(breakGlass=["cto@example.com"], reasonRequired="never")
    with pytest.raises(InvalidRequest, match="reason"):
        _decide(approval_under(policy), "cto", alone=True, reason="")


@pytest.mark.parametrize(
    ("name", "choice", "alone", "said"),
    [
        ("ops1", "approve", True, "may not approve this alone"),
        ("cto", "approve", False, "only approve this alone"),
        ("cto", "reject", False, "only approve this alone"),
        ("cto", "reject", True, "nobody rejects alone"),
        ("sam", "reject", True, "nobody rejects alone"),
    ],
)
def test_nobody_decides_otherwise_than_they_may(
    name: str, choice: Choice, *, alone: bool, said: str
) -> None:
    """The field `breakGlass` says why, and nothing is changed."""
    with pytest.raises(InvalidRequest, match=said) as refused:
        _decide(approval_under(POLICY), name, choice, alone=alone)
    assert refused.value.field == "breakGlass"


def test_who_is_named_and_in_a_group_may_approve_as_one_of_it() -> None:
    """Then the others are still needed, and the decision is final."""
    approval = _decide(approval_under(POLICY), "sam", alone=False)
    assert approval.outcome == "pending"
    with pytest.raises(AlreadyDecided, match="a decision is final"):
        _decide(approval, "sam", "reject", alone=False)


def test_nobody_waits_for_who_may_only_approve_alone() -> None:
    """No reminder, and they can't be the last who is missing."""
    approval = approval_under(POLICY)
    assert "cto@example.com" in [a.address for a in approval.active_approvers]
    assert "cto@example.com" not in [a.address for a in approval.waits_for]
    reminded = add_reminders(approval.without_question_to("cto@example.com"), START)
    assert "cto@example.com" not in [e.to for e in reminded.outbox if isinstance(e, Mail)]


def test_a_requester_does_not_approve_alone_either() -> None:
    """Nobody approves their own request."""
    approval = approval_under(POLICY, requestedBy="cto@example.com")
    assert "cto@example.com" not in [a.address for a in approval.approvers]


def test_the_right_to_approve_alone_is_not_handed_on() -> None:
    """An approver in no group can't be reassigned; a group's member hands on the group alone."""
    approval = approval_under(POLICY)
    with pytest.raises(InvalidRequest, match="is in no group"):
        _reassigned(approval, "cto", "mallory")
    moved = _reassigned(approval, "sam", "mallory")
    with pytest.raises(InvalidRequest, match="may not approve this alone"):
        _decide(moved, "mallory", alone=True)
    assert moved.approver("mallory@example.com").groups == (0,)


def test_a_fallback_approver_who_could_approve_alone_joins_their_group() -> None:
    """And counts in it from then on."""
    policy = policy_version(
        group("security", "sam"),
        breakGlass=["cto@example.com"],
        escalation={"after": 60, "approvers": ["cto@example.com"]},
    )
    approval = apply_deadlines(approval_under(policy), START.replace(minute=2))
    assert approval.approver("cto@example.com").groups == (0,)
    assert _decide(approval, "cto", alone=False).outcome == "approved"


def _reassigned(approval: Approval, from_: str, to: str) -> Approval:
    return reassign(
        approval,
        f"{from_}@example.com",
        f"{to}@example.com",
        by="x",
        note="",
        now=START,
        via="page",
    )
