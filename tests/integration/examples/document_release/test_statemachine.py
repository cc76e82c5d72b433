"""The example's state machine in moto, with its own functions: every path to an end.

moto can't run Assent as a child execution (docs/fidelity.md, S17): a function returns Assent's
result instead. The sandbox's tests use Assent itself.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest

from examples.document_release.chalicelib.callbacks import Callbacks
from tests.integration.examples.document_release.functions import CONTEXT, load, s3_event
from tests.integration.examples.document_release.moto_wiring import BUCKET, MotoWiring
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
        "Payload": {"Name.$": "$$.Execution.Name", "Input.$": "$.summary.request"},
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


class RunningExample:
    """The example, its engine, and a function in place of Assent."""

    def __init__(
        self, wiring: MotoWiring, app: Any, engine_of: Callable[..., Engine], look: Json
    ) -> None:
        self.wiring = wiring
        self.app = app
        self.requests: list[Json] = []
        self.decision = "approve"
        self.error: Exception | None = None
        self.engine = engine_of(
            "document_release",
            PLACEHOLDERS,
            {name: getattr(app, name) for name in FOUR} | {"assent": self._assent},
            AskAssent=ASSENT_AS_A_FUNCTION,
            Look={"Retry": AT_ONCE} | look,
        )
        callbacks = Callbacks(self.engine.client, self.engine.machine)
        wiring.__dict__["callbacks"] = callbacks

    def upload(self, text: str | bytes, name: str = "report.txt") -> str:
        """Upload a document, deliver its event, and return the execution's ARN."""
        document = self.wiring.upload(text, name)
        self.app.start(s3_event(document.key, document.version), CONTEXT)
        return self.arn()

    def arn(self) -> str:
        """Return the ARN of the only execution."""
        found = self.engine.client.list_executions(stateMachineArn=self.engine.machine)
        (execution,) = found["executions"]
        self.engine._started.append(execution["executionArn"])  # to be stopped with its engine
        return execution["executionArn"]

    def wait_for_chunks(self, number: int) -> None:
        """Wait until that many chunks are written."""
        self.engine.until(lambda: len(self.wiring.events) == number)

    def deliver_all(self) -> None:
        """Deliver the events of all written chunks."""
        while self.wiring.events:
            self.app.look(s3_event(self.wiring.events.pop(0)), CONTEXT)

    def keys(self, folder: str) -> list[str]:
        """Return the keys of the objects in a folder of the bucket."""
        found = self.wiring.s3.list_objects_v2(Bucket=BUCKET, Prefix=folder).get("Contents", [])
        return [one["Key"] for one in found]

    def reason(self, name: str = "report.txt") -> str:
        """Return why a document is held."""
        key = f"held/{name}.reason.json"
        body = self.wiring.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        return str(json.loads(body)["reason"])

    def _assent(self, event: Json, _: Any) -> Json:
        self.requests.append(event)
        if self.error is not None:
            raise self.error
        decision = {"approver": "ada@example.com", "decision": self.decision, "reason": "because"}
        outcome = {"approve": "approved", "reject": "rejected"}[self.decision]
        return {"Output": ANSWER | {"outcome": outcome, "decisions": [decision]}}


@pytest.fixture
def example_with(
    wiring: MotoWiring, engine_of: Callable[..., Engine]
) -> Callable[..., RunningExample]:
    """Start the example; the arguments replace fields of the state `Look`."""
    app = load(wiring)
    return lambda **look: RunningExample(wiring, app, engine_of, look)


@pytest.fixture
def example(example_with: Callable[..., RunningExample]) -> RunningExample:
    """Start the example as it is."""
    return example_with()


def test_an_approved_document_is_released(example: RunningExample) -> None:
    """The request lists the findings and has the execution's name."""
    execution = example.upload(TEXT)
    example.wait_for_chunks(5)
    example.deliver_all()
    ended = example.engine.end(execution)
    assert ended["status"] == "SUCCEEDED"
    released = {"outcome": "released", "key": "released/report.txt"}
    assert json.loads(ended["output"]) == released
    assert example.keys("released/") == ["released/report.txt"]
    assert example.keys("held/") == []
    (request,) = example.requests
    assert request["Input"]["details"]["Where"] == "line 21: card number **** 1111"
    assert request["Name"] == execution.rpartition(":")[2]
    assert example.engine.states(execution) == [
        *("Look", "Summarise", "AskAssent", "IsItApproved", "Release")
    ]


