"""The benchmark's tables: figures are rounded for readers, and kept whole as JSON."""

import json

import pytest

from bench.__main__ import readme_row, replaced
from bench.cost import PRICES, Usage, duration
from bench.price import BARE, GROUPS, TUTORIAL
from bench.report import Spread, Table, from_json, number, ratios, spread

TABLE = Table("Cold", ("what", "ms", "calls"), [("page", spread([210.26, 190, 205]), 4)])


@pytest.mark.parametrize(
    ("figure", "shown"),
    [(1_234_567, "1,234,567"), (812.4, "812"), (18.91, "18.9"), (0.78456, "0.785"), (0, "0")],
)
def test_a_figure_has_three_digits_that_count(figure: float, shown: str) -> None:
    assert number(figure) == shown


def test_a_ratio_is_of_measurements_that_were_made_in_turn() -> None:
    """A busy moment that hit both is in neither."""
    assert ratios([20, 400, 30], [10, 200, 15]) == Spread(2, 2, 2)


def test_a_table_is_read_back_from_json_as_it_was() -> None:
    assert from_json(json.loads(json.dumps(TABLE.as_json()))) == TABLE


def test_a_document_shows_the_median_and_the_bounds() -> None:
    assert TABLE.as_markdown().splitlines() == [
        "**Cold**",
        "",
        "| what | ms | calls |",
        "| --- | --- | --- |",
        "| page | 205 (190 to 210) | 4 |",
    ]


def test_what_stands_between_the_marks_is_replaced_and_nothing_else() -> None:
    before = "one\n<!-- bench: row -->\nold\n<!-- /bench: row -->\ntwo"
    assert replaced(before, "row", r"\1 new") == before.replace("old", r"\1 new")
    with pytest.raises(ValueError, match="bench: cold"):
        replaced(before, "cold", "new")


def test_a_row_that_was_not_measured_is_named() -> None:
    figures = {name: {"measured": "2026-11-26", "tables": []} for name in ("cold", "warm", "price")}
    with pytest.raises(LookupError, match="no ratio of first page in cold"):
        readme_row(figures)


def test_every_price_is_in_one_group() -> None:
    """So the groups of a row add up to its sum; arm64's is the table's of memory alone."""
    grouped = [name for names in GROUPS.values() for name in names]
    assert sorted([*grouped, "GB-second, arm64"]) == sorted(PRICES)
    assert {*BARE, *TUTORIAL} <= set(grouped)


def test_usage_adds_up() -> None:
    usage = Usage({"mail": 1})
    usage.add("mail")
    usage.add("event")
    assert usage.costs() == {"mail": 2 * PRICES["mail"], "event": PRICES["event"]}


@pytest.mark.parametrize(
    ("memory", "seconds"), [(1769 // 2, 2.001), (1769, 1.5), (3008, 1.5)], ids=str
)
def test_a_function_has_a_share_of_one_processor(memory: int, seconds: float) -> None:
    """More memory than a whole processor's makes one thread no faster, and waiting never."""
    assert duration(0.5, 1.0, memory) == pytest.approx(seconds, abs=0.001)
