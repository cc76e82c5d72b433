"""README's "Use it from your own workflow", run in moto: a child, a function, a queue."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests import readme
from tests.aws.clients import session
from tests.doors.functions import deliver
from tests.fakes import FakePorts
from tests.integration.statemachine.engine import ACCOUNT, FUNCTION, Engine
from tests.integration.statemachine.test_executions import decide

pytestmark = pytest.mark.usefixtures("children")
BY = {"A child": "function", "A function": "function", "A queue": "queue"}
"""Heading -> the door in the record."""


def started(engine: Engine, definition: dict[str, Any], question: str = "Release 4.2?") -> str:
    """Start an execution of somebody's own state machine; what it names is what there is here."""
    sample = f"us-east-1:{readme.ACCOUNT}"
    text = (
        json.dumps(definition)
        .replace(f"arn:aws:lambda:{sample}:function:assent-dev-request_approval", FUNCTION)
        .replace(f"arn:aws:states:{sample}:stateMachine:assent-dev", engine.machine)
        .replace(readme.ACCOUNT, ACCOUNT)
    )
    machine = engine.client.create_state_machine(
        name="theirs", definition=text, roleArn=f"arn:aws:iam::{ACCOUNT}:role/theirs"
    )["stateMachineArn"]
    return engine.start({"question": question}, machine=machine)


@pytest.fixture
def run(engine: Engine, ports: FakePorts) -> Callable[..., str]:
    """Start a snippet's state machine and return its execution, once it has asked."""
    sqs = session().client("sqs")
    requests = sqs.create_queue(QueueName="assent-dev-requests")["QueueUrl"]

    def begin(title: str, **changed: Any) -> str:
        definition = readme.states(title)
        asks = definition["States"]["AskForRelease"]["Parameters"]
        if "Input" in asks:
            asks["Input"] |= changed
            asks["Input"] = {
                key: value for key, value in asks["Input"].items() if value is not None
            }
        execution = started(engine, definition)

        def asked() -> bool:
            for message in sqs.receive_message(QueueUrl=requests).get("Messages", []):
                deliver("request_from_queue", message["Body"])
            return bool(ports.mailer.sent)

        engine.until(asked)
        if title != "A child":
            engine.until(lambda: engine.waits(execution))
        return execution

    return begin


@pytest.mark.parametrize("title", BY)
def test_what_is_approved_is_released(
    engine: Engine, ports: FakePorts, run: Callable[..., str], title: str
) -> None:
    """The question is the input's, and the result is what the next state is given."""
    execution = run(title)
    ((to, email),) = ports.mailer.sent
    assert (to, "Release 4.2?" in email.subject) == ("ada@example.com", True)
    (approval,) = ports.store._all()
    assert approval.events[0].via == BY[title]
    decide(ports, "approve")
    ended = engine.end(execution)
    assert ended["status"] == "SUCCEEDED"
    assert engine.states(execution)[-1] == "Release"
    assert json.loads(ended["output"])["outcome"] == "approved"


@pytest.mark.parametrize("title", BY)
def test_of_what_is_rejected_they_are_told(
    engine: Engine, ports: FakePorts, run: Callable[..., str], title: str
) -> None:
    """By a Choice behind the child, and by a Catch elsewhere."""
    execution = run(title)
    decide(ports, "reject", "no")
    ended = engine.end(execution)
    assert (ended["status"], ended["error"]) == ("FAILED", "TheyWereTold")


def test_a_rejection_that_is_to_fail_is_caught_as_a_failed_child(
    engine: Engine, ports: FakePorts, run: Callable[..., str]
) -> None:
    """Without `onReject` it is `States.TaskFailed` to its parent; the cause has its own error."""
    execution = run("A child", onReject=None)
    decide(ports, "reject", "no")
    caught = json.loads(engine.end(execution)["output"])
    assert caught["Error"] == "States.TaskFailed"
    child = json.loads(caught["Cause"])
    assert (child["Status"], child["Error"]) == ("FAILED", "Rejected")


def test_a_child_may_be_told_who_started_it(
    engine: Engine, ports: FakePorts, run: Callable[..., str]
) -> None:
    """As AWS's guide recommends, so that its console shows parent and child as such."""
    name = "AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID"
    execution = run("A child", **{f"{name}.$": "$$.Execution.Id"})
    decide(ports, "approve")
    assert engine.end(execution)["status"] == "SUCCEEDED"


@pytest.mark.parametrize("title", BY)
def test_a_bad_request_is_given_up_at_once(engine: Engine, ports: FakePorts, title: str) -> None:
    """Nobody is asked, and nobody waits."""
    sqs = session().client("sqs")
    requests = sqs.create_queue(QueueName="assent-dev-requests")["QueueUrl"]
    execution = started(engine, readme.states(title), question="")
    if title == "A queue":
        engine.until(lambda: engine.waits(execution))
        (message,) = sqs.receive_message(QueueUrl=requests)["Messages"]
        deliver("request_from_queue", message["Body"])
    caught = json.loads(engine.end(execution)["output"])
    assert caught["Error"] == ("States.TaskFailed" if title == "A child" else "InvalidRequest")
    assert "InvalidRequest" in caught["Cause"]
    assert ports.mailer.sent == []
