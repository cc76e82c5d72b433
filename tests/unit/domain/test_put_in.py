"""Under a policy nobody but its people, and those whom they name themselves, may count."""

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.domain.approval import Approval
from chalicelib.domain.deadlines import apply_deadlines
from chalicelib.domain.delegation import Delegation, delegates_for
from chalicelib.domain.errors import AlreadyDecided, InvalidRequest
from chalicelib.domain.outbox_entries import Mail
from chalicelib.domain.transitions import decide, extend, reassign, remind
from tests.fakes import START
from tests.policies import approval_of_request, approval_under, approved, group, policy_version
from tests.policies import request_under as request

POLICY = policy_version(
    group("security", "sam"),
    group("operations", "ops1", "ops2"),
    escalation={"after": 600, "approvers": ["lead@example.com"], "group": "operations"},
    breakGlass=["cto@example.com", "sam@example.com"],
    expiresIn=3_600,
)


def _put_in(approval: Approval, from_: str, to: str, via: Any = "api") -> Approval:
    return reassign(
        approval,
        f"{from_}@example.com",
        f"{to}@example.com",
        by="operator@example.com",
        note="",
        now=START,
        via=via,
    )


@pytest.mark.parametrize("via", ["api", "console"])
@pytest.mark.parametrize(
    ("from_", "to"), [("sam", "mallory"), ("ops1", "mallory"), ("sam", "lead"), ("sam", "cto")]
)
def test_an_operator_puts_in_nobody_whom_the_policy_does_not_name(
    from_: str, to: str, via: str
) -> None:
    """Operators would pick the approvers otherwise; other groups' people too."""
    with pytest.raises(InvalidRequest, match="doesn't name") as refused:
        _put_in(approval_under(POLICY), from_, to, via)
    assert refused.value.field == "to"


def test_an_operator_puts_in_a_fallback_approver_of_that_group() -> None:
    moved = _put_in(approval_under(POLICY), "ops1", "lead")
    assert moved.approver("lead@example.com").groups == (1,)
    assert approved(moved, "sam", "lead").outcome == "approved"


def test_an_operator_puts_nobody_into_a_second_group() -> None:
    """A person named for one of two groups takes neither."""
    policy = policy_version(
        group("security", "ada", "bob"),
        group("operations", "ada", "cyd"),
        escalation={"after": 600, "approvers": ["ed@example.com"], "group": "operations"},
    )
    with pytest.raises(InvalidRequest, match="doesn't name"):
        _put_in(approval_under(policy), "ada", "ed")


def test_an_approver_hands_on_their_own_part() -> None:
    """They could approve themselves; the record says who did it."""
    moved = _put_in(approval_under(POLICY), "sam", "max", via="page")
    assert approved(moved, "max", "ops1").outcome == "approved"


@pytest.mark.parametrize(
    ("by", "principal", "holds"),
    [
        ("sam@example.com", "", True),
        ("sam@example.com", "arn:aws:iam::1:user/olga", False),
        ("arn:aws:iam::1:user/olga", "arn:aws:iam::1:user/olga", False),
        ("", "", False),
    ],
)
def test_a_delegation_holds_under_a_policy_if_the_absent_approver_wrote_it(
    by: str, principal: str, *, holds: bool
) -> None:
    """Without a policy an operator's does too."""
    away = Delegation(
        "zoe@example.com", START, START + timedelta(days=1), by=by, principal=principal
    )
    lookup = {"sam@example.com": away}.get
    people = ("sam@example.com",)
    found = delegates_for(people, START, lookup, (), own_alone=True)
    assert found == ({"zoe@example.com": "sam@example.com"} if holds else {})
    assert delegates_for(people, START, lookup, ()) == {"zoe@example.com": "sam@example.com"}


def test_a_deadline_is_not_moved_beyond_the_longest_wait() -> None:
    """Counted from when it was asked."""
    approval, later = approval_under(POLICY, expiresIn=600), START + timedelta(seconds=300)
    with pytest.raises(InvalidRequest, match="until 2026-11-22T10:00:00Z at the most") as refused:
        extend(approval, "x", 3_301, now=later, via="api")
    assert refused.value.field == "expiresIn"
    assert extend(approval, "x", 3_300, now=later, via="api").expires_at > approval.expires_at


def test_who_approved_for_a_group_does_not_approve_alone_any_more() -> None:
    """The press is refused, and not answered as if it had done something."""
    approval = approved(approval_under(POLICY), "sam")
    with pytest.raises(AlreadyDecided):
        decide(
            approval,
            "sam@example.com",
            "approve",
            reason="fire",
            now=START,
            via="page",
            break_glass=True,
        )


@pytest.mark.parametrize(("via", "mailed"), [("api", True), ("console", True), ("page", False)])
def test_an_operators_reminder_brings_a_new_link_to_approve_alone(
    via: Any, *, mailed: bool
) -> None:
    """Theirs may be lost or locked; a requester's reminder doesn't disturb them."""
    approval = approval_under(POLICY).without_question_to("cto@example.com")
    reminded = remind(approval, "x", now=START, via=via)
    assert ("cto@example.com" in [e.to for e in reminded.outbox if isinstance(e, Mail)]) == mailed


def test_a_delegate_in_another_group_joins_the_escalations_group() -> None:
    """They count where they are needed, without another mail."""
    policy = policy_version(
        group("security", "sam"),
        group("operations", "ops1"),
        escalation={"after": 600, "approvers": ["lead@example.com"], "group": "operations"},
    )
    approval = approval_of_request(
        request(policy), delegates={"lead@example.com": "sam@example.com"}
    )
    assert approval.approver("lead@example.com").groups == (0,)
    later = apply_deadlines(approval, START + timedelta(seconds=600))
    assert later.approver("lead@example.com").groups == (0, 1)
    assert later.events[-1].note == "lead@example.com (asked already)"
    assert approved(later, "lead", "ops1").outcome == "approved"
