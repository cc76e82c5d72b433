"""docs/fidelity.md itself: two witnesses for each behaviour, and sources that exist."""

import re
from pathlib import Path

PAGE = (Path(__file__).parents[2] / "docs" / "fidelity.md").read_text(encoding="utf-8")
WITNESS = re.compile(r"\*\*(model|lint|docs|recorded|seen|moto|sandbox)\*\*")


def _rows(text: str) -> list[list[str]]:
    """Return the cells of the rows that describe a behaviour: they start with `| S1 |`."""
    rows = re.findall(r"^\| [A-Z]\d+ \|.*$", text, re.MULTILINE)
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows]


def test_every_behaviour_of_the_tables_has_two_witnesses() -> None:
    """A behaviour with fewer is listed in the last section."""
    tables, _, _ = PAGE.partition("## One witness, or none")
    rows = _rows(tables)
    assert len(rows) > 50
    assert [row[0] for row in rows if len(WITNESS.findall(row[2])) < 2] == []


def test_every_row_has_four_cells() -> None:
    """No cell contains a bar, and no column is missing."""
    assert [row[0] for row in _rows(PAGE) if len(row) != 4] == []


def test_every_reference_is_defined_and_every_definition_is_used() -> None:
    """So each source can be opened."""
    defined = re.findall(r"^\[([a-z0-9-]+)\]: https://", PAGE, re.MULTILINE)
    used = set(re.findall(r"\]\[([a-z0-9-]+)\]", PAGE))
    assert sorted(defined) == sorted(used)


def test_the_rows_of_a_table_are_in_order_and_none_is_numbered_twice() -> None:
    """By letter, in the order of the sections, and then by number. No blank line cuts a table."""
    tables = re.findall(r"(?:^\| [A-Z]\d+ \|.*\n)+", PAGE, re.MULTILINE)
    assert len(tables) == PAGE.count("\n| # |")
    letters = "".join(dict.fromkeys(row[0][0] for row in _rows("".join(tables))))
    for table in tables:
        found = [(letters.index(row[0][0]), int(row[0][1:])) for row in _rows(table)]
        assert found == sorted(set(found))
