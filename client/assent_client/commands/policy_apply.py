"""The command `policies apply`: shows what files would change, then writes it."""

import difflib
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import click
import yaml

from ..errors import InvalidRequest, NotFound, VersionConflict
from ..types import Policy
from .output import in_one_line, print_diff, print_json
from .policy_files import PATHS, PolicyFile, authors_alone, read_files, said

_CONTEXT = 3
"""Unchanged lines that are shown around a change."""


class Change(NamedTuple):
    """A file, the version in force (None if there is none), and what the API would write."""

    file: PolicyFile
    current: Policy | None
    wanted: Policy

    @property
    def kind(self) -> str:
        """`new`, `changed` or `none`."""
        if self.current is None:
            return "new"
        return "none" if self.current["policy"] == self.wanted["policy"] else "changed"

    @property
    def replaces(self) -> int:
        """The version in force; 0 if there is none."""
        return self.current["version"] if self.current else 0


@click.command()
@PATHS
@click.option("--yes", is_flag=True, help="Write without asking.")
@click.pass_obj
def apply(session: Any, paths: tuple[Path, ...], *, yes: bool) -> None:
    """Show what files, or all *.yaml, *.yml and *.json of a folder, would change; then write it.

    A terminal asks before it writes; elsewhere nothing is written without --yes, and the exit
    status is 1 if there is something to write. Nothing is written if any file is wrong.
    """
    files = read_files(paths)
    _end_if_any([said(one) for one in files if one.problem])
    api = session.api
    with authors_alone():
        changes = _planned(api, files)
    if not session.as_json:
        for change in changes:
            _show(change)
    wanted = [one for one in changes if one.kind != "none"]
    write = bool(wanted) and (yes or _is_agreed(len(wanted), may_ask=not session.as_json))
    written = _written(session, api, wanted) if write else {}
    if session.as_json:
        print_json([_as_json(one, written) for one in changes])
    if wanted and not write:
        click.echo("nothing is written; to write it: --yes", err=True)
    sys.exit(1 if len(written) < len(wanted) else 0)


def _planned(api: Any, files: Sequence[PolicyFile]) -> list[Change]:
    """Return what each file would change; end if the API refuses any."""
    found, wrong = list[Change](), list[str]()
    for file in files:
        try:
            current = api.policy(file.name)
        except NotFound:
            current = None
        try:
            found.append(
                Change(file, current, api.put_policy(file.name, file.policy, dry_run=True))
            )
        except InvalidRequest as e:
            wrong.append(f"{file.path}: {e.message} ({e.code})")
    _end_if_any(wrong)
    return found


def _end_if_any(wrong: Sequence[str]) -> None:
    """Say what is wrong with files, and end, if there is anything."""
    for one in wrong:
        click.echo(in_one_line(f"assent: {one}"), err=True)
    if wrong:
        click.echo("nothing is written", err=True)
        sys.exit(1)


def _is_agreed(number: int, *, may_ask: bool) -> bool:
    """Return whether a person at the terminal wants the changes; False without a terminal."""
    if not (may_ask and is_terminal()):
        return False
    what = "this policy" if number == 1 else f"these {number} policies"
    return click.confirm(f"Write {what}?", err=True)


def is_terminal() -> bool:
    """Return whether a person can read the changes and answer."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def _written(session: Any, api: Any, changes: Sequence[Change]) -> dict[str, int]:
    """Write policies; return name -> version of those that nobody else has written meanwhile."""
    done = dict[str, int]()
    for one in changes:
        file = one.file
        try:
            written = api.put_policy(file.name, file.policy, replaces=one.replaces)
        except VersionConflict as e:
            click.echo(in_one_line(f"assent: {file.path}: {e.message} ({e.code})"), err=True)
            continue
        done[file.name] = written["version"]
        if not session.as_json:
            click.echo(in_one_line(f"{file.name}: wrote version {written['version']}"))
    return done


def _as_json(change: Change, written: dict[str, int]) -> dict[str, Any]:
    name = change.file.name
    return {
        "name": name,
        "file": str(change.file.path),
        "change": change.kind,
        "replaces": change.replaces,
        "written": written.get(name),
        "policy": change.wanted["policy"],
    }


def _show(change: Change) -> None:
    name, before = change.file.name, change.replaces
    if change.kind == "none":
        click.echo(in_one_line(f"{name}: no change (version {before})"))
        return
    which = f"version {before} -> {change.wanted['version']}" if before else "new"
    click.echo(in_one_line(f"{name}: {which}"))
    print_diff(_difference(_lines(change.current), _lines(change.wanted)))


def _lines(policy: Policy | None) -> list[str]:
    """Return a policy as lines of YAML, without the fields that say nothing."""
    if policy is None:
        return []
    told = {name: value for name, value in policy["policy"].items() if value not in (None, "", [])}
    text: str = yaml.safe_dump(told, sort_keys=False, allow_unicode=True, width=10**6)
    return text.splitlines()


def _difference(before: list[str], after: list[str]) -> Iterator[str]:
    """Yield the lines that differ and those around them; each part names its group."""
    lines = difflib.unified_diff(before, after, lineterm="", n=_CONTEXT)
    for line in list(lines)[2:]:
        if not line.startswith("@@"):
            yield line
        elif begin := int(line.split("+")[1].split()[0].partition(",")[0]) - 1:
            yield f"@@ {_group_at(after[:begin])}".rstrip()


def _group_at(lines: list[str]) -> str:
    """Return in which group a policy's next line is; "" if it is in none."""
    fields = [at for at, one in enumerate(lines) if not one.startswith((" ", "- "))]
    group = next((one for one in lines[: fields[-1] : -1] if one.startswith("- name: ")), "")
    return group.replace("- name:", "group", 1)
