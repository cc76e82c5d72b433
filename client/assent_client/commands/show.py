"""The commands `show` and `report`: one approval and all that happened."""

from collections.abc import Iterator
from typing import Any

import click

from ..types import Approval, Event
from .output import (
    approvals_of,
    left,
    outcome_of,
    plain,
    print_facts,
    print_json,
    print_table,
    time_of,
)

SENTENCES = {
    "requested": "asked by {who}",
    "delegated": "delegated by {who}",
    "approved": "{who} approved",
    "rejected": "{who} rejected",
    "wrongCode": "{who} sent a wrong code",
    "cancelled": "cancelled by {who}",
    "reminded": "reminders asked for by {who}",
    "extended": "deadline moved by {who}",
    "reassigned": "reassigned by {who}",
    "escalated": "escalated: others are asked too",
    "expired": "the deadline passed",
    "mailed": "mailed to {who}",
    "invited": "SNS invited {who}, who has to confirm",
    "unconfirmed": "{who} hasn't confirmed, so no mail was sent",
    "refused": "mail to {who} was refused",
    "undelivered": "mail to {who} was given up",
    "resumed": "the execution was resumed",
    "announced": "put on the event bus",
    "undecidable": "can't be approved any more",
    "decidable": "can be approved again",
    "erased": "personal data erased by {who}",
}
"""Kind of event -> what happened; a kind that isn't here is shown as it is."""
WHY = {
    "invited": "invited just now, has to confirm",
    "unconfirmed": "hasn't confirmed the invitation",
}
"""Why a mail waits."""


@click.command()
@click.argument("approval")
@click.option("--execution", is_flag=True, help="APPROVAL is the name of an execution.")
@click.pass_obj
def show(session: Any, approval: str, execution: bool) -> None:
    """Show one approval: what was asked, who has decided, and all that happened."""
    api = session.api
    found = api.execution(approval)["approval"] if execution else api.approval(approval)
    if session.as_json:
        print_json(found)
    elif found is None:
        click.echo("this execution has asked nobody yet", err=True)
    else:
        _print(found)


@click.command()
@click.argument("approval")
@click.pass_obj
def report(session: Any, approval: str) -> None:
    """Print the audit report of an approval."""
    lines = session.api.report(approval).splitlines()
    click.echo("\n".join(plain(line) for line in lines))


def _print(approval: Approval) -> None:
    is_open = approval["outcome"] == "pending"
    decided = [one for one in approval["approvers"] if one["decision"]]
    facts = [
        ("subject", approval["subject"]),
        ("outcome", outcome_of(approval)),
        ("asked by", approval["requestedBy"] or "the workflow"),
        ("execution", approval["executionArn"]),
        *_policy(approval),
        ("needed", f"{_needed(approval)}; {len(decided)} decided"),
        ("deadline", _deadline(approval) if is_open else time_of(approval["expiresAt"])),
    ]
    if trouble := approval.get("undecidable"):
        facts.append(("trouble", f"can't be approved any more: {trouble}"))
    if not is_open and approval["closedAt"]:
        facts.append(("closed", time_of(approval["closedAt"])))
    print_facts(facts)
    details = approval["details"]
    if details:
        click.echo()
        rows = details.items() if isinstance(details, dict) else [("details", details)]
        print_facts(rows)
    click.echo()
    print_table(
        ("approver", "decision or mail", "reason or note"),
        ((_who(one), _stands(one), _said(one)) for one in approval["approvers"]),
    )
    click.echo()
    print_table(("when", "what", "note"), _timeline(approval))


def _policy(approval: Approval) -> list[tuple[str, str]]:
    """Return the policy that it was asked under, as a fact; nothing without one."""
    if "policy" not in approval:
        return []
    return [("policy", f"{approval['policy']['name']}, version {approval['policy']['version']}")]


def _needed(approval: Approval) -> str:
    """Return how many have to approve; under a policy, how far each group is."""
    if "groups" in approval:
        return approvals_of(approval)
    asked = [one for one in approval["approvers"] if not one.get("replacedBy")]
    return f"{approval['approvalsNeeded']} of {len(asked)} have to approve"


def _deadline(approval: Approval) -> str:
    return f"{time_of(approval['expiresAt'])}, {left(approval['expiresAt'])} left"


def _who(approver: Any) -> str:
    """Return the address, with the person's groups under a policy."""
    groups = ", ".join(approver.get("groups", []))
    return f"{approver['approver']} ({groups})" if groups else str(approver["approver"])


def _stands(approver: Any) -> str:
    """Return the decision of an approver, or what became of their mail."""
    if approver["decision"]:
        decision = approver["decision"]
        past = "approved" if decision["decision"] == "approve" else "rejected"
        alone = " alone (break-glass)" if decision.get("breakGlass") else ""
        group = f" for {decision['group']}" if "group" in decision else ""
        return f"{past}{alone}{group} on {time_of(decision['decidedAt'])}"
    if "replacedBy" in approver:
        return f"replaced by {approver['replacedBy']}"
    if approver.get("why") == "refused":
        return f"mail is refused: {approver.get('refusal', 'unknown')}"
    if approver.get("groups") == []:
        return "may approve alone"
    mail = {"sent": "mailed", "waiting": "mail is on its way", "failed": "mail failed"}
    return WHY.get(approver.get("why", "")) or mail[approver["mail"]]


def _said(approver: Any) -> str:
    decision = approver["decision"]
    return str(decision["reason"] if decision else approver.get("note", ""))


def _timeline(approval: Approval) -> Iterator[tuple[str, str, str]]:
    """Yield time, words and note of each event."""
    if folded := approval.get("foldedEvents"):
        yield "", f"{folded} older events are counted, not kept", ""
    for event in approval["events"]:
        by_workflow = event["who"] == approval["executionArn"]
        who = "the workflow" if by_workflow else event["who"]
        yield time_of(event["at"], seconds=True), _happened(event, who), _noted(event)


def _happened(event: Event, who: str) -> str:
    sentence = SENTENCES.get(event["what"], f"{event['what']}: {{who}}")
    claimed = event.get("principal", event["who"])
    signed = "" if claimed == event["who"] else f" (signed by {claimed})"
    return sentence.replace("{who}", who) + f"{signed} [{event['via']}]"


def _noted(event: Event) -> str:
    return " - ".join(text for text in (event["note"], event.get("why")) if text)
