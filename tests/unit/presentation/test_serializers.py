"""What others may see of an approval: the wire's shapes, no secrets, never too large."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given

from chalicelib.domain import link_tokens
from chalicelib.domain.approval import Approval, Choice
from chalicelib.domain.link_tokens import SecretHashes
from chalicelib.domain.outbox import LONGEST_RESUME_PAUSE, mailed, not_mailed, resumed
from chalicelib.domain.outbox_entries import Mail
from chalicelib.domain.texts import check_reason
from chalicelib.domain.timestamps import iso
from chalicelib.domain.transitions import cancel, decide
from chalicelib.domain.validation import DETAILS_BYTES
from chalicelib.presentation.serializers import (
    CAUSE_BYTES,
    OUTPUT_BYTES,
    announcement,
    approver_view,
    cause,
    decisions,
    operator_view,
    output,
)
from tests.builders import an_approval, people, ticked
from tests.fakes import EXECUTION, START, TOKEN
from tests.unit.strategies import approvals, many, the_largest

ITEM_BYTES = 409_600
"""The most that DynamoDB keeps as one item."""
REASONS = [
    '"' * 2_000,
    "\\" * 2_000,
    "a\n" * 999 + "b",
    '\\"\n\t' * 499 + "b",
    "🚀" * 1_000,
    "審" * 1_333,
    "審" * 1_000 + '"' * 500,
    "x" * 2_000,
]
IDS = ["quotes", "backslashes", "lines", "escapes", "emoji", "cjk", "cjk and quotes", "plain"]


def _decided() -> Approval:
    """Return an approval that two of three approved, the third approver first."""
    approval = an_approval(
        approvers=people(3), approvalsNeeded=2, requestedBy="grace@example.com", details={"n": 1}
    )
    first = decide(
        approval, people(3)[2], "approve", reason="", now=START + timedelta(hours=1), via="page"
    )
    both = decide(
        first, people(3)[0], "approve", reason="green", now=START + timedelta(hours=2), via="page"
    )
    return resumed(both, "", START + timedelta(hours=2, seconds=1), "page")


def test_the_operators_view_is_the_approval_of_the_wire() -> None:
    """Exactly the fields that the design lists, in the wire's words."""
    decision = {
        "approver": "approver0@example.com",
        "decision": "approve",
        "reason": "green",
        "decidedAt": "2026-11-22T11:00:00Z",
    }
    seen = json.loads(json.dumps(operator_view(_decided())))
    events, approvers = seen.pop("events"), seen.pop("approvers")
    assert seen == {
        "id": link_tokens.approval_id(TOKEN),
        "outcome": "approved",
        "subject": "Release 4.2",
        "details": {"n": 1},
        "requestedBy": "grace@example.com",
        "approvalsNeeded": 2,
        "rejectionsNeeded": 1,
        "createdAt": "2026-11-22T09:00:00Z",
        "expiresAt": "2026-11-29T09:00:00Z",
        "closedAt": "2026-11-22T11:00:00Z",
        "settledAt": "2026-11-22T11:00:01Z",
        "executionArn": EXECUTION,
    }
    assert approvers[0] == {"approver": people(1)[0], "mail": "waiting", "decision": decision}
    assert approvers[1] == {"approver": people(2)[1], "mail": "waiting", "decision": None}
    assert [e["what"] for e in events] == ["requested", "approved", "approved", "resumed"]
    assert events[1] == {
        "at": "2026-11-22T10:00:00Z",
        "what": "approved",
        "who": "approver2@example.com",
        "via": "page",
        "note": "",
    }


def test_a_pending_approvals_unset_times_are_null() -> None:
    """Every field is always there."""
    seen = operator_view(an_approval())
    assert (seen["closedAt"], seen["settledAt"], seen["requestedBy"]) == (None, None, None)
    assert (seen["outcome"], seen["details"]) == ("pending", "")


def test_all_is_shown_as_the_number_it_means() -> None:
    """Who reads an approval needn't count its approvers."""
    asked = an_approval(approvers=people(4), approvalsNeeded="all")
    assert operator_view(asked)["approvalsNeeded"] == 4
    assert approver_view(asked)["approvalsNeeded"] == 4


def test_an_approver_sees_the_question_and_the_answers_but_not_the_works() -> None:
    """No execution, no record, no state of others' mail."""
    seen = approver_view(_decided())
    assert set(seen) == {
        "id", "outcome", "subject", "details", "requestedBy", "approvalsNeeded",
        "rejectionsNeeded", "decisions", "createdAt", "expiresAt", "closedAt",
    }  # fmt: skip


