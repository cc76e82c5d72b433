"""`examples/two_groups` in moto: its policy, and the comparison before it releases."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from assent_client.policy_rules import find_problem

from chalicelib.application import deciding, policies
from examples.example import HERE
from examples.two_groups import demo
from tests import readme
from tests.definitions import definition
from tests.fakes import FakePorts
from tests.integration.statemachine.child_role import actions_for_a_child, actions_of
from tests.integration.statemachine.engine import ACCOUNT, Engine
from tests.integration.statemachine.test_executions import decide
from tests.policies import OPERATOR

FOLDER = HERE / "two_groups"
RELEASE = {"version": "5.0.0", "image": demo.IMAGE}


@pytest.fixture
def release(engine: Engine, ports: FakePorts) -> Callable[..., str]:
    """Start a release once the policy is written; return its execution when people are asked.

    `changed` are values that somebody changes between the approval and the release.
    """
    policies.write_policy(ports, demo.POLICY, demo.read_policy(), replaces=None, by=OPERATOR)

    def begin(**changed: str) -> str:
        asl: dict[str, Any] = definition(FOLDER)
        first = asl["States"]["IsItApproved"]["Choices"][0]
        for name, value in changed.items():
            change = {"Type": "Pass", "Result": value, "ResultPath": f"$.{name}"}
            asl["States"]["Change"] = change | {"Next": first["Next"]}
            first["Next"] = "Change"
        text = json.dumps(asl)
        for name, value in (("AssentStateMachineArn", engine.machine), ("Policy", demo.POLICY)):
            text = text.replace(f"${{{name}}}", value)
        machine = engine.client.create_state_machine(
            name="two-groups", definition=text, roleArn=f"arn:aws:iam::{ACCOUNT}:role/two-groups"
        )["stateMachineArn"]
        execution = engine.start(RELEASE, machine=machine)
        engine.until(lambda: len(ports.mailer.sent) == len(demo.people(demo.read_policy())))
        return execution

    return begin


def approve(ports: FakePorts) -> None:
    """Approve as one of security and two of operations."""
    for person in (demo.HEDY, demo.LINUS, demo.GRACE):
        decide(ports, "approve", to=person)


@pytest.mark.usefixtures("children", "braces")
def test_both_groups_release(engine: Engine, ports: FakePorts, release: Callable[..., str]) -> None:
    """The result has the groups, and is not marked."""
    execution = release()
    approve(ports)
    result = json.loads(engine.end(execution)["output"])
    assert engine.states(execution)[-1] == "Release"
    assert (result["released"], result["image"]) == (RELEASE["version"], RELEASE["image"])
    assert [(group["name"], group["approvals"]) for group in result["groups"]] == [
        ("security", 1),
        ("operations", 2),
    ]
    assert result["breakGlass"] is False


@pytest.mark.usefixtures("children", "braces")
def test_break_glass_releases_and_is_marked(
    engine: Engine, ports: FakePorts, release: Callable[..., str]
) -> None:
    """One person alone, with a reason."""
    execution = release()
    token = ports.token_mailed_to(demo.MARGARET)
    deciding.decide(ports, token, "approve", reason="down", via="page", break_glass=True)
    result = json.loads(engine.end(execution)["output"])
    assert engine.states(execution)[-1] == "ReleaseByBreakGlass"
    assert result["breakGlass"] is True
    assert [decision["approver"] for decision in result["decisions"]] == [demo.MARGARET]


@pytest.mark.usefixtures("children", "braces")
@pytest.mark.parametrize("name", ["subject", *RELEASE])
def test_what_was_not_shown_is_not_released(
    engine: Engine, ports: FakePorts, release: Callable[..., str], name: str
) -> None:
    """Whichever of the values has changed since people approved."""
    execution = release(**{name: "another"})
    approve(ports)
    ended = engine.end(execution)
    assert (ended["status"], ended["error"]) == ("FAILED", "SomethingElseWasShown")


def test_its_policy_passes_the_check_of_files() -> None:
    """What `assent policies check` says without an API."""
    assert find_problem(demo.read_policy()) is None


def test_it_compares_as_the_documentation_does() -> None:
    """The same function, of the same labels, in the example's names."""
    sample = readme.states("What was approved is what was shown", of=2)["States"]
    theirs = sample["HashTheRelease"]["Parameters"]["sha256.$"]
    ours = definition(FOLDER)["States"]["HashTheRelease"]["Parameters"]["sha256.$"]
    names = {"production-release": "${Policy}", "$.question": "$.subject"}
    for old, new in names.items():
        theirs = theirs.replace(old, new)
    assert ours == theirs


def test_its_role_may_do_what_the_documentation_names_for_a_child() -> None:
    """The six actions, each on its resource, and nothing else."""
    assert actions_of(FOLDER) == actions_for_a_child()
