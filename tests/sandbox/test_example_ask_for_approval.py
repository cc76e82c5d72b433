"""`ask_for_approval`, deployed beside Assent: its demo, a failed child, its role's permissions."""

from collections.abc import Callable
from typing import Any

import pytest

from examples.ask_for_approval import demo
from examples.deployed import DeployedExample
from tests.sandbox.client import Sandbox
from tests.sandbox.roles import EXECUTION, MACHINE, May

ASSENTS = {"executionArn": f"{EXECUTION}assent-sandbox:x"}
OWN = {"executionArn": f"{EXECUTION}ask-for-approval-sandbox:x"}
# The three actions of EventBridge aren't here: MiniStack looks for the rule under another ARN than
# AWS. tests/integration/statemachine/test_ask_for_approval.py compares them with the documentation.
ALLOWED: list[tuple[str, str, Any]] = [
    ("stepfunctions", "start_execution", {"stateMachineArn": f"{MACHINE}assent-sandbox"}),
    ("stepfunctions", "describe_execution", ASSENTS),
    ("stepfunctions", "stop_execution", ASSENTS),
]
DENIED: list[tuple[str, str, Any]] = [
    ("stepfunctions", "start_execution", {"stateMachineArn": f"{MACHINE}ask-for-approval-sandbox"}),
    ("stepfunctions", "describe_execution", OWN),
    ("stepfunctions", "get_execution_history", ASSENTS),
    ("stepfunctions", "send_task_success", {"taskToken": "x", "output": "{}"}),
    ("lambda", "invoke", {"FunctionName": "assent-sandbox-request_approval"}),
]


@pytest.fixture
def deployed(example: Callable[[str], DeployedExample]) -> DeployedExample:
    """Give the deployed example."""
    return example("ask_for_approval")


def test_the_demo_prints_what_the_readme_shows(
    deployed: DeployedExample, readme_output: Callable[[str], set[str]]
) -> None:
    """One execution goes on, one stops."""
    printed: list[str] = []
    demo.run(deployed, printed.append)
    assert readme_output("ask_for_approval") == {line.strip() for line in printed}


def test_an_execution_whose_request_was_cancelled_fails(
    deployed: DeployedExample, sandbox: Sandbox
) -> None:
    """As its child does, and before it has chosen anything."""
    execution = deployed.start_execution({"question": "Cancelled meanwhile?"})
    link = sandbox.link(demo.APPROVER, "Cancelled meanwhile?")
    approval_id = link.rpartition("/")[2].partition(".")[0]
    sandbox.call("POST", f"/approvals/{approval_id}/cancel", {"reason": "a mistake"})
    assert deployed.wait_for_end(execution)["status"] == "FAILED"
    assert deployed.entered_states(execution) == ["AskForApproval"]


@pytest.mark.parametrize(("service", "action", "arguments"), ALLOWED)
def test_its_role_may_do_what_it_needs(
    may: May, deployed: DeployedExample, service: str, action: str, arguments: Any
) -> None:
    """Start the child and wait for it."""
    assert may(deployed, "StateMachine", service, action, arguments)


@pytest.mark.parametrize(("service", "action", "arguments"), DENIED)
def test_its_role_may_do_nothing_else(
    may: May, deployed: DeployedExample, service: str, action: str, arguments: Any
) -> None:
    """The same way of asking is denied elsewhere."""
    assert not may(deployed, "StateMachine", service, action, arguments)
