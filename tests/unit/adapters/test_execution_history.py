"""The history of an execution: states and errors' names are read, and nothing that was said."""

import json
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.adapters.stepfunctions import StepFunctionsExecutions
from chalicelib.domain.errors import NotFound, Unavailable
from chalicelib.domain.execution_history import ExecutionHistory, StateRun
from tests.aws.stubs import strict_client, stubbed
from tests.fakes import DEFINITION, START, TOKEN

MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:assent-test"
EXECUTION = "arn:aws:states:us-east-1:123456789012:execution:assent-test:key"
FOLLOWED = {
    "stateMachineArn": MACHINE,
    "name": "assent-test",
    "definition": json.dumps(DEFINITION),
    "roleArn": "arn:aws:iam::123456789012:role/states",
    "updateDate": START,
}


def event(number: int, kind: str, **details: Any) -> dict[str, Any]:
    """Return an event as Step Functions has it."""
    at = START + timedelta(seconds=number, milliseconds=123)
    return {"timestamp": at, "type": kind, "id": number + 1, **details}


def entered(number: int, name: str, kind: str = "Task") -> dict[str, Any]:
    return event(number, f"{kind}StateEntered", stateEnteredEventDetails={"name": name})


def exited(number: int, name: str, kind: str = "Task") -> dict[str, Any]:
    return event(number, f"{kind}StateExited", stateExitedEventDetails={"name": name})


def failed(number: int, error: str) -> dict[str, Any]:
    """Return that a task failed, with a cause that holds what people wrote."""
    details = {"resourceType": "lambda", "resource": "invoke", "error": error, "cause": TOKEN}
    return event(number, "TaskFailed", taskFailedEventDetails=details)


def scheduled(number: int) -> dict[str, Any]:
    """Return that a task began, with parameters that hold its token."""
    details = {
        "resourceType": "lambda",
        "resource": "invoke.waitForTaskToken",
        "region": "us-east-1",
        "parameters": json.dumps({"Payload": {"taskToken": TOKEN}}),
    }
    return event(number, "TaskScheduled", taskScheduledEventDetails=details)


def history(*events: dict[str, Any]) -> ExecutionHistory:
    """Return what the adapter makes of these events."""
    client = strict_client("stepfunctions")
    with stubbed(client) as stub:
        stub.add_response(
            "describe_state_machine_for_execution", FOLLOWED, {"executionArn": EXECUTION}
        )
        asked = {"executionArn": EXECUTION, "maxResults": 1_000, "includeExecutionData": False}
        stub.add_response("get_execution_history", {"events": list(events)}, asked)
        return StepFunctionsExecutions(client, MACHINE).history(EXECUTION)


def run(number: int, name: str, status: Any, error: str = "") -> StateRun:
    return StateRun(name, status, START + timedelta(seconds=number), error)


BEGIN = event(0, "ExecutionStarted")


def test_a_running_execution_waits_in_its_last_state() -> None:
    found = history(BEGIN, entered(1, "RequestApproval"), scheduled(2))
    assert found.states == (run(1, "RequestApproval", "waits"),)
    assert (found.definition, found.has_succeeded) == (DEFINITION, False)


def test_an_approved_execution_passed_its_state() -> None:
    end = event(4, "ExecutionSucceeded")
    found = history(
        BEGIN, entered(1, "RequestApproval"), event(2, "TaskSucceeded"),
        exited(3, "RequestApproval"), end,
    )  # fmt: skip
    assert found.states == (run(1, "RequestApproval", "passed"),)
    assert found.has_succeeded


@pytest.mark.parametrize("with_exit", [True, False])
def test_a_caught_error_has_its_name(with_exit: bool) -> None:
    """Whether or not the state's end is an event of its own."""
    left = [exited(3, "RequestApproval")] if with_exit else []
    found = history(
        BEGIN, entered(1, "RequestApproval"), failed(2, "Rejected"), *left,
        entered(4, "OnReject", "Choice"), exited(5, "OnReject", "Choice"),
        entered(6, "Rejected", "Fail"),
        event(7, "ExecutionFailed", executionFailedEventDetails={"error": "Rejected"}),
    )  # fmt: skip
    assert found.states == (
        run(1, "RequestApproval", "failed", "Rejected"),
        run(4, "OnReject", "passed"),
        run(6, "Rejected", "failed"),
    )


def test_a_retry_that_went_well_is_no_failure() -> None:
    found = history(
        BEGIN, entered(1, "RequestApproval"), failed(2, "Unavailable"), scheduled(3),
        event(4, "TaskSucceeded"), exited(5, "RequestApproval"),
    )  # fmt: skip
    assert found.states == (run(1, "RequestApproval", "passed"),)


@pytest.mark.parametrize("end", ["ExecutionAborted", "ExecutionTimedOut"])
def test_a_stopped_execution_was_stopped_in_its_state(end: str) -> None:
    found = history(BEGIN, entered(1, "RequestApproval"), scheduled(2), event(3, end))
    assert found.states == (run(1, "RequestApproval", "stopped"),)


def test_a_state_that_holds_others_waits_until_they_are_done() -> None:
    """The states inside of Parallel and Map are left out."""
    inside = [
        entered(1, "Both", "Parallel"), entered(2, "Left", "Pass"), exited(3, "Left", "Pass"),
        entered(4, "Right"), failed(5, "Unavailable"),
    ]  # fmt: skip
    assert history(BEGIN, *inside).states == (run(1, "Both", "waits"),)
    after = [exited(6, "Both", "Parallel"), entered(7, "Next", "Pass")]
    assert history(BEGIN, *inside, *after).states == (
        run(1, "Both", "passed"),
        run(7, "Next", "waits"),
    )
    stopped = event(6, "ExecutionAborted")
    assert history(BEGIN, *inside, stopped).states == (run(1, "Both", "stopped"),)


def test_no_token_and_no_cause_is_kept() -> None:
    """The events hold both."""
    found = history(BEGIN, entered(1, "RequestApproval"), scheduled(2), failed(3, "Rejected"))
    assert TOKEN not in repr(found)


@pytest.mark.parametrize(
    ("code", "error"),
    [("ExecutionDoesNotExist", NotFound), ("InvalidArn", NotFound), ("InternalError", Unavailable)],
)
def test_an_execution_that_is_gone_is_not_found(code: str, error: type[Exception]) -> None:
    client = strict_client("stepfunctions")
    with stubbed(client) as stub:
        stub.add_client_error("describe_state_machine_for_execution", code)
        with pytest.raises(error):
            StepFunctionsExecutions(client, MACHINE).history(EXECUTION)
