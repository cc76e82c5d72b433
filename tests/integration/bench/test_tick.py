"""The benchmark of the tick, on a few approvals: it runs, and would show a regression."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from bench.meter import KEYS_BYTES, Meter, read_units, size
from bench.tick import TABLE, ApprovalTable, Pace, approval_table
from chalicelib.adapters.dynamodb_items import SHARDS


@pytest.fixture(scope="module")
def table() -> Iterator[ApprovalTable]:
    """Give a table in an emulator of its own."""
    with approval_table() as created:
        yield created


def test_the_cost_of_a_tick_grows_with_what_is_due_alone(table: ApprovalTable) -> None:
    """Five times as many waiting approvals cost the same; twice as many due ones cost twice."""
    few, many = table.measure_tick(waiting=50, due=3), table.measure_tick(waiting=250, due=3)
    twice, idle = table.measure_tick(waiting=250, due=6), table.measure_tick(waiting=250, due=0)
    assert many == replace(few, waiting=250, peak_mb=many.peak_mb)
    assert (idle.queries, idle.query_units) == (SHARDS, SHARDS / 2)
    assert (idle.keys_read, idle.gets, idle.writes) == (0, 0, 0)
    assert (few.keys_read, few.gets, few.writes) == (3, 3, 12)
    assert (twice.keys_read, twice.gets, twice.writes) == (6, 6, 24)
    assert twice.write_units == 2 * few.write_units > 0


@pytest.mark.parametrize("pace", ["wall", "simulated"])
def test_a_backlog_is_cleared_at_either_pace(table: ApprovalTable, pace: Pace) -> None:
    """Each task is answered once, and the report says so."""
    report = table.clear_backlog(5, pace)
    (tick,) = report["ticks"]
    assert (report["answered"], tick["delivered"], report["version_conflicts"]) == (5, 5, 0)
    calls = report["calls"]
    assert calls["SendTaskFailure"] == calls["PutEvents"] == calls["Publish"] == 5
    # Each approval: five calls of other services, 30 ms each; a transaction, 10 ms; a read and
    # three writes, 5 ms each.
    assert pace == "wall" or 5 * 0.180 < tick["seconds"] < 60
    assert report["peak_mb"] > 10


def test_a_query_with_a_filter_would_be_noticed(table: ApprovalTable) -> None:
    """A filter removes entries from the answer, but not from the bill."""
    table.measure_tick(waiting=1_000, due=0)
    meter = Meter()
    meter.watch(table.client)
    whole, filtered = (
        _query(table, condition) for condition in ("attribute_exists(pk)", "pk = :shard")
    )
    assert [len(whole) > 1_000 / SHARDS / 2, filtered] == [True, []]
    assert {size(entry) for entry in whole} == {KEYS_BYTES}
    assert meter.keys_read == 2 * len(whole)
    assert meter.query_units == 2 * read_units(KEYS_BYTES * len(whole)) / 2 > 1


def _query(table: ApprovalTable, condition: str) -> list[Any]:
    return table.client.query(
        TableName=TABLE,
        IndexName="due",
        KeyConditionExpression="dueShard = :shard",
        FilterExpression=condition,
        ExpressionAttributeValues={":shard": {"S": "0"}},
    )["Items"]