@pytest.mark.parametrize("view", [output, cause])
def test_the_result_has_the_documented_shape(view: Any) -> None:
    """What the workflow gets: outcome, id, subject, decisions, closing time."""
    assert json.loads(view(_decided())) == {
        "outcome": "approved",
        "approvalId": link_tokens.approval_id(TOKEN),
        "subject": "Release 4.2",
        "decisions": [
            {
                "approver": "approver2@example.com",
                "decision": "approve",
                "reason": "",
                "decidedAt": "2026-11-22T10:00:00Z",
            },
            {
                "approver": "approver0@example.com",
                "decision": "approve",
                "reason": "green",
                "decidedAt": "2026-11-22T11:00:00Z",
            },
        ],
        "closedAt": "2026-11-22T11:00:00Z",
    }


def test_decisions_are_in_the_order_in_which_they_were_made() -> None:
    """First one first, whatever the order of the approvers."""
    approval = an_approval(approvers=people(3), approvalsNeeded="all")
    order = [people(3)[n] for n in (2, 0, 1)]
    for second, who in enumerate(order):
        at = START + timedelta(seconds=second)
        approval = decide(approval, who, "approve", reason="", now=at, via="page")
    assert [d["approver"] for d in decisions(approval)] == order


def test_times_are_whole_seconds_of_utc() -> None:
    """The wire's times end in Z and have no fraction."""
    assert iso(datetime(2026, 2, 3, 4, 5, 6, 999_999, tzinfo=UTC)) == "2026-02-03T04:05:06Z"


def _views(approval: Approval) -> list[str]:
    made = [json.dumps(view(approval)) for view in (operator_view, approver_view)]
    return [*made, output(approval), cause(approval)]


@many
@given(approvals())
def test_no_view_holds_a_token_a_link_or_a_hash(approval: Approval) -> None:
    """Neither the task's credential nor anything of an approver's link, in any view."""
    fresh = {
        a.address: SecretHashes(link_tokens.digest(f"new {a.address}"), "")
        for a in approval.approvers
    }
    for state in (approval, ticked(approval, START + timedelta(days=1), fresh), _sent(approval)):
        for view in _views(state):
            assert TOKEN not in view
            assert f"{approval.id}." not in view
            for word in ("taskToken", "linkHashes", "outbox", "http"):
                assert f'"{word}' not in view
            for approver in state.approvers:
                assert not [stored for stored in approver.link_hashes if stored in view]


def _sent(approval: Approval) -> Approval:
    for promise in approval.outbox:
        if isinstance(promise, Mail):
            approval = mailed(approval, promise, START, "function")
    return approval


@many
@given(approvals())
def test_every_view_is_json_with_every_decision_whole(approval: Approval) -> None:
    """Nothing is cut while there is room."""
    for view in _views(approval):
        assert json.loads(view)["outcome"] == approval.outcome
    made = {(a.address, a.decision.reason) for a in approval.approvers if a.decision}
    for view in (output(approval), cause(approval)):
        told = {(d["approver"], d["reason"]) for d in json.loads(view)["decisions"]}
        assert told == made


def _largest(reason: str, choice: Choice = "approve") -> Approval:
    """Return the largest request, decided by all fifty with this reason."""
    approval = the_largest("x" * (DETAILS_BYTES - 2))
    reason = check_reason(reason)
    for approver in approval.approvers:
        approval = decide(approval, approver.address, choice, reason=reason, now=START, via="page")
        if approval.outcome != "pending":
            break
    return approval


def _rejected_by_all(reason: str) -> Approval:
    """Return the same, needing one approval: all fifty must reject it."""
    approval = the_largest("x" * (DETAILS_BYTES - 2))
    request = msgspec.structs.replace(approval.request, approvals_needed=1)
    approval = msgspec.structs.replace(approval, request=request)
    for approver in approval.approvers:
        approval = decide(
            approval, approver.address, "reject", reason=check_reason(reason), now=START, via="page"
        )
    return approval


