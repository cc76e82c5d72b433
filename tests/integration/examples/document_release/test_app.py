"""The functions of `app.py`, called with the events that AWS sends."""

import json
import time
from typing import Any

import pytest

from examples.document_release.chalicelib.callbacks import Callbacks
from tests.aws.clients import session
from tests.integration.examples.document_release.functions import CONTEXT, load, s3_event
from tests.integration.examples.document_release.moto_wiring import MotoWiring

ROLE = "arn:aws:iam::123456789012:role/states"
ENDS = json.dumps({"StartAt": "End", "States": {"End": {"Type": "Succeed"}}})


@pytest.fixture
def app(wiring: MotoWiring) -> Any:
    """Load the example's app, with a state machine whose executions end at once."""
    client = session().client("stepfunctions")
    machine = client.create_state_machine(name="documents", definition=ENDS, roleArn=ROLE)
    wiring.__dict__["callbacks"] = Callbacks(client, machine["stateMachineArn"])
    return load(wiring)


def executions(app: Any) -> list[tuple[str, Any]]:
    """Return the name and the input of each execution, once all of them have ended."""
    client, machine = app.wiring.callbacks._client, app.wiring.callbacks._state_machine_arn
    found = client.list_executions(stateMachineArn=machine)["executions"]
    return [(one["name"], json.loads(_ended(client, one)["input"])) for one in found]


def _ended(client: Any, execution: Any) -> Any:
    while True:
        found = client.describe_execution(executionArn=execution["executionArn"])
        if found["status"] != "RUNNING":
            return found
        time.sleep(0.01)


@pytest.mark.parametrize(
    "name", ["report.txt", "2026/Größe & Länge+1 100%.txt", "日本語", "a" * 900]
)
def test_an_uploaded_document_starts_an_execution(app: Any, name: str) -> None:
    """The input has the decoded key and the version; the name is a valid execution name."""
    app.start(s3_event(f"incoming/{name}", "v1"), CONTEXT)
    ((execution, given),) = executions(app)
    assert given == {"document": {"key": f"incoming/{name}", "version": "v1"}}
    assert len(execution) <= 80
    assert execution.replace("-", "").isalnum()
    assert execution.isascii()


def test_the_same_event_twice_starts_one_execution(app: Any) -> None:
    """S3 may repeat the event, also after the execution has ended."""
    for _ in range(3):
        app.start(s3_event("incoming/report.txt", "v1"), CONTEXT)
        assert len(executions(app)) == 1


def test_another_version_or_document_is_another_execution(app: Any) -> None:
    """Even if their names differ only in characters that an execution's name can't have."""
    for key, version in (("a.b", "v1"), ("a.b", "v2"), ("a-b", "v1"), ("a_b", "v1")):
        app.start(s3_event(f"incoming/{key}", version), CONTEXT)
    assert len({name for name, _ in executions(app)}) == 4


def test_a_folder_is_no_document(app: Any) -> None:
    """The S3 console makes an empty object for a new folder."""
    app.start(s3_event("incoming/2026/", "v1"), CONTEXT)
    assert executions(app) == []


def test_each_function_has_a_folder_of_its_own(app: Any) -> None:
    """Chalice subscribes the functions to these events; a copy in `released/` starts nothing."""
    sources = [(one.name, one.bucket, one.prefix, one.events) for one in app.app.event_sources]
    created = ["s3:ObjectCreated:*"]
    assert sources == [
        ("start", "documents", "incoming/", created),
        ("look", "documents", "chunks/", created),
    ]


def test_the_approved_version_is_released(app: Any, wiring: MotoWiring) -> None:
    """Not the one that was uploaded under the same name afterwards."""
    document = wiring.upload("one")
    wiring.upload("two")
    event = {"document": document._asdict()}
    assert app.release(event, CONTEXT) == {"outcome": "released", "key": "released/report.txt"}
    body = wiring.s3.get_object(Bucket="documents", Key="released/report.txt")["Body"]
    assert body.read() == b"one"


def test_a_held_document_has_its_reason_beside_it(app: Any, wiring: MotoWiring) -> None:
    """With the error, the execution, the time and the version."""
    document = wiring.upload("one", "a/b.txt")
    because = {"Error": "UnreadableChunk", "Cause": "chunk 0: byte 0 is no UTF-8 text"}
    event = {"execution": "b-1", "document": document._asdict(), "because": because}
    held = app.hold(event, CONTEXT)
    assert (held["outcome"], held["error"]) == ("held", "UnreadableChunk")
    body = wiring.s3.get_object(Bucket="documents", Key=f"{held['key']}.reason.json")["Body"].read()
    assert json.loads(body) == {
        "error": "UnreadableChunk",
        "reason": "chunk 0: byte 0 is no UTF-8 text",
        "execution": "b-1",
        "heldAt": "2026-11-18T11:06:40+00:00",
        "key": "incoming/a/b.txt",
        "version": document.version,
    }
