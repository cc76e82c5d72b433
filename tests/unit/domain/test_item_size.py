"""The item's size: the bound on reassignments holds whatever people do afterwards."""

from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from chalicelib.domain.approval import Approval, Choice
from chalicelib.domain.deadlines import apply_deadlines
from chalicelib.domain.errors import InvalidRequest
from chalicelib.domain.events import EVENTS_KEPT
from chalicelib.domain.item_size import ITEM_BYTES, largest
from chalicelib.domain.link_tokens import SecretHashes, digest
from chalicelib.domain.outbox import lease_due, mailed, not_mailed, resumed
from chalicelib.domain.outbox_entries import Mail
from chalicelib.domain.texts import check_reason
from chalicelib.domain.transitions import (
    cancel,
    decide,
    extend,
    reassign,
    record_wrong_code,
    remind,
)
from tests.builders import approval_of, people
from tests.fakes import START
from tests.unit.strategies import (
    LONGEST_ADDRESS,
    fallback_alone,
    largest_approval,
    largest_under_policy,
)

REASON = check_reason('"' * 2_000)
PRINCIPAL = f"arn:aws:iam::111122223333:user/{'p' * 510}/{'u' * 64}"
"""The longest that IAM has."""
NO_LINK = SecretHashes("none", "none")
TURNS = EVENTS_KEPT // 3
"""Each has three events at least, so that all that may be folded is."""


def _full(approval: Approval, note: str) -> Approval:
    """Return the approval after as many reassignments as are taken, each to somebody new."""
    for turn in range(3_000):
        members = [approver for approver in approval.active_approvers if approver.groups]
        leaving = members[turn % len(members)].address
        to = f"n{turn}{leaving[-20:]}" if turn % 2 else f"n{turn:03}{LONGEST_ADDRESS[4:]}"
        try:
            approval = reassign(
                approval,
                leaving,
                to,
                by=PRINCIPAL,
                note=note,
                now=START,
                via="api" if approval.request.policy is None else "page",
                principal=PRINCIPAL,
            )
        except InvalidRequest as refusal:
            if refusal.field == "to" and "ask again" in refusal.message:
                return approval
            raise
    raise AssertionError("reassigned without end")


def _busy(approval: Approval) -> Approval:
    """Return the approval after everything that may follow, at its longest, but decisions."""
    now = START
    for turn in range(TURNS):
        now += timedelta(minutes=20)
        absent = {f"d{n:02}{LONGEST_ADDRESS[3:]}": a for n, a in enumerate(_fallback(approval))}
        approval = _ticked(apply_deadlines(approval, now, absent), now, turn)
        approval = remind(
            approval, PRINCIPAL, now=now, via="function", reason=REASON, principal=PRINCIPAL
        )
        later = int((approval.expires_at - now).total_seconds()) + 1
        approval = extend(
            approval, PRINCIPAL, later, now=now, via="function", reason=REASON, principal=PRINCIPAL
        )
    return _ticked(approval, now, TURNS)


def _fallback(approval: Approval) -> tuple[str, ...]:
    return approval.request.escalation.approvers if approval.request.escalation else ()


def _ticked(approval: Approval, now: datetime, turn: int) -> Approval:
    """Return the approval with each mail tried, refused, and sent at last, by a fresh link."""
    fresh = {
        a.address: SecretHashes(digest(f"{turn}{a.address}"), digest(f"c{turn}{a.address}"))
        for a in approval.approvers
    }
    approval = lease_due(approval, fresh, now)
    for mail in [e for e in approval.outbox if isinstance(e, Mail)]:
        if turn % 4 == 0:
            approval = not_mailed(
                approval, mail, unsent=NO_LINK, why="refused", now=now, via="tick",
                note="SubscriptionLimitExceeded",
            )  # fmt: skip
        approval = mailed(approval, mail, now, "function")
    return _wrong_codes(approval, now) if approval.request.code_required else approval


def _wrong_codes(approval: Approval, now: datetime) -> Approval:
    """Return the approval with a wrong code for the newest link of each approver."""
    for person in approval.undecided:
        link = person.link_hashes[-1]
        approval = record_wrong_code(approval, person.address, link, now, "function")
    return approval


def _ends(approval: Approval) -> list[Approval]:
    """Return the approval as it is decided by all, and as it is cancelled before the last one."""
    *first, last = [approver.address for approver in approval.undecided]
    for to in first:
        enough = approval.approve_count + 1 == approval.approvals_needed
        choice: Choice = "reject" if enough else "approve"
        if enough and approval.reject_count + 1 == approval.request.rejections_needed:
            break  # The next decision closes it, whichever it is.
        approval = decide(approval, to, choice, reason=REASON, now=START, via="function")
    ends = [
        decide(approval, last, "approve", reason=REASON, now=START, via="function"),
        cancel(approval, PRINCIPAL, reason=REASON, now=START, via="api", principal=PRINCIPAL),
    ]
    note = "the task was closed already, perhaps by an earlier try"
    return [*ends, *(resumed(end, note, START, "function") for end in ends)]


def _item_bytes(approval: Approval) -> int:
    """Return the bytes of the JSON, and more than those of the attributes beside it."""
    return len(msgspec.json.encode(approval)) + len(approval.execution_arn) + 1_000


FIFTY: dict[str, Any] = {"approvalsNeeded": "all", "rejectionsNeeded": 50}
REQUESTS = {
    "one": approval_of(1, codeRequired=True),
    "fifty": approval_of(50, **FIFTY),
    "fifty, with codes": approval_of(50, codeRequired=True, details="x" * 9_000, **FIFTY),
    "fallback": approval_of(
        5,
        approvalsNeeded="all",
        rejectionsNeeded=5,
        escalation={"after": 60, "approvers": [f"f{to}" for to in people(40)]},
    ),
    "the largest": largest_approval("x" * 16_000),
    "the largest under a policy": largest_under_policy("x" * 16_000),
    "fallback who may approve alone": fallback_alone("x" * 16_000),
}


@pytest.mark.parametrize("note", ["", REASON], ids=["no note", "long notes"])
@pytest.mark.parametrize("name", REQUESTS)
def test_a_reassignment_that_is_taken_leaves_room_for_all_that_may_follow(
    name: str, note: str
) -> None:
    """Every link and code, event and reason, each fallback approver's delegate, every decision."""
    approval = _full(REQUESTS[name], note)
    everybody = len(approval.active_approvers) + len(_fallback(approval))
    request = replace(approval.request, approvals_needed=everybody)
    approval = replace(approval, request=request)
    most = largest(approval)
    assert most <= ITEM_BYTES == 409_600
    busy = _busy(approval)
    sizes = [_item_bytes(end) for end in (busy, *_ends(busy))]
    assert max(sizes) < most, sizes


def test_a_small_request_can_be_reassigned_hundreds_of_times() -> None:
    """The record of each takes some hundred bytes."""
    approval = approval_of(1)
    one, two = people(2)
    for _ in range(250):
        for from_, to in ((one, two), (two, one)):
            approval = reassign(approval, from_, to, by=from_, note="yours", now=START, via="page")
    assert largest(approval) < ITEM_BYTES
