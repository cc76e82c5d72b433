"""The command `list`: approvals by outcome, by person, by deadline."""

from typing import Any

import click

from ..types import Summary
from .output import approvals_of, left, outcome_of, print_found, time_of


@click.command("list")
@click.option(
    "--outcome", type=click.Choice(["pending", "approved", "rejected", "expired", "cancelled"])
)
@click.option("--approver", help="What waits for this person, soonest deadline first.")
@click.option("--requested-by", help="What this person asked, newest first.")
@click.option("--policy", help="What waits under this policy, soonest deadline first.")
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
        raise click.UsageError(
            "give one of --outcome, --approver, --requested-by, --policy and --due"
        )
    if "requested_by" in which:
        which = {"requestedBy": which["requested_by"]}
    found = []
    for one in session.api.approvals(page=min(limit, 100), **which):
        found.append(one)
        if len(found) == limit:
            break
    print_found(
        found,
        ("id", "subject", "requested by", "approvals", "waits for", "time left"),
        lambda one: (
            one["id"],
            one["subject"],
            one["requestedBy"] or "",
            approvals_of(one).replace(", ", "\n"),
            "\n".join(_waiting(one)) or outcome_of(one),
            _when(one),
        ),
        as_json=session.as_json,
    )


def _waiting(approval: Summary) -> list[str]:
    """Return for whom it waits, each with what became of their mail."""
    return [f"{one['approver']}: {one['mail']}" for one in approval["approvers"] if one["mail"]]


def _when(approval: Summary) -> str:
    """Return the time that is left, or when it was closed."""
    if approval["outcome"] == "pending" or approval["closedAt"] is None:
        return left(approval["expiresAt"])
    return time_of(approval["closedAt"])
