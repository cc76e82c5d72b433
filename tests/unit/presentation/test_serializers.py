"""An approval as JSON: the wire's fields, every decision whole, and no secret."""

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from msgspec.structs import replace

from chalicelib.domain import link_tokens
from chalicelib.domain.approval import Approval
from chalicelib.domain.link_tokens import SecretHashes
from chalicelib.domain.outbox import mailed, not_mailed, resumed
from chalicelib.domain.outbox_entries import Mail
from chalicelib.domain.shown import shown_hash
from chalicelib.domain.transitions import reassign, remind
from chalicelib.presentation.serializers import (
    announcement,
    approver_view,
    cause,
    decisions,
    inbox_item,
    operator_view,
    output,
    summary,
)
from tests.builders import after_tick, an_approval, approval_of, decided, people
from tests.fakes import EXECUTION, START, TOKEN, FakePorts
from tests.unit.strategies import approvals, many

HOUR = timedelta(hours=1)


def _decided() -> Approval:
    """Return an approval that two of three approved, the third approver first."""
    approval = approval_of(3, approvalsNeeded=2, requestedBy="grace@example.com", details={"n": 1})
    first = decided(approval, 2, "approve", "", START + HOUR)
    both = decided(first, 0, "approve", "green", START + 2 * HOUR)
    return resumed(both, "", START + timedelta(hours=2, seconds=1), "page")


QUESTION = {
    "id": link_tokens.approval_id(TOKEN),
    "outcome": "approved",
    "subject": "Release 4.2",
    "requestedBy": "grace@example.com",
    "approvalsNeeded": 2,
    "rejectionsNeeded": 1,
    "createdAt": "2026-11-22T09:00:00Z",
    "expiresAt": "2026-11-29T09:00:00Z",
    "closedAt": "2026-11-22T11:00:00Z",
}
SHOWN = shown_hash(_decided().request)
RESULTS: list[dict[str, Any]] = [
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
]
DECISIONS = [decision | {"shown": SHOWN} for decision in RESULTS]
"""What they were shown stands in a result once, and elsewhere with each decision."""


def test_the_operators_view_has_exactly_the_documented_fields() -> None:
    seen = json.loads(json.dumps(operator_view(_decided())))
    events, approvers = seen.pop("events"), seen.pop("approvers")
    assert seen == QUESTION | {
        "details": {"n": 1},
        "settledAt": "2026-11-22T11:00:01Z",
        "executionArn": EXECUTION,
    }
    assert approvers[0] == {"approver": people(1)[0], "mail": "waiting", "decision": DECISIONS[1]}
    assert approvers[1] == {"approver": people(2)[1], "mail": "waiting", "decision": None}
    assert [e["what"] for e in events] == ["requested", "approved", "approved", "resumed"]
    assert events[1] == {
        "at": "2026-11-22T10:00:00Z",
        "what": "approved",
        "who": "approver2@example.com",
        "via": "page",
        "note": "",
    }


def test_the_operators_view_shows_what_only_some_approvals_have() -> None:
    one, two = people(2)
    approval = reassign(approval_of(1), one, two, by=one, note="please", now=START, via="page")
    approval = remind(approval, "op@example.com", reason="soon", now=START, via="api")
    delegate = replace(approval.approvers[1], stands_in_for="ada@example.com")
    approvers = (approval.approvers[0], delegate)
    seen = operator_view(replace(approval, approvers=approvers, folded_events=7))
    assert seen["approvers"][0]["replacedBy"] == two
    assert seen["approvers"][1]["standsInFor"] == "ada@example.com"
    assert seen["approvers"][1]["note"] == "please"
    assert seen["events"][-1]["why"] == "soon"
    assert seen["foldedEvents"] == 7


@pytest.mark.parametrize("why", ["invited", "unconfirmed", "refused"])
def test_the_operators_view_says_why_a_mail_was_not_sent(why: Any) -> None:
    """Until it is sent."""
    approval = approval_of(1)
    mail = Mail(people(1)[0], START)
    unsent = not_mailed(
        approval, mail, unsent=SecretHashes("x", "x"), why=why, now=START, via="tick"
    )
    assert operator_view(unsent)["approvers"][0]["why"] == why
    assert "refusal" not in operator_view(unsent)["approvers"][0]
    sent = operator_view(mailed(unsent, mail, START, "tick"))["approvers"][0]
    assert (sent["mail"], "why" in sent) == ("sent", False)


def test_times_and_fields_of_a_pending_approval_that_are_unset_are_null() -> None:
    """Every field is always there."""
    seen = operator_view(an_approval())
    assert (seen["closedAt"], seen["settledAt"], seen["requestedBy"]) == (None, None, None)
    assert (seen["outcome"], seen["details"]) == ("pending", "")


