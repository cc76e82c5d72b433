"""The example's state machine in moto, with its own functions: every way to an end.

moto can't start Assent as a child (docs/fidelity.md, S17): here a function answers in its place, in
Assent's words. The sandbox's tests ask the real one.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest

from examples.document_release.chalicelib.callbacks import Callbacks
from tests.examples.document_release.doors import CONTEXT, load, s3_event
from tests.examples.document_release.world import BUCKET, World
from tests.integration.statemachine.engine import FUNCTIONS, Engine

Json = dict[str, Any]
TEXT = "".join(f"line {n} {'words ' * 20}\n" for n in range(20)) + "4111 1111 1111 1111"
FOUR = ("split", "summarise", "release", "hold")
PLACEHOLDERS = {f"{name.capitalize()}Function": FUNCTIONS + name for name in FOUR} | {
    "AssentStateMachine": "arn:aws:states:us-east-1:123456789012:stateMachine:assent-test"
}
ASSENT_AS_A_FUNCTION: Json = {
    "Resource": "arn:aws:states:::lambda:invoke",
    "Parameters": {
        "FunctionName": f"{FUNCTIONS}assent",
        "Payload": {"Name.$": "$$.Execution.Name", "Input.$": "$.summary.question"},
    },
    "ResultSelector": {
        "outcome.$": "$.Payload.Output.outcome",
        "decisions.$": "$.Payload.Output.decisions",
    },
}
ANSWER = {"approvalId": "x", "subject": "Release?", "closedAt": "2026-11-22T09:00:00Z"}
AT_ONCE = [
    {"ErrorEquals": ["UnreadableChunk", "UnreadableDocument"], "MaxAttempts": 0},
    {"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1, "MaxAttempts": 2, "BackoffRate": 1},
]


class Example:
    """The example, its engine, and Assent's part."""

    def __init__(
        self, world: World, app: Any, engine_of: Callable[..., Engine], look: Json
    ) -> None:
        self.world = world
        self.app = app
        self.asked: list[Json] = []
        self.choice = "approve"
        self.error: Exception | None = None
        self.engine = engine_of(
            "document_release",
            PLACEHOLDERS,
            {name: getattr(app, name) for name in FOUR} | {"assent": self._assent},
            AskAssent=ASSENT_AS_A_FUNCTION,
            Look={"Retry": AT_ONCE} | look,
        )
        callbacks = Callbacks(self.engine.client, self.engine.machine)
        world.__dict__["callbacks"] = callbacks

    def come_in(self, text: str | bytes, name: str = "report.txt") -> str:
        """Put a document into the bucket, tell the function, and return the execution's ARN."""
        document = self.world.put(text, name)
        self.app.start(s3_event(document.key, document.version), CONTEXT)
        return self.arn()

    def arn(self) -> str:
        """Return the one execution there is."""
        found = self.engine.client.list_executions(stateMachineArn=self.engine.machine)
        (execution,) = found["executions"]
        self.engine._started.append(execution["executionArn"])  # to be stopped with its engine
        return execution["executionArn"]

    def wait_for_chunks(self, number: int) -> None:
        """Wait until that many chunks are written and the task waits."""
        self.engine.until(lambda: len(self.world.events) == number)

    def deliver_all(self) -> None:
        """Tell the workers of all chunks."""
        while self.world.events:
            self.app.look(s3_event(self.world.events.pop(0)), CONTEXT)

    def keys(self, folder: str) -> list[str]:
        """Return what is in a folder of the bucket."""
        found = self.world.s3.list_objects_v2(Bucket=BUCKET, Prefix=folder).get("Contents", [])
        return [one["Key"] for one in found]

    def reason(self, name: str = "report.txt") -> str:
        """Return why a document is held."""
        key = f"held/{name}.reason.json"
        body = self.world.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        return str(json.loads(body)["reason"])

    def _assent(self, event: Json, _: Any) -> Json:
        self.asked.append(event)
        if self.error is not None:
            raise self.error
        decision = {"approver": "ada@example.com", "decision": self.choice, "reason": "because"}
        outcome = {"approve": "approved", "reject": "rejected"}[self.choice]
        return {"Output": ANSWER | {"outcome": outcome, "decisions": [decision]}}


@pytest.fixture
def example_with(world: World, engine_of: Callable[..., Engine]) -> Callable[..., Example]:
    """Start an engine of the example; fields of the state that looks may be other here."""
    app = load(world)
    return lambda **look: Example(world, app, engine_of, look)


@pytest.fixture
def example(example_with: Callable[..., Example]) -> Example:
    """Give the example with an engine that runs."""
    return example_with()


def test_an_approved_document_is_released(example: Example) -> None:
    """From the bucket to the bucket; people are asked what was found."""
    execution = example.come_in(TEXT)
    example.wait_for_chunks(5)
    example.deliver_all()
    ended = example.engine.end(execution)
    assert ended["status"] == "SUCCEEDED"
    released = {"outcome": "released", "key": "released/report.txt"}
    assert json.loads(ended["output"]) == released
    assert example.keys("released/") == ["released/report.txt"]
    assert example.keys("held/") == []
    (asked,) = example.asked
    assert asked["Input"]["details"]["Where"] == "line 21: card number **** 1111"
    assert asked["Name"] == execution.rpartition(":")[2]
    assert example.engine.states(execution) == [
        *("Look", "Summarise", "AskAssent", "IsItApproved", "Release")
    ]


