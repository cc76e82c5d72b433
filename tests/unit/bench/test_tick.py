"""The measurement of the tick, on a few approvals: it runs, and would show what it is to show."""

from collections.abc import Iterator
from typing import Any

import pytest

from bench.meter import KEYS_BYTES, Meter, read_units, size
from bench.tick import TABLE, Stored, a_table
from chalicelib.adapters.dynamodb_items import SHARDS


@pytest.fixture(scope="module")
def stored() -> Iterator[Stored]:
    """Give a table in an emulator of its own."""
    with a_table() as table:
        yield table


def test_a_tick_costs_what_is_due_and_not_what_waits(stored: Stored) -> None:
    """Five times as many that wait change nothing; twice as many that are due cost twice."""
    few, many = stored.cost(waiting=50, due=3), stored.cost(waiting=250, due=3)
    twice, idle = stored.cost(waiting=250, due=6), stored.cost(waiting=250, due=0)
    for cost in (few, many, twice, idle):
        del cost["peak MB"]
    assert many == few | {"waiting": 250}
    assert (idle["queries"], idle["query units"]) == (SHARDS, SHARDS / 2)
    assert (idle["keys"], idle["gets"], idle["writes"]) == (0, 0, 0)
    assert (few["keys"], few["gets"], few["writes"]) == (3, 3, 12)
    assert (twice["keys"], twice["gets"], twice["writes"]) == (6, 6, 24)
    assert twice["write units"] == 2 * few["write units"] > 0


@pytest.mark.parametrize("pace", ["wall", "simulated"])
def test_a_backlog_is_cleared_at_either_pace(stored: Stored, pace: str) -> None:
    """Each task is answered once, and the ticks say so."""
    got = stored.cleared(5, pace)
    (tick,) = got["ticks"]
    assert (got["answered"], tick["settled"], got["lost_races"]) == (5, 5, 0)
    calls = got["calls"]
    assert calls["SendTaskFailure"] == calls["PutEvents"] == calls["Publish"] == 5
    # Each: four calls of others, 30 ms; a transaction, 10 ms; a read and three writes, 5 ms.
    assert pace == "wall" or 5 * 0.150 < tick["seconds"] < 60
    assert got["peak_mb"] > 10


def test_a_query_that_read_what_it_does_not_return_would_be_seen(stored: Stored) -> None:
    """A filter hides entries from the answer and not from the bill."""
    stored.cost(waiting=1_000, due=0)
    meter = Meter()
    meter.watch(stored.client)
    whole, filtered = (_query(stored, kept) for kept in ("attribute_exists(pk)", "pk = :shard"))
    assert [len(whole) > 1_000 / SHARDS / 2, filtered] == [True, []]
    assert {size(entry) for entry in whole} == {KEYS_BYTES}
    assert meter.keys_read == 2 * len(whole)
    assert meter.query_units == 2 * read_units(KEYS_BYTES * len(whole)) / 2 > 1


def _query(stored: Stored, kept: str) -> list[Any]:
    return stored.client.query(
        TableName=TABLE,
        IndexName="due",
        KeyConditionExpression="dueShard = :shard",
        FilterExpression=kept,
        ExpressionAttributeValues={":shard": {"S": "0"}},
    )["Items"]


def test_reads_are_charged_by_what_is_read() -> None:
    """4 KB a unit, begun ones count; names and values, as DynamoDB measures an item."""
    assert [read_units(n) for n in (0, 1, 4_096, 4_097, 40_960)] == [1, 1, 1, 2, 10]
    assert size({"pk": {"S": "é"}, "version": {"N": "12"}}) == 2 + 2 + 7 + 2
