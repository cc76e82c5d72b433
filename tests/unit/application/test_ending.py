"""Ending: an execution that ended leaves no approval pending."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.application.ending import BATCH, ENDING_LIMIT, end_approvals
from chalicelib.domain.approval import Approval
from chalicelib.domain.errors import AlreadyDecided, Cancelled, InvalidRequest, Unavailable
from chalicelib.domain.workflow import EndedExecution
from chalicelib.presentation.serializers import operator_view
from tests.builders import people, request_approval
from tests.fakes import EXECUTION, FakePorts, FakeStore
from tests.unit.steps import (
    ADA,
    GRACE,
    MARY,
    contend,
    decide,
    events,
    run_tick,
    stored,
    subjects,
    use_store,
)

FOREIGN = "arn:aws:states:us-east-1:000000000000:execution:orders:one"


def ended(ports: FakePorts, **fields: Any) -> dict[str, Any]:
    """Return an execution's end as the event bus sends it, at this moment."""
    now = int(ports.now().timestamp() * 1000)
    return {"executionArn": EXECUTION, "status": "ABORTED", "stopDate": now, **fields}


def test_a_pending_approval_of_an_ended_execution_is_cancelled(ports: FakePorts) -> None:
    """With a reason that names no person; its links answer that nothing is needed."""
    approval_id = request_approval(ports)
    ports.later(minutes=5)
    assert end_approvals(ports, ended(ports, status="TIMED_OUT")) == [approval_id]
    approval = stored(ports, approval_id)
    assert (approval.outcome, approval.execution_ended) == ("cancelled", "TIMED_OUT")
    (event,) = events(ports, approval_id, "cancelled")
    assert (event.who, event.via) == ("assent", "queue")
    assert event.note == "its workflow ended (TIMED_OUT)"
    with pytest.raises(Cancelled):
        decide(ports)


def test_everybody_concerned_is_told_once_that_no_answer_is_needed(ports: FakePorts) -> None:
    """The requester, and each approver who was asked; the event says why it was cancelled."""
    request_approval(ports, approvers=[ADA, GRACE], requestedBy=MARY)
    run_tick(ports)
    ports.executions.closed = True
    end_approvals(ports, ended(ports))
    for _ in range(3):
        run_tick(ports)
        ports.later(minutes=2)
    for person in (ADA, GRACE, MARY):
        assert subjects(ports, person)[1:] == ["Cancelled: Release 4.2"]
    text = " ".join(ports.mailer.sent[-1][1].text.split())
    assert "because its workflow was stopped" in text
    assert "You don't need to do anything." in text
    assert "cancelled by assent" not in text
    assert "| its workflow" not in text, "nobody wrote that"
    (announced,) = ports.event_bus.announced
    assert announced["detail"]["outcome"] == "cancelled"
    assert announced["detail"]["executionEnded"] == "ABORTED"
    assert announced["detail"]["resumed"] is False


def test_the_tick_finds_the_task_closed_and_nothing_stays_in_the_outbox(ports: FakePorts) -> None:
    """The function itself answers no task, so its role needs no permission for that."""
    approval_id = request_approval(ports)
    ports.executions.closed = True
    end_approvals(ports, ended(ports))
    assert ports.executions.refused == []
    run_tick(ports)
    assert len(ports.executions.refused) == 1
    approval = stored(ports, approval_id)
    assert (approval.outbox, approval.task_waited, approval.task_token) == ((), False, "")
    assert operator_view(approval)["resumed"] is False


def test_an_execution_that_waits_in_spite_of_its_end_is_resumed(ports: FakePorts) -> None:
    """A wrong message must not leave it waiting for ever: the task fails as `Cancelled`."""
    approval_id = request_approval(ports)
    end_approvals(ports, ended(ports))
    run_tick(ports)
    assert [answer.error for answer in ports.executions.answers] == ["Cancelled"]
    approval = stored(ports, approval_id)
    assert approval.task_waited is True
    assert operator_view(approval)["resumed"] is False, "it goes by the end, not by the answer"


def test_a_redriven_execution_that_has_asked_again_keeps_its_new_approval(ports: FakePorts) -> None:
    """Its ARN is the same; the end came before the new request."""
    old = request_approval(ports, execution=FOREIGN)
    ports.later(seconds=1)
    end = ended(ports, executionArn=FOREIGN)
    ports.later(seconds=1)
    new = request_approval(ports, "a-new-token", execution=FOREIGN)
    assert end_approvals(ports, end) == [old]
    assert stored(ports, new).outcome == "pending"


def test_an_approval_requested_in_the_second_of_the_end_is_cancelled(ports: FakePorts) -> None:
    """A sibling branch may fail while the request is made."""
    approval_id = request_approval(ports)
    stop = ended(ports)["stopDate"] + 900
    assert end_approvals(ports, ended(ports, stopDate=stop)) == [approval_id]


@pytest.mark.parametrize("outcome", ["approve", "reject"])
def test_a_closed_approval_stays_as_it_is(ports: FakePorts, outcome: Any) -> None:
    """Each approval's own execution ends after its outcome."""
    request_approval(ports)
    decide(ports, ADA, outcome)
    before = ports.snapshot()
    assert end_approvals(ports, ended(ports, status="SUCCEEDED")) == []
    assert ports.snapshot() == before