def test_all_is_shown_as_the_number_of_approvers() -> None:
    approval = approval_of(4, approvalsNeeded="all")
    assert operator_view(approval)["approvalsNeeded"] == 4
    assert approver_view(approval)["approvalsNeeded"] == 4


def test_an_approver_sees_the_question_and_the_decisions_alone() -> None:
    """Neither the execution, nor events, nor whether mail reached the others."""
    expected = QUESTION | {"details": {"n": 1}, "decisions": DECISIONS}
    assert approver_view(_decided()) == expected


def test_an_inbox_item_counts_decisions_and_names_nobody() -> None:
    assert inbox_item(_decided()) == QUESTION | {
        "details": {"n": 1},
        "approvals": 2,
        "rejections": 0,
        "codeRequired": False,
    }


def test_a_summary_has_no_details_reasons_or_events() -> None:
    """It says for whom the approval waits, and how it stands with each, in words."""
    decided: dict[str, Any] = {**summary(_decided())}
    answers = [one["answer"] for one in decided.pop("approvers")]
    assert sorted(answers) == [
        "approved on 22 Nov 2026, 10:00 UTC",
        "approved on 22 Nov 2026, 11:00 UTC",
        "did not decide",
    ]
    assert decided == QUESTION | {
        "approvals": 2,
        "rejections": 0,
        "waitsFor": [],
        "settledAt": "2026-11-22T11:00:01Z",
        "executionArn": EXECUTION,
    }
    waiting = summary(approval_of(2))
    assert waiting["waitsFor"] == [one["approver"] for one in waiting["approvers"]] == people(2)
    assert {one["answer"] for one in waiting["approvers"]} == {"has not decided"}
    assert {one["mail"] for one in waiting["approvers"]} == {"A mail is on its way."}


@pytest.mark.parametrize("result", [output, cause])
def test_the_result_has_exactly_the_documented_fields(result: Any) -> None:
    """As success output and as failure cause."""
    assert json.loads(result(_decided())) == {
        "outcome": "approved",
        "approvalId": link_tokens.approval_id(TOKEN),
        "subject": "Release 4.2",
        "decisions": RESULTS,
        "closedAt": "2026-11-22T11:00:00Z",
        "shown": SHOWN,
    }


def test_an_announcement_has_neither_reasons_nor_details() -> None:
    """Everybody who may make a rule can read the event bus."""
    assert announcement(_decided()) == {
        "approvalId": link_tokens.approval_id(TOKEN),
        "outcome": "approved",
        "subject": "Release 4.2",
        "executionArn": EXECUTION,
        "decisions": [
            {key: value for key, value in one.items() if key != "reason"} for one in RESULTS
        ],
        "closedAt": "2026-11-22T11:00:00Z",
        "shown": SHOWN,
    }


def _views(approval: Approval) -> list[str]:
    views: list[Any] = [operator_view, approver_view, summary, inbox_item, announcement]
    return [*(json.dumps(view(approval)) for view in views), output(approval), cause(approval)]


@many
@given(approvals())
def test_no_json_holds_a_task_token_a_link_or_a_hash(approval: Approval) -> None:
    """Pending, leased by a tick, mailed, or closed."""
    fresh = {
        a.address: SecretHashes(link_tokens.digest(f"new {a.address}"), "code hash")
        for a in approval.approvers
    }
    leased = after_tick(approval, START + timedelta(days=1), fresh)
    for state in (approval, leased, _all_mailed(approval)):
        for view in _views(state):
            assert TOKEN not in view
            assert f"{approval.id}." not in view
            for word in ("taskToken", "linkHashes", "codeHashes", "outbox"):
                assert f'"{word}"' not in view
            assert FakePorts.public_url not in view
            for approver in state.approvers:
                assert not [stored for stored in approver.link_hashes if stored in view]


def _all_mailed(approval: Approval) -> Approval:
    for entry in approval.outbox:
        if isinstance(entry, Mail):
            approval = mailed(approval, entry, START, "function")
    return approval


@many
@given(approvals())
def test_a_result_that_fits_has_every_reason_whole(approval: Approval) -> None:
    made = {(a.address, a.decision.reason) for a in approval.approvers if a.decision}
    for text in (output(approval), cause(approval)):
        result = json.loads(text)
        assert result["outcome"] == approval.outcome
        assert {(d["approver"], d["reason"]) for d in result["decisions"]} == made


def test_decisions_are_in_the_order_in_which_they_were_made() -> None:
    approval = approval_of(3, approvalsNeeded="all")
    for who in (2, 0, 1):
        approval = decided(approval, who, "approve")
    made = [one["approver"] for one in decisions(approval)]
    assert made == [people(3)[n] for n in (2, 0, 1)]
