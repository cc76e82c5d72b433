"""`python -m examples callback_basics`: an example in a sandbox of its own, and its story.

On the map: the one command of every example. With `--deploy dev` or `--destroy dev` it works in
your AWS account instead, and tells nothing.
"""

import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import click
from botocore.exceptions import BotoCoreError, ClientError

from examples.deploying import deploy, destroy, in_sandbox
from examples.example import Example, Say
from tools.account import Account
from tools.chalice_cli import Chalice
from tools.errors import ToolError
from tools.sandbox import system
from tools.sandbox.apart import set_apart
from tools.sandbox.emulator import Emulator, free_port
from tools.sandbox.state import StateFile
from tools.stack import Stack


def tell(example: Example, directory: Path, say: Say) -> None:
    """Start a sandbox, deploy the example, tell its story; everything has ended at the end."""
    directory.mkdir(parents=True, exist_ok=True)
    with ExitStack() as hold:
        hold.enter_context(StateFile(directory / "state.json"))  # nobody else uses the folder
        assent = None
        if example.asks_assent:
            whole = system.start(directory, hold, say)
            emulator, assent = whole.emulator, whole.state
        else:
            emulator = hold.enter_context(Emulator(free_port(None, "--port"), directory))
            say(f"emulator {emulator.endpoint_url}")
        copy = directory / example.name
        scene = in_sandbox(example, emulator.account, copy, say, assent=assent)
        say("ready\n")
        example.tell(scene, click.echo)


def _on_aws(example: Example, stage_name: str, parameters: Mapping[str, str], *, up: bool) -> None:
    stage, account = example.stage(stage_name), Account.from_environment()
    chalice = Chalice(example.folder, environment=account.environment)
    stack = Stack(stage, account.cloudformation, account.dynamodb, say=click.echo)
    if not up:
        destroy(stage, account, chalice, stack, click.echo)
        return
    made = deploy(stage, example.folder, account, chalice, stack, click.echo, parameters)
    click.echo(f"{stage.prefix} is up{f' at {made.api}' if made.api else ''}")


def _given(parameters: tuple[str, ...]) -> dict[str, str]:
    """Return parameters by their names; raise ToolError for one that is no NAME=VALUE."""
    pairs = [parameter.partition("=") for parameter in parameters]
    for name, equals, _ in pairs:
        if not name or not equals:
            raise ToolError(f"{name!r} is no parameter: it looks like Approvers=ada@example.com")
    return {name: value for name, _, value in pairs}


@click.command()
@click.argument("name")
@click.option("--deploy", "up", metavar="STAGE", help="Deploy it to your AWS account instead.")
@click.option("--destroy", "down", metavar="STAGE", help="Delete it from your AWS account.")
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
    help="Where the sandbox keeps its files (.sandbox/examples).",
)
def main(
    name: str, up: str | None, down: str | None, parameters: tuple[str, ...], directory: Path
) -> None:
    """Run the example NAME on this machine and show what happens."""
    example = Example(name)
    started = time.monotonic()

    def say(what: str) -> None:
        click.echo(f"{time.monotonic() - started:5.1f} s  {what}")

    try:
        if up is not None or down is not None:
            _on_aws(example, up or down or "", _given(parameters), up=up is not None)
        else:
            set_apart()
            tell(example, directory / name, say)
    except (BotoCoreError, ClientError) as e:
        raise ToolError(f"AWS: {e}") from e


if __name__ == "__main__":
    main()