def test_all_approvals_of_the_execution_are_cancelled_and_no_others(ports: FakePorts) -> None:
    """Parallel branches ask more than once."""
    ids = {
        request_approval(ports, f"token-{n}", execution=EXECUTION, approvers=people(2))
        for n in range(3)
    }
    other = ended(ports, executionArn=EXECUTION + "0")
    assert end_approvals(ports, other) == []
    assert set(end_approvals(ports, ended(ports))) == ids
    assert end_approvals(ports, ended(ports)) == [], "the same event again changes nothing"


def test_a_pending_approval_is_found_behind_hundreds_of_closed_ones(ports: FakePorts) -> None:
    """A slow branch may wait while another one asks in a loop."""
    slow = request_approval(ports, "slow", execution=FOREIGN, subject="A slow branch")
    for n in range(2 * BATCH + 1):
        ports.later(seconds=1)
        request_approval(ports, f"token-{n}", execution=FOREIGN)
        decide(ports)
    assert end_approvals(ports, ended(ports, executionArn=FOREIGN)) == [slow]


class Slow(FakeStore):
    """A store in which each write takes a second."""

    ports: FakePorts

    def replace(self, read: Approval, changed: Approval) -> Approval | None:
        self.ports.later(seconds=1)
        return super().replace(read, changed)


def test_a_call_closes_what_it_has_time_for_and_its_repetitions_the_rest(ports: FakePorts) -> None:
    """Each ends in time; SQS delivers the message again after the error."""
    ids = [request_approval(ports, f"{n}", execution=FOREIGN) for n in range(BATCH // 4)]
    use_store(ports, Slow(ports.effects)).ports = ports
    end = ended(ports, executionArn=FOREIGN)
    for _ in range(2):
        began = ports.time
        with pytest.raises(Unavailable, match="more approvals than one call can close"):
            end_approvals(ports, end)
        assert ports.time - began == ENDING_LIMIT
    assert len(end_approvals(ports, end)) == 1
    assert {stored(ports, one).execution_ended for one in ids} == {"ABORTED"}


class SlowToRead(FakeStore):
    """A store in which each read of a batch takes seven seconds."""

    ports: FakePorts

    def get_many(self, approval_ids: Sequence[str]) -> list[Approval]:
        self.ports.later(seconds=7)
        return super().get_many(approval_ids)


def test_a_call_reads_no_further_once_its_time_is_over(ports: FakePorts) -> None:
    """Closed approvals take time to read, too."""
    for n in range(3 * BATCH):
        request_approval(ports, f"{n}", execution=FOREIGN)
        decide(ports)
    use_store(ports, SlowToRead(ports.effects)).ports = ports
    began = ports.time
    with pytest.raises(Unavailable, match="more approvals"):
        end_approvals(ports, ended(ports, executionArn=FOREIGN))
    assert ports.time - began < ENDING_LIMIT + timedelta(seconds=7)


def test_an_execution_that_asked_nobody_is_no_error(ports: FakePorts) -> None:
    """Or whose approval was deleted, or isn't in the index yet."""
    assert end_approvals(ports, ended(ports)) == []


def test_a_decision_that_comes_first_counts(ports: FakePorts) -> None:
    """The end is judged again by the version that the decision wrote."""
    approval_id = request_approval(ports)
    contend(ports, 2)
    assert end_approvals(ports, ended(ports)) == [approval_id]
    assert stored(ports, approval_id).reminders == 2


def test_the_link_of_a_cancelled_approval_cancels_nothing_more(ports: FakePorts) -> None:
    request_approval(ports)
    end_approvals(ports, ended(ports))
    with pytest.raises((Cancelled, AlreadyDecided)):
        decide(ports, ADA, "reject")


@pytest.mark.parametrize(
    "message",
    [
        None, {}, [], "text",
        {"executionArn": EXECUTION, "status": "ABORTED"},
        {"executionArn": EXECUTION, "status": "RUNNING", "stopDate": 1},
        {"executionArn": EXECUTION, "status": "ABORTED", "stopDate": None},
        {"executionArn": EXECUTION, "status": "ABORTED", "stopDate": -1},
        {"executionArn": EXECUTION, "status": "ABORTED", "stopDate": 10**18},
        {"executionArn": "", "status": "ABORTED", "stopDate": 1},
        {"executionArn": "x" * 1_025, "status": "ABORTED", "stopDate": 1},
        {"executionArn": EXECUTION, "status": "ABORTED", "stopDate": 1, "input": "{}"},
    ],
)  # fmt: skip
def test_a_message_that_is_no_ended_execution_is_refused(ports: FakePorts, message: object) -> None:
    """And changes nothing."""
    request_approval(ports)
    before = ports.snapshot()
    with pytest.raises(InvalidRequest):
        end_approvals(ports, message)
    assert ports.snapshot() == before


def test_the_time_of_the_end_is_in_milliseconds() -> None:
    ended_at = EndedExecution("arn", "FAILED", 1_780_000_000_500).stopped_at
    assert ended_at.isoformat() == "2026-05-28T20:26:40.500000+00:00"
