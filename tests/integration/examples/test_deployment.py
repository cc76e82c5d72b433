"""Examples are deployed and destroyed, in an emulator, by the same calls as on AWS."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from examples.__main__ import parse_parameters
from examples.deployment import deploy, deploy_in_sandbox, destroy
from examples.example import HERE, Example
from tools.account import Account
from tools.chalice_cli import Chalice
from tools.errors import ToolError
from tools.sandbox.emulator import Emulator, free_port
from tools.sandbox.project import chalice_for_emulator, copy_project
from tools.sandbox.state import SandboxState, StateFile
from tools.stack import Stack

EXAMPLE = Example("callback_basics")
STAGE = EXAMPLE.stage("dev")


@pytest.fixture
def account(tmp_path: Path) -> Iterator[Account]:
    """Give an empty account in an emulator of its own."""
    with Emulator(free_port(None, "--port"), tmp_path) as emulator:
        yield emulator.account


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Give a copy of the example's folder."""
    copy_project(EXAMPLE.folder, tmp_path / "project")
    return tmp_path / "project"


def deploy_example(project: Path, account: Account, chalice: Chalice) -> str | None:
    """Deploy the example and return its API's URL."""
    return deploy(
        STAGE,
        project=project,
        account=account,
        chalice=chalice,
        stack=Stack(STAGE, account.cloudformation, account.dynamodb, delay=0.1),
        echo=lambda _: None,
    ).api


def function_names(account: Account) -> set[str]:
    """Return the names of the account's functions."""
    return {f["FunctionName"] for f in account.lambda_.list_functions()["Functions"]}


def test_a_second_deploy_updates_the_first_and_a_destroy_deletes_everything(
    project: Path, account: Account
) -> None:
    """The API keeps its URL; neither functions nor stack are left in the end."""
    chalice = chalice_for_emulator(project, account)
    url = deploy_example(project, account, chalice)
    assert deploy_example(project, account, chalice) == url
    assert function_names(account) == {
        "callback-basics-dev",
        "callback-basics-dev-split_document",
        "callback-basics-dev-process_document",
    }
    stack = Stack(STAGE, account.cloudformation, account.dynamodb, delay=0.1)
    lines: list[str] = []
    destroy(STAGE, account=account, chalice=chalice, stack=stack, echo=lines.append)
    assert function_names(account) == set()
    assert not stack.exists()
    assert lines == ["code", "stack callback-basics-dev"]


def test_another_checkout_deploys_and_destroys_the_same_stage(
    project: Path, account: Account, tmp_path: Path
) -> None:
    """It lacks Chalice's record, and takes up the functions, the mapping and the API."""
    url = deploy_example(project, account, chalice_for_emulator(project, account))
    copy_project(EXAMPLE.folder, tmp_path / "other")
    other = chalice_for_emulator(tmp_path / "other", account)
    assert deploy_example(tmp_path / "other", account, other) == url
    stack = Stack(STAGE, account.cloudformation, account.dynamodb, delay=0.1)
    third = chalice_for_emulator(tmp_path / "third", account)
    destroy(STAGE, account=account, chalice=third, stack=stack, echo=print)
    assert not stack.exists()
    assert function_names(account) == set()


def test_an_example_without_code_is_its_stack_alone(account: Account, tmp_path: Path) -> None:
    """There is no function, no API and no copy, and nothing is written into its folder."""
    example = Example("ask_for_approval")
    machine = "arn:aws:states:us-east-1:000000000000:stateMachine:assent-x"
    assent = cast("SandboxState", {"stateMachineArn": machine})
    deployed = deploy_in_sandbox(
        example, account, tmp_path / "copy", assent=assent, echo=lambda _: None
    )
    definition = account.stepfunctions.describe_state_machine(
        stateMachineArn=deployed.outputs["StateMachineArn"]
    )["definition"]
    assert machine in definition
    assert (deployed.api, function_names(account)) == (None, set())
    stack = Stack(deployed.stage, account.cloudformation, account.dynamodb, delay=0.1)
    destroy(
        deployed.stage,
        account=account,
        chalice=chalice_for_emulator(example.folder, account),
        stack=stack,
        echo=lambda _: None,
    )
    assert not stack.exists()
    assert not (tmp_path / "copy").exists()
    assert not (example.folder / ".chalice").exists()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("callback_basics", "a sandbox is already running in"),
        ("callback", "there is no example 'callback'"),
    ],
)
def test_the_command_names_the_mistake(tmp_path: Path, name: str, message: str) -> None:
    """A folder of another sandbox, or an unknown example: one sentence on stderr, and status 1."""
    folder = tmp_path / "callback_basics"
    folder.mkdir()
    with StateFile(folder / "state.json"):
        done = subprocess.run(
            [sys.executable, "-m", "examples", name, "--dir", str(tmp_path)],
            cwd=HERE.parent,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.startswith("Error: ")
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


def test_parameters_are_parsed_by_name() -> None:
    """A value may hold `=` and commas, and be empty; a parameter without a name is refused."""
    given = parse_parameters(("Approvers=ada@example.com,grace@example.com", "Query=a=b", "None="))
    expected = {"Approvers": "ada@example.com,grace@example.com", "Query": "a=b", "None": ""}
    assert given == expected
    for wrong in ("Approvers", "=x"):
        with pytest.raises(ToolError, match="it looks like Approvers="):
            parse_parameters((wrong,))
