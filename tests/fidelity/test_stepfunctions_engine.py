"""Step Functions, as moto runs it: tokens, errors by name, paths, starting twice.

Results are objects throughout: moto puts a bare string out without its quotes, which isn't JSON.
"""

import hashlib
import json
from typing import Any

import pytest

from .engine import Engine

REJECTED = {"ErrorEquals": ["Rejected"], "ResultPath": "$.error", "Next": "No"}
ANYTHING = {"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "Broken"}


def test_a_success_resumes_the_state_with_its_output(engine: Engine) -> None:
    """The output of SendTaskSuccess is the result of the waiting state."""
    execution = engine.start(engine.machine(Wait=engine.waiting()))
    assert engine.succeed(engine.token(), '{"outcome": "approved"}') == "accepted"
    assert json.loads(engine.end(execution)["output"]) == {"outcome": "approved"}


def test_a_task_of_an_ended_execution_cannot_be_answered_again(engine: Engine) -> None:
    """Moto answers InvalidToken, AWS TaskTimedOut; both mean that the task is closed."""
    execution = engine.start(engine.machine(Wait=engine.waiting()))
    token = engine.token()
    engine.succeed(token)
    engine.end(execution)
    assert engine.succeed(token) == "InvalidToken"
    assert engine.succeed("a token that never was") == "InvalidToken"


def test_a_second_answer_changes_nothing_even_where_it_is_accepted(engine: Engine) -> None:
    """Moto accepts a late SendTaskFailure, and the execution keeps its result."""
    execution = engine.start(engine.machine(Wait=engine.waiting()))
    token = engine.token()
    engine.succeed(token, '{"answer": "first"}')
    engine.end(execution)
    assert engine.fail(token, "Rejected") == "accepted"
    assert json.loads(engine.end(execution)["output"]) == {"answer": "first"}


def test_moto_gives_a_retry_the_task_token_of_the_first_attempt(engine: Engine) -> None:
    """AWS documents a new one, at least after a time-out, so Assent relies on neither."""
    again = [{"ErrorEquals": ["Again"], "IntervalSeconds": 1, "MaxAttempts": 1}]
    engine.start(engine.machine(Wait=engine.waiting(Retry=again, End=True)))
    first = engine.token()
    engine.fail(first, "Again")
    assert engine.token() == first


def test_two_states_of_one_execution_have_different_task_tokens(engine: Engine) -> None:
    """The id of an approval comes from its token, so two requests are two approvals."""
    machine = engine.machine(First=engine.waiting(Next="Second"), Second=engine.waiting())
    execution = engine.start(machine)
    first = engine.token()
    engine.succeed(first)
    second = engine.token()
    assert second != first
    engine.succeed(second)
    assert engine.end(execution)["status"] == "SUCCEEDED"


@pytest.mark.parametrize(("error", "caught"), [("Rejected", "No"), ("Surprise", "Broken")])
def test_an_error_is_caught_by_its_name(engine: Engine, error: str, caught: str) -> None:
    """Catchers are tried in order; States.ALL catches all others."""
    machine = engine.machine(
        Wait=engine.waiting(Catch=[REJECTED, ANYTHING], End=True),
        No={"Type": "Pass", "Result": {"at": "No"}, "End": True},
        Broken={"Type": "Pass", "Result": {"at": "Broken"}, "End": True},
    )
    execution = engine.start(machine)
    engine.fail(engine.token(), error)
    assert json.loads(engine.end(execution)["output"]) == {"at": caught}


def test_a_catcher_with_a_result_path_keeps_the_input(engine: Engine) -> None:
    """The error is put beside the input, so the next state still has the request."""
    machine = engine.machine(
        Wait=engine.waiting(Catch=[REJECTED], End=True), No={"Type": "Succeed"}
    )
    execution = engine.start(machine, given='{"subject": "pay"}')
    engine.fail(engine.token(), "Rejected")
    output = json.loads(engine.end(execution)["output"])
    assert output["subject"] == "pay"
    assert output["error"]["Error"] == "Rejected"


def test_a_fail_state_takes_error_and_cause_from_the_input(engine: Engine) -> None:
    """DescribeExecution returns the values at ErrorPath and CausePath."""
    machine = engine.machine(
        No={"Type": "Fail", "ErrorPath": "$.e.Error", "CausePath": "$.e.Cause"}
    )
    found = engine.run(machine, '{"e": {"Error": "Rejected", "Cause": "too dear"}}')
    assert (found["status"], found["error"], found["cause"]) == ("FAILED", "Rejected", "too dear")


@pytest.mark.parametrize(
    ("given", "output"), [('{"x": 1}', "there"), ('{"x": null}', "there"), ("{}", "absent")]
)
def test_is_present_sees_a_field_even_if_it_is_null(
    engine: Engine, given: str, output: str
) -> None:
    """IsPresent tests for the field, not for a value."""
    machine = engine.machine(
        Ask={
            "Type": "Choice",
            "Choices": [{"Variable": "$.x", "IsPresent": True, "Next": "There"}],
            "Default": "Absent",
        },
        There={"Type": "Pass", "Result": {"x": "there"}, "End": True},
        Absent={"Type": "Pass", "Result": {"x": "absent"}, "End": True},
    )
    assert json.loads(engine.run(machine, given)["output"]) == {"x": output}


def test_string_to_json_reads_a_cause(engine: Engine) -> None:
    """A cause is a string, which the intrinsic function decodes."""
    machine = engine.machine(
        Read={
            "Type": "Pass",
            "Parameters": {"result.$": "States.StringToJson($.Cause)"},
            "End": True,
        }
    )
    found = engine.run(machine, json.dumps({"Cause": '{"outcome": "rejected"}'}))
    assert json.loads(found["output"]) == {"result": {"outcome": "rejected"}}


def evaluated(engine: Engine, function: str, text: str = "") -> Any:
    """Return the execution's end, whose output has what the intrinsic function returned."""
    state = {"Type": "Pass", "Parameters": {"result.$": function}, "End": True}
    return engine.run(engine.machine(Evaluate=state), json.dumps({"text": text}))


def test_a_hash_has_lower_case_hexadecimal_digits(engine: Engine) -> None:
    """Of at most 10,000 characters, hashed as UTF-8."""
    for text in ("input data", "é", "x" * 10_000):
        found = evaluated(engine, "States.Hash($.text, 'SHA-256')", text)
        digest = hashlib.sha256(text.encode()).hexdigest()
        assert json.loads(found["output"]) == {"result": digest}
    assert evaluated(engine, "States.Hash($.text, 'SHA-256')", "x" * 10_001)["status"] == "FAILED"


@pytest.mark.parametrize(
    ("text", "spelt"),
    [("HelloWorld", '"HelloWorld"'), ('a "b" \\ c/d', r'"a \"b\" \\ c/d"'), ("é", r'"\u00e9"')],
)
def test_json_to_string_quotes_a_string(engine: Engine, text: str, spelt: str) -> None:
    """AWS was recorded for the first alone; moto escapes what is beyond ASCII."""
    found = evaluated(engine, "States.JsonToString($.text)", text)
    assert json.loads(found["output"]) == {"result": spelt}


def test_moto_fails_on_escaped_braces(engine: Engine) -> None:
    """AWS takes them; an argument may have braces in moto too."""
    found = evaluated(engine, r"States.Format('\{\"a\":{}\}', $.text)", "x")
    assert found["status"] == "FAILED"
    found = evaluated(engine, "States.Format('a: {}', $.text)", "{} {x}")
    assert json.loads(found["output"]) == {"result": "a: {} {x}"}


def test_a_callback_whose_own_call_fails_fails_the_state(engine: Engine) -> None:
    """The state doesn't wait for a token that was never sent."""
    lost = engine.waiting() | {
        "Parameters": {
            "QueueUrl": "https://sqs.us-east-1.amazonaws.com/123456789012/nowhere",
            "MessageBody": {"token.$": "$$.Task.Token"},
        }
    }
    found = engine.run(engine.machine(Wait=lost))
    assert found["status"] == "FAILED"
    assert found["error"].startswith("SQS.")


def test_the_same_name_and_input_find_the_execution_while_it_runs(engine: Engine) -> None:
    """With another input, or after its end, the answer is ExecutionAlreadyExists."""
    machine = engine.machine(Wait=engine.waiting())
    execution = engine.start(machine, "key", '{"a": 1}')
    assert engine.start(machine, "key", '{"a": 1}') == execution
    assert engine.start(machine, "key", '{"a": 2}') == "ExecutionAlreadyExists"
    engine.succeed(engine.token())
    engine.end(execution)
    assert engine.start(machine, "key", '{"a": 1}') == "ExecutionAlreadyExists"


def test_another_spelling_of_the_same_input_is_another_input(engine: Engine) -> None:
    """Inputs are compared as text, so a repeated request must be the same bytes."""
    machine = engine.machine(Wait=engine.waiting())
    execution = engine.start(machine, "key", '{"a":1,"b":2}')
    assert engine.start(machine, "key", '{"b":2,"a":1}') == "ExecutionAlreadyExists"
    engine.succeed(engine.token())
    engine.end(execution)


def test_moto_loses_the_cause_of_a_failure(engine: Engine) -> None:
    """While this holds, causes are tested in MiniStack; once it fails, test them in moto."""
    execution = engine.start(engine.machine(Wait=engine.waiting()))
    assert engine.fail(engine.token(), "Rejected", "too dear") == "accepted"
    assert engine.end(execution).get("cause") is None


def test_the_history_of_an_execution_shows_the_task_token(engine: Engine) -> None:
    """Only IAM decides who can read it, and with it the token."""
    execution = engine.start(engine.machine(Wait=engine.waiting()))
    token = engine.token()
    events = engine.client.get_execution_history(executionArn=execution)["events"]
    (scheduled,) = [event for event in events if event["type"] == "TaskScheduled"]
    assert token in scheduled["taskScheduledEventDetails"]["parameters"]
    engine.succeed(token)
