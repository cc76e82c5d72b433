"""The command `assent`: the operators' routes of a stage, from a shell."""

import sys
from typing import Any

import click

from ..client import Assent
from ..errors import AssentError, Refused, Unreachable
from .approvals import COMMANDS
from .approvers import approvers
from .export import export
from .inputs import api_url
from .output import plain

REFUSED, USAGE, UNREACHABLE = 1, 2, 3
"""Exit statuses beside 0: the API refuses, the command was given wrongly, AWS doesn't answer."""


class Assenting(click.Group):
    """A group whose errors are one sentence on standard error, and an exit status."""

    def main(self, *args: Any, **more: Any) -> Any:
        """Run a command and end with its exit status."""
        try:
            return super().main(*args, **more)
        except Refused as e:
            fail(f"{e.message} ({e.code})", REFUSED)
        except Unreachable as e:
            fail(str(e), UNREACHABLE)
        except AssentError as e:
            fail(str(e), UNREACHABLE)


def fail(why: str, status: int) -> None:
    """Say why, and end."""
    click.echo(f"assent: {plain(why)}".replace("\n", " "), err=True)
    sys.exit(status)


@click.group(cls=Assenting, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--url", envvar="ASSENT_URL", help="The API's URL, which ends in /api. [ASSENT_URL]")
@click.option("--stage", help="A stage that this checkout deployed, in place of --url.")
@click.option(
    "--output", type=click.Choice(["table", "json"]), default="table", help="For people, or JSON."
)
@click.version_option(package_name="assent-client", prog_name="assent")
@click.pass_context
def assent(context: click.Context, url: str | None, stage: str | None, output: str) -> None:
    """Ask people for approval, and see and change what waits.

    Credentials and region are found as the aws command finds them.
    """
    context.obj = Session(url, stage, as_json=output == "json")


class Session:
    """What the commands share: the client, made when first used, and how they print."""

    def __init__(self, url: str | None, stage: str | None, *, as_json: bool) -> None:
        self._where = (url, stage)
        self.as_json = as_json

    @property
    def api(self) -> Assent:
        """Return the client."""
        return Assent(api_url(*self._where))


for command in (*COMMANDS, approvers, export):
    assent.add_command(command)
