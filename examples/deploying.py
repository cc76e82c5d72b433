"""How an example comes into an account, on AWS and in the sandbox: its stack, then its code.

On the map: the steps of `tools.deploy` without what is Assent's own. What the stack's outputs mean:
`ApiRoleArn` is the role of the API's function, `SomeNameRoleArn` that of function `some_name`, and
every other output is an environment variable of all functions: `QueueUrl` is QUEUE_URL.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from examples.example import Example
from examples.scene import Scene
from tools.account import Account
from tools.chalice_cli import Chalice
from tools.config import Config
from tools.deploy import refuse_second_api
from tools.errors import ToolError
from tools.sandbox.project import chalice_of, copy_project
from tools.stack import Stack
from tools.stage import Stage
from tools.template import template_body

ROLE = "RoleArn"


@dataclass(frozen=True)
class Deployed:
    """What a deploy made: the stack's outputs, and the URL of the API if there is one."""

    outputs: Mapping[str, str]
    api: str | None


def deploy(
    stage: Stage,
    project: Path,
    account: Account,
    chalice: Chalice,
    stack: Stack,
    say: Callable[[str], None],
    parameters: Mapping[str, str] | None = None,
) -> Deployed:
    """Bring a stage of an example up to date with its folder; `parameters` are the stack's own.

    An example without `app.py` is its stack alone.
    """
    if chalice.api(stage) is None:
        refuse_second_api(stage, account)
    say(f"stack {stage.prefix}")
    outputs = stack.deploy(template_body(project), parameters or {})
    if not has_code(project):
        return Deployed(outputs, None)
    Config(project).record(stage, roles(outputs), variables(outputs))
    say("code")
    chalice.deploy(stage)
    api = chalice.api(stage)
    return Deployed(outputs, api.url if api else None)


def destroy(
    stage: Stage, account: Account, chalice: Chalice, stack: Stack, say: Callable[[str], None]
) -> None:
    """Delete the code, then the stack; ToolError if there is code that Chalice wouldn't delete."""
    pages = account.functions.get_paginator("list_functions").paginate()
    there = {f["FunctionArn"]: f["FunctionName"] for page in pages for f in page["Functions"]}
    ours = {arn for arn, name in there.items() if f"{name}-".startswith(f"{stage.prefix}-")}
    if ours - chalice.functions(stage):
        raise ToolError(
            f"Chalice's record here, .chalice/deployed/{stage}.json, doesn't know all functions of "
            f"{stage.prefix}: nothing was deleted. Destroy it from where it was deployed"
        )
    say("code")
    chalice.delete(stage)
    say(f"stack {stage.prefix}")
    stack.delete()


def has_code(project: Path) -> bool:
    """Return whether there are functions to deploy beside the stack."""
    return (project / "app.py").exists()


def roles(outputs: Mapping[str, str]) -> dict[str, Any]:
    """Return the settings of a stage in which each function has its role."""
    found = {
        _snake(key.removesuffix(ROLE)): {"manage_iam_role": False, "iam_role_arn": arn}
        for key, arn in outputs.items()
        if key.endswith(ROLE)
    }
    return {**found.pop("api", {}), "lambda_functions": found}


def variables(outputs: Mapping[str, str]) -> dict[str, str]:
    """Return the functions' environment variables."""
    return {_snake(k).upper(): value for k, value in outputs.items() if not k.endswith(ROLE)}


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def in_sandbox(
    example: Example,
    account: Account,
    directory: Path,
    say: Callable[[str], None],
    *,
    assent: Mapping[str, Any] | None = None,
) -> Scene:
    """Deploy a copy of an example into an emulator that is up, and return the scene.

    The copy is in `directory`; `assent` is what `state.json` says, if Assent is there too. Where
    the example asks it, it is told its state machine's name.
    """
    stage, project = example.stage("sandbox"), example.folder
    if has_code(project):
        copy_project(project, directory)
        project = directory
    chalice = chalice_of(project, account)
    stack = Stack(stage, account.cloudformation, account.dynamodb, delay=0.1, say=say)
    parameters = {}
    if assent is not None and example.asks_assent:
        parameters["AssentStateMachine"] = str(assent["stateMachineArn"]).rpartition(":")[2]
    made = deploy(stage, project, account, chalice, stack, say, parameters)
    return Scene(account, stage, made.outputs, made.api, assent)
