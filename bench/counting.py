"""`python -m bench.counting`, part of `make bench`: what counting and splitting cost.

Counting is `document_release`'s adapter on its table in the sandbox's emulator (MiniStack), which
says what it would charge; beside it the usual way: a chunk's item and one counter, in a
transaction. Splitting is done by processes of their own, `splitting.py`, which say how much memory
they took.
"""

import json
import math
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from botocore.config import Config
from rich.console import Console
from rich.table import Table

from bench.packages import ROOT
from bench.splitting import BUCKET, MIB, PART
from examples.document_release.chalicelib.counting import Counting
from examples.document_release.chalicelib.scan import Finding, Looked
from tools.sandbox.emulator import Emulator, free_port
from tools.template import load_template

CHUNKS = (10, 1_000, 10_000)
WORKERS = 8
"""So many work at a time. Each takes some chunk or other, for S3's events have no order."""
MADE_UP = (10, 1_000, 10_000)
"""MiB. The last is the largest document that the example takes."""
FROM_S3 = (10, 256)
"""MiB. The emulator holds a document and its chunks in memory."""
TABLE = "document-release-bench"
NOW = 1_795_000_000_000
TEMPLATE = ROOT / "examples" / "document_release" / "infrastructure.yaml"
FOUND = [Finding("card number", 123_456, 1_234, "**** 1111")]
Json = dict[str, Any]


class Cost(NamedTuple):
    """What one chunk has cost, and how often somebody was told that all are counted."""

    milliseconds: float
    calls: float
    writes: float
    reads: float
    told: int


class Meter:
    """Adds up the calls of a client of DynamoDB, and the units that they would be charged."""

    def __init__(self, client: Any) -> None:
        self.calls = self.writes = self.reads = 0.0
        self._lock = threading.Lock()
        client.meta.events.register("provide-client-params", self._ask)
        client.meta.events.register("after-call", self._add)

    def _ask(self, params: Json, **_: Any) -> None:
        params["ReturnConsumedCapacity"] = "TOTAL"

    def _add(self, parsed: Json, event_name: str, **_: Any) -> None:
        charged = parsed["ConsumedCapacity"]
        each = charged if isinstance(charged, list) else [charged]
        units = sum(one["CapacityUnits"] for one in each)
        if event_name.endswith(".Query"):  # MiniStack charges it alike, whatever its size
            units = math.ceil(sum(map(_size, parsed["Items"])) / 4096)
        reads = event_name.endswith((".GetItem", ".Query"))
        with self._lock:
            self.calls += 1
            self.reads += units if reads else 0
            self.writes += 0 if reads else units


def _size(item: Json) -> int:
    """Return about how many bytes an item has: its names and values."""
    return sum(len(name) + len(str(*typed.values())) for name, typed in item.items())


def main() -> None:
    """Measure everything and print two tables."""
    with tempfile.TemporaryDirectory() as folder:
        counted = []
        for number in CHUNKS:
            with Emulator(free_port(None, "--port"), Path(folder)) as emulator:
                counted.append((number, ours(emulator, number), theirs(emulator, number)))
        print_counting(counted)
        made_up = [(f"{mib:,} MiB", split(mib, {})) for mib in MADE_UP]
        with Emulator(free_port(None, "--port"), Path(folder)) as emulator:
            from_s3 = [(f"{mib:,} MiB, S3", split_from_s3(emulator, mib)) for mib in FROM_S3]
        print_splitting(made_up + from_s3)


def ours(emulator: Emulator, number: int) -> Cost:
    """Return what the example's counting costs, reading all of it at the end included."""
    client = _table(emulator, "ours")
    counting = Counting(client, "ours")
    counting.begin("scan", number, MIB, "a task token", NOW)

    def work(chunk: int) -> bool:
        counting.record("scan", Looked(chunk, 16_384, {"card number": 1}, FOUND), NOW)
        progress = counting.count("scan", chunk, number, NOW)
        return progress is not None and progress.complete

    def read() -> None:
        if sum(1 for _ in counting.looked("scan", number)) != number:
            sys.exit("some chunk was lost")

    return _measured(client, number, work, read)