def test_a_rejected_document_is_held_with_the_reason(example: Example) -> None:
    """A person has decided: the execution has done what it should."""
    example.choice = "reject"
    execution = example.come_in("harmless")
    example.wait_for_chunks(1)
    example.deliver_all()
    ended = example.engine.end(execution)
    assert ended["status"] == "SUCCEEDED"
    assert json.loads(ended["output"])["outcome"] == "held"
    assert example.reason() == "rejected by ada@example.com (because)"
    assert example.keys("released/") == []


def test_a_chunk_that_cant_be_read_fails_the_execution_by_name(example: Example) -> None:
    """Nobody is asked about what nobody has looked at; it is held, with the reason, untried."""
    execution = example.come_in(b"x" * 900 + b"\xff" * 900)
    example.wait_for_chunks(3)
    example.deliver_all()
    ended = example.engine.end(execution)
    assert (ended["status"], ended["error"]) == ("FAILED", "UnreadableChunk")
    assert ended["cause"] == "chunk 1: byte 900 is no UTF-8 text"
    assert example.reason() == ended["cause"]
    assert example.asked == []
    assert example.engine.attempts(execution) == 2  # the split, and what holds
    assert example.engine.states(execution) == ["Look", "HoldUndecided", "Undecided"]


def test_a_lost_event_is_made_good_when_the_time_is_up(
    example_with: Callable[..., Example],
) -> None:
    """The split is tried again, writes what is missing, and the execution goes on."""
    example = example_with(TimeoutSeconds=3)
    execution = example.come_in(TEXT)
    example.wait_for_chunks(5)
    example.world.events.pop()
    example.deliver_all()
    example.wait_for_chunks(5)  # all of the batch that isn't full
    example.deliver_all()
    assert example.engine.end(execution)["status"] == "SUCCEEDED"
    # moto's second wait has the first one's token, and doesn't hear the answer: there is a third.
    cuts = [line for line in example.world.logged if line["event"] == "cut"]
    assert [line.get("written") for line in cuts[:2]] == [5, 5]


def test_a_document_that_is_never_looked_at_is_held_in_the_end(
    example_with: Callable[..., Example],
) -> None:
    """After its tries; the name says what it was."""
    example = example_with(TimeoutSeconds=1)
    execution = example.come_in("harmless")
    ended = example.engine.end(execution)
    assert (ended["status"], ended["error"]) == ("FAILED", "Timeout")
    assert example.reason() == ended["cause"] == "not every chunk was looked at in time"
    assert example.engine.attempts(execution) == 3 + 1


def test_events_and_answers_that_come_twice_change_nothing(example: Example) -> None:
    """The document's event, and every chunk's, before and after the end."""
    document = example.world.put(TEXT)
    event = s3_event(document.key, document.version)
    for _ in range(2):
        example.app.start(event, CONTEXT)
    execution = example.arn()
    example.wait_for_chunks(5)
    chunks = list(example.world.events)
    example.world.events *= 2
    example.deliver_all()
    ended = example.engine.end(execution)
    example.app.start(event, CONTEXT)
    example.world.events = chunks
    example.deliver_all()
    assert example.arn() == execution
    assert example.engine.end(execution) == ended
    assert len(example.asked) == 1


def test_a_function_that_fails_for_a_moment_is_tried_again(example: Example) -> None:
    """The split, whose failure fails its task; what it has begun goes on."""
    world = example.world
    world.effects.moments, world.effects.die_at = 0, 8
    execution = example.come_in(TEXT)
    example.engine.until(lambda: world.effects.moments > 8)
    world.effects.die_at = None
    example.engine.until(lambda: len(world.events) >= 5)
    example.engine.until(lambda: world.logged[-1].get("written") == 5)
    example.deliver_all()
    assert example.engine.end(execution)["status"] == "SUCCEEDED"


def test_without_a_decision_a_document_is_held(example: Example) -> None:
    """Nobody is asked twice; the execution fails by the name of what kept them from answering."""
    example.error = ZeroDivisionError("a bug")
    execution = example.come_in("harmless")
    example.wait_for_chunks(1)
    example.deliver_all()
    ended = example.engine.end(execution)
    assert (ended["status"], ended["error"]) == ("FAILED", "ZeroDivisionError")
    assert example.keys("held/") == ["held/report.txt", "held/report.txt.reason.json"]
    assert len(example.asked) == 1


def test_the_task_token_is_in_no_log_and_no_end(example: Example) -> None:
    """Nor in a key of the bucket."""
    execution = example.come_in(TEXT)
    example.wait_for_chunks(5)
    token = example.engine.task_token(execution)
    example.deliver_all()
    ended = example.engine.end(execution)
    assert token not in json.dumps([ended, example.world.logged, example.keys("")])
