"""The commands that change an approval: cancel, remind, extend, reassign."""

from typing import Any

import click

from ..types import Approval
from .inputs import Duration
from .output import print_json
from .waiting import standing

REASON = click.option("--reason", default="", help="Why; people are shown it.")
BY = click.option("--by", help="Your e-mail address, for the record.")


@click.command()
@click.argument("approval")
@REASON
@BY
@click.pass_obj
def cancel(session: Any, approval: str, reason: str, by: str | None) -> None:
    """Take a request back; its execution fails as Cancelled."""
    _changed(session, session.api.cancel(approval, reason, by))


@click.command()
@click.argument("approval")
@REASON
@BY
@click.pass_obj
def remind(session: Any, approval: str, reason: str, by: str | None) -> None:
    """Mail everybody who hasn't decided once more."""
    _changed(session, session.api.remind(approval, reason, by))


@click.command()
@click.argument("approval")
@click.argument("expires_in", type=Duration())
@REASON
@BY
@click.pass_obj
def extend(session: Any, approval: str, expires_in: int, reason: str, by: str | None) -> None:
    """Move the deadline to EXPIRES_IN from now: 3d, 12h."""
    _changed(session, session.api.extend(approval, expires_in, reason, by))


@click.command()
@click.argument("approval")
@click.argument("from_", metavar="FROM")
@click.argument("to")
@click.option("--note", default="", help="What to write to them.")
@BY
@click.pass_obj
def reassign(session: Any, approval: str, from_: str, to: str, note: str, by: str | None) -> None:
    """Ask TO in place of FROM."""
    _changed(session, session.api.reassign(approval, from_, to, note, by))


@click.command()
@click.argument("approval")
@click.option("--yes", is_flag=True, help="Ask nothing.")
@click.pass_obj
def erase(session: Any, approval: str, *, yes: bool) -> None:
    """Erase an approval's personal data for good; it must be closed and delivered."""
    if not yes:
        click.confirm(f"Erase the personal data of {approval}, for good?", abort=True, err=True)
    _changed(session, session.api.erase(approval))


def _changed(session: Any, approval: Approval) -> None:
    if session.as_json:
        print_json(approval)
    else:
        click.echo(standing(approval))
