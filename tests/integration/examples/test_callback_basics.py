"""`callback_basics` in moto: every outcome, time-outs, retries, and repeated answers."""

import contextlib
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from chalice.test import Client, HTTPResponse

from examples.callback_basics import app as basics
from tests.integration.statemachine.engine import FUNCTIONS, Engine, Function

Json = dict[str, Any]
PLACEHOLDERS = {
    "SplitDocumentFunction": f"{FUNCTIONS}split_document",
    "ProcessDocumentFunction": f"{FUNCTIONS}process_document",
}
SOON = [{"ErrorEquals": ["Lambda.TooManyRequestsException"], "IntervalSeconds": 1}]


class Throttled(Exception):
    """Lambda's error, with the name that Step Functions gives it."""


Throttled.__name__ = "Lambda.TooManyRequestsException"


@pytest.fixture
def engine_with(
    engine_of: Callable[..., Engine], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Engine]:
    """Start an engine of the example, whose tests answer its tasks with `process`."""

    def begin(process_document: Function = lambda *_: None, **changed: Any) -> Engine:
        functions = {
            "split_document": basics.split_document,
            "process_document": process_document,
        }
        engine = engine_of("callback_basics", PLACEHOLDERS, functions, ProcessDocument=changed)
        monkeypatch.setattr(basics, "stepfunctions", lambda: engine.client)
        monkeypatch.setenv("STATE_MACHINE_ARN", engine.machine)
        return engine

    return begin


@pytest.fixture
def engine(engine_with: Callable[..., Engine]) -> Engine:
    """Return an engine of the example as it is."""
    return engine_with()


def work(outcome: str, document: str = "one two three") -> Json:
    """Return an execution's input."""
    return {"document": document, "outcome": outcome}


def unexpected(engine: Engine, execution: str) -> Json:
    """Return the cause of an execution, which must have failed as UnexpectedFailure."""
    ended = engine.end(execution)
    assert (ended["status"], ended["error"]) == ("FAILED", "UnexpectedFailure")
    assert engine.states(execution)[-1] == "UnexpectedFailure"
    found: Json = json.loads(ended["cause"])
    return found


def process(engine: Engine, execution: str) -> Json:
    """Run the example's function with the event that the state sent, and return the event."""
    event: Json = engine.sent(execution)["Payload"]
    basics.process_document(event, None)
    return event


def test_a_success_continues_with_its_output(engine: Engine) -> None:
    """The output of SendTaskSuccess is the next state's input."""
    execution = engine.start(work("success", "word " * 30))
    process(engine, execution)
    ended = engine.end(execution)
    assert ended["status"] == "SUCCEEDED"
    assert json.loads(ended["output"]) == {"chunks": 4, "characters": 146}
    assert engine.states(execution) == ["SplitDocument", "ProcessDocument", "ContinueProcess"]


def test_an_expected_error_has_a_state_of_its_own(engine: Engine) -> None:
    """The execution fails with the error and the cause that were sent."""
    execution = engine.start(work("failure"))
    process(engine, execution)
    ended = engine.end(execution)
    assert (ended["status"], ended["error"]) == ("FAILED", "ProcessingFailed")
    assert ended["cause"] == "chunk 1 of 1 can't be read"
    assert engine.states(execution)[-1] == "ProcessingFailed"


@pytest.mark.parametrize("outcome", ["surprise", "no such outcome"])
def test_any_other_error_is_unexpected(engine: Engine, outcome: str) -> None:
    """The cause holds the error."""
    execution = engine.start(work(outcome))
    process(engine, execution)
    found = unexpected(engine, execution)
    assert found == {"Error": "Surprise", "Cause": f"the outcome {outcome!r} is unknown"}


def test_without_an_outcome_the_answer_is_random() -> None:
    """Every answer occurs; silence occurs only if the input asks for it."""
    assert {basics.outcome_of({}) for _ in range(200)} == set(basics.ANSWERS)
    assert {basics.outcome_of({"outcome": o}) for o in basics.OUTCOMES} == set(basics.OUTCOMES)


def test_a_missed_heartbeat_ends_a_silent_task(engine_with: Callable[..., Engine]) -> None:
    """Before the time-out, and with the same error name."""
    engine = engine_with(HeartbeatSeconds=1)
    execution = engine.start(work("silence"))
    process(engine, execution)
    assert unexpected(engine, execution)["Error"] == "States.Timeout"


