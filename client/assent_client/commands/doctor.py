"""The command `doctor`: looks at all that a stage needs, and says what to do."""

import sys
from collections.abc import Iterator
from typing import Any

import click

from ..checks import api as api_checks
from ..checks import deployed, stored
from ..checks.account import Account
from ..checks.finding import Finding, looked_at, ok
from .output import print_json, print_marked

CHECKS = {
    "stack": deployed.stack,
    "functions": deployed.functions,
    "roles": deployed.roles,
    "public URL": deployed.public_url,
    "queues": deployed.queues,
    "schedule": deployed.schedule,
    "state machine": deployed.state_machine,
    "table": stored.table,
    "backup": stored.backup,
    "dead letters": stored.dead_letters,
    "alarms": stored.alarms,
}
"""Part of the account -> its check."""
API_CHECKS = {
    "tick": api_checks.overdue,
    "approvers": api_checks.approvers,
    "policies": api_checks.policies,
}
"""What the operators' routes tell -> its check."""
MARKS = {"ok": ("ok", "green"), "wrong": ("WRONG", "bold red"), "unknown": ("?", "yellow")}
"""State -> word and style."""


@click.command()
@click.option("--stack", help="The stack's name, if it isn't assent-<stage>.")
@click.pass_obj
def doctor(session: Any, stack: str | None) -> None:
    """Look at all that a stage needs, and say what to do; 1 if something is wrong.

    Reads the account too: docs/doctor-policy.json has the permissions. What may not be read is
    marked with a question mark.
    """
    found: list[Finding] = []
    for finding in _findings(session.api, stack):
        if (finding.said, finding.todo) in ((one.said, one.todo) for one in found):
            continue  # One refusal may stop several checks.
        found.append(finding)
        if not session.as_json:
            print_marked(*MARKS[finding.state], finding.part, finding.said, finding.todo)
    if session.as_json:
        print_json([one._asdict() for one in found])
    sys.exit(1 if any(one.state == "wrong" for one in found) else 0)


def _findings(api: Any, stack: str | None) -> Iterator[Finding]:
    stage, answer = api_checks.stage_of(api.url)
    account = Account(api.session, api.region, stage, stack or f"assent-{stage}")
    yield ok("API", f"stage {stage} answers at {api.url}")
    yield from api_checks.clock(answer)
    yield from api_checks.permission(api)
    for part, check in CHECKS.items():
        yield from looked_at(part, check(account), account.deploy)
    for part, api_check in API_CHECKS.items():
        yield from looked_at(part, api_check(api), "see the line about permission")
