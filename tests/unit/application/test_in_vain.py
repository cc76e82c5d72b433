"""In vain: an outcome whose workflow was not waiting any more says so wherever people read it."""

import pytest

from chalicelib.application.ending import end_approvals
from chalicelib.domain.outbox_entries import LEASE
from chalicelib.presentation import serializers
from chalicelib.presentation.audit_report import audit_report
from tests.builders import request_approval
from tests.fakes import EXECUTION, FakePorts
from tests.unit.steps import ADA, MARY, decide, events, pass_minutes, run_tick, stored, subjects


@pytest.mark.parametrize("choice", ["approve", "reject"])
def test_a_decision_that_finds_the_task_closed_is_told_as_too_late(
    ports: FakePorts, choice: str
) -> None:
    """By mail, on the event bus, in the API and in the audit report."""
    approval_id = request_approval(ports, requestedBy=MARY)
    ports.executions.closed = True
    decided = decide(ports, ADA, choice)  # type: ignore[arg-type]  # the parameters are choices
    assert decided.task_waited is False
    run_tick(ports)
    outcome = decided.outcome
    assert subjects(ports, MARY) == [f"{outcome.capitalize()} too late: Release 4.2"]
    said = "but the workflow was not waiting any more"
    assert said in " ".join(ports.mailer.sent[-1][1].text.split())
    (announced,) = ports.event_bus.announced
    assert (announced["detail"]["outcome"], announced["detail"]["resumed"]) == (outcome, False)
    approval = stored(ports, approval_id)
    assert serializers.operator_view(approval)["resumed"] is False
    assert serializers.summary(approval)["resumed"] is False
    report = audit_report(approval)
    assert said in report
    assert "Resumed:   no, the task was not waiting any more" in report


def test_an_outcome_that_resumed_its_workflow_has_no_such_field(ports: FakePorts) -> None:
    """Readers of the wire as it was see no change."""
    approval_id = request_approval(ports, requestedBy=MARY)
    decide(ports)
    run_tick(ports)
    approval = stored(ports, approval_id)
    assert approval.task_waited is True
    assert "resumed" not in serializers.operator_view(approval)
    assert "resumed" not in ports.event_bus.announced[0]["detail"]
    assert subjects(ports, MARY) == ["Approved: Release 4.2"]


def test_a_task_that_an_earlier_try_may_have_resumed_is_not_called_too_late(
    ports: FakePorts,
) -> None:
    """A process that died after its answer leaves a closed task, and the workflow went on."""
    approval_id = request_approval(ports, requestedBy=MARY)
    ports.effects.faulty = {"executions.answer"}
    decide(ports)
    ports.effects.faulty = set()
    ports.executions.closed = True
    ports.later(seconds=LEASE.total_seconds())
    run_tick(ports)
    (event,) = events(ports, approval_id, "resumed")
    assert event.note == "the task was closed already, perhaps by an earlier try"
    approval = stored(ports, approval_id)
    assert approval.task_waited is None
    assert "resumed" not in serializers.operator_view(approval)
    assert "too late" not in subjects(ports, MARY)[-1]


def test_a_task_that_a_repeated_call_finds_closed_is_not_called_too_late(
    ports: FakePorts,
) -> None:
    """The first try may have resumed it, or may have been throttled after the workflow's end."""
    approval_id = request_approval(ports, requestedBy=MARY)
    ports.executions.closed = ports.executions.repeats = True
    decide(ports)
    run_tick(ports)
    (event,) = events(ports, approval_id, "resumed")
    assert event.note == "the task was closed already, perhaps by an earlier try"
    assert stored(ports, approval_id).task_waited is None
    assert "resumed" not in ports.event_bus.announced[0]["detail"]
    assert subjects(ports, MARY) == ["Approved: Release 4.2"]


def test_an_expiry_that_finds_the_task_closed_at_its_first_try_came_too_late(
    ports: FakePorts,
) -> None:
    """The tick that records an expiry is the first to try."""
    approval_id = request_approval(ports, expiresIn=60)
    ports.executions.closed = True
    pass_minutes(ports, 1)
    (event,) = events(ports, approval_id, "resumed")
    assert event.note == "the task was not waiting any more"
    assert stored(ports, approval_id).task_waited is False


@pytest.mark.parametrize("asks_again", [True, False])
def test_what_the_workflow_cancelled_is_tried_by_the_tick_first(
    ports: FakePorts, asks_again: bool
) -> None:
    """After its execution's end, or because it asked again: so nobody can have tried before."""
    approval_id = request_approval(ports, supersedes=asks_again)
    ports.later(minutes=5)
    if asks_again:
        request_approval(ports, "token-2", execution=EXECUTION, supersedes=True)
    else:
        stopped = int(ports.time.timestamp() * 1_000)
        end = {"executionArn": EXECUTION, "status": "ABORTED", "stopDate": stopped}
        end_approvals(ports, end)
    ports.executions.closed = True
    run_tick(ports)
    (event,) = events(ports, approval_id, "resumed")
    assert event.note == "the task was not waiting any more"
    assert stored(ports, approval_id).task_waited is False


def test_an_expiry_whose_first_try_was_left_unrecorded_is_not_called_too_late(
    ports: FakePorts,
) -> None:
    """That try may have failed the task."""
    approval_id = request_approval(ports, expiresIn=60)
    ports.effects.faulty = {"executions.answer"}
    pass_minutes(ports, 1)
    ports.effects.faulty = set()
    ports.executions.closed = True
    pass_minutes(ports, 2)
    (event,) = events(ports, approval_id, "resumed")
    assert event.note == "the task was closed already, perhaps by an earlier try"
    assert stored(ports, approval_id).task_waited is None


def test_a_tick_tells_nobody_while_the_task_is_being_answered(ports: FakePorts) -> None:
    """It would say `approved` before the answer shows that the workflow has ended."""
    approval_id = request_approval(ports, requestedBy=MARY)
    ports.effects.faulty = {"executions.answer"}  # The deciding process is still waiting for it.
    decide(ports)
    ports.later(seconds=LEASE.total_seconds() - 1)
    run_tick(ports)
    assert subjects(ports, MARY) == []
    assert ports.event_bus.announced == []
    ports.effects.faulty = set()
    ports.later(seconds=1)
    run_tick(ports)
    assert subjects(ports, MARY) == ["Approved: Release 4.2"]
    assert len(ports.event_bus.announced) == 1
    assert stored(ports, approval_id).outbox == ()


def test_the_task_token_is_removed_with_its_answer(ports: FakePorts) -> None:
    """It stays while an outcome is undelivered, since the tick needs it."""
    approval_id = request_approval(ports)
    token = stored(ports, approval_id).task_token
    ports.effects.faulty = {"executions.answer"}
    decide(ports)
    assert stored(ports, approval_id).task_token == token
    ports.effects.faulty = set()
    ports.later(seconds=LEASE.total_seconds())
    run_tick(ports)
    assert stored(ports, approval_id).task_token == ""
    assert token.encode() not in ports.store._items[approval_id]


def test_the_same_request_and_decision_again_are_known_without_the_task_token(
    ports: FakePorts,
) -> None:
    """The id is derived from the token, so a message that comes again makes nothing new."""
    approval_id = request_approval(ports)
    first = decide(ports)
    run_tick(ports)
    before = ports.snapshot()[1:]
    assert request_approval(ports) == approval_id
    assert decide(ports, reason="again").outcome == first.outcome
    assert ports.snapshot()[1:] == before
