"""Deploys an example, to AWS or into the sandbox, and deletes it: its stack and its code.

The names of the stack's outputs say how the code is configured. `ApiRoleArn` is the role of the
API's function, `SomeNameRoleArn` the role of function `some_name`, and every other output becomes
an environment variable of all functions: `QueueUrl` becomes QUEUE_URL.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from examples.deployed import DeployedExample
from examples.example import Example
from tools.account import Account
from tools.chalice_cli import Chalice
from tools.config import Config
from tools.deploy import take_up
from tools.deployed_record import deployed_resources
from tools.echo import Echo
from tools.sandbox.project import chalice_for_emulator, copy_project
from tools.sandbox.state import SandboxState
from tools.stack import Stack
from tools.stage import Code, Stage
from tools.stage_settings import FunctionSettings, StageSettings
from tools.template import template_body

ROLE = "RoleArn"


@dataclass(frozen=True)
class Deployment:
    """The result of a deploy: the stack's outputs, and the API's URL if there is an API."""

    outputs: Mapping[str, str]
    api: str | None


def deploy(
    stage: Stage,
    *,
    project: Path,
    account: Account,
    chalice: Chalice,
    stack: Stack,
    parameters: Mapping[str, str] | None = None,
    echo: Echo,
) -> Deployment:
    """Deploy the project's folder as this stage; `parameters` are the stack's, which keeps them.

    Of an example without `app.py` the stack alone is deployed.
    """
    echo(f"stack {stage.prefix}")
    outputs = stack.deploy(template_body(project), parameters or {})
    if not has_code(project):
        return Deployment(outputs, None)
    take_up(stage, code_names(stage, outputs), account, chalice, echo)
    Config(project).update_stage(stage, role_settings(outputs), variables(outputs))
    echo("code")
    chalice.package(stage)
    chalice.deploy(stage)
    api = chalice.api(stage)
    return Deployment(outputs, api.url if api else None)


def destroy(stage: Stage, *, account: Account, chalice: Chalice, stack: Stack, echo: Echo) -> None:
    """Delete the code, also what Chalice has no record of, then the stack."""
    names = code_names(stage, stack.outputs())
    code = deployed_resources(stage, names, account, chalice.recorded(stage))
    echo("code")
    chalice.record(stage, code)
    chalice.delete(stage)
    echo(f"stack {stage.prefix}")
    stack.delete()


def deploy_in_sandbox(
    example: Example,
    account: Account,
    directory: Path,
    *,
    assent: SandboxState | None = None,
    echo: Echo,
) -> DeployedExample:
    """Deploy an example into a running emulator, as a copy in `directory` if it has code.

    `assent` is the `state.json` of the Assent in the same emulator. An example that needs Assent
    gets the name of its state machine as a parameter.
    """
    stage, project = example.stage("sandbox"), example.folder
    if has_code(project):
        copy_project(project, directory)
        project = directory
    parameters = {}
    if assent is not None and example.demo.NEEDS_ASSENT:
        parameters["AssentStateMachine"] = assent["stateMachineArn"].rpartition(":")[2]
    deployment = deploy(
        stage,
        project=project,
        account=account,
        chalice=chalice_for_emulator(project, account),
        stack=Stack(stage, account.cloudformation, account.dynamodb, delay=0.1, echo=echo),
        parameters=parameters,
        echo=echo,
    )
    return DeployedExample(account, stage, deployment.outputs, deployment.api, assent)


def has_code(project: Path) -> bool:
    """Return whether the project has functions, and not a stack alone."""
    return (project / "app.py").exists()


def role_settings(outputs: Mapping[str, str]) -> StageSettings:
    """Return the settings that give each function its role from the stack's outputs."""
    functions: dict[str, FunctionSettings] = {
        _snake_case(key.removesuffix(ROLE)): {"manage_iam_role": False, "iam_role_arn": arn}
        for key, arn in outputs.items()
        if key.endswith(ROLE)
    }
    settings: StageSettings = {"manage_iam_role": False}
    if api := functions.pop("api", None):
        settings["iam_role_arn"] = api["iam_role_arn"]
    elif functions:
        # Chalice demands a role of the stage, also of one without an API.
        settings["iam_role_arn"] = next(iter(functions.values()))["iam_role_arn"]
    settings["lambda_functions"] = functions
    return settings


def code_names(stage: Stage, outputs: Mapping[str, str]) -> Code:
    """Return the names of the example's functions and queues, from its stack's outputs."""
    roles = [_snake_case(key.removesuffix(ROLE)) for key in outputs if key.endswith(ROLE)]
    return Code(
        tuple(stage.prefix if role == "api" else stage.function(role) for role in roles),
        queues=tuple(value for key, value in outputs.items() if key.endswith("QueueName")),
    )


def variables(outputs: Mapping[str, str]) -> dict[str, str]:
    """Return the functions' environment variables from the stack's outputs."""
    return {_snake_case(k).upper(): value for k, value in outputs.items() if not k.endswith(ROLE)}


def _snake_case(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
