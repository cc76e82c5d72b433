"""What commands print: tables for people, JSON for programs; text of others as plain text."""

import json
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import click
from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

_Row = TypeVar("_Row")
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)
"""Control characters, which a terminal obeys, and marks that reorder text."""
_PIPE_WIDTH = 200
"""The columns of a line where standard output is no terminal."""
_FOLDED = 40
"""So many columns may be saved by folding texts; more would make a comb of them."""
_LONGEST_WORD = 40
"""A longer word of a column may be folded."""
_UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60))


def plain(text: object) -> str:
    """Return text that somebody else wrote as a terminal may show it."""
    shown = str(text).replace("\r\n", "\n").replace("\t", " ")
    return _UNSEEN.sub("\N{REPLACEMENT CHARACTER}", shown)


def in_one_line(text: object) -> str:
    """Return text that somebody else wrote as one line that a terminal may show."""
    return " ".join(plain(text).split())


def print_json(value: Any) -> None:
    """Print JSON; only ASCII, so that no character in it does anything."""
    click.echo(json.dumps(value, indent=2))


def print_found(
    found: Sequence[_Row],
    columns: Sequence[str],
    row: Callable[[_Row], Sequence[object]],
    *,
    as_json: bool,
) -> None:
    """Print what a list holds, a row each, or as JSON; says on standard error if it's empty."""
    if as_json:
        print_json(found)
    elif found:
        print_table(columns, map(row, found))
    else:
        click.echo("there are none", err=True)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table; in a terminal that is too narrow, each row as a block of lines.

    Every cell is text, with no markup in it.
    """
    cells = [[plain(cell) for cell in row] for row in rows]
    texts = ["\n".join(column) for column in zip(columns, *cells, strict=True)]
    widths = [max(map(cell_len, text.split("\n"))) for text in texts]
    least = [min(_LONGEST_WORD, max(map(cell_len, text.split()))) for text in texts]
    least[0] = widths[0]  # An id or an address stays in one piece, to be copied.
    room = console().width - 2 * len(widths)
    if sum(widths) > room + _FOLDED or sum(least) > room:
        for row in cells:
            print_facts(zip(columns, row, strict=True))
            click.echo()
        return
    while sum(widths) > room:
        slack = [wide - narrow for wide, narrow in zip(widths, least, strict=True)]
        widths[slack.index(max(slack))] -= 1
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column, width in zip(columns, widths, strict=True):
        table.add_column(column, overflow="fold", width=width)
    for row in cells:
        table.add_row(*map(Text, row))
    _print(table)


def print_facts(facts: Iterable[tuple[str, object]]) -> None:
    """Print names and values, each in a line."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for name, value in facts:
        table.add_row(Text(plain(name)), Text(plain(value)))
    _print(table)


def print_marked(mark: str, style: str, part: str, said: str, todo: str) -> None:
    """Print a marked line about a part, and below it what to do, if there is anything."""
    line = Table.grid(padding=(0, 1))
    line.add_column(width=5)
    line.add_column(width=13)
    line.add_column(overflow="fold")
    line.add_row(Text(mark, style), Text(part, "bold"), Text(plain(said)))
    if todo:
        line.add_row("", "", Text(f"-> {plain(todo)}", "cyan"))
    _print(line)


def print_diff(lines: Iterable[str]) -> None:
    """Print the lines of a difference, in colour in a terminal; none of them is folded."""
    styles = {"+": "green", "-": "red", "@": "cyan"}
    for line in lines:
        _print(Text(plain(line), styles.get(line[:1], "")), soft_wrap=True)


def _print(shown: RenderableType, *, soft_wrap: bool = False) -> None:
    """Print a table or text; without the blanks at the ends of lines, which no pipe wants."""
    out = console()
    with out.capture() as captured:
        out.print(shown, soft_wrap=soft_wrap)
    for line in captured.get().splitlines():
        click.echo(line.rstrip())


def console() -> Console:
    """Return the terminal, or what standard output is; a pipe gets whole lines."""
    width = None if sys.stdout.isatty() else _PIPE_WIDTH
    return Console(file=sys.stdout, width=width, highlight=False, markup=False, emoji=False)


def left(expires_at: str, now: datetime | None = None) -> str:
    """Return the time until then in words, in its largest unit: `2 days`."""
    until = datetime.fromisoformat(expires_at) - (now or datetime.now(UTC))
    return "over" if until <= timedelta() else words(until)


def time_of(at: str, *, seconds: bool = False) -> str:
    """Return a time of the API as people read it: `2026-11-22 09:12 UTC`."""
    form = "%Y-%m-%d %H:%M:%S" if seconds else "%Y-%m-%d %H:%M"
    return f"{datetime.fromisoformat(at).astimezone(UTC):{form}} UTC"


def words(duration: timedelta) -> str:
    """Return a duration in words, in its largest unit."""
    seconds = int(duration.total_seconds())
    for unit, size in _UNITS:
        if seconds >= size:
            number = seconds // size
            return f"{number} {unit}{'s' if number > 1 else ''}"
    return f"{seconds} seconds"


def mail_of(person: Any) -> str:
    """Return in words whether mail reaches that person."""
    words = {
        "none": "not invited",
        "pending": "invited, has to confirm",
        "refused": f"refused: {person.get('refusal', 'unknown')}",
        "unknown": "SNS doesn't answer now",
    }
    subscription: str = person["subscription"]
    return words.get(subscription, subscription)


def outcome_of(approval: Any) -> str:
    """Return the outcome in words; `approved alone (break-glass)` if one person approved it."""
    outcome = str(approval["outcome"])
    return f"{outcome} alone (break-glass)" if approval.get("breakGlass") else outcome


def approvals_of(approval: Any) -> str:
    """Return how many have approved of how many that are needed; under a policy, by group."""
    if groups := approval.get("groups"):
        return ", ".join(
            f"{one['name']} {one['approvals']} of {one['approvalsNeeded']}" for one in groups
        )
    return f"{approval['approvals']} of {approval['approvalsNeeded']}"
