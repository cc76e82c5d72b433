"""What the benchmark found: tables with figures, as text, JSON and Markdown."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from rich.table import Table as RichTable


@dataclass(frozen=True)
class Spread:
    """The least, the middle and the greatest of at least five measurements."""

    minimum: float
    median: float
    maximum: float

    def __str__(self) -> str:
        return f"{number(self.median)} ({number(self.minimum)} to {number(self.maximum)})"


def spread(measured: Iterable[float]) -> Spread:
    """Return the spread of measurements."""
    ordered = sorted(measured)
    return Spread(ordered[0], statistics.median(ordered), ordered[-1])


def ratios(ours: Sequence[float], bare: Sequence[float]) -> Spread:
    """Return the spread of the ratios of measurements that were made in turn."""
    return spread(one / other for one, other in zip(ours, bare, strict=True))


Cell = str | int | float | Spread
Row = tuple[Cell, ...]


class Table(NamedTuple):
    """A titled table; the first column of each row names it."""

    title: str
    columns: tuple[str, ...]
    rows: list[Row]

    def as_json(self) -> dict[str, Any]:
        """Return the table with its unrounded figures."""
        rows = [
            [asdict(cell) if isinstance(cell, Spread) else cell for cell in row]
            for row in self.rows
        ]
        return {"title": self.title, "columns": self.columns, "rows": rows}

    def as_text(self) -> RichTable:
        """Return the table for a terminal."""
        table = RichTable(title=self.title, title_justify="left")
        for column in self.columns:
            table.add_column(column, justify="left" if column == self.columns[0] else "right")
        for row in self.rows:
            table.add_row(*map(text, row))
        return table

    def as_markdown(self) -> str:
        """Return the table for a document, under its title."""
        lines = [self.columns, ("---",) * len(self.columns), *(map(text, row) for row in self.rows)]
        return "\n".join([f"**{self.title}**", "", *(f"| {' | '.join(line)} |" for line in lines)])


def from_json(table: dict[str, Any]) -> Table:
    """Return the table that `as_json` gave."""
    rows = [
        tuple(Spread(**cell) if isinstance(cell, dict) else cell for cell in row)
        for row in table["rows"]
    ]
    return Table(table["title"], tuple(table["columns"]), rows)


def text(cell: Cell) -> str:
    """Return a cell as a table shows it."""
    return number(cell) if isinstance(cell, int | float) else str(cell)


def number(figure: float) -> str:
    """Return a figure with three significant digits, and a whole number with all of its digits."""
    if isinstance(figure, int) or abs(figure) >= 100 or not figure:
        return f"{figure:,.0f}"
    return f"{figure:#.3g}".rstrip(".")
