"""The command `export`: approvals of a time, as CSV or JSON lines, written as they are read."""

import csv
import io
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

import click

from ..types import Summary
from .inputs import Moment
from .output import approvals_of, plain

OUTCOMES = ("pending", "approved", "rejected", "expired", "cancelled")
COLUMNS = (
    *("id", "outcome", "subject", "requestedBy", "createdAt", "expiresAt", "closedAt"),
    *("approvalsNeeded", "approvals", "rejections", "waitsFor", "executionArn"),
    *("policy", "policyVersion", "groups", "breakGlass"),
)
_HEAD = ",".join(COLUMNS)
_ROW = re.compile(r'\{"id": "[a-z2-7]{26}", ')
"""How a row of JSON lines begins."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet computes a cell that begins with one of these."""


@click.command()
@click.option(
    "--from", "since", type=Moment(), required=True, help="A day or a time in UTC: 2026-11-01."
)
@click.option(
    "--to", "before", type=Moment(), default="9999", help="Up to this day or time, exclusive."
)
@click.option("--format", "form", type=click.Choice(["csv", "jsonl"]), default="csv")
@click.option(
    "--file",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Goes on where an earlier export into it has ended.",
)
@click.pass_obj
def export(session: Any, since: str, before: str, form: str, file: Path | None) -> None:
    """Export the approvals that were made in a time, newest first for each outcome."""
    written = _ids_in(file, form) if file and file.exists() else set[str]()
    out: TextIO = sys.stdout if file is None else file.open("a", encoding="utf-8", newline="")
    write = csv.writer(out)
    if form == "csv" and (file is None or not file.stat().st_size):
        write.writerow(COLUMNS)
    try:
        for approval in _made(session.api, since, before):
            if approval["id"] in written:
                continue
            if form == "csv":
                write.writerow([_cell(value) for value in _columns(approval)])
            else:
                out.write(json.dumps(approval) + "\n")
            out.flush()
    finally:
        if file is not None:
            out.close()


def _made(api: Any, since: str, before: str) -> Iterator[Summary]:
    """Yield the approvals made in that time; an approval that closes meanwhile comes once."""
    seen = set[str]()
    for outcome in OUTCOMES:
        for approval in api.approvals(outcome=outcome, page=100):
            if approval["createdAt"] < since:
                break
            if approval["createdAt"] < before and approval["id"] not in seen:
                seen.add(approval["id"])
                yield approval


def _ids_in(file: Path, form: str) -> set[str]:
    """Return the ids that an earlier export wrote; a last line that was cut off is removed.

    Raises UsageError for a file that is none, and leaves it as it is.
    """
    if not file.is_file():
        raise click.UsageError(f"{file} is no regular file")
    with file.open(encoding="utf-8", newline="") as opened:
        text = opened.read()
    whole = text[: text.rfind("\n") + 1]
    ids = _ids_of_rows(whole, form) if not text or _begins(text, form) else None
    if ids is None or len(set(ids)) != len(ids):
        raise click.UsageError(f"{file} isn't an earlier export as {form}: give another --file")
    if whole != text:
        file.write_text(whole, "utf-8", newline="")
    return set(ids)


def _begins(text: str, form: str) -> bool:
    """Return whether an export begins so, also one that was broken off in its first line."""
    if form == "jsonl":
        return bool(_ROW.match(text))
    return text.startswith(_HEAD) or (len(text) >= len("id,outcome") and _HEAD.startswith(text))


def _ids_of_rows(text: str, form: str) -> list[str] | None:
    """Return the id of each row; None if a row isn't an export's."""
    try:
        if form == "jsonl":
            approvals = [json.loads(line) for line in text.split("\n") if line]
            return [str(_columns(one)[0]) for one in approvals]
        rows = list(csv.reader(io.StringIO(text, newline="")))[1:]
    except (LookupError, TypeError, ValueError, csv.Error, RecursionError):
        return None
    return [row[0] for row in rows] if all(len(row) == len(COLUMNS) for row in rows) else None


def _columns(approval: Any) -> list[object]:
    """Return what COLUMNS names; the last four are empty without a policy."""
    policy = approval.get("policy", {})
    under = {
        "policy": policy.get("name", ""),
        "policyVersion": policy.get("version", ""),
        "groups": approvals_of(approval) if policy else "",
        "breakGlass": "yes" if approval.get("breakGlass") else "",
    }
    return [under[name] if name in under else approval[name] for name in COLUMNS]


def _cell(value: object) -> object:
    """Return a value as a spreadsheet shows it, whatever it begins with."""
    if isinstance(value, list):
        return _cell(", ".join(value))
    if isinstance(value, str):
        computed = value.startswith(_FORMULA) or value.lstrip().startswith(_FORMULA)
        return f"'{plain(value)}" if computed else plain(value)
    return value
