"""`sqs_callback` in moto: what becomes of a job, with heartbeats, deaths and double deliveries.

moto runs the state machine and the queue; what Lambda does between them, `deliver` does here.
"""

import json
import threading
import time
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from chalice.test import Client

from examples.example import Example
from examples.sqs_callback import app as worker
from tests.integration.statemachine.engine import Engine, definition
from tools.template import load_template

Json = dict[str, Any]
HEARTBEAT = {"HeartbeatSeconds": 1, "TimeoutSeconds": 60}


@pytest.fixture
def queue(account: None) -> Any:  # noqa: ARG001 (it must be there first)
    """Return the queue of jobs, whose messages don't stay away for long."""
    queue = boto3.resource("sqs").create_queue(
        QueueName="jobs", Attributes={"VisibilityTimeout": "0"}
    )
    yield queue
    queue.delete()


@pytest.fixture
def engine_with(
    engine_of: Callable[..., Engine], queue: Any, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Engine]:
    """Start an engine of the example, with other seconds to wait if need be."""

    def begin(**waits: int) -> Engine:
        engine = engine_of("sqs_callback", {"JobsQueueUrl": queue.url}, {}, Print=waits)
        monkeypatch.setattr(worker, "stepfunctions", lambda: engine.client)
        return engine

    return begin


@pytest.fixture
def engine(engine_with: Callable[..., Engine]) -> Engine:
    """Return an engine of the example as it is."""
    return engine_with()


@pytest.fixture
def slowly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a page take its time: twenty of them four seconds."""
    monkeypatch.setattr(worker, "SECONDS_A_PAGE", 0.2)


def deliver(queue: Any) -> Json:
    """Be Lambda: take a message, hand it to the worker, delete it if that returns.

    Returns the body; raises what the worker died of.
    """
    (message,) = taken(queue)
    hand_over(message)
    message.delete()
    found: Json = json.loads(message.body)
    return found


def taken(queue: Any) -> list[Any]:
    """Return the next message, in a list, once there is one."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        if found := queue.receive_messages(AttributeNames=["ApproximateReceiveCount"]):
            time.sleep(0.2)  # moto hands a message out before it takes heartbeats for it
            return list(found)
        time.sleep(0.02)
    raise AssertionError("no message in the queue")


def hand_over(message: Any) -> None:
    """Hand a message to the worker, as the event that Lambda makes of it."""
    record = {
        "body": message.body,
        "receiptHandle": message.receipt_handle,
        "attributes": message.attributes,
    }
    worker.work({"Records": [record]}, None)


def test_a_job_that_is_done_goes_on_with_what_the_worker_sent(engine: Engine, queue: Any) -> None:
    """And its message is gone."""
    execution = engine.start({"name": "a", "pages": 3})
    deliver(queue)
    assert json.loads(engine.end(execution)["output"]) == {"pages": 3, "delivery": 1}
    assert engine.states(execution) == ["Print", "Printed"]
    assert queue.receive_messages() == []


@pytest.mark.parametrize(
    ("job", "cause"),
    [
        ({"name": "a", "pages": 3, "fate": "no paper"}, "there is no paper"),
        ({"name": "a"}, "pages: must be 1 to 20"),
        ({"name": "a", "pages": 21}, "pages: must be 1 to 20"),
        ({"name": "a", "pages": "3"}, "pages: must be 1 to 20"),
    ],
)
def test_a_job_that_can_never_be_done_fails_by_name(
    engine: Engine, queue: Any, job: Json, cause: str
) -> None:
    """At the first delivery; to try again would not mend it."""
    execution = engine.start(job)
    deliver(queue)
    ended = engine.end(execution)
    assert (ended["error"], ended["cause"]) == ("CannotPrint", cause)
    assert engine.states(execution) == ["Print", "CannotPrint"]
    assert queue.receive_messages() == []


@pytest.mark.usefixtures("slowly")
def test_heartbeats_keep_long_work_alive(engine_with: Callable[..., Engine], queue: Any) -> None:
    """The work takes longer than the silence that is allowed."""
    engine = engine_with(**HEARTBEAT)
    execution = engine.start({"name": "a", "pages": 10})
    started = time.monotonic()
    deliver(queue)
    assert time.monotonic() - started > 2
    assert engine.end(execution)["status"] == "SUCCEEDED"


def test_silence_for_longer_than_a_heartbeat_is_a_lost_worker(
    engine_with: Callable[..., Engine], queue: Any
) -> None:
    """Nobody takes the message; what comes of it later is told that nobody waits."""
    engine = engine_with(**HEARTBEAT)
    execution = engine.start({"name": "a", "pages": 3})
    ended = engine.end(execution)
    assert (ended["error"], engine.states(execution)) == ("WorkerLost", ["Print", "WorkerLost"])
    deliver(queue)
    assert engine.end(execution) == ended


