"""`request_approval`, invoked as Step Functions does."""

import json
from pathlib import Path
from typing import Any

import pytest
from chalice.test import Client

import app as doors_module
from chalicelib.domain import link_tokens
from chalicelib.domain.errors import InvalidRequest, Unavailable
from tests.builders import body
from tests.fakes import EXECUTION, TOKEN
from tests.unit.entrypoints.client import ADA, DoorPorts


@pytest.fixture
def client(ports: DoorPorts, tmp_path: Path) -> Client:  # noqa: ARG001 (it must be there first)
    """Return Chalice's test client, without this machine's configuration."""
    return Client(doors_module.app, project_dir=str(tmp_path))


def question(**fields: Any) -> dict[str, Any]:
    """Return the event that the state machine sends."""
    return {"taskToken": TOKEN, "executionArn": EXECUTION, "request": body()} | fields


def test_a_question_is_asked_and_its_approval_named(client: Client, ports: DoorPorts) -> None:
    """Written, mailed, and not answered yet."""
    answer = client.lambda_.invoke("request_approval", question()).payload
    assert answer == {"approvalId": link_tokens.approval_id(TOKEN)}
    assert json.dumps(answer)
    assert [to for to, _ in ports.mailer.sent] == [ADA]
    assert ports.executions.answers == []


def test_the_same_question_again_mails_nobody_twice(client: Client, ports: DoorPorts) -> None:
    """Step Functions may deliver an invocation more than once."""
    first = client.lambda_.invoke("request_approval", question()).payload
    before = ports.world()
    again = client.lambda_.invoke("request_approval", question()).payload
    assert again == first
    assert before[1:] == ports.world()[1:]


@pytest.mark.parametrize(
    "request_",
    [
        None,
        [],
        "text",
        {},
        body(subject="a\x00b"),
        body(approvers=["<script>@example.com"]),
        body(approvers=["ada@elsewhere.org"]),
        body(colour="red"),
        body(details={"a": {"b": {}}}),
        body(subject="x" * 1_000_000),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_a_bad_request_fails_its_task(client: Client, ports: DoorPorts, request_: object) -> None:
    """By name, with the reason as JSON short enough for a cause; nobody is asked."""
    answer = client.lambda_.invoke("request_approval", question(request=request_)).payload
    assert answer == {"approvalId": None}
    (sent,) = ports.executions.answers
    assert (sent.task_token, sent.error) == (TOKEN, "InvalidRequest")
    assert sent.cause is not None
    assert len(sent.cause) <= 32_768
    assert json.loads(sent.cause)["code"] == "InvalidRequest"
    assert ports.effects.done == ["executions.answer"]


@pytest.mark.parametrize("lacking", ["request", "executionArn"])
def test_a_question_that_lacks_a_part_fails_its_task(
    client: Client, ports: DoorPorts, lacking: str
) -> None:
    """The part is named."""
    event = question()
    del event[lacking]
    client.lambda_.invoke("request_approval", event)
    (sent,) = ports.executions.answers
    assert json.loads(sent.cause or "")["field"] == lacking


@pytest.mark.parametrize("event", [None, {}, [], "text", {"taskToken": 1}, question(taskToken=[])])
def test_without_a_task_token_the_function_itself_fails(ports: DoorPorts, event: object) -> None:
    """There is nobody to answer to, so the caller is told."""
    with pytest.raises(InvalidRequest):
        doors_module.request_approval(event, None)
    assert ports.effects.done == []


def test_a_store_that_is_away_fails_the_function_by_a_name_that_is_retried(
    client: Client, ports: DoorPorts
) -> None:
    """Nothing was written and nobody mailed, so trying again is safe."""
    ports.effects.faulty = {"store.create"}
    with pytest.raises(Unavailable):
        client.lambda_.invoke("request_approval", question())
    assert ports.effects.done == []


@pytest.mark.parametrize("away", ["mailer.send", "store.replace", "mailer.invite"])
def test_once_written_a_fault_does_not_fail_the_function(
    client: Client, ports: DoorPorts, away: str
) -> None:
    """A retry would ask under a new task token; the tick keeps the promise instead."""
    ports.effects.faulty = {away}
    if away == "mailer.invite":
        ports.mailer.subscriptions[ADA] = "none"
    answer = client.lambda_.invoke("request_approval", question()).payload
    assert answer == {"approvalId": link_tokens.approval_id(TOKEN)}
    stored = ports.store.get(link_tokens.approval_id(TOKEN))
    assert stored is not None
    assert len(stored.outbox) == 1


def test_a_bad_request_while_step_functions_is_away_is_retried(
    client: Client, ports: DoorPorts
) -> None:
    """The state machine asks again, and then the refusal gets through."""
    ports.effects.faulty = {"executions.answer"}
    with pytest.raises(Unavailable):
        client.lambda_.invoke("request_approval", question(request={}))
