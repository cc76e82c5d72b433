"""The command `start`: asks, and waits for the outcome if told to."""

import sys
from typing import Any

import click

from .inputs import Detail, Duration, request_in
from .output import plain, print_json
from .waiting import wait_for


@click.command()
@click.option("--subject", help="What is asked, in one line.")
@click.option("--approver", "approvers", multiple=True, help="Whom to ask; may be repeated.")
@click.option("--policy", help="The policy that says who is asked, in place of --approver.")
@click.option("--detail", "details", type=Detail(), multiple=True, help="May be repeated.")
@click.option("--needed", help="How many approvals are needed, or all.")
@click.option("--requested-by", help="The requester's e-mail address.")
@click.option("--expires-in", type=Duration(), help="3d, 12h, 30m or seconds; 7 days if not given.")
@click.option("--remind-every", type=Duration(), help="The first interval of reminders.")
@click.option(
    "--code-required", is_flag=True, help="Each mail holds a code that its page asks for."
)
@click.option(
    "--file",
    "file",
    type=click.File("r", encoding="utf-8"),
    help="The request, any field of it, as JSON or YAML; - for stdin.",
)
@click.option("--key", help="The execution's name: the same call again is the same execution.")
@click.option("--wait", is_flag=True, help="Wait for the outcome; 0 is approved, 1 any other.")
@click.pass_obj
def start(session: Any, /, file: Any, key: str | None, wait: bool, **fields: Any) -> None:
    """Ask: start an execution, and print its name."""
    request = request_in(file.read()) if file else {}
    request |= _request(**fields)
    started = session.api.start(request, key)
    if session.as_json:
        print_json(started)
    else:
        click.echo(plain(started["execution"]))
    if wait:
        sys.exit(wait_for(session, started["execution"]))


def _request(**given: Any) -> dict[str, Any]:
    needed = given["needed"] or ""
    is_number = needed.isascii() and needed.isdigit() and len(needed) < 10
    fields = {
        "subject": given["subject"],
        "approvers": list(given["approvers"]),
        "policy": given["policy"],
        "details": dict(given["details"]),
        "approvalsNeeded": int(needed) if is_number else needed,
        "requestedBy": given["requested_by"],
        "expiresIn": given["expires_in"],
        "remindEvery": given["remind_every"],
        "codeRequired": given["code_required"],
    }
    return {name: value for name, value in fields.items() if value}
