"""Items that were stored before version 0.9, written by the code of then, are read and kept."""

import json
from pathlib import Path
from typing import Any

import pytest

from chalicelib.adapters import dynamodb_items
from chalicelib.domain.approval import Approval

STORED: dict[str, Any] = json.loads(
    (Path(__file__).parent / "stored_before_0_9.json").read_text("utf-8")
)
"""Approvals with every field in use: delegation, wrong code, reassignment, escalation, reasons."""


LATER = ("taskWaited", "executionEnded", "supersededBy", "askedAgainAt", "erasedAt")
"""Fields of approvals that were added since."""


@pytest.mark.parametrize("name", ["pending", "approved", "cancelled"])
def test_a_stored_approval_is_written_back_as_it_was_read(name: str) -> None:
    """Fields that came later are added, with nothing in them."""
    item = STORED[name]
    written = dynamodb_items.approval_item(dynamodb_items.approval_in(item))
    before, after = (json.loads(found.pop("approval")["S"]) for found in (dict(item), written))
    request = before["request"] | {"supersedes": False}
    for person in (*before["approvers"], before["requester"]):
        person |= {"noteBy": "", "wrongCodesByLink": {}}
    for event in before["events"]:
        event["principal"] = ""
    assert after == before | {"request": request} | dict.fromkeys(LATER)
    assert list(after)[: len(before)] == list(before)
    assert written == {key: value for key, value in item.items() if key != "approval"}


def test_a_pending_approval_is_read_whole() -> None:
    approval = dynamodb_items.approval_in(STORED["pending"])
    assert (approval.outcome, approval.version, approval.approve_count) == ("pending", 7, 1)
    assert [a.address for a in approval.waits_for] == [
        "grace@example.com",
        "barbara@example.com",
        "mary@example.com",
    ]
    assert approval.approver("zoe@example.com").stands_in_for == "ada@example.com"
    assert approval.approver("zoe@example.com").wrong_codes == 1


def test_when_the_task_was_resumed_is_read() -> None:
    approval = dynamodb_items.approval_in(STORED["approved"])
    assert approval.resumed_at == approval.closed_at


def test_waiting_entries_are_found_under_their_keys() -> None:
    pending = dynamodb_items.approval_in(STORED["pending"])
    assert dynamodb_items.waiting_changes(None, pending) == STORED["waiting"]


def test_a_stored_delegation_is_read() -> None:
    delegation = dynamodb_items.delegation_in(STORED["absence"])
    assert delegation.delegate == "zoe@example.com"
    assert dynamodb_items.delegation_item("Ada@example.com", delegation) == STORED["absence"]


def test_an_event_of_a_kind_that_newer_code_wrote_is_read_after_a_rollback() -> None:
    text = STORED["pending"]["approval"]["S"].replace('"what":"reminded"', '"what":"teleported"')
    approval: Approval = dynamodb_items.approval_in({"approval": {"S": text}})
    assert "teleported" in {event.what for event in approval.events}