def test_heartbeats_do_not_move_the_time_out(engine_with: Callable[..., Engine]) -> None:
    """A worker that sends heartbeats gets no more time by it."""
    engine = engine_with(HeartbeatSeconds=1, TimeoutSeconds=2)
    execution = engine.start(work("silence"))
    token, started = engine.task_token(execution), time.monotonic()
    with contextlib.suppress(ClientError):
        while time.monotonic() < started + 5:
            engine.client.send_task_heartbeat(taskToken=token)
            time.sleep(0.2)
    assert unexpected(engine, execution)["Error"] == "States.Timeout"
    assert 1.5 < time.monotonic() - started < 4


def test_an_answer_after_the_time_out_changes_nothing(
    engine_with: Callable[..., Engine], capsys: pytest.CaptureFixture[str]
) -> None:
    """The function logs that it was too late, and succeeds."""
    engine = engine_with(HeartbeatSeconds=1)
    execution = engine.start(work("success"))
    event: Json = engine.sent(execution)["Payload"]
    ended = engine.end(execution)
    basics.process_document(event, None)
    assert json.loads(capsys.readouterr().out)["result"] == "too late"
    assert engine.end(execution) == ended


def test_a_second_answer_changes_nothing(
    engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    """A repeated event is processed twice and answered once."""
    execution = engine.start(work("success"))
    event = process(engine, execution)
    ended = engine.end(execution)
    basics.process_document(event, None)
    results = [json.loads(line)["result"] for line in capsys.readouterr().out.splitlines()]
    assert results == ["answered", "too late"]
    assert engine.end(execution) == ended


def test_a_function_that_crashes_fails_the_state_at_once(
    engine_with: Callable[..., Engine],
) -> None:
    """As on AWS, and without a retry."""

    def crash(*_: object) -> None:
        raise ZeroDivisionError("a bug")

    engine = engine_with(crash)
    execution = engine.start(work("success"))
    assert unexpected(engine, execution)["Error"] == "ZeroDivisionError"
    assert engine.attempts(execution) == 2  # one of each function


def test_a_call_that_lambda_throttled_is_retried(engine_with: Callable[..., Engine]) -> None:
    """Lambda's own errors mean that the function didn't run."""
    calls: list[object] = []

    def throttled_once(*event: object) -> None:
        calls.append(event)
        if len(calls) == 1:
            raise Throttled

    engine = engine_with(throttled_once, Retry=SOON)
    execution = engine.start(work("success"))
    process(engine, execution)
    assert engine.end(execution)["status"] == "SUCCEEDED"
    assert len(calls) == 2


def test_moto_overlooks_an_answer_that_comes_before_the_function_has_returned(
    engine_with: Callable[..., Engine],
) -> None:
    """If the state has a heartbeat; hence `process`, which answers later. MiniStack accepts it."""
    engine = engine_with(basics.process_document, HeartbeatSeconds=1)
    assert unexpected(engine, engine.start(work("success")))["Error"] == "States.Timeout"


def test_neither_logs_nor_results_hold_the_task_token(
    engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    """A reader of either can't answer the task."""
    execution = engine.start(work("failure"))
    token = process(engine, execution)["taskToken"]
    assert token not in json.dumps(engine.end(execution))
    printed = capsys.readouterr()
    assert token not in printed.out + printed.err


def get(path: str) -> HTTPResponse:
    """Return the API's answer. Chalice's test client doesn't check IAM, and warns about it."""
    with Client(basics.app) as client, pytest.warns(UserWarning, match="IAMAuthorizer"):
        return client.http.get(path)


@pytest.mark.parametrize(
    ("query", "execution_input"),
    [
        ("?outcome=failure&document=a+b", {"document": "a b", "outcome": "failure"}),
        ("", {"document": basics.DOCUMENT}),
    ],
)
def test_start_starts_an_execution(engine: Engine, query: str, execution_input: Json) -> None:
    """With the query's document and outcome, or with the default document."""
    response = get(f"/start{query}")
    assert response.status_code == 202
    arn = response.json_body["executionArn"]
    assert (
        json.loads(engine.client.describe_execution(executionArn=arn)["input"]) == execution_input
    )
    process(engine, arn)
    engine.end(arn)


def test_start_refuses_an_unknown_outcome(engine: Engine) -> None:
    """The message has the field and its values; no execution is started."""
    response = get("/start?outcome=perhaps")
    assert response.status_code == 400
    assert "outcome: must be one of success, failure" in response.json_body["Message"]
    assert engine.client.list_executions(stateMachineArn=engine.machine)["executions"] == []
