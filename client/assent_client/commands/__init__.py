"""The command `assent`: the operators' routes of a stage, from a shell."""

import os
import sys
from typing import Any

import botocore.session
import click
from botocore.exceptions import BotoCoreError

from ..client import Assent
from ..errors import AssentError, Refused
from .approvers import approvers
from .changes import cancel, erase, extend, reassign, remind
from .console import console
from .doctor import doctor
from .export import export
from .inputs import api_url
from .listing import list_approvals
from .output import in_one_line
from .policies import policies
from .show import report, show
from .start import start

REFUSED, USAGE, UNREACHABLE, INTERRUPTED = 1, 2, 3, 130
"""Exit statuses beside 0: the API refuses, the command was given wrongly, AWS doesn't answer,
Ctrl-C."""


class Assenting(click.Group):
    """A group whose errors are one sentence on standard error, and an exit status."""

    def main(self, *args: Any, **more: Any) -> Any:
        """Run a command and end with its exit status."""
        try:
            sys.exit(super().main(*args, **more | {"standalone_mode": False}))
        except click.Abort:
            sys.exit(INTERRUPTED)
        except BrokenPipeError:  # The reader has enough: `assent list | head -1`.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(REFUSED)
        except Exception as e:  # noqa: BLE001 (a bug is raised again)
            fail(*_sentence(e))


def _sentence(e: Exception) -> tuple[str, int]:
    """Return an error in words, and the exit status; raise one that is a bug of the command."""
    match e:
        case Refused():
            found = f"{e.message} ({e.code})", REFUSED if e.status < 500 else UNREACHABLE
        case AssentError():
            found = str(e), UNREACHABLE
        case click.UsageError():
            where = e.ctx.command_path if e.ctx else "assent"
            found = f"{e.format_message().rstrip('.')}; see: {where} --help", USAGE
        case click.ClickException():
            found = e.format_message(), USAGE
        case BotoCoreError():
            found = f"AWS's credentials or settings can't be used: {e}", UNREACHABLE
        case UnicodeDecodeError():
            found = "the file isn't text in UTF-8", USAGE
        case OSError():
            found = f"{e.filename or 'a file'}: {e.strerror or e}", USAGE
        case LookupError() | TypeError() | AttributeError() | ValueError():
            said = f"an answer isn't as the API gives it ({type(e).__name__}: {e})"
            advice = "is the URL right, and this command as new as the stage?"
            found = f"{said}; {advice}", UNREACHABLE
        case _:
            raise e
    return found


def fail(why: str, status: int) -> None:
    """Say why in one line, and end."""
    click.echo(in_one_line(f"assent: {why}"), err=True)
    sys.exit(status)


@click.group(cls=Assenting, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--url", envvar="ASSENT_URL", help="The API's URL, which ends in /api. [ASSENT_URL]")
@click.option(
    "--stage", help="A stage, in place of --url: of this checkout, or its stack assent-STAGE."
)
@click.option(
    "--output", type=click.Choice(["table", "json"]), default="table", help="For people, or JSON."
)
@click.version_option(package_name="assent-client", prog_name="assent")
@click.pass_context
def assent(context: click.Context, url: str | None, stage: str | None, output: str) -> None:
    """Ask people for approval, and see and change what waits.

    Credentials and region are found as the aws command finds them.
    """
    if url and stage:
        if context.get_parameter_source("url") != click.core.ParameterSource.ENVIRONMENT:
            raise click.UsageError("give --url or --stage, not both")
        url = None  # What is typed wins over ASSENT_URL.
    context.obj = Session(url, stage, as_json=output == "json")


class Session:
    """What the commands share: the client, made when first used, and how they print."""

    def __init__(self, url: str | None, stage: str | None, *, as_json: bool) -> None:
        self._where = (url, stage)
        self.as_json = as_json

    @property
    def api(self) -> Assent:
        """Return the client."""
        session = botocore.session.get_session()
        return Assent(api_url(*self._where, session), session=session)


for command in (
    *(start, list_approvals, show, report, cancel, remind, extend, reassign, erase),
    *(approvers, policies, export, doctor, console),
):
    assent.add_command(command)