def theirs(emulator: Emulator, number: int) -> Cost:
    """Return what a transaction for each chunk and a look at the counter after it would cost."""
    client = _table(emulator, "theirs")
    counter: Json = {"pk": {"S": "scan"}, "sk": {"N": "-1"}}

    def work(chunk: int) -> bool:
        found = {"S": json.dumps({"kinds": {"card number": 1}, "first": FOUND})}
        item = {"pk": {"S": "scan"}, "sk": {"N": str(chunk)}, "found": found}
        client.transact_write_items(
            TransactItems=[
                {
                    "Put": {
                        "TableName": "theirs",
                        "Item": item,
                        "ConditionExpression": "attribute_not_exists(pk)",
                    }
                },
                {
                    "Update": {
                        "TableName": "theirs",
                        "Key": counter,
                        "UpdateExpression": "ADD done :one",
                        "ExpressionAttributeValues": {":one": {"N": "1"}},
                    }
                },
            ]
        )
        now = client.get_item(TableName="theirs", Key=counter, ConsistentRead=True)
        return int(now["Item"]["done"]["N"]) == number

    return _measured(client, number, work, lambda: None)


def _measured(
    client: Any, number: int, work: Callable[[int], bool], read: Callable[[], None]
) -> Cost:
    chunks = random.Random(number).sample(range(number), number)  # noqa: S311  # an order, no secret
    meter = Meter(client)
    started = time.perf_counter()
    with ThreadPoolExecutor(WORKERS) as workers:
        told = sum(workers.map(work, chunks))
    milliseconds = (time.perf_counter() - started) * 1000
    read()
    return Cost(
        milliseconds / number,
        meter.calls / number,
        meter.writes / number,
        meter.reads / number,
        told,
    )


def _table(emulator: Emulator, name: str) -> Any:
    client: Any = emulator.account.session.client(
        "dynamodb",
        endpoint_url=emulator.endpoint_url,
        config=Config(max_pool_connections=WORKERS),
    )
    described = load_template(TEMPLATE)["Resources"]["Table"]["Properties"]
    keys = ("BillingMode", "AttributeDefinitions", "KeySchema")
    client.create_table(TableName=name, **{key: described[key] for key in keys})
    return client


def split(mib: int, more: dict[str, str], *where: str) -> Json:
    """Return what a process of its own says of splitting a document of that size."""
    said = subprocess.run(
        [sys.executable, "-m", "bench.splitting", str(mib), *where],
        cwd=ROOT,
        env=os.environ | {"AWS_DEFAULT_REGION": "us-east-1"} | more,
        stdout=subprocess.PIPE,
        check=True,
    ).stdout
    found: Json = json.loads(said)
    return found


def split_from_s3(emulator: Emulator, mib: int) -> Json:
    """Return what a process says that reads the document from the emulator, and writes chunks."""
    s3: Any = emulator.account.session.client("s3", endpoint_url=emulator.endpoint_url)
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key=f"incoming/{mib}", Body=PART * mib)
    return split(mib, emulator.account.environment, "s3")


def print_counting(rows: list[tuple[int, Cost, Cost]]) -> None:
    """Print what a chunk costs, and what it would with a transaction."""
    table = Table(title=f"Counting: figures for one chunk, {WORKERS} workers at once")
    for name in ("chunks", "by", "ms", "calls", "write units", "read units", "told it is over"):
        table.add_column(name, justify="right")
    for number, *costs in rows:
        for by, cost in zip(("sets", "a transaction"), costs, strict=True):
            figures = [f"{figure:.2f}" for figure in cost[:4]]
            table.add_row(f"{number:,}", by, *figures, f"{cost.told} times")
    Console(width=100).print(table)


def print_splitting(rows: list[tuple[str, Json]]) -> None:
    """Print how long splitting takes, and how much memory at most."""
    table = Table(title="Splitting into chunks of 1 MiB")
    for name in ("document", "chunks", "s", "MB before", "MB at most"):
        table.add_column(name, justify="right")
    for name, took in rows:
        figures = [f"{took['s']:.1f}", f"{took['before']:.0f}", f"{took['peak']:.0f}"]
        table.add_row(name, f"{took['chunks']:,}", *figures)
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
