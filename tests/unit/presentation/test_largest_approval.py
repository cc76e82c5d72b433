"""The largest approval that can be made still fits into Step Functions' answers and DynamoDB."""

import json
from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from wcwidth import iter_graphemes

from chalicelib.domain import link_tokens
from chalicelib.domain.approval import Approval, Choice
from chalicelib.domain.link_tokens import SecretHashes
from chalicelib.domain.outbox import LONGEST_RESUME_PAUSE, mailed, not_mailed, resumed
from chalicelib.domain.outbox_entries import Mail
from chalicelib.domain.texts import check_reason, clean
from chalicelib.domain.transitions import cancel
from chalicelib.domain.validation import DETAILS_BYTES
from chalicelib.presentation.serializers import (
    CAUSE_BYTES,
    OUTPUT_BYTES,
    cause,
    decisions,
    output,
)
from tests.builders import after_tick, an_approval, decided
from tests.fakes import START
from tests.unit.strategies import largest_approval, pasted

ITEM_BYTES = 409_600
"""The largest item of DynamoDB."""
UNSENT = SecretHashes("none", "none")
DETAILS = "x" * (DETAILS_BYTES - 2)
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
each_reason = pytest.mark.parametrize("reason", REASONS, ids=IDS)


def _decided_by_all(approval: Approval, choice: Choice, reason: str) -> Approval:
    for who in range(len(approval.approvers)):
        approval = decided(approval, who, choice, check_reason(reason))
    return approval


def _rejected_by_all(reason: str) -> Approval:
    """Return the largest approval rejected by all fifty; it needs one approval."""
    approval = largest_approval(DETAILS)
    request = msgspec.structs.replace(approval.request, approvals_needed=1)
    return _decided_by_all(msgspec.structs.replace(approval, request=request), "reject", reason)


@each_reason
def test_the_largest_result_fits_and_names_every_approver(reason: str) -> None:
    """Fifty long reasons are cut until the JSON fits; everything else stays whole."""
    approved = _decided_by_all(largest_approval(DETAILS), "approve", reason)
    for approval in (approved, _rejected_by_all(reason)):
        assert len(decisions(approval)) == 50
        assert len(output(approval).encode()) <= OUTPUT_BYTES == 262_144
        assert len(cause(approval)) <= CAUSE_BYTES == 32_768
        for text in (output(approval), cause(approval)):
            result = json.loads(text)
            assert result["outcome"] == approval.outcome
            assert [d["approver"] for d in result["decisions"]] == list(approval.request.approvers)
            for decision in result["decisions"]:
                cut = decision["reason"].removesuffix("…")
                assert reason.startswith(cut)
                assert decision["reason"] == reason or decision["reason"].endswith("…")


@pytest.mark.parametrize("reason", ["🚀" * 1_000, "審" * 1_333], ids=["emoji", "cjk"])
def test_a_cause_fits_however_its_characters_are_counted(reason: str) -> None:
    """Java counts UTF-16 units, of which an emoji has two."""
    assert len(cause(_rejected_by_all(reason)).encode("utf-16-le")) // 2 <= CAUSE_BYTES


@each_reason
def test_one_long_reason_is_never_cut(reason: str) -> None:
    approval = decided(an_approval(), 0, "reject", reason)
    for text in (output(approval), cause(approval)):
        assert json.loads(text)["decisions"][0]["reason"] == reason


@given(st.one_of(pasted, st.text("🇩🇪🇫e\u0301กำ👩\u200d🚀", min_size=5)).filter(str.strip))
def test_a_reason_in_a_result_is_cut_between_characters(text: str) -> None:
    """Whatever was typed: the JSON is valid, fits, and ends in no half flag and no bare letter."""
    reason = clean((text * 400)[:1_333])
    approval = largest_approval("")
    for who in range(50):
        approval = decided(approval, who, "approve", reason)
    result = cause(approval)
    assert len(result) <= CAUSE_BYTES
    shown = json.loads(result)["decisions"][0]["reason"].removesuffix("…")
    kept = list(iter_graphemes(shown))
    assert kept == list(iter_graphemes(reason))[: len(kept)]


def test_a_short_reason_beside_long_ones_is_not_cut() -> None:
    approval = largest_approval("")
    for who in range(50):
        approval = decided(approval, who, "approve", "x" * 2_000 if who else "short")
    made = json.loads(cause(approval))["decisions"]
    assert made[0]["reason"] == "short"
    assert 100 < len(made[1]["reason"]) < 2_000


def _after_failing_mails(approval: Approval, ticks: int) -> Approval:
    """Return the approval after so many ticks, with every event that a mail can cause."""
    now = START
    for tick in range(ticks):
        now += LONGEST_RESUME_PAUSE
        fresh = {
            a.address: SecretHashes(link_tokens.digest(f"{tick}{a.address}"), "")
            for a in approval.approvers
        }
        approval = after_tick(approval, now, fresh)
    for entry in approval.outbox:
        assert isinstance(entry, Mail)
        for why in ("invited", "unconfirmed", "refused"):
            approval = not_mailed(approval, entry, unsent=UNSENT, why=why, now=now, via="tick")
        approval = mailed(approval, entry, now, "tick")
    return approval


def _item_bytes(approval: Approval) -> int:
    """Return the item's size: the JSON, and more than the attributes beside it take."""
    return len(msgspec.json.encode(approval)) + len(approval.execution_arn) + 1_000


@pytest.mark.parametrize("ticks", [1, 3, 40])
@each_reason
def test_the_largest_item_fits_into_dynamodb(reason: str, ticks: int) -> None:
    """Fifty approvers, every field at its longest, every event there is, any number of links.

    Decided by all fifty, or by 49 and then cancelled.
    """
    approval = _after_failing_mails(largest_approval(DETAILS), ticks)
    at, note = START + timedelta(days=1), "the task was closed already"
    for who in range(49):
        approval = decided(approval, who, "approve", check_reason(reason), at)
    by, why = f"{'x' * 250}@b.c", check_reason(reason)
    ends = [
        decided(approval, 49, "approve", check_reason(reason), at),
        cancel(approval, by, reason=why, now=at, via="api"),
    ]
    for closed in ends:
        assert _item_bytes(resumed(closed, note, at, "tick")) < ITEM_BYTES
