"""`examples/ask_for_approval` in moto: its state machine starts Assent's own as a child."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from examples.example import HERE
from tests.definitions import definition
from tests.fakes import FakePorts
from tests.integration.statemachine.child_role import actions_for_a_child, actions_of
from tests.integration.statemachine.engine import ACCOUNT, Engine
from tests.integration.statemachine.test_executions import decide

pytestmark = pytest.mark.usefixtures("children")
FOLDER = HERE / "ask_for_approval"
ADA, GRACE = "ada@example.com", "grace@example.com"


@pytest.fixture
def ask(engine: Engine) -> Callable[[str], str]:
    """Start an execution of the example that asks this question, and return its ARN."""
    text = json.dumps(definition(FOLDER))
    machine = engine.client.create_state_machine(
        name="ask-for-approval",
        definition=text.replace("${AssentStateMachineArn}", engine.machine).replace(
            "${Approvers}", f"{ADA},{GRACE}"
        ),
        roleArn=f"arn:aws:iam::{ACCOUNT}:role/ask-for-approval",
    )["stateMachineArn"]
    return lambda question: engine.start({"question": question}, machine=machine)


def decided(engine: Engine, ports: FakePorts, choice: str) -> dict[str, Any]:
    """Decide as the first approver, once both are asked, and return the mails' subjects."""
    engine.until(lambda: len(ports.mailer.sent) == 2)
    subjects = {to: email.subject for to, email in ports.mailer.sent}
    decide(ports, choice, "so")
    return subjects


def test_an_approved_execution_goes_on(
    engine: Engine, ports: FakePorts, ask: Callable[[str], str]
) -> None:
    """Each approver is asked the input's question; GoOn gets Assent's result."""
    execution = ask("Release 4.2?")
    subjects = decided(engine, ports, "approve")
    assert subjects.keys() == {ADA, GRACE}
    assert all("Release 4.2?" in subject for subject in subjects.values())
    ended = engine.end(execution)
    assert ended["status"] == "SUCCEEDED"
    result = json.loads(ended["output"])
    assert (result["outcome"], result["decisions"][0]["approver"]) == ("approved", ADA)
    assert engine.states(execution) == ["AskForApproval", "IsItApproved", "GoOn"]


def test_a_rejected_execution_stops(
    engine: Engine, ports: FakePorts, ask: Callable[[str], str]
) -> None:
    """By the Choice, for `onReject: return` makes the rejection a result."""
    execution = ask("Release 4.2?")
    decided(engine, ports, "reject")
    ended = engine.end(execution)
    assert (ended["status"], ended["error"]) == ("FAILED", "NotApproved")
    assert engine.states(execution) == ["AskForApproval", "IsItApproved", "Stop"]


def test_a_failed_child_fails_the_execution(
    engine: Engine, ports: FakePorts, ask: Callable[[str], str]
) -> None:
    """Here Assent refuses an empty question; the child's own error is in the cause."""
    execution = ask("")
    ended = engine.end(execution)
    assert (ended["status"], ended["error"]) == ("FAILED", "States.TaskFailed")
    assert json.loads(ended["cause"])["Error"] == "InvalidRequest"
    assert engine.states(execution) == ["AskForApproval"]
    assert ports.mailer.sent == []


def test_its_role_may_do_what_the_documentation_names_for_a_child() -> None:
    """The six actions, each on its resource, and nothing else."""
    found = actions_of(FOLDER)
    assert found == actions_for_a_child()
    assert sum(map(len, found.values())) == 6
