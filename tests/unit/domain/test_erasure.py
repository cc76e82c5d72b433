"""Erasure: personal data is removed, and what was decided stays readable."""

from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from msgspec.structs import replace

from chalicelib.domain import link_tokens, transitions
from chalicelib.domain.approval import Approval, Approver
from chalicelib.domain.erasure import erase
from chalicelib.domain.errors import NotSettled
from chalicelib.domain.events import Event
from chalicelib.domain.outbox import resumed
from chalicelib.domain.outbox_entries import Announce
from chalicelib.presentation.audit_report import audit_report
from chalicelib.presentation.serializers import operator_view, summary
from tests.builders import after_tick, an_approval, cancelled, decided
from tests.fakes import START, TOKEN
from tests.unit.strategies import approvals

OPERATOR = "arn:aws:sts::000000000000:assumed-role/operators/boss"
LATER = START + timedelta(days=30)
PRIVATE = (
    "ada@", "grace@", "linus@", "mary@", "zoe@", "ken@", "boss2@", "Salary", "12345 gold",
    "because of her", "a private note", "why again", TOKEN,
)  # fmt: skip
"""Everything in `whole` that is about a person, and the task token."""


def delivered(approval: Approval) -> Approval:
    """Return the approval with nothing left to deliver."""
    return replace(approval, outbox=())


def whole() -> Approval:
    """Return a delivered approval with every field in use that holds personal data."""
    approval = an_approval(
        subject="Salary of Ada?",
        details={"Sum": "12345 gold"},
        approvers=["ada@example.com", "grace@example.com", "linus@example.com"],
        approvalsNeeded=2,
        requestedBy="mary@example.com",
        escalation={"after": 60, "approvers": ["zoe@example.com"]},
        codeRequired=True,
    )
    approval = replace(approval, requester=Approver("mary@example.com", ("a hash",)))
    approval = after_tick(approval, START + timedelta(seconds=60))
    approval = transitions.remind(
        approval,
        "boss2@example.com",
        now=START,
        via="api",
        reason="why again",
        principal="arn:aws:sts::000000000000:assumed-role/operators/boss2@example.com",
    )
    linus, ken = "linus@example.com", "ken@example.com"
    for from_, to in ((linus, ken), (ken, linus), (linus, ken)):
        approval = transitions.reassign(
            approval, from_, to, by="boss2@example.com", note="a private note", now=START, via="api"
        )
    approval = decided(approval, 0, "approve", "because of her")
    approval = decided(approval, 1, "approve", "because of her")
    assert approval.outcome == "approved"
    return delivered(approval)


def test_no_personal_data_and_no_secret_is_left() -> None:
    """Addresses, texts that people wrote, hashes of links and codes, the task token."""
    before = msgspec.json.encode(whole()).decode()
    assert all(word in before for word in PRIVATE)
    erased = erase(whole(), OPERATOR, LATER, "api")
    text = msgspec.json.encode(erased).decode() + audit_report(erased)
    assert [word for word in PRIVATE if word in text] == []
    people = [*erased.approvers, *([erased.requester] if erased.requester else [])]
    assert not any(one.link_hashes or one.code_hashes or one.dead_hashes for one in people)


def test_what_was_decided_is_kept() -> None:
    """Outcome, times, ids, counts, who of several decided what, and each event."""
    before, after = whole(), erase(whole(), OPERATOR, LATER, "api")
    for kept in ("id", "execution_arn", "outcome", "created_at", "closed_at", "expires_at"):
        assert getattr(after, kept) == getattr(before, kept)
    assert (after.approve_count, after.reject_count) == (2, 0)
    assert (after.approvals_needed, len(after.active_approvers)) == (2, 4)
    assert [a.address for a, _ in after.decisions] == [
        "approver-1@erased.invalid",
        "approver-2@erased.invalid",
    ]
    assert [d.decided_at for _, d in after.decisions] == [d.decided_at for _, d in before.decisions]
    assert [e.what for e in after.events] == [*(e.what for e in before.events), "erased"]
    assert after.events[-1] == Event(LATER, "erased", OPERATOR, "api", principal=OPERATOR)
    assert after.approver("approver-3@erased.invalid").replaced_by == "approver-5@erased.invalid"
    assert after.request.requested_by == "requester@erased.invalid"
    assert {e.who for e in after.events if e.what == "reminded"} == {"operator@erased.invalid"}


def test_an_erased_approval_is_still_shown() -> None:
    """By the operators' routes, with the time at which it was erased."""
    erased = erase(whole(), OPERATOR, LATER, "api")
    assert operator_view(erased)["erasedAt"] == "2026-12-22T09:00:00Z"
    assert (summary(erased)["subject"], operator_view(erased)["details"]) == ("(erased)", "")
    assert "Erased:    22 Dec 2026, 09:00 UTC" in audit_report(erased)
    reread = msgspec.json.decode(msgspec.json.encode(erased), type=Approval)
    assert reread == erased


def test_erasing_again_changes_nothing() -> None:
    erased = erase(whole(), OPERATOR, LATER, "api")
    assert erase(erased, "somebody else", LATER + timedelta(days=1), "api") is erased


def test_the_reason_of_a_cancelled_request_is_removed() -> None:
    """With the person who cancelled it."""
    erased = erase(delivered(cancelled(an_approval(), "because of her")), OPERATOR, LATER, "api")
    assert "was cancelled by operator@erased.invalid" in audit_report(erased)
    assert "because of her" not in audit_report(erased)


def test_a_pending_approval_is_not_erased() -> None:
    with pytest.raises(NotSettled, match="pending"):
        erase(an_approval(), OPERATOR, LATER, "api")


def test_an_outcome_that_is_not_delivered_is_not_erased() -> None:
    """Neither the task's answer, nor the event, nor a mail."""
    closed = cancelled(an_approval())
    assert len(closed.outbox) == 3
    told = resumed(closed, "", START, "api")
    for approval in (closed, told, replace(told, outbox=(Announce(START),))):
        with pytest.raises(NotSettled, match="delivered"):
            erase(approval, OPERATOR, LATER, "api")


@given(approvals())
def test_every_closed_approval_can_be_erased_and_keeps_its_counts(approval: Approval) -> None:
    """Whatever the addresses and texts are."""
    if approval.outcome == "pending":
        approval = cancelled(approval)
    after = erase(delivered(approval), OPERATOR, LATER, "api")
    assert transitions.tally(after) == transitions.tally(approval)
    assert [len(after.approvers), after.approve_count, after.reject_count] == [
        len(approval.approvers),
        approval.approve_count,
        approval.reject_count,
    ]
    addresses = {one.address for one in after.approvers}
    assert len(addresses) == len(after.approvers)
    assert all(address.endswith("@erased.invalid") for address in addresses)
    assert not any(decision.reason for _, decision in after.decisions)
    with pytest.raises(LookupError):
        after.approver(approval.approvers[0].address)
    secret = approval.approvers[0].address  # `hashes_of` makes links of addresses
    link_tokens.approver_of(approval, secret)
    with pytest.raises(Exception, match="leads nowhere"):
        link_tokens.approver_of(after, secret)
