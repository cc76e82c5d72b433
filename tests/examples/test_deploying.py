"""An example comes into an account and goes again, by the steps that AWS would get."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from examples.__main__ import _given
from examples.deploying import deploy, destroy, in_sandbox
from examples.example import HERE, Example
from tools.account import Account
from tools.chalice_cli import Chalice
from tools.errors import ToolError
from tools.sandbox.emulator import Emulator, free_port
from tools.sandbox.project import chalice_of, copy_project
from tools.sandbox.state import StateFile
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


def up(project: Path, account: Account, chalice: Chalice) -> str | None:
    """Deploy the example and return its API's URL."""
    stack = Stack(STAGE, account.cloudformation, account.dynamodb, delay=0.1)
    return deploy(STAGE, project, account, chalice, stack, lambda _: None).api


def names(account: Account) -> set[str]:
    """Return the names of the functions that are there."""
    return {f["FunctionName"] for f in account.functions.list_functions()["Functions"]}


def test_what_was_deployed_twice_is_there_once_and_gone_after_a_destroy(
    project: Path, account: Account
) -> None:
    """The API keeps its address; nothing of the example is left in the end."""
    chalice = chalice_of(project, account)
    assert up(project, account, chalice) == up(project, account, chalice)
    assert names(account) == {
        "callback-basics-dev",
        "callback-basics-dev-split_document",
        "callback-basics-dev-process_document",
    }
    stack = Stack(STAGE, account.cloudformation, account.dynamodb, delay=0.1)
    said: list[str] = []
    destroy(STAGE, account, chalice, stack, said.append)
    assert names(account) == set()
    assert not stack.exists()
    assert said == ["code", "stack callback-basics-dev"]


def test_a_second_checkout_does_not_make_a_second_api(
    project: Path, account: Account, tmp_path: Path
) -> None:
    """It has no record of the first one, and is told so before anything changes."""
    up(project, account, chalice_of(project, account))
    other = tmp_path / "other"
    copy_project(EXAMPLE.folder, other)
    with pytest.raises(ToolError, match="deployed from another checkout"):
        up(other, account, chalice_of(other, account))


def test_without_a_record_nothing_is_deleted(
    project: Path, account: Account, tmp_path: Path
) -> None:
    """Functions that Chalice doesn't know would stay, without their roles."""
    up(project, account, chalice_of(project, account))
    stack = Stack(STAGE, account.cloudformation, account.dynamodb, delay=0.1)
    with pytest.raises(ToolError, match="Destroy it from where it was deployed"):
        destroy(STAGE, account, chalice_of(tmp_path, account), stack, print)
    assert stack.exists()
    assert names(account)


def test_an_example_without_code_is_its_stack_alone(account: Account, tmp_path: Path) -> None:
    """No function, no API, no copy; and nothing is written into its folder."""
    example = Example("ask_for_approval")
    assent = {"stateMachineArn": "arn:aws:states:us-east-1:000000000000:stateMachine:assent-x"}
    scene = in_sandbox(example, account, tmp_path / "copy", lambda _: None, assent=assent)
    definition = account.session.client(
        "stepfunctions", endpoint_url=account.endpoint_url
    ).describe_state_machine(stateMachineArn=scene.outputs["StateMachineArn"])["definition"]
    assert assent["stateMachineArn"] in definition
    assert (scene.api, names(account)) == (None, set())
    chalice = chalice_of(example.folder, account)
    stack = Stack(scene.stage, account.cloudformation, account.dynamodb, delay=0.1)
    destroy(scene.stage, account, chalice, stack, lambda _: None)
    assert not stack.exists()
    assert not (tmp_path / "copy").exists()
    assert not (example.folder / ".chalice").exists()


@pytest.mark.parametrize(
    ("name", "said"),
    [("callback_basics", "a sandbox serves from"), ("callback", "there is no example 'callback'")],
)
def test_the_command_says_what_is_wrong(tmp_path: Path, name: str, said: str) -> None:
    """A folder that another sandbox uses, a name that nobody has: one sentence, and status 1."""
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
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def test_parameters_are_read_by_their_names() -> None:
    """A value may hold anything, and be empty; one that is none says what it should look like."""
    given = _given(("Approvers=ada@example.com,grace@example.com", "Query=a=b", "None="))
    expected = {"Approvers": "ada@example.com,grace@example.com", "Query": "a=b", "None": ""}
    assert given == expected
    for wrong in ("Approvers", "=x"):
        with pytest.raises(ToolError, match="it looks like Approvers="):
            _given((wrong,))
