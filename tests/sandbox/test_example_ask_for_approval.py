"""`ask_for_approval`, deployed beside Assent: its demo, a failed child, its role's permissions."""

from collections.abc import Callable
from typing import Any

import pytest

from examples.ask_for_approval import demo
from examples.deployed import DeployedExample
from tests.sandbox.client import Sandbox
from tests.sandbox.roles import ASK_A_CHILD, May, nothing_but_a_child


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


@pytest.mark.parametrize(("service", "action", "arguments"), ASK_A_CHILD)
def test_its_role_may_do_what_it_needs(
    may: May, deployed: DeployedExample, service: str, action: str, arguments: Any
) -> None:
    """Start the child and wait for it."""
    assert may(deployed, "StateMachine", service, action, arguments)


@pytest.mark.parametrize(
    ("service", "action", "arguments"), nothing_but_a_child("ask-for-approval")
)
def test_its_role_may_do_nothing_else(
    may: May, deployed: DeployedExample, service: str, action: str, arguments: Any
) -> None:
    """The same way of asking is denied elsewhere."""
    assert not may(deployed, "StateMachine", service, action, arguments)
