"""Commands of policies: list, show, check, delete; `apply` is in policy_apply."""

import sys
from pathlib import Path
from typing import Any

import click

from ..policy_rules import needed_of
from ..types import Policy
from .output import in_one_line, mail_of, print_facts, print_found, print_json, print_table, time_of
from .policy_apply import apply
from .policy_files import PATHS, authors_alone, read_files, said


@click.group()
def policies() -> None:
    """Keep policies, which say who may approve, in files: check, apply, list, show, delete."""


@policies.command("list")
@click.pass_obj
def list_policies(session: Any) -> None:
    """List the policies, last written first."""
    print_found(
        list(session.api.policies()),
        ("name", "version", "groups", "waiting", "written at"),
        lambda one: (
            one["name"],
            one["version"],
            ", ".join(_counted(group) for group in one["policy"]["groups"]),
            _many(one.get("waiting", 0)),
            time_of(one["writtenAt"]),
        ),
        as_json=session.as_json,
    )


@policies.command()
@click.argument("name")
@click.option("--version", type=click.IntRange(min=1), help="An older version.")
@click.option("--check", is_flag=True, help="Also say whether mail reaches its people; 1 if not.")
@click.pass_obj
def show(session: Any, /, name: str, **which: Any) -> None:
    """Show a policy."""
    found = session.api.policy(name, **which)
    if session.as_json:
        print_json(found)
    else:
        _print(found)
    sys.exit(1 if found.get("problems") else 0)


@policies.command()
@PATHS
@click.pass_obj
def check(session: Any, paths: tuple[Path, ...]) -> None:
    """Check files, or all *.yaml, *.yml and *.json of a folder; 1 if one is wrong.

    Needs no credentials and no API. It can't know which mail domains a stage allows.
    """
    files = read_files(paths)
    if session.as_json:
        print_json(
            [
                {
                    "file": str(one.path),
                    "name": one.name,
                    "problem": one.problem and one.problem._asdict(),
                }
                for one in files
            ]
        )
    else:
        click.echo("\n".join(in_one_line(said(one)) for one in files))
    sys.exit(1 if any(one.problem for one in files) else 0)


@policies.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Ask nothing.")
@click.pass_obj
def delete(session: Any, name: str, *, yes: bool) -> None:
    """Delete a policy: nothing is asked under it any more, and what waits goes on."""
    api = session.api
    found = api.policy(name)
    version, waiting = found["version"], found.get("waiting", 0)
    words = {0: "nothing waits under it", 1: "1 request waits under it and goes on"}
    goes_on = words.get(waiting, f"{_many(waiting)} requests wait under it and go on")
    if not yes:
        click.confirm(
            in_one_line(f"Delete {name}, version {version}? {goes_on}."), abort=True, err=True
        )
    with authors_alone():
        api.delete_policy(name, replaces=version)
    if session.as_json:
        print_json({"name": name, "version": version, "waiting": waiting})
    else:
        click.echo(in_one_line(f"{name} is deleted, as version {version + 1}; {goes_on}"))


policies.add_command(apply)


def _print(found: Policy) -> None:
    policy = found["policy"]
    escalation = policy.get("escalation")
    deleted = " (deleted)" if found.get("deleted") else ""
    facts = [
        ("name", found["name"]),
        ("version", f"{found['version']}{deleted}"),
        ("written", f"{time_of(found['writtenAt'])} by {found['writtenBy']}"),
        ("description", policy.get("description", "")),
        ("requesters", "\n".join(policy.get("requesters", [])) or "everybody"),
        ("own requests", "may be approved" if policy.get("allowSelfApproval") else ""),
        ("rejections", f"{policy.get('rejectionsNeeded', 1)} needed to reject"),
        ("reason", policy.get("reasonRequired", "")),
        ("code", "required" if policy.get("codeRequired") else ""),
        ("expires in", _seconds(policy.get("expiresIn"))),
        ("reminders", _seconds(policy.get("remindEvery"))),
        ("break-glass", "\n".join(policy.get("breakGlass", []))),
    ]
    if escalation:
        into = f" for {escalation['group']}" if escalation.get("group") else ""
        people = "\n".join(escalation["approvers"])
        facts.append(("escalation", f"after {escalation['after']} seconds{into}\n{people}"))
    print_facts((name, value) for name, value in facts if value)
    click.echo()
    groups = policy["groups"]
    print_table(
        ("group", "needed", "approvers"),
        ((one["name"], _needed(one), "\n".join(one["approvers"])) for one in groups),
    )
    if "people" in found:
        click.echo()
        reached = ((one["approver"], mail_of(one)) for one in found["people"])
        print_table(("person", "mail"), reached)
    for problem in found.get("problems", []):
        click.echo(in_one_line(f"problem: {problem}"))


def _needed(group: Any) -> str:
    return f"{needed_of(group)} of {len(group['approvers'])}"


def _counted(group: Any) -> str:
    return f"{group['name']} {_needed(group)}"


def _seconds(number: int | None) -> str:
    return "" if number is None else f"{number} seconds"


def _many(waiting: int) -> str:
    """Return how many requests wait; the API counts to 100."""
    return "100 or more" if waiting >= 100 else str(waiting)
