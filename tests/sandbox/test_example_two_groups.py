"""`two_groups`, deployed beside Assent: its demo, a rejection, its role's permissions."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from examples.deployed import DeployedExample
from examples.two_groups import demo
from tests.sandbox.client import Sandbox, press
from tests.sandbox.roles import ASK_A_CHILD, May, nothing_but_a_child


@pytest.fixture(scope="module")
def shown(example: Callable[[str], DeployedExample]) -> tuple[DeployedExample, list[str]]:
    """Run the demo once; give the deployed example, and what the demo has printed."""
    printed: list[str] = []
    deployed = example("two_groups")
    demo.run(deployed, printed.append)
    return deployed, printed


@pytest.fixture(scope="module")
def deployed(shown: tuple[DeployedExample, list[str]]) -> DeployedExample:
    """Give the deployed example, whose policy the demo has written."""
    return shown[0]


def test_the_demo_prints_what_the_readme_shows(
    shown: tuple[DeployedExample, list[str]], readme_output: Callable[[str], set[str]]
) -> None:
    """One release by both groups, one by break-glass, and who is told."""
    lines = {line.strip() for text in shown[1] for line in text.splitlines()}
    assert readme_output("two_groups") == lines - {""}


def test_the_result_has_who_counts_in_which_group(
    deployed: DeployedExample, sandbox: Sandbox
) -> None:
    """And that nobody approved alone."""
    execution = deployed.start_execution({"version": "5.1.0", "image": demo.IMAGE})
    for person in (demo.LINUS, demo.GRACE, demo.HEDY):
        assert press(sandbox.link(person, "Release shop 5.1.0 to production?"), "so").status == 200
    ended = deployed.wait_for_end(execution)
    assert ended["status"] == "SUCCEEDED"
    result = json.loads(ended["output"])
    assert (result["released"], result["image"], result["breakGlass"]) == (
        "5.1.0",
        demo.IMAGE,
        False,
    )
    assert result["policy"]["name"] == demo.POLICY
    assert [(g["name"], g["approvals"]) for g in result["groups"]] == [
        ("security", 1),
        ("operations", 2),
    ]
    assert {d["approver"]: d["group"] for d in result["decisions"]} == {
        demo.LINUS: "operations",
        demo.GRACE: "operations",
        demo.HEDY: "security",
    }


def test_one_rejection_of_any_group_stops_the_release(
    deployed: DeployedExample, sandbox: Sandbox
) -> None:
    """The policy asks for one."""
    execution = deployed.start_execution({"version": "5.2.0", "image": demo.IMAGE})
    link = sandbox.link(demo.BARBARA, "Release shop 5.2.0 to production?", "reject")
    assert press(link, "Not on Friday").status == 200
    ended = deployed.wait_for_end(execution)
    assert (ended["status"], ended["error"]) == ("FAILED", "NotApproved")
    assert deployed.entered_states(execution)[-2:] == ["IsItApproved", "Stop"]


@pytest.mark.parametrize(("service", "action", "arguments"), ASK_A_CHILD)
def test_its_role_may_do_what_it_needs(
    may: May, deployed: DeployedExample, service: str, action: str, arguments: Any
) -> None:
    """Start the child and wait for it."""
    assert may(deployed, "StateMachine", service, action, arguments)


@pytest.mark.parametrize(("service", "action", "arguments"), nothing_but_a_child("two-groups"))
def test_its_role_may_do_nothing_else(
    may: May, deployed: DeployedExample, service: str, action: str, arguments: Any
) -> None:
    """The same way of asking is denied elsewhere."""
    assert not may(deployed, "StateMachine", service, action, arguments)
