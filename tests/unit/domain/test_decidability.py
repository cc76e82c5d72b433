"""Decidability: a request that nobody could approve is refused, and found while it waits."""

from typing import Any

import pytest
from msgspec.structs import replace

from chalicelib.domain.approval import Approval
from chalicelib.domain.asking_people import people_of
from chalicelib.domain.decidability import BAD_ADDRESS, check_decidable, look_again, why_undecidable
from chalicelib.domain.errors import Undecidable
from chalicelib.domain.link_tokens import SecretHashes
from chalicelib.domain.outbox import mailed, not_mailed
from chalicelib.domain.outbox_entries import Announce, Mail
from chalicelib.domain.request import Request
from chalicelib.domain.transitions import reassign
from tests.builders import after_tick, an_approval
from tests.fakes import START
from tests.policies import approval_under, approved, group, policy_version, request_under


def _check(request: Request, *refused: str) -> None:
    people = people_of(request, {})
    check_decidable(request, people, {f"{name}@example.com": BAD_ADDRESS for name in refused})


def test_a_group_without_enough_people_is_named_with_who_is_missing() -> None:
    """Its requester may not approve, and SNS refuses another."""
    policy = policy_version(
        group("security", "sam"), group("operations", "mary", "o1", "o2", needed=2)
    )
    request = request_under(policy, requestedBy="mary@example.com")
    with pytest.raises(Undecidable) as refused:
        _check(request, "o1")
    said = refused.value.message
    assert "group operations needs 2 approvals, and only o2@example.com can give one" in said
    assert "mary@example.com (asks, and may not approve their own request)" in said
    assert "o1@example.com (SNS refuses this address: InvalidParameter)" in said
    assert refused.value.field == "policy"


def test_a_group_that_its_requester_empties_is_undecidable() -> None:
    """Even one that needs `all`: nobody is not all."""
    policy = policy_version(group("security", "mary", needed="all"))
    with pytest.raises(Undecidable, match="nobody can give one"):
        _check(request_under(policy, requestedBy="mary@example.com"))


def test_people_who_are_not_needed_may_be_missing() -> None:
    """Two of three are left."""
    _check(request_under(policy_version()), "ops1", "sam")


def test_fallback_approvers_count_for_those_whom_sns_refuses() -> None:
    """They will be asked in time; and not for a barred requester, without whom tally counts."""
    policy = policy_version(
        group("security", "sam"),
        escalation={"after": 60, "approvers": ["lead@example.com"]},
    )
    _check(request_under(policy), "sam")
    with pytest.raises(Undecidable):
        _check(request_under(policy), "sam", "lead")
    with pytest.raises(Undecidable):
        _check(request_under(policy, requestedBy="sam@example.com"))


def test_a_fallback_approver_who_may_approve_alone_counts_too() -> None:
    """Asked in no group so far, they will be asked for theirs."""
    policy = policy_version(
        group("security", "sam"),
        breakGlass=["cto@example.com"],
        escalation={"after": 60, "approvers": ["cto@example.com"]},
    )
    _check(request_under(policy), "sam")
    approval = _refused(approval_under(policy), "sam")
    assert look_again(approval, START) is approval


def test_who_may_approve_alone_does_not_make_up_for_a_group() -> None:
    """An emergency is no rule."""
    policy = policy_version(group("security", "sam"), breakGlass=["cto@example.com"])
    with pytest.raises(Undecidable):
        _check(request_under(policy), "sam")


def test_a_request_without_a_policy_is_checked_the_same() -> None:
    """It has one group without a name; the field is `approvers`."""
    request = an_approval(approvers=["a@example.com", "b@example.com"], approvalsNeeded=2).request
    with pytest.raises(Undecidable, match="the request needs 2 approvals") as refused:
        _check(request, "b")
    assert refused.value.field == "approvers"


def _refused(approval: Approval, name: str, why: str = BAD_ADDRESS) -> Approval:
    """Return the approval after SNS refused that person's mail."""
    mail = next(
        e
        for e in approval.outbox
        if isinstance(e, Mail) and e.asks and e.to == f"{name}@example.com"
    )
    unsent = SecretHashes(approval.approver(mail.to).link_hashes[0], "none")
    return not_mailed(
        approval, mail, unsent=unsent, why="refused", note=why, now=START, via="function"
    )


def _waiting(**fields: Any) -> Approval:
    """Return an approval of one of security and two of operations, whose requester is mailed."""
    approval = approval_under(policy_version(), requestedBy="mary@example.com", **fields)
    assert approval.requester is None
    requester = replace(approval.approvers[0], address="mary@example.com", mail="sent")
    return replace(approval, requester=requester)


def test_a_pending_approval_that_nobody_can_approve_tells_bus_and_requester_once() -> None:
    """And is marked since when."""
    approval = _refused(_refused(_waiting(), "sam"), "sue")
    found = look_again(approval, START)
    assert found.undecidable_since == START
    assert why_undecidable(found) == (
        "group security needs 1 approval, and nobody can give one; SNS refuses sam@example.com, "
        "sue@example.com"
    )
    new = [e for e in found.outbox if e not in approval.outbox]
    assert new == [
        Announce(START, undecidable=True),
        Mail("mary@example.com", START, about="receipt"),
    ]
    assert look_again(found, START) is found
    event = found.events[-1]
    assert (event.what, event.note, event.via) == ("undecidable", "security", "tick")


def test_a_refusal_that_is_not_about_the_address_is_no_reason() -> None:
    """The account can be mended, and the mail goes out then."""
    approval = _refused(_refused(_waiting(), "sam", "KMSDisabled"), "sue", "KMSDisabled")
    assert look_again(approval, START) is approval


def test_a_reassignment_makes_it_decidable_again() -> None:
    """The next tick takes the mark away."""
    found = look_again(_refused(_refused(_waiting(), "sam"), "sue"), START)
    moved = reassign(
        found, "sam@example.com", "max@example.com", by="x", note="", now=START, via="page"
    )
    again = look_again(after_tick(moved, START), START)
    assert again.undecidable_since is None
    assert again.events[-1].what == "decidable"
    mail = next(e for e in again.outbox if isinstance(e, Mail) and e.to == "max@example.com")
    done = mailed(again, mail, START, "tick")
    assert approved(done, "max", "ops1", "ops2").outcome == "approved"


def test_who_has_a_link_is_not_missing() -> None:
    """A reminder is refused, and the link of the first mail still decides."""
    approval = _waiting()
    for name in ("sam", "sue"):
        mail = Mail(f"{name}@example.com", START)
        approval = mailed(approval, mail, START, "function")
        approval = replace(approval, outbox=(*approval.outbox, mail))
        approval = not_mailed(
            approval,
            mail,
            unsent=SecretHashes("another", "code"),
            why="refused",
            note=BAD_ADDRESS,
            now=START,
            via="tick",
        )
    assert look_again(approval, START) is approval


def test_a_receipt_on_its_way_tells_it() -> None:
    """No second one: each receipt says so from then on."""
    approval = _refused(_refused(_waiting(), "sam"), "sue")
    receipt = Mail("mary@example.com", START, about="receipt", extended=True)
    found = look_again(replace(approval, outbox=(*approval.outbox, receipt)), START)
    assert [e for e in found.outbox if isinstance(e, Mail) and e.about == "receipt"] == [receipt]


def test_an_approval_that_is_over_is_not_looked_at() -> None:
    """Its outcome stands."""
    approval = _refused(_waiting(), "sam")
    ended = approved(approval, "sue", "ops1", "ops2")
    assert look_again(ended, START) is ended
    assert why_undecidable(ended) == ""
