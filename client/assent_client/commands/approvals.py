"""Commands of requests and approvals: start, list, show, cancel, remind, extend, reassign."""

import sys
import time
from typing import Any

import click

from ..errors import NotFound
from ..types import Approval, Summary
from .inputs import Detail, Duration, request_in
from .output import console, left, plain, print_facts, print_json, print_table

POLL = 3.0
"""Seconds between two looks at an execution that is waited for."""
REASON = click.option("--reason", default="", help="Why; people are shown it.")
BY = click.option("--by", help="Your e-mail address, for the record.")


@click.command()
@click.option("--subject", help="What is asked, in one line.")
@click.option("--approver", "approvers", multiple=True, help="Whom to ask; may be repeated.")
@click.option("--detail", "details", type=Detail(), multiple=True, help="May be repeated.")
@click.option("--needed", help="How many approvals are needed, or all.")
@click.option("--requested-by", help="The requester's e-mail address.")
@click.option("--expires-in", type=Duration(), help="3d, 12h, 30m or seconds; 7 days if not given.")
@click.option("--remind-every", type=Duration(), help="The first interval of reminders.")
@click.option(
    "--code-required", is_flag=True, help="Each mail holds a code that its page asks for."
)
@click.option(
    "--file", "file", type=click.File("r", encoding="utf-8"), help="JSON or YAML; - for stdin"
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
        click.echo(started["execution"])
    if wait:
        sys.exit(_wait(session, started["execution"]))


def _request(**given: Any) -> dict[str, Any]:
    needed = given["needed"]
    fields = {
        "subject": given["subject"],
        "approvers": list(given["approvers"]),
        "details": dict(given["details"]),
        "approvalsNeeded": int(needed) if needed and needed.isdigit() else needed,
        "requestedBy": given["requested_by"],
        "expiresIn": given["expires_in"],
        "remindEvery": given["remind_every"],
        "codeRequired": given["code_required"],
    }
    return {name: value for name, value in fields.items() if value}


def _wait(session: Any, name: str) -> int:
    """Return 0 once the execution has ended as approved, 1 if otherwise, 130 at Ctrl-C."""
    try:
        return 0 if _outcome(session, name) == "approved" else 1
    except KeyboardInterrupt:
        click.echo(f"the request still waits; see: assent show --execution {name}", err=True)
        return 130


def _outcome(session: Any, name: str) -> str:
    """Wait until the execution has ended; return its outcome, or how it ended without one."""
    said = ""
    api = session.api
    while True:
        try:
            found = api.execution(name)
        except NotFound:  # Step Functions shows an execution some moments after its start.
            time.sleep(POLL)
            continue
        approval = found["approval"]
        if approval is not None and not session.as_json:
            now = _standing(approval)
            if now != said:
                click.echo(now, err=True)
            said = now
        if found["status"] not in ("RUNNING", "PENDING_REDRIVE"):
            return str(found["outcome"] or found["status"].lower())
        time.sleep(POLL)


def _standing(approval: Approval) -> str:
    decided = [
        f"{one['approver']}: {one['decision']['decision']}"
        for one in approval["approvers"]
        if one["decision"] is not None
    ]
    waits = [one["approver"] for one in approval["approvers"] if one["decision"] is None]
    if approval["outcome"] != "pending":
        return plain(f"{approval['outcome']} ({', '.join(decided) or 'nobody decided'})")
    return plain(f"waits for {', '.join(waits)}; {', '.join(decided) or 'nobody has decided'}")


@click.command("list")
@click.option(
    "--outcome", type=click.Choice(["pending", "approved", "rejected", "expired", "cancelled"])
)
@click.option("--approver", help="What waits for this person, soonest deadline first.")
@click.option("--requested-by", help="What this person asked, newest first.")
@click.option(
    "--due",
    type=click.Choice(["overdue", "soon"]),
    help="What should have been done ten minutes ago; what has to be decided within a day.",
)
@click.option("--limit", type=click.IntRange(min=1), default=50, help="How many at the most.")
@click.pass_obj
def list_approvals(session: Any, /, limit: int, **given: str | None) -> None:
    """List approvals: what is pending, newest first, or what one option says."""
    which = {name: value for name, value in given.items() if value}
    if len(which) > 1:
        raise click.UsageError("give one of --outcome, --approver, --requested-by and --due")
    if "requested_by" in which:
        which = {"requestedBy": which["requested_by"]}
    found = []
    for one in session.api.approvals(page=min(limit, 100), **which):
        found.append(one)
        if len(found) == limit:
            break
    if session.as_json:
        print_json(found)
        return
    rows = (
        (
            one["id"],
            one["subject"],
            one["requestedBy"] or "",
            f"{one['approvals']} of {one['approvalsNeeded']}",
            "\n".join(_waiting(one)) or one["outcome"],
            left(one["expiresAt"]) if one["outcome"] == "pending" else one["closedAt"] or "",
        )
        for one in found
    )
    columns = ("id", "subject", "requested by", "approvals", "waits for", "time left, or closed")
    if found:
        print_table(columns, rows)
    else:
        click.echo("there are none", err=True)


def _waiting(approval: Summary) -> list[str]:
    """Return for whom it waits, each with what became of their mail."""
    return [f"{one['approver']}: {one['mail']}" for one in approval["approvers"] if one["mail"]]


@click.command()
@click.argument("approval")
@click.option("--execution", is_flag=True, help="APPROVAL is the name of an execution.")
@click.pass_obj
def show(session: Any, approval: str, execution: bool) -> None:
    """Show one approval: who is asked, who has decided, and all that happened."""
    api = session.api
    found = api.execution(approval)["approval"] if execution else api.approval(approval)
    if session.as_json:
        print_json(found)
        return
    if found is None:
        click.echo("this execution has asked nobody yet", err=True)
        return
    print_facts(
        [
            ("subject", found["subject"]),
            ("outcome", found["outcome"]),
            ("requested by", found["requestedBy"] or found["executionArn"]),
            ("deadline", found["expiresAt"]),
            ("needed", f"{found['approvalsNeeded']} of {len(found['approvers'])}"),
        ]
    )
    console().print()
    print_table(
        ("approver", "mail", "decision", "reason"),
        (
            (
                one["approver"],
                _mail(one),
                one["decision"]["decision"] if one["decision"] else one.get("replacedBy", ""),
                one["decision"]["reason"] if one["decision"] else "",
            )
            for one in found["approvers"]
        ),
    )
    console().print()
    print_table(
        ("at", "what", "who", "note"),
        (
            (event["at"], event["what"], event["who"], event.get("why") or event["note"])
            for event in found["events"]
        ),
    )


def _mail(approver: Any) -> str:
    """Return in words whether mail reaches that approver."""
    why = {
        "invited": "invited just now, has to confirm",
        "unconfirmed": "hasn't confirmed the invitation",
        "refused": f"SNS refuses: {approver.get('refusal', 'unknown')}",
    }
    return why.get(approver.get("why", ""), str(approver["mail"]))


@click.command()
@click.argument("approval")
@click.pass_obj
def report(session: Any, approval: str) -> None:
    """Print the audit report of an approval."""
    lines = session.api.report(approval).splitlines()
    click.echo("\n".join(plain(line) for line in lines))


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


def _changed(session: Any, approval: Approval) -> None:
    if session.as_json:
        print_json(approval)
    else:
        click.echo(_standing(approval))


COMMANDS = (start, list_approvals, show, report, cancel, remind, extend, reassign)
