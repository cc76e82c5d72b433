"""`python -m tools.sandbox`: the whole system and a first approval; then it serves.

On the map: the order of things and what is said about them; everything it does stands elsewhere.
"""

import time
from contextlib import ExitStack
from pathlib import Path

import click

from tools.errors import ToolError
from tools.sandbox.apart import set_apart
from tools.sandbox.people import FIRST_REQUEST, NEXT_REQUEST
from tools.sandbox.project import CHECKOUT
from tools.sandbox.state import StateFile
from tools.sandbox.system import System, start


def begin(
    port: int | None, inbox_port: int | None, directory: Path, source: Path, hold: ExitStack
) -> System:
    """Bring everything up and say where it is. What has to be ended is entered into `hold`."""
    started = time.monotonic()

    def say(what: str) -> None:
        click.echo(f"{time.monotonic() - started:5.1f} s  {what}")

    directory.mkdir(parents=True, exist_ok=True)
    state = hold.enter_context(StateFile(directory / "state.json"))
    system = start(directory, hold, say, port=port, inbox_port=inbox_port, source=source)
    executions = f"{system.state['api']}/executions"
    system.operator.call("POST", executions, FIRST_REQUEST)
    system.mailbox.await_first()
    say("a first approval, mailed")
    state.write(system.state)
    say(f"ready: {system.state['api']}")
    click.echo(
        f"\nThe approvers' mail:\n  {system.state['inbox']}\n\n"
        f"Ask for another approval:\n{system.operator.curl(executions, NEXT_REQUEST)}\n\n"
        "Whoever is new is invited first, and gets their first mail after two or three minutes.\n"
        "Ctrl-C ends everything."
    )
    return system


@click.command()
@click.option(
    "--port", type=click.IntRange(1, 65535), help="The emulator's port; any free one if not given."
)
@click.option(
    "--inbox-port",
    type=click.IntRange(1, 65535),
    help="The inbox's port; any free one if not given.",
)
@click.option(
    "--dir",
    "directory",
    type=click.Path(path_type=Path, file_okay=False, resolve_path=True),
    default=".sandbox",
    help="Where the sandbox keeps its files (.sandbox).",
)
@click.option(
    "--project",
    type=click.Path(path_type=Path, file_okay=False, exists=True, resolve_path=True),
    default=CHECKOUT,
    help="The project to deploy; this checkout if not given.",
)
def main(port: int | None, inbox_port: int | None, directory: Path, project: Path) -> None:
    """Run all of Assent on this machine, with an emulator for AWS and a web page for mail."""
    set_apart()
    with ExitStack() as hold:
        begin(port, inbox_port, directory, project, hold).emulator.wait()
        raise ToolError(f"the emulator ended by itself, see {directory}/emulator.log")


if __name__ == "__main__":
    main()
