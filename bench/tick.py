"""`python -m bench.tick`, part of `make bench`: what a tick costs, and how ticks clear a backlog.

The table is `infrastructure.yaml`'s, in the sandbox's emulator (MiniStack), which says how many
keys a query read and charges writes by size and index; moto does neither. The ticks of each row
run in a process of their own, `ticking.py`.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from itertools import count, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace
from rich.console import Console
from rich.table import Table

from bench.__main__ import ENVIRONMENT
from bench.packages import ROOT
from bench.ticking import START
from chalicelib.adapters import dynamodb_items
from chalicelib.domain import link_tokens, outbox
from chalicelib.domain.approval import Approval
from chalicelib.domain.outbox_entries import Mail
from tests.asking import an_approval
from tests.fakes import TOKEN
from tools.sandbox.emulator import Emulator, free_port
from tools.template import load_template

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

COSTS = ((100, 25), (10_000, 0), (10_000, 25), (10_000, 250), (100_000, 25))
"""How many approvals wait, and how many more are due."""
BACKLOG = 10_000
PEOPLE = 500
"""So many approvers are asked, one for each approval."""
TABLE = ENVIRONMENT["ASSENT_TABLE"]
_CREATE_TABLE = ("BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")

Json = dict[str, Any]


def main() -> None:
    """Measure everything and print two tables."""
    with ThreadPoolExecutor() as both:  # Neither is about this machine's time.
        costs = both.submit(_costs)
        simulated = both.submit(_cleared, "simulated")
    paces = {"at once": _cleared("wall"), "slower": simulated.result()}
    print_costs(costs.result())
    print_cleared(paces)


def _costs() -> list[Json]:
    with a_table() as stored:
        return [stored.cost(waiting, due) for waiting, due in COSTS]


def _cleared(pace: str) -> Json:
    with a_table() as stored:
        return stored.cleared(BACKLOG, pace)


def print_costs(rows: list[Json]) -> None:
    """Print what one tick costs, beside what was stored."""
    table = Table(title="What one tick asks of DynamoDB")
    for name in ("waiting", "due", "Query", "keys read", "units"):
        table.add_column(name, justify="right")
    for name in ("GetItem", "units", "writes", "units", "peak MB"):
        table.add_column(name, justify="right")
    for row in rows:
        table.add_row(*(f"{figure:,.0f}" for figure in row.values()))
    Console(width=100).print(table)


def print_cleared(paces: dict[str, Json]) -> None:
    """Print each tick that worked on the backlog, and all of them together."""
    table = Table(title=f"{BACKLOG:,} approvals due at once; AWS answers at once, or slower")
    for name in ("AWS", "tick", "began, s", "took, s", "looked at", "settled"):
        table.add_column(name, justify="right")
    for name in ("GetItem", "races lost", "peak MB"):
        table.add_column(name, justify="right")
    for aws, got in paces.items():
        for number, tick in enumerate(got["ticks"], 1):
            figures = [tick[key] for key in ("began", "seconds", "due", "settled")]
            table.add_row(aws, str(number), *(f"{figure:,.0f}" for figure in figures))
        ended = max(tick["began"] + tick["seconds"] for tick in got["ticks"])
        figures = [0, ended, sum(tick["due"] for tick in got["ticks"]), got["answered"]]
        figures += [got["calls"]["GetItem"], got["lost_races"], got["peak_mb"]]
        table.add_row(aws, "all", *(f"{figure:,.0f}" for figure in figures), end_section=True)
    Console(width=100).print(table)


class Stored:
    """A table of the template's shape in an emulator, and the approvals in it."""

    def __init__(self, emulator: Emulator) -> None:
        self.client: DynamoDBClient = emulator.account.dynamodb
        self._environment = emulator.account.environment
        self._waiting = 0
        self._numbers = count()
        resources = load_template(ROOT / "infrastructure.yaml")["Resources"]
        definition = {key: resources["Table"]["Properties"][key] for key in _CREATE_TABLE}
        self.client.create_table(TableName=TABLE, **definition)

    def cost(self, waiting: int, due: int) -> Json:
        """Return what one tick costs while so many wait and so many others are due."""
        self._write(waiting - self._waiting, timedelta(days=300))
        self._waiting = waiting
        got = self.cleared(due, "once")
        calls = got["calls"]
        return {
            "waiting": waiting,
            "due": due,
            "queries": calls["Query"],
            "keys": got["keys_read"],
            "query units": got["query_units"],
            "gets": calls.get("GetItem", 0),
            "get units": got["get_units"],
            "writes": calls.get("PutItem", 0) + calls.get("TransactWriteItems", 0),
            "write units": got["write_units"],
            "peak MB": got["peak_mb"],
        }

    def cleared(self, due: int, pace: str) -> Json:
        """Store so many approvals that are due; return what `ticking.py` prints of their ticks."""
        self._write(due, timedelta(minutes=-1))
        printed = subprocess.run(
            [sys.executable, "-m", "bench.ticking", pace],
            cwd=ROOT,
            env=os.environ | ENVIRONMENT | self._environment,
            stdout=subprocess.PIPE,
            check=True,
        ).stdout
        got: Json = json.loads(printed)
        if got["answered"] != due:
            sys.exit(f"{due} approvals were due, and {got['answered']} tasks were answered")
        return got

    def _write(self, number: int, left: timedelta) -> None:
        approvals = (asked(n, left) for n in islice(self._numbers, number))
        stored = (
            item
            for new in approvals
            for item in (
                dynamodb_items.approval_item(new),
                *dynamodb_items._waiting_entries(new).values(),
            )
        )
        while batch := list(islice(stored, 25)):
            puts: list[Any] = [{"PutRequest": {"Item": item}} for item in batch]
            self.client.batch_write_item(RequestItems={TABLE: puts})


@contextmanager
def a_table() -> Iterator[Stored]:
    """Give an empty table, in an emulator that ends with it."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Emulator(free_port(None, "--port"), Path(folder)) as emulator,
    ):
        yield Stored(emulator)


def asked(number: int, left: timedelta) -> Approval:
    """Return a pending approval whose approver was mailed, with so much time left at START."""
    token = f"{number}{TOKEN}"
    address = f"approver{number % PEOPLE}@example.com"
    new = an_approval(approvers=[address], details={"Version": "4.2.0", "Risk": "low"})
    new = replace(new, id=link_tokens.approval_id(token), task_token=token, expires_at=START + left)
    return outbox.mailed(new, Mail(address, START), START, "function")


if __name__ == "__main__":
    main()