def test_a_rejected_document_is_held_with_the_reason(example: RunningExample) -> None:
    """The execution succeeds, because it did what the approver decided."""
    example.decision = "reject"
    execution = example.upload("harmless")
    example.wait_for_chunks(1)
    example.deliver_all()
    ended = example.engine.end(execution)
    assert ended["status"] == "SUCCEEDED"
    assert json.loads(ended["output"])["outcome"] == "held"
    assert example.reason() == "rejected by ada@example.com (because)"
    assert example.keys("released/") == []


def test_an_unreadable_chunk_fails_the_execution(example: RunningExample) -> None:
    """The document is held with the reason, without a request to Assent and without a retry."""
    execution = example.upload(b"x" * 900 + b"\xff" * 900)
    example.wait_for_chunks(3)
    example.deliver_all()
    ended = example.engine.end(execution)
    assert (ended["status"], ended["error"]) == ("FAILED", "UnreadableChunk")
    assert ended["cause"] == "chunk 1: byte 900 is no UTF-8 text"
    assert example.reason() == ended["cause"]
    assert example.requests == []
    assert example.engine.attempts(execution) == 2  # of the functions split and hold
    assert example.engine.states(execution) == ["Look", "HoldUndecided", "Undecided"]


def test_a_lost_event_is_replaced_after_the_time_out(
    example_with: Callable[..., RunningExample],
) -> None:
    """The retry of the split writes the missing chunk, and the execution goes on."""
    example = example_with(TimeoutSeconds=3)
    execution = example.upload(TEXT)
    example.wait_for_chunks(5)
    example.wiring.events.pop()
    example.deliver_all()
    example.wait_for_chunks(5)  # the whole batch, because it isn't full
    example.deliver_all()
    assert example.engine.end(execution)["status"] == "SUCCEEDED"
    # moto gives the retry the first attempt's token, and misses its answer: there is a third.
    splits = [line for line in example.wiring.logged if line["event"] == "split"]
    assert [line.get("written") for line in splits[:2]] == [5, 5]


def test_a_document_that_is_never_scanned_is_held(
    example_with: Callable[..., RunningExample],
) -> None:
    """After all retries; the execution fails as Timeout."""
    example = example_with(TimeoutSeconds=1)
    execution = example.upload("harmless")
    ended = example.engine.end(execution)
    assert (ended["status"], ended["error"]) == ("FAILED", "Timeout")
    assert example.reason() == ended["cause"] == "not every chunk was scanned in time"
    assert example.engine.attempts(execution) == 3 + 1


def test_repeated_events_change_nothing(example: RunningExample) -> None:
    """The event of the document and of every chunk, before and after the execution's end."""
    document = example.wiring.upload(TEXT)
    event = s3_event(document.key, document.version)
    for _ in range(2):
        example.app.start(event, CONTEXT)
    execution = example.arn()
    example.wait_for_chunks(5)
    chunks = list(example.wiring.events)
    example.wiring.events *= 2
    example.deliver_all()
    ended = example.engine.end(execution)
    example.app.start(event, CONTEXT)
    example.wiring.events = chunks
    example.deliver_all()
    assert example.arn() == execution
    assert example.engine.end(execution) == ended
    assert len(example.requests) == 1


def test_a_split_that_fails_once_is_retried(example: RunningExample) -> None:
    """The failure fails the task; the retry continues the scan."""
    wiring = example.wiring
    wiring.calls.crash_points, wiring.calls.crash_at = 0, 8
    execution = example.upload(TEXT)
    example.engine.until(lambda: wiring.calls.crash_points > 8)
    wiring.calls.crash_at = None
    example.engine.until(lambda: len(wiring.events) >= 5)
    example.engine.until(lambda: wiring.logged[-1].get("written") == 5)
    example.deliver_all()
    assert example.engine.end(execution)["status"] == "SUCCEEDED"


def test_a_failed_request_holds_the_document(example: RunningExample) -> None:
    """The request isn't retried; the execution fails with its error."""
    example.error = ZeroDivisionError("a bug")
    execution = example.upload("harmless")
    example.wait_for_chunks(1)
    example.deliver_all()
    ended = example.engine.end(execution)
    assert (ended["status"], ended["error"]) == ("FAILED", "ZeroDivisionError")
    assert example.keys("held/") == ["held/report.txt", "held/report.txt.reason.json"]
    assert len(example.requests) == 1


def test_neither_logs_nor_results_hold_the_task_token(example: RunningExample) -> None:
    """Nor do keys of the bucket."""
    execution = example.upload(TEXT)
    example.wait_for_chunks(5)
    token = example.engine.task_token(execution)
    example.deliver_all()
    ended = example.engine.end(execution)
    assert token not in json.dumps([ended, example.wiring.logged, example.keys("")])