@pytest.mark.parametrize("reason", REASONS, ids=IDS)
def test_the_largest_result_fits_and_names_every_approver(reason: str) -> None:
    """Fifty long reasons are cut until the JSON fits, and it stays JSON with all else in it."""
    for approval in (_largest(reason), _rejected_by_all(reason)):
        assert len(decisions(approval)) == 50
        assert len(output(approval).encode()) <= OUTPUT_BYTES == 262_144
        assert len(cause(approval)) <= CAUSE_BYTES == 32_768
        for text in (output(approval), cause(approval)):
            told = json.loads(text)
            assert told["outcome"] == approval.outcome
            assert [d["approver"] for d in told["decisions"]] == list(approval.request.approvers)
            for decision in told["decisions"]:
                cut = decision["reason"].removesuffix("…")
                assert reason.startswith(cut)
                assert decision["reason"] == reason or decision["reason"].endswith("…")


@pytest.mark.parametrize("reason", ["🚀" * 1_000, "審" * 1_333], ids=["emoji", "cjk"])
def test_a_cause_fits_however_its_characters_are_counted(reason: str) -> None:
    """32,768 in UTF-16 as Java counts, and so whether an emoji is one character or two."""
    assert len(cause(_rejected_by_all(reason)).encode("utf-16-le")) // 2 <= CAUSE_BYTES


@pytest.mark.parametrize("reason", REASONS, ids=IDS)
def test_one_long_reason_is_not_cut(reason: str) -> None:
    """A single approver's longest reason is delivered whole."""
    approval = decide(
        an_approval(), "ada@example.com", "reject", reason=reason, now=START, via="page"
    )
    for text in (output(approval), cause(approval)):
        assert json.loads(text)["decisions"][0]["reason"] == reason


def test_a_short_reason_beside_long_ones_is_not_cut() -> None:
    """Only what is longest is cut."""
    approval = the_largest("")
    for number, approver in enumerate(approval.approvers):
        reason = "x" * 2_000 if number else "short"
        approval = decide(
            approval, approver.address, "approve", reason=reason, now=START, via="page"
        )
    told = json.loads(cause(approval))["decisions"]
    assert told[0]["reason"] == "short"
    assert 100 < len(told[1]["reason"]) < 2_000


def _worst_mail(approval: Approval, ticks: int) -> Approval:
    """Return it after that many ticks whose mails may or may not have gone out."""
    now = START
    for tick in range(ticks):
        now += LONGEST_RESUME_PAUSE
        fresh = {
            a.address: SecretHashes(link_tokens.digest(f"{tick}{a.address}"), "")
            for a in approval.approvers
        }
        approval = ticked(approval, now, fresh)
    for promise in approval.outbox:
        assert isinstance(promise, Mail)
        for why in ("invited", "unconfirmed", "refused"):
            approval = not_mailed(
                approval, promise, unsent_hash="none", why=why, now=now, via="tick"
            )
        approval = mailed(approval, promise, now, "tick")
    return approval


def _item_bytes(approval: Approval) -> int:
    """Return what an item takes: the JSON, and generously what stands beside it."""
    return len(msgspec.json.encode(approval)) + len(approval.execution_arn) + 1_000


@pytest.mark.parametrize("ticks", [1, 3, 40])
@pytest.mark.parametrize("reason", REASONS, ids=IDS)
def test_the_largest_item_fits_in_dynamodb(reason: str, ticks: int) -> None:
    """Fifty approvers, every field at its longest, every event there is, any number of links."""
    approval = _worst_mail(the_largest("x" * (DETAILS_BYTES - 2)), ticks)
    at = START + timedelta(days=1)
    largest = 0
    for number, approver in enumerate(approval.approvers):
        if number == len(approval.approvers) - 1:
            withdrawn = cancel(
                approval, f"{'x' * 250}@b.c", reason=check_reason(reason), now=at, via="api"
            )
            largest = _item_bytes(resumed(withdrawn, "the task was closed already", at, "tick"))
        approval = decide(
            approval, approver.address, "approve", reason=check_reason(reason), now=at, via="page"
        )
    approval = resumed(approval, "the task was closed already", at, "tick")
    assert max(largest, _item_bytes(approval)) < ITEM_BYTES


@many
@given(approvals())
def test_an_announcement_says_who_decided_what_and_nothing_private(approval: Approval) -> None:
    """Neither reasons nor details, nor anything that opens or resumes something."""
    told = announcement(approval)
    assert told.keys() == {
        "approvalId",
        "outcome",
        "subject",
        "executionArn",
        "decisions",
        "closedAt",
    }
    assert told["decisions"] == [
        {key: value for key, value in made.items() if key != "reason"}
        for made in decisions(approval)
    ]
    text = json.dumps(told)
    assert approval.task_token not in text
    assert not [h for a in approval.approvers for h in a.link_hashes if h in text]