@pytest.mark.usefixtures("slowly")
def test_an_answer_that_takes_too_long_is_a_lost_worker(
    engine_with: Callable[..., Engine], queue: Any
) -> None:
    """Heartbeats don't move the time-out; the worker stops as soon as it hears of it."""
    engine = engine_with(HeartbeatSeconds=1, TimeoutSeconds=2)
    execution = engine.start({"name": "a", "pages": 20})
    started = time.monotonic()
    deliver(queue)
    assert time.monotonic() - started < 3.5  # and not the four seconds of twenty pages
    assert engine.end(execution)["error"] == "WorkerLost"


def test_a_worker_that_dies_leaves_its_message_for_another(engine: Engine, queue: Any) -> None:
    """The second delivery does the job, under the same task token."""
    execution = engine.start({"name": "a", "pages": 3, "fate": "dies once"})
    with pytest.raises(SystemExit):
        deliver(queue)
    assert engine.client.describe_execution(executionArn=execution)["status"] == "RUNNING"
    deliver(queue)
    assert json.loads(engine.end(execution)["output"]) == {"pages": 3, "delivery": 2}


def test_a_worker_that_always_dies_is_a_lost_worker(
    engine_with: Callable[..., Engine], queue: Any
) -> None:
    """However often its message is delivered, the execution ends."""
    engine = engine_with(**HEARTBEAT)
    execution = engine.start({"name": "a", "pages": 3, "fate": "dies each time"})
    for _ in range(2):
        with pytest.raises(SystemExit):
            deliver(queue)
    assert engine.end(execution)["error"] == "WorkerLost"


@pytest.mark.usefixtures("slowly")
def test_a_message_that_comes_again_after_the_answer_changes_nothing(
    engine: Engine, queue: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """The worker died before its message was deleted: nobody waits, nothing is printed again."""
    execution = engine.start({"name": "a", "pages": 10, "fate": "answers, then dies"})
    with pytest.raises(SystemExit):
        deliver(queue)
    ended = engine.end(execution)
    started = time.monotonic()
    deliver(queue)
    assert time.monotonic() - started < 1.5  # and not the two seconds of ten pages
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["said"] == "nobody waits"
    assert engine.end(execution) == ended
    assert queue.receive_messages() == []


def test_a_message_that_two_workers_have_at_once_is_answered_once(
    engine: Engine, queue: Any
) -> None:
    """Both do the work, which is what at least once means; the execution ends once, and well."""
    execution = engine.start({"name": "a", "pages": 3})
    (message,) = taken(queue)
    other = threading.Thread(target=hand_over, args=[message])
    other.start()
    hand_over(message)
    other.join()
    assert json.loads(engine.end(execution)["output"]) == {"pages": 3, "delivery": 1}
    assert engine.states(execution) == ["Print", "Printed"]


@pytest.mark.parametrize("body", ["no JSON", "{}", '{"taskToken": "t"}', "[]"])
def test_a_message_that_nobody_can_read_is_left_to_the_dead_letter_queue(
    queue: Any, body: str
) -> None:
    """The worker fails by it, and by no other message: there is one in each batch."""
    queue.send_message(MessageBody=body)
    with pytest.raises((ValueError, KeyError, TypeError)):
        deliver(queue)
    (source,) = worker.app.event_sources
    assert vars(source)["batch_size"] == 1


def test_the_task_token_is_in_no_log_and_no_end(
    engine: Engine, queue: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever reads either can't answer in the worker's place."""
    execution = engine.start({"name": "a", "pages": 3})
    secret = deliver(queue)["taskToken"]
    assert secret not in json.dumps(engine.end(execution))
    said = capsys.readouterr()
    assert "worked" in said.out
    assert secret not in said.out + said.err


def test_the_clocks_fit_together() -> None:
    """A worker's time-out, then a redelivery, then the heartbeat, then the end of all waiting."""
    folder = Example("sqs_callback").folder
    config = json.loads((folder / ".chalice" / "config.json").read_text())
    stack = load_template(folder / "infrastructure.yaml")
    visibility = stack["Resources"]["Jobs"]["Properties"]["VisibilityTimeout"]
    waiting = definition(folder / "statemachine.asl.json")["States"]["Print"]
    assert visibility == 6 * config["lambda_timeout"]
    assert visibility < waiting["HeartbeatSeconds"] < waiting["TimeoutSeconds"]


def test_the_worker_is_a_function_that_chalice_knows() -> None:
    """Its event comes through Chalice's own door as well."""
    with Client(worker.app) as client, pytest.raises(KeyError):
        client.lambda_.invoke("work", client.events.generate_sqs_event(["{}"]))
