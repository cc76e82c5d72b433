"""`sqs_callback` in moto: a job with heartbeats, crashes of its worker and repeated deliveries.

moto runs the state machine and the queue; `deliver` stands for Lambda's event source mapping.
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
from tests.definitions import definition
from tests.integration.statemachine.engine import Engine
from tools.template import load_template

Json = dict[str, Any]
HEARTBEAT = {"HeartbeatSeconds": 1, "TimeoutSeconds": 60}


@pytest.fixture
def queue(account: None) -> Any:  # noqa: ARG001 (it must be there first)
    """Return the queue of jobs, whose messages are redelivered at once."""
    queue = boto3.resource("sqs").create_queue(
        QueueName="jobs", Attributes={"VisibilityTimeout": "0"}
    )
    yield queue
    queue.delete()


@pytest.fixture
def engine_with(
    engine_of: Callable[..., Engine], queue: Any, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Engine]:
    """Start an engine of the example; `waits` replaces time-outs of its state."""

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
    """Make a page take 0.2 seconds, so that twenty take four."""
    monkeypatch.setattr(worker, "SECONDS_PER_PAGE", 0.2)


def deliver(queue: Any) -> Json:
    """Receive a message, pass it to the worker, delete it if the worker returns.

    Returns the body; raises the worker's exception.
    """
    (message,) = receive(queue)
    invoke_worker(message)
    message.delete()
    found: Json = json.loads(message.body)
    return found


def receive(queue: Any) -> list[Any]:
    """Wait for the next message and return it in a list."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        if found := queue.receive_messages(AttributeNames=["ApproximateReceiveCount"]):
            time.sleep(0.2)  # moto delivers a message before it accepts its heartbeats
            return list(found)
        time.sleep(0.02)
    raise AssertionError("no message in the queue")


def invoke_worker(message: Any) -> None:
    """Call the worker with the event that Lambda makes of a message."""
    record = {
        "body": message.body,
        "receiptHandle": message.receipt_handle,
        "attributes": message.attributes,
    }
    worker.work({"Records": [record]}, None)


def test_a_done_job_continues_with_the_workers_output(engine: Engine, queue: Any) -> None:
    """Its message is deleted."""
    execution = engine.start({"name": "a", "pages": 3})
    deliver(queue)
    assert json.loads(engine.end(execution)["output"]) == {"pages": 3, "delivery": 1}
    assert engine.states(execution) == ["Print", "Printed"]
    assert queue.receive_messages() == []


@pytest.mark.parametrize(
    ("job", "cause"),
    [
        ({"name": "a", "pages": 3, "fault": "no paper"}, "there is no paper"),
        ({"name": "a"}, "pages: must be 1 to 20"),
        ({"name": "a", "pages": 21}, "pages: must be 1 to 20"),
        ({"name": "a", "pages": "3"}, "pages: must be 1 to 20"),
    ],
)
def test_a_job_that_can_never_be_done_fails_as_cannot_print(
    engine: Engine, queue: Any, job: Json, cause: str
) -> None:
    """At the first delivery, because a retry wouldn't help."""
    execution = engine.start(job)
    deliver(queue)
    ended = engine.end(execution)
    assert (ended["error"], ended["cause"]) == ("CannotPrint", cause)
    assert engine.states(execution) == ["Print", "CannotPrint"]
    assert queue.receive_messages() == []


@pytest.mark.usefixtures("slowly")
def test_heartbeats_keep_long_work_alive(engine_with: Callable[..., Engine], queue: Any) -> None:
    """The work takes longer than HeartbeatSeconds."""
    engine = engine_with(**HEARTBEAT)
    execution = engine.start({"name": "a", "pages": 10})
    started = time.monotonic()
    deliver(queue)
    assert time.monotonic() - started > 2
    assert engine.end(execution)["status"] == "SUCCEEDED"


def test_silence_for_longer_than_a_heartbeat_is_a_lost_worker(
    engine_with: Callable[..., Engine], queue: Any
) -> None:
    """No worker takes the message in time; a later answer finds the task closed."""
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
    """Heartbeats don't extend the time-out; the worker stops at the first refused one."""
    engine = engine_with(HeartbeatSeconds=1, TimeoutSeconds=2)
    execution = engine.start({"name": "a", "pages": 20})
    started = time.monotonic()
    deliver(queue)
    assert time.monotonic() - started < 3.5  # and not the four seconds of twenty pages
    assert engine.end(execution)["error"] == "WorkerLost"


