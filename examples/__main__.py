"""`python -m examples callback_basics`: runs an example in a sandbox of its own.

With `--deploy dev` or `--destroy dev` it deploys the example to your AWS account instead, or
deletes it there.
"""

from collections.abc import Mapping
from pathlib import Path

import click
from botocore.exceptions import BotoCoreError, ClientError

from examples.deployment import deploy, deploy_in_sandbox, destroy
from examples.example import Example
from tools.account import Account
from tools.chalice_cli import Chalice
from tools.echo import Echo, timed_echo
from tools.errors import MakeCommand, ToolError
from tools.sandbox.emulator import Emulator, free_port
from tools.sandbox.process import prepare_process
from tools.sandbox.state import SandboxState, StateFile
from tools.sandbox.system import running_system
from tools.stack import Stack


def run_in_sandbox(example: Example, directory: Path, echo: Echo) -> None:
    """Start a sandbox, with Assent if the demo needs it, run the demo, and stop the sandbox."""
    with StateFile(directory / "state.json"):  # locks the folder
        if example.demo.NEEDS_ASSENT:
            with running_system(directory, echo=echo) as system:
                _run_demo(example, directory, system.emulator, system.state, echo)
        else:
            with Emulator(free_port(None, "PORT="), directory) as emulator:
                echo(f"emulator {emulator.endpoint_url}")
                _run_demo(example, directory, emulator, None, echo)


def _run_demo(
    example: Example, directory: Path, emulator: Emulator, assent: SandboxState | None, echo: Echo
) -> None:
    copy = directory / example.name
    deployed = deploy_in_sandbox(example, emulator.account, copy, assent=assent, echo=echo)
    echo("ready\n")
    example.demo.run(deployed, click.echo)


def deploy_to_aws(example: Example, stage_name: str, parameters: Mapping[str, str]) -> None:
    """Deploy a stage of the example to your AWS account."""
    stage, account = example.stage(stage_name), Account.from_environment()
    deployment = deploy(
        stage,
        project=example.folder,
        account=account,
        chalice=Chalice(example.folder, environment=account.environment),
        stack=Stack(stage, account.cloudformation, account.dynamodb, echo=click.echo),
        parameters=parameters,
        echo=click.echo,
    )
    click.echo(f"{stage.prefix} is deployed{f' at {deployment.api}' if deployment.api else ''}")


def destroy_on_aws(example: Example, stage_name: str) -> None:
    """Delete a stage of the example from your AWS account."""
    stage, account = example.stage(stage_name), Account.from_environment()
    destroy(
        stage,
        account=account,
        chalice=Chalice(example.folder, environment=account.environment),
        stack=Stack(stage, account.cloudformation, account.dynamodb, echo=click.echo),
        echo=click.echo,
    )


def parse_parameters(parameters: tuple[str, ...]) -> dict[str, str]:
    """Return the values of NAME=VALUE parameters by name; raise ToolError for anything else."""
    pairs = [parameter.partition("=") for parameter in parameters]
    for name, equals, _ in pairs:
        if not name or not equals:
            raise ToolError(f"{name!r} is no parameter: it looks like Approvers=ada@example.com")
    return {name: value for name, _, value in pairs}


@click.command(cls=MakeCommand)
@click.argument("name")
@click.option(
    "--deploy", "deploy_stage", metavar="STAGE", help="Deploy it to your AWS account instead."
)
@click.option(
    "--destroy", "destroy_stage", metavar="STAGE", help="Delete it from your AWS account."
)
@click.option(
    "--parameter",
    "parameters",
    metavar="NAME=VALUE",
    multiple=True,
    help="A parameter of its infrastructure.yaml, for --deploy; remembered by the stack.",
)
@click.option(
    "--dir",
    "directory",
    type=click.Path(path_type=Path, file_okay=False, resolve_path=True),
    default=".sandbox/examples",
    help="The folder for the sandbox's files (.sandbox/examples).",
)
def main(
    name: str,
    deploy_stage: str | None,
    destroy_stage: str | None,
    parameters: tuple[str, ...],
    directory: Path,
) -> None:
    """Run the example NAME on this machine and print what happens."""
    example = Example(name)
    try:
        if deploy_stage is not None:
            deploy_to_aws(example, deploy_stage, parse_parameters(parameters))
        elif destroy_stage is not None:
            destroy_on_aws(example, destroy_stage)
        else:
            prepare_process()
            run_in_sandbox(example, directory / name, timed_echo())
    except (BotoCoreError, ClientError) as e:
        raise ToolError(f"AWS: {e}") from e


if __name__ == "__main__":
    main()
