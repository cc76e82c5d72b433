"""The approval as a value: when it is due, whom it names, and what its representation hides."""

from datetime import timedelta

from msgspec.structs import replace

from chalicelib.domain.outbox import resumed
from chalicelib.domain.outbox_entries import LEASE, Resume
from chalicelib.domain.transitions import decide
from tests.builders import an_approval, approval_of, decided, people
from tests.fakes import START, TOKEN

SECOND = timedelta(seconds=1)


def test_an_approval_is_due_at_the_earliest_entry_or_deadline() -> None:
    """The tick finds it by that time; with nothing left to do it is never due."""
    approval = approval_of(2, expiresIn=3_600)
    assert approval.due_at == START + LEASE
    quiet = replace(approval, outbox=())
    assert quiet.due_at == quiet.expires_at
    assert approval_of(2, expiresIn=60).due_at == START + 60 * SECOND
    reminding = an_approval(remindEvery=300, escalation={"after": 60, "approvers": people(1)})
    assert replace(reminding, outbox=()).due_at == START + 60 * SECOND
    later = replace(reminding, outbox=(), escalate_at=None)
    assert later.due_at == START + 300 * SECOND
    closed = decided(approval_of(2), 0, "approve")
    only_resume = replace(closed, outbox=(Resume(START + LEASE),))
    assert only_resume.due_at == START + LEASE
    assert resumed(only_resume, "", START, "page").due_at is None


def test_no_representation_of_an_approval_holds_its_task_token() -> None:
    approval = approval_of(2)
    assert TOKEN not in f"{approval!r}{approval!s}"
    assert repr(approval) == f"<Approval {approval.id} pending v0>"


def test_decisions_are_in_the_order_in_which_they_were_made() -> None:
    """Whatever the order of the approvers, and within one second."""
    approval = approval_of(3, approvalsNeeded="all")
    order = [people(3)[n] for n in (2, 0, 1)]
    for who in order:
        approval = decide(approval, who, "approve", reason="", now=START, via="page")
    assert [approver.address for approver, _ in approval.decisions] == order
