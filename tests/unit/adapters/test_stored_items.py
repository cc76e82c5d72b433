"""Items that were stored before version 0.9, written by the code of then, are read and kept."""

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec import NODEFAULT
from msgspec.structs import fields

from chalicelib.adapters import dynamodb_items
from chalicelib.domain.approval import Approval, Approver, Decision
from chalicelib.domain.events import Event
from chalicelib.domain.outbox_entries import Announce, Mail, Resume
from chalicelib.domain.policy import Group, Policy
from chalicelib.domain.request import Request
from chalicelib.domain.transitions import reassign
from tests.builders import an_approval
from tests.fakes import START

STORED: dict[str, Any] = json.loads(
    (Path(__file__).parent / "stored_before_0_9.json").read_text("utf-8")
)
"""Approvals with every field in use: delegation, wrong code, reassignment, escalation, reasons."""


DEFAULTS = {
    "approvalsNeeded": 1,
    "rejectionsNeeded": 1,
    "reasonRequired": "onReject",
    "onReject": "fail",
    "expiresIn": 604_800,
    "mail": "waiting",
    "about": "request",
    "outcome": "pending",
    "groups": (0,),
}
"""The defaults of stored fields that aren't empty. They are left out of stored approvals, so these
would change with them: add a field in place of changing one."""


@pytest.mark.parametrize("name", ["pending", "approved", "cancelled"])
def test_a_stored_approval_is_written_back_as_it_was_read(name: str) -> None:
    """Fields that have their default are left out; nothing else is lost."""
    item = STORED[name]
    approval = dynamodb_items.approval_in(item)
    written = dynamodb_items.approval_item(approval)
    assert dynamodb_items.approval_in(written) == approval
    before, after = (json.loads(found["approval"]["S"]) for found in (item, written))
    assert [name for name in before if name in after] == list(after)
    assert {**written, "approval": None}.items() >= {**item, "approval": None}.items()
    assert written.keys() - item.keys() <= {"approver", "expiresAt", "requester"}, "for lists"


@pytest.mark.parametrize(
    "kind", [Approval, Approver, Event, Request, Mail, Resume, Announce, Decision, Policy, Group]
)
def test_the_defaults_of_stored_fields_stay(kind: Any) -> None:
    """A stored approval lacks what had its default when it was written."""
    for field in fields(kind):
        value = () if field.default is NODEFAULT else field.default
        assert not value or value == DEFAULTS[field.encode_name]


def test_a_new_approval_without_a_policy_stores_nothing_of_groups() -> None:
    """Each byte of an item is paid for; approvers are in the first group by default."""
    approval = an_approval(approvers=["ada@example.com", "grace@example.com"])
    later = reassign(
        approval, "ada@example.com", "zoe@example.com", by="x", note="", now=START, via="api"
    )
    for one in (approval, later, dynamodb_items.approval_in(dynamodb_items.approval_item(later))):
        assert "groups" not in dynamodb_items.approval_item(one)["approval"]["S"]


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
