"""Commands of people: whether mail reaches them, inviting, delegating."""

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from rich.progress import track

from ..errors import Refused
from ..types import ApproverStatus, ListedApprover
from .output import mail_of, plain, print_found


@click.group()
def approvers() -> None:
    """Invite people who may be asked, and see whether mail reaches them."""


@approvers.command("list")
@click.option("--unreached", is_flag=True, help="Only those whom no mail reaches.")
@click.pass_obj
def list_approvers(session: Any, *, unreached: bool) -> None:
    """List the people whom Assent has invited, last invited first."""
    found = [
        one
        for one in session.api.approvers()
        if not (unreached and one["subscription"] == "confirmed")
    ]
    _print(session, found)


@approvers.command()
@click.argument("emails", nargs=-1, required=True)
@click.pass_obj
def show(session: Any, emails: tuple[str, ...]) -> None:
    """Show whether mail reaches people, and who decides for them."""
    _print(session, [session.api.approver(email) for email in emails])


@approvers.command()
@click.argument("emails", nargs=-1)
@click.option(
    "--file",
    "file",
    type=click.Path(dir_okay=False, exists=True, path_type=Path),
    help="A file with one address a line.",
)
@click.pass_obj
def add(session: Any, emails: tuple[str, ...], file: Path | None) -> None:
    """Have SNS invite people, and say who hasn't confirmed yet."""
    everybody = list(dict.fromkeys([*emails, *(_addresses(file) if file else ())]))
    if not everybody:
        raise click.UsageError("whom? Give addresses, or --file with one a line")
    api = session.api
    shown = track(everybody, "inviting", transient=True) if len(everybody) > 5 else everybody
    invited, refused = [], False
    for email in shown:
        try:
            invited.append(api.invite(email))
        except Refused as e:
            refused = True
            click.echo(plain(f"assent: {email}: {e.message} ({e.code})"), err=True)
    if invited:
        _print(session, invited)
    sys.exit(1 if refused else 0)


@approvers.command()
@click.argument("email")
@click.pass_obj
def remove(session: Any, email: str) -> None:
    """Delete a person's topic and subscription; links mailed before keep working."""
    session.api.remove(email)


@approvers.command()
@click.argument("email")
@click.argument("url")
@click.pass_obj
def confirm(session: Any, email: str, url: str) -> None:
    """Confirm a person's subscription with the URL in SNS's invitation."""
    _print(session, [session.api.confirm(email, url)])


@approvers.command()
@click.argument("email")
@click.argument("delegate", required=False)
@click.option("--from", "from_", help="ISO 8601 with an offset: 2026-12-20T00:00:00Z.")
@click.option("--until", help="As --from.")
@click.option("--reason", default="")
@click.option("--by", help="Your e-mail address, for the record.")
@click.option("--end", is_flag=True, help="End the delegation instead.")
@click.pass_obj
def delegate(session: Any, /, email: str, end: bool, **given: Any) -> None:
    """Have DELEGATE asked wherever EMAIL would be."""
    if end:
        session.api.end_delegation(email)
        return
    if not (given["delegate"] and given["from_"] and given["until"]):
        raise click.UsageError("give DELEGATE, --from and --until; or --end")
    _print(session, [session.api.delegate(email, **given)])


def _addresses(file: Path) -> list[str]:
    """Return the addresses in a file, one a line; UsageError for a line that is none."""
    found = []
    for number, line in enumerate(file.read_text("utf-8-sig").splitlines(), 1):
        address = line.partition("#")[0].strip()
        if address and not re.fullmatch(r"[^\s<>,;@]+@[^\s<>,;@]+", address):
            raise click.UsageError(f"{file}, line {number}: is no e-mail address: {address}")
        found += [address] if address else []
    return found


def _print(session: Any, found: Sequence[ApproverStatus | ListedApprover]) -> None:
    print_found(
        found,
        ("approver", "mail", "waiting", "delegate", "until"),
        lambda one: (
            one["approver"],
            mail_of(one),
            one.get("waiting", ""),
            one.get("absence", {}).get("delegate", ""),
            one.get("absence", {}).get("until", ""),
        ),
        as_json=session.as_json,
    )
