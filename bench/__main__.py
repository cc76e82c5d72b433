"""`make bench`: measures Assent, prints tables, and writes them into the documents.

docs/figures.json has every figure, docs/performance.md the tables, README.md one row. `ONLY=cold`
measures one section; the others keep their figures.
"""

import json
import os
import platform
import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
from rich.console import Console

from bench.counting import counting
from bench.growth import growth
from bench.memory import memory
from bench.packages import ROOT, Packages, package_assent, package_bare
from bench.people import people
from bench.price import price
from bench.report import Spread, Table, from_json, text
from bench.requests import cold, warm
from bench.splitting import splitting
from bench.tick import tick
from tools.errors import MakeCommand

SECTIONS: dict[str, Callable[[Packages], list[Table]]] = {
    "cold": cold,
    "warm": warm,
    "memory": memory,
    "price": price,
    "growth": growth,
    "tick": tick,
    "people": people,
    "counting": counting,
    "splitting": splitting,
}
FIGURES = ROOT / "docs" / "figures.json"
PERFORMANCE = ROOT / "docs" / "performance.md"
README = ROOT / "README.md"

Json = dict[str, Any]


@click.command(cls=MakeCommand)
@click.option("--only", type=click.Choice(list(SECTIONS)), help="The section to measure.")
def main(only: str | None) -> None:
    """Measure, print tables and JSON, and write both into the documents."""
    figures: Json = json.loads(FIGURES.read_text("utf-8")) if FIGURES.exists() else {}
    with TemporaryDirectory() as folder:
        packages = (package_bare(Path(folder)), package_assent(Path(folder)))
        for name in [only] if only else SECTIONS:
            tables = SECTIONS[name](packages)
            for table in tables:
                Console().print(table.as_text())
            figures[name] = {
                "measured": f"{datetime.now(UTC):%Y-%m-%d}",
                "machine": f"Python {platform.python_version()}, {_processors()}",
                "tables": [table.as_json() for table in tables],
            }
            ordered = {one: figures[one] for one in SECTIONS if one in figures}
            FIGURES.write_text(json.dumps(ordered, indent=1, ensure_ascii=False) + "\n", "utf-8")
    write_documents(figures)
    json.dump(figures[only] if only else figures, sys.stdout, indent=1, ensure_ascii=False)


def write_documents(figures: Json) -> None:
    """Write the tables of the measured sections, and README's row, in place of the older ones."""
    performance = PERFORMANCE.read_text("utf-8")
    for name, section in figures.items():
        tables = [from_json(table).as_markdown() for table in section["tables"]]
        measured = f"`make bench ONLY={name}`, {section['measured']}, {section['machine']}"
        performance = replaced(performance, name, "\n\n".join([measured, *tables]))
    PERFORMANCE.write_text(performance, "utf-8")
    if figures.keys() >= {"cold", "warm", "price"}:
        readme = replaced(README.read_text("utf-8"), "row", readme_row(figures))
        README.write_text(readme, "utf-8")


def replaced(document: str, name: str, content: str) -> str:
    """Return the document with the content between the two comments of that name."""
    marks = (f"<!-- bench: {name} -->", f"<!-- /bench: {name} -->")
    if not all(mark in document for mark in marks):
        raise ValueError(f"no {marks[0]} and {marks[1]}")
    between = re.compile(f"(?<={re.escape(marks[0])}).*?(?={re.escape(marks[1])})", re.DOTALL)
    return between.sub(lambda _: f"\n{content}\n", document)


def readme_row(figures: Json) -> str:
    """Return the row of figures for readers in a hurry."""
    cells = {
        "cold first page": ("cold", "first page", "ratio"),
        "cold first decision": ("cold", "first decision, closes; same calls", "ratio"),
        "warm page": ("warm", "page; same item", "ratio"),
        "warm decision": ("warm", "decision; same calls", "ratio"),
        "1,000 approvals": ("price", "one approver", "all"),
    }
    found = {name: _cell(figures, *where) for name, where in cells.items()}
    found["1,000 approvals"] = f"${found['1,000 approvals']}"
    measured = max(section["measured"] for section in figures.values())
    return "\n".join(
        [
            f"| {' | '.join(['beside a bare Chalice handler with the same calls', *found])} |",
            f"|{' --- |' * (len(found) + 1)}",
            f"| `make bench`, {measured} | {' | '.join(found.values())} |",
        ]
    )


def _cell(figures: Json, section: str, row: str, column: str) -> str:
    for table in map(from_json, figures[section]["tables"]):
        for cells in table.rows:
            if cells[0] == row and column in table.columns:
                cell = cells[table.columns.index(column)]
                return text(cell.median) if isinstance(cell, Spread) else text(cell)
    raise LookupError(f"no {column} of {row} in {section}")


def _processors() -> str:
    return f"{os.cpu_count()} processors, {platform.machine()}"


if __name__ == "__main__":
    main()
