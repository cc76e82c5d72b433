"""`callback_basics` in moto: every outcome, time-outs, retries, and answers that come twice."""

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
    """Lambda's refusal, by the name that Step Functions gives it."""


Throttled.__name__ = "Lambda.TooManyRequestsException"


@pytest.fixture
def engine_with(
    engine_of: Callable[..., Engine], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Engine]:
    """Start an engine of the example. What waits for an answer gets it from `process`, below."""

    def begin(called: Function = lambda *_: None, **changed: Any) -> Engine:
        functions = {"split_document": basics.split_document, "process_document": called}
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
    """Return an input."""
    return {"document": document, "outcome": outcome}


def unexpected(engine: Engine, execution: str) -> Json:
    """Return what an execution's cause says, which must have failed unexpectedly."""
    ended = engine.end(execution)
    assert (ended["status"], ended["error"]) == ("FAILED", "UnexpectedFailure")
    assert engine.states(execution)[-1] == "UnexpectedFailure"
    found: Json = json.loads(ended["cause"])
    return found


def process(engine: Engine, execution: str) -> Json:
    """Run the example's function with what it was sent, and return what it was."""
    event: Json = engine.sent(execution)["Payload"]
    basics.process_document(event, None)
    return event


def test_success_goes_on_with_what_was_sent(engine: Engine) -> None:
    """The output of SendTaskSuccess is the next state's input."""
    execution = engine.start(work("success", "word " * 30))
    process(engine, execution)
    ended = engine.end(execution)
    assert ended["status"] == "SUCCEEDED"
    assert json.loads(ended["output"]) == {"chunks": 4, "characters": 146}
    assert engine.states(execution) == ["SplitDocument", "ProcessDocument", "ContinueProcess"]


def test_the_named_error_has_a_state_of_its_own(engine: Engine) -> None:
    """It fails by the name and the cause that were sent."""
    execution = engine.start(work("failure"))
    process(engine, execution)
    ended = engine.end(execution)
    assert (ended["status"], ended["error"]) == ("FAILED", "ProcessingFailed")
    assert ended["cause"] == "chunk 1 of 1 can't be read"
    assert engine.states(execution)[-1] == "ProcessingFailed"


@pytest.mark.parametrize("outcome", ["surprise", "no such outcome"])
def test_any_other_error_is_unexpected(engine: Engine, outcome: str) -> None:
    """What it was is kept in the cause."""
    execution = engine.start(work(outcome))
    process(engine, execution)
    found = unexpected(engine, execution)
    assert found == {"Error": "Surprise", "Cause": f"nobody has heard of the outcome {outcome!r}"}


def test_without_a_wish_chance_decides() -> None:
    """Each answer comes up, and silence only if it is asked for."""
    assert {basics.outcome_of({}) for _ in range(200)} == set(basics.ANSWERS)
    assert {basics.outcome_of({"outcome": o}) for o in basics.OUTCOMES} == set(basics.OUTCOMES)


def test_silence_is_ended_by_a_missed_heartbeat(engine_with: Callable[..., Engine]) -> None:
    """Long before the time-out, and by the name of one."""
    engine = engine_with(HeartbeatSeconds=1)
    execution = engine.start(work("silence"))
    process(engine, execution)
    assert unexpected(engine, execution)["Error"] == "States.Timeout"


def test_heartbeats_do_not_move_the_time_out(engine_with: Callable[..., Engine]) -> None:
    """Whoever says again and again that it is still at work has no more time for that."""
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
    """The function is told that it is too late, says so, and ends well."""
    engine = engine_with(HeartbeatSeconds=1)
    execution = engine.start(work("success"))
    event: Json = engine.sent(execution)["Payload"]
    ended = engine.end(execution)
    basics.process_document(event, None)
    assert json.loads(capsys.readouterr().out)["said"] == "too late"
    assert engine.end(execution) == ended


def test_a_second_answer_changes_nothing(
    engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    """An event that comes twice is processed twice, and answers once."""
    execution = engine.start(work("success"))
    event = process(engine, execution)
    ended = engine.end(execution)
    basics.process_document(event, None)
    said = [json.loads(line)["said"] for line in capsys.readouterr().out.splitlines()]
    assert said == ["answered", "too late"]
    assert engine.end(execution) == ended


def test_a_function_that_crashes_fails_the_state_at_once(
    engine_with: Callable[..., Engine],
) -> None:
    """On AWS, too: nobody waits for a token that was never taken. It isn't tried again."""

    def crash(*_: object) -> None:
        raise ZeroDivisionError("a bug")

    engine = engine_with(crash)
    execution = engine.start(work("success"))
    assert unexpected(engine, execution)["Error"] == "ZeroDivisionError"
    assert engine.attempts(execution) == 2  # one of each function


def test_a_call_that_lambda_refused_is_tried_again(engine_with: Callable[..., Engine]) -> None:
    """Lambda's own errors are nobody's answer."""
    refused: list[object] = []

    def busy_at_first(*event: object) -> None:
        refused.append(event)
        if len(refused) == 1:
            raise Throttled

    engine = engine_with(busy_at_first, Retry=SOON)
    execution = engine.start(work("success"))
    process(engine, execution)
    assert engine.end(execution)["status"] == "SUCCEEDED"
    assert len(refused) == 2


def test_moto_overlooks_an_answer_that_comes_before_the_function_has_returned(
    engine_with: Callable[..., Engine],
) -> None:
    """With a heartbeat, that is; hence `process`, which answers later. MiniStack takes it."""
    engine = engine_with(basics.process_document, HeartbeatSeconds=1)
    assert unexpected(engine, engine.start(work("success")))["Error"] == "States.Timeout"


def test_the_task_token_is_in_no_log_and_no_end(
    engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever reads either can't answer in another's place."""
    execution = engine.start(work("failure"))
    token = process(engine, execution)["taskToken"]
    assert token not in json.dumps(engine.end(execution))
    said = capsys.readouterr()
    assert token not in said.out + said.err


def get(path: str) -> HTTPResponse:
    """Return the API's answer. Chalice's test client lets everybody in, and warns of that."""
    with Client(basics.app) as client, pytest.warns(UserWarning, match="IAMAuthorizer"):
        return client.http.get(path)


@pytest.mark.parametrize(
    ("query", "given"),
    [
        ("?outcome=failure&document=a+b", {"document": "a b", "outcome": "failure"}),
        ("", {"document": basics.DOCUMENT}),
    ],
)
def test_start_starts_an_execution(engine: Engine, query: str, given: Json) -> None:
    """With the query's document and outcome, or without them."""
    answered = get(f"/start{query}")
    assert answered.status_code == 202
    arn = answered.json_body["executionArn"]
    assert json.loads(engine.client.describe_execution(executionArn=arn)["input"]) == given
    process(engine, arn)
    engine.end(arn)


def test_start_refuses_an_outcome_that_nobody_knows(engine: Engine) -> None:
    """With the field's name and what it may be; nothing is started."""
    answered = get("/start?outcome=perhaps")
    assert answered.status_code == 400
    assert "outcome: must be one of success, failure" in answered.json_body["Message"]
    assert engine.client.list_executions(stateMachineArn=engine.machine)["executions"] == []
