"""The samples of README.md and docs/integrating.md in moto: a child, a function, a queue."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests import readme
from tests.aws.clients import session
from tests.fakes import FakePorts
from tests.integration.statemachine.engine import ACCOUNT, FUNCTION, Engine
from tests.integration.statemachine.test_executions import decide
from tests.unit.entrypoints.functions import deliver

pytestmark = pytest.mark.usefixtures("children")
CHANNELS = {"A child": "function", "A function": "function", "A queue": "queue"}
"""Heading -> the channel in the audit trail."""


def started(
    engine: Engine, definition: dict[str, Any], question: str = "Release 4.2?", **more: str
) -> str:
    """Start an execution of a reader's state machine, with this account's ARNs in it."""
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
    return engine.start({"question": question, **more}, machine=machine)


@pytest.fixture
def run(engine: Engine, ports: FakePorts) -> Callable[..., str]:
    """Start a sample's state machine; return its execution once the approvers are mailed."""
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


@pytest.mark.parametrize("title", CHANNELS)
def test_an_approved_execution_goes_on_to_release(
    engine: Engine, ports: FakePorts, run: Callable[..., str], title: str
) -> None:
    """The subject is the input's question; the next state gets Assent's result."""
    execution = run(title)
    ((to, email),) = ports.mailer.sent
    assert (to, "Release 4.2?" in email.subject) == ("ada@example.com", True)
    (approval,) = ports.store._all()
    assert approval.events[0].via == CHANNELS[title]
    decide(ports, "approve")
    ended = engine.end(execution)
    assert ended["status"] == "SUCCEEDED"
    assert engine.states(execution)[-1] == "Release"
    assert json.loads(ended["output"])["outcome"] == "approved"


@pytest.mark.parametrize("title", CHANNELS)
def test_a_rejected_execution_goes_on_to_tell_them(
    engine: Engine, ports: FakePorts, run: Callable[..., str], title: str
) -> None:
    """By a Choice after the child, by a Catch elsewhere."""
    execution = run(title)
    decide(ports, "reject", "no")
    ended = engine.end(execution)
    assert (ended["status"], ended["error"]) == ("FAILED", "TheyWereTold")


def test_without_on_reject_a_rejection_fails_the_child(
    engine: Engine, ports: FakePorts, run: Callable[..., str]
) -> None:
    """Its parent catches `States.TaskFailed`; the cause has the child's own error."""
    execution = run("A child", onReject=None)
    decide(ports, "reject", "no")
    caught = json.loads(engine.end(execution)["output"])
    assert caught["Error"] == "States.TaskFailed"
    child = json.loads(caught["Cause"])
    assert (child["Status"], child["Error"]) == ("FAILED", "Rejected")


def test_the_input_of_a_child_may_name_its_parent(
    engine: Engine, ports: FakePorts, run: Callable[..., str]
) -> None:
    """AWS's guide recommends it: its console then links parent and child."""
    name = "AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID"
    execution = run("A child", **{f"{name}.$": "$$.Execution.Id"})
    decide(ports, "approve")
    assert engine.end(execution)["status"] == "SUCCEEDED"


@pytest.mark.parametrize("title", CHANNELS)
def test_a_refused_request_fails_at_once(engine: Engine, ports: FakePorts, title: str) -> None:
    """Nobody is mailed, and the execution doesn't wait."""
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


def test_the_first_sample_of_the_readme_needs_two_of_three(
    engine: Engine, ports: FakePorts
) -> None:
    """Its ResultPath keeps the input; the README names the field that the next Choice reads."""
    title = "Add an approval to your state machine"
    assert "Choice on `$.approval.Output.outcome`" in readme.section(title)
    approved = {"Variable": "$.approval.Output.outcome", "StringEquals": "approved"}
    definition = readme.states(title)
    definition["States"]["IsItApproved"] = {
        "Type": "Choice",
        "Choices": [approved | {"Next": "Release"}],
        "Default": "TellThem",
    }
    execution = started(engine, definition)
    engine.until(lambda: len(ports.mailer.sent) == 3)
    decide(ports, "approve")
    decide(ports, "approve", to="linus@example.com")
    output = json.loads(engine.end(execution)["output"])
    assert output["question"] == "Release 4.2?"
    assert len(output["approval"]["Output"]["decisions"]) == 2
    assert engine.states(execution)[-1] == "Release"
