"""`python -m tools.sandbox`: runs all of Assent, sends a first request, prints the next steps."""

from pathlib import Path

import click

from tools.echo import timed_echo
from tools.errors import MakeCommand, ToolError
from tools.sandbox.next_steps import next_steps
from tools.sandbox.process import prepare_process
from tools.sandbox.project import CHECKOUT
from tools.sandbox.samples import FIRST_REQUEST
from tools.sandbox.state import StateFile
from tools.sandbox.system import running_system


@click.command(cls=MakeCommand)
@click.option(
    "--port", type=click.IntRange(1, 65535), help="The emulator's port; a free one if not given."
)
@click.option(
    "--inbox-port",
    type=click.IntRange(1, 65535),
    help="The inbox's port; a free one if not given.",
)
@click.option(
    "--dir",
    "directory",
    type=click.Path(path_type=Path, file_okay=False, resolve_path=True),
    default=".sandbox",
    help="The folder for the sandbox's files (.sandbox).",
)
@click.option(
    "--project",
    type=click.Path(path_type=Path, file_okay=False, exists=True, resolve_path=True),
    default=CHECKOUT,
    help="The project to deploy; this checkout if not given.",
)
def main(port: int | None, inbox_port: int | None, directory: Path, project: Path) -> None:
    """Run all of Assent on this machine, with an emulator of AWS and a web page for mail."""
    prepare_process()
    echo = timed_echo()
    with (
        StateFile(directory / "state.json") as state_file,
        running_system(
            directory, port=port, inbox_port=inbox_port, source=project, echo=echo
        ) as system,
    ):
        first = system.operator.call("POST", f"{system.state['api']}/executions", FIRST_REQUEST)
        system.mailbox.wait_for_first()
        echo("first request sent, approvers mailed")
        state_file.write(system.state)
        echo(f"ready: {system.state['api']}")
        console = system.operator.call("POST", f"{system.state['api']}/console/sessions")
        click.echo(next_steps(system, first["execution"], console["url"]))
        system.emulator.wait()
        raise ToolError(f"the emulator stopped unexpectedly, see {directory}/emulator.log")


if __name__ == "__main__":
    main()
