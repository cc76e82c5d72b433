"""What counting costs `document_release`.

Counting is measured with `document_release`'s adapter and, for comparison, with the usual design:
an item and a counter in one transaction. Both use the example's table in the sandbox's emulator
(MiniStack), which says how many units it would charge.
"""

import json
import math
import random
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from botocore.config import Config
from rich.progress import track

from bench.measured_split import MIB
from bench.packages import ROOT, Packages
from bench.report import Row, Table
from examples.document_release.chalicelib.counting import ScanTable
from examples.document_release.chalicelib.scan import Finding, ScannedChunk
from tools.sandbox.emulator import Emulator, free_port
from tools.template import load_template

CHUNKS = (10, 1_000, 10_000)
WORKERS = 8
"""The number of concurrent workers. They take chunks in random order, as S3's events come."""
NOW = 1_795_000_000_000
TEMPLATE = ROOT / "examples" / "document_release" / "infrastructure.yaml"
FINDINGS = [Finding("card number", 123_456, 1_234, "**** 1111")]
Json = dict[str, Any]


class Cost(NamedTuple):
    """The cost of one chunk, and how many workers saw the scan complete."""

    milliseconds: float
    calls: float
    writes: float
    reads: float
    workers_told: int


class CapacityMeter:
    """Adds up the calls of a DynamoDB client and the capacity units that they would be charged."""

    def __init__(self, client: Any) -> None:
        self.calls = self.writes = self.reads = 0.0
        self._lock = threading.Lock()
        client.meta.events.register("provide-client-params", self._ask_for_units)
        client.meta.events.register("after-call", self._add_units)

    def _ask_for_units(self, params: Json, **_: Any) -> None:
        params["ReturnConsumedCapacity"] = "TOTAL"

    def _add_units(self, parsed: Json, event_name: str, **_: Any) -> None:
        charged = parsed["ConsumedCapacity"]
        tables = charged if isinstance(charged, list) else [charged]
        units = sum(table["CapacityUnits"] for table in tables)
        if event_name.endswith(".Query"):  # MiniStack charges every query alike
            units = math.ceil(sum(map(_size, parsed["Items"])) / 4096)
        is_read = event_name.endswith((".GetItem", ".Query"))
        with self._lock:
            self.calls += 1
            self.reads += units if is_read else 0
            self.writes += 0 if is_read else units


def _size(item: Json) -> int:
    """Return the approximate size of an item in bytes: its names and values."""
    return sum(len(name) + len(str(*typed.values())) for name, typed in item.items())


def counting(_: Packages) -> list[Table]:
    """Measure a chunk's count, with sets and with transactions."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        for chunks in track(CHUNKS, "counting"):
            with Emulator(free_port(None, "PORT="), Path(folder)) as emulator:
                rows += [
                    (f"{chunks:,}, {by}", *measure(emulator, chunks))
                    for by, measure in (("sets", with_sets), ("transactions", with_transactions))
                ]
    columns = ("chunks", "ms", "calls", "write units", "read units", "saw it complete")
    return [Table(f"Counting: figures for one chunk, {WORKERS} workers at once", columns, rows)]


def with_sets(emulator: Emulator, number: int) -> Cost:
    """Return the cost of the example's way, with the read of all findings at the end."""
    client = _create_table(emulator, "sets")
    scans = ScanTable(client, "sets")
    scans.begin("scan", chunks=number, chunk_bytes=MIB, task_token="a task token", now=NOW)  # noqa: S106  # no real token

    def count(chunk: int) -> bool:
        scans.record("scan", ScannedChunk(chunk, 16_384, {"card number": 1}, FINDINGS), NOW)
        progress = scans.count("scan", chunk, chunks=number, now=NOW)
        return progress is not None and progress.complete

    def read() -> None:
        if sum(1 for _ in scans.scanned_chunks("scan", number)) != number:
            sys.exit("a chunk was lost")

    return _measure(client, number, count, read)


def with_transactions(emulator: Emulator, number: int) -> Cost:
    """Return the cost of the usual way: a transaction per chunk, then a read of the counter."""
    client = _create_table(emulator, "transactions")
    counter: Json = {"pk": {"S": "scan"}, "sk": {"N": "-1"}}

    def count(chunk: int) -> bool:
        found = {"S": json.dumps({"kinds": {"card number": 1}, "first": FINDINGS})}
        item = {"pk": {"S": "scan"}, "sk": {"N": str(chunk)}, "found": found}
        put = {
            "TableName": "transactions",
            "Item": item,
            "ConditionExpression": "attribute_not_exists(pk)",
        }
        add_one = {
            "TableName": "transactions",
            "Key": counter,
            "UpdateExpression": "ADD done :one",
            "ExpressionAttributeValues": {":one": {"N": "1"}},
        }
        client.transact_write_items(TransactItems=[{"Put": put}, {"Update": add_one}])
        counted = client.get_item(TableName="transactions", Key=counter, ConsistentRead=True)
        return int(counted["Item"]["done"]["N"]) == number

    return _measure(client, number, count, lambda: None)


def _measure(
    client: Any, number: int, count: Callable[[int], bool], read: Callable[[], None]
) -> Cost:
    """Count all chunks with `count`, which returns whether it saw the scan complete; then `read`.

    The time of `read` isn't measured, but its calls and units are.
    """
    chunks = random.Random(number).sample(range(number), number)  # noqa: S311  # an order, no secret
    meter = CapacityMeter(client)
    started = time.perf_counter()
    with ThreadPoolExecutor(WORKERS) as workers:
        workers_told = sum(workers.map(count, chunks))
    milliseconds = (time.perf_counter() - started) * 1000
    read()
    return Cost(
        milliseconds / number,
        meter.calls / number,
        meter.writes / number,
        meter.reads / number,
        workers_told,
    )


def _create_table(emulator: Emulator, name: str) -> Any:
    client: Any = emulator.account.session.client(
        "dynamodb",
        endpoint_url=emulator.endpoint_url,
        config=Config(max_pool_connections=WORKERS),
    )
    described = load_template(TEMPLATE)["Resources"]["Table"]["Properties"]
    keys = ("BillingMode", "AttributeDefinitions", "KeySchema")
    client.create_table(TableName=name, **{key: described[key] for key in keys})
    return client
