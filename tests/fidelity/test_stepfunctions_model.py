"""Step Functions by botocore's model: lengths, errors, idempotent operations."""

from typing import Any

import pytest
from botocore.validate import ParamValidator

from .witness import answer, argument, bounds, errors, operation, plain


@pytest.mark.parametrize("action", ["SendTaskSuccess", "SendTaskFailure", "SendTaskHeartbeat"])
def test_a_task_token_has_up_to_2048_characters(action: str) -> None:
    """Every field that holds a token must hold 2,048 characters."""
    assert bounds(argument("stepfunctions", action, "taskToken")) == (1, 2048)


def test_an_output_has_up_to_262144_bytes_of_utf8() -> None:
    """SendTaskSuccess counts bytes, so non-Latin text reaches the limit sooner."""
    output = argument("stepfunctions", "SendTaskSuccess", "output")
    assert bounds(output)[1] == 262_144
    assert "bytes in UTF-8" in plain(output.documentation)


def test_an_error_has_up_to_256_and_a_cause_up_to_32768_characters() -> None:
    """A result with 50 long reasons doesn't fit into a cause, so it has to be shortened."""
    assert bounds(argument("stepfunctions", "SendTaskFailure", "error")) == (0, 256)
    assert bounds(argument("stepfunctions", "SendTaskFailure", "cause")) == (0, 32_768)


def test_the_client_sends_a_cause_that_is_too_long() -> None:
    """Botocore checks lower bounds alone, so Assent itself keeps causes short."""
    shape = operation("stepfunctions", "SendTaskFailure").input_shape
    assert shape is not None
    check = ParamValidator()
    assert not check.validate({"taskToken": "t", "cause": "x" * 32_769}, shape).has_errors()
    assert check.validate({"taskToken": ""}, shape).has_errors()


@pytest.mark.parametrize("action", ["SendTaskSuccess", "SendTaskFailure"])
def test_a_closed_task_and_an_expired_one_answer_the_same_error(action: str) -> None:
    """TaskTimedOut doesn't say which, so Assent records what it did."""
    found = errors("stepfunctions", action)
    assert {"TaskTimedOut", "TaskDoesNotExist", "InvalidToken"} <= set(found)
    assert "expired" in found["TaskTimedOut"]
    assert "already been closed" in found["TaskTimedOut"]


def test_only_a_success_can_be_refused_for_its_output() -> None:
    """The error is InvalidOutput: the output must be JSON."""
    assert "InvalidOutput" in errors("stepfunctions", "SendTaskSuccess")
    assert "InvalidOutput" not in errors("stepfunctions", "SendTaskFailure")


def test_an_execution_name_has_up_to_80_characters_of_a_safe_set() -> None:
    """Letters, digits, hyphen and underscore are safe everywhere, logging included."""
    name = argument("stepfunctions", "StartExecution", "name")
    assert bounds(name) == (1, 80)
    text = plain(name.documentation)
    assert "white space" in text
    assert "0-9, A-Z, a-z, - and _" in text
    for excluded in ("brackets", "wildcard characters ? *", "control characters", "surrogates"):
        assert excluded in text
    assert """special characters " # % \\ ^ | ~ ` $ &amp; , ; : /""" in text


def test_an_execution_of_a_distributed_map_has_its_label_in_its_arn() -> None:
    """The state machine's ARN with the label is documented; an ARN has 256 characters at most."""
    text = plain(operation("stepfunctions", "StartExecution").documentation)
    assert "stateMachine:myStateMachine/mapStateLabel" in text
    assert bounds(argument("stepfunctions", "DescribeExecution", "executionArn")) == (1, 256)


def test_starting_twice_is_idempotent_only_while_the_first_one_runs() -> None:
    """A closed execution of the same name and input answers ExecutionAlreadyExists as well."""
    text = plain(operation("stepfunctions", "StartExecution").documentation)
    assert "same name and input as a running execution" in text
    assert "If the execution is closed or if the input is different" in text
    assert "reuse the name 90 days after it closes" in text
    assert "ExecutionAlreadyExists" in errors("stepfunctions", "StartExecution")


def test_describing_an_execution_gives_its_error_and_cause_but_may_lag() -> None:
    """DescribeExecution is eventually consistent."""
    assert {"status", "input", "output", "error", "cause"} <= set(
        answer("stepfunctions", "DescribeExecution")
    )
    text = plain(operation("stepfunctions", "DescribeExecution").documentation)
    assert "eventually consistent" in text


def test_the_history_of_an_execution_names_states_and_errors() -> None:
    """Its events come in order, and the definition is the one that the execution follows."""
    text = plain(operation("stepfunctions", "GetExecutionHistory").documentation)
    assert "in ascending order of the" in text
    assert "definition" in answer("stepfunctions", "DescribeStateMachineForExecution")
    events: Any = answer("stepfunctions", "GetExecutionHistory")["events"]
    event = events.member.members
    assert "name" in event["stateEnteredEventDetails"].members
    assert "error" in event["taskFailedEventDetails"].members