def test_a_crashed_workers_message_is_redelivered(engine: Engine, queue: Any) -> None:
    """The second delivery does the job with the same task token."""
    execution = engine.start({"name": "a", "pages": 3, "fault": "crashes once"})
    with pytest.raises(SystemExit):
        deliver(queue)
    assert engine.client.describe_execution(executionArn=execution)["status"] == "RUNNING"
    deliver(queue)
    assert json.loads(engine.end(execution)["output"]) == {"pages": 3, "delivery": 2}


def test_a_worker_that_always_crashes_is_a_lost_worker(
    engine_with: Callable[..., Engine], queue: Any
) -> None:
    """The execution ends, however often the message is delivered."""
    engine = engine_with(**HEARTBEAT)
    execution = engine.start({"name": "a", "pages": 3, "fault": "crashes each time"})
    for _ in range(2):
        with pytest.raises(SystemExit):
            deliver(queue)
    assert engine.end(execution)["error"] == "WorkerLost"


@pytest.mark.usefixtures("slowly")
def test_a_redelivery_after_the_answer_changes_nothing(
    engine: Engine, queue: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """The worker crashed before its message was deleted: the task is closed, no page is printed."""
    execution = engine.start({"name": "a", "pages": 10, "fault": "answers, then crashes"})
    with pytest.raises(SystemExit):
        deliver(queue)
    ended = engine.end(execution)
    started = time.monotonic()
    deliver(queue)
    assert time.monotonic() - started < 1.5  # and not the two seconds of ten pages
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["result"] == "task closed"
    assert engine.end(execution) == ended
    assert queue.receive_messages() == []


def test_a_message_at_two_workers_is_answered_once(engine: Engine, queue: Any) -> None:
    """Both do the work, since SQS delivers at least once; the execution succeeds once."""
    execution = engine.start({"name": "a", "pages": 3})
    (message,) = receive(queue)
    other = threading.Thread(target=invoke_worker, args=[message])
    other.start()
    invoke_worker(message)
    other.join()
    assert json.loads(engine.end(execution)["output"]) == {"pages": 3, "delivery": 1}
    assert engine.states(execution) == ["Print", "Printed"]


@pytest.mark.parametrize("body", ["no JSON", "{}", '{"taskToken": "t"}', "[]"])
def test_an_unreadable_message_is_left_to_the_dead_letter_queue(queue: Any, body: str) -> None:
    """The worker fails, and with it no other message: a batch has one message."""
    queue.send_message(MessageBody=body)
    with pytest.raises((ValueError, KeyError, TypeError)):
        deliver(queue)
    (source,) = worker.app.event_sources
    assert vars(source)["batch_size"] == 1


def test_neither_logs_nor_results_hold_the_task_token(
    engine: Engine, queue: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """A reader of either can't answer the task."""
    execution = engine.start({"name": "a", "pages": 3})
    token = deliver(queue)["taskToken"]
    assert token not in json.dumps(engine.end(execution))
    printed = capsys.readouterr()
    assert "worked" in printed.out
    assert token not in printed.out + printed.err


def test_the_time_outs_are_ordered() -> None:
    """The worker's, then the queue's visibility, then the heartbeat, then the task's."""
    folder = Example("sqs_callback").folder
    config = json.loads((folder / ".chalice" / "config.json").read_text())
    stack = load_template(folder / "infrastructure.yaml")
    visibility = stack["Resources"]["Jobs"]["Properties"]["VisibilityTimeout"]
    waiting = definition(folder)["States"]["Print"]
    assert visibility == 6 * config["lambda_timeout"]
    assert visibility < waiting["HeartbeatSeconds"] < waiting["TimeoutSeconds"]


def test_the_worker_can_be_invoked_through_chalice() -> None:
    """Chalice passes the SQS event on; this message lacks its fields."""
    with Client(worker.app) as client, pytest.raises(KeyError):
        client.lambda_.invoke("work", client.events.generate_sqs_event(["{}"]))
