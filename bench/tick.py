"""What a tick costs, and how ticks clear a backlog.

The table is `infrastructure.yaml`'s, in the sandbox's emulator (MiniStack), which says how many
keys a query read and charges writes by size and index; moto does neither. The ticks of each row
run in a process of their own, `measured_ticks.py`.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from datetime import timedelta
from itertools import count, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from rich.progress import track

from bench.approvals import closed_approval, mailed_approval
from bench.environment import ENVIRONMENT
from bench.measured_ticks import TicksReport
from bench.measured_wiring import START
from bench.packages import ROOT, Packages
from bench.report import Row, Table
from chalicelib.adapters import dynamodb_items
from chalicelib.domain.approval import Approval
from tools.sandbox.emulator import Emulator, free_port
from tools.template import load_template

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

COSTS = ((100, 25), (10_000, 0), (10_000, 25), (10_000, 250), (100_000, 25))
"""The rows of the first table: the number of approvals that wait, and of others that are due."""
BACKLOG = 10_000
TABLE = ENVIRONMENT["ASSENT_TABLE"]
_CREATE_TABLE = ("BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")

Pace = Literal["once", "wall", "simulated"]


@dataclass(frozen=True)
class TickCost:
    """What one tick costs, in the order of the table's columns."""

    waiting: int
    due: int
    queries: int
    keys_read: int
    query_units: float
    gets: int
    get_units: float
    writes: int
    write_units: float
    peak_mb: float


def tick(_: Packages) -> list[Table]:
    """Measure the cost of one tick, and how ticks clear a backlog."""
    with ThreadPoolExecutor() as pool:  # two measurements that don't depend on the machine's speed
        costs = pool.submit(_measure_costs)
        simulated = pool.submit(_measure_backlog, "simulated")
    backlogs = {"at once": _measure_backlog("wall"), "slower": simulated.result()}
    return [_costs(costs.result()), _backlogs(backlogs)]


def _measure_costs() -> list[TickCost]:
    with approval_table() as table:
        return [
            table.measure_tick(waiting=waiting, due=due) for waiting, due in track(COSTS, "ticks")
        ]


def _measure_backlog(pace: Pace) -> TicksReport:
    with approval_table() as table:
        return table.clear_backlog(BACKLOG, pace)


def _costs(costs: list[TickCost]) -> Table:
    columns = (
        *("waiting", "due", "Query", "keys read", "units"),
        *("GetItem", "units", "writes", "units", "peak MB"),
    )
    return Table("What one tick asks of DynamoDB", columns, [astuple(cost) for cost in costs])


def _backlogs(reports: dict[str, TicksReport]) -> Table:
    """Return each tick that worked on the backlog, and the sum of them."""
    rows: list[Row] = []
    for aws, report in reports.items():
        for number, one in enumerate(report["ticks"], 1):
            figures = (one["began"], one["seconds"], one["due"], one["delivered"])
            rows.append((f"{aws}: tick {number}", *map(round, figures), "", "", ""))
        ended = max(one["began"] + one["seconds"] for one in report["ticks"])
        due = sum(one["due"] for one in report["ticks"])
        totals = (report["answered"], report["calls"]["GetItem"], report["version_conflicts"])
        rows.append((f"{aws}: all", 0, round(ended), due, *totals, report["peak_mb"]))
    columns = (
        *("AWS answers", "began, s", "took, s", "read", "delivered"),
        *("GetItem", "version conflicts", "peak MB"),
    )
    return Table(
        f"{BACKLOG:,} approvals due at once; AWS answers at once, or slower", columns, rows
    )


class ApprovalTable:
    """A table with the template's keys in an emulator, and the approvals in it."""

    def __init__(self, emulator: Emulator) -> None:
        self.client: DynamoDBClient = emulator.account.dynamodb
        self.environment = emulator.account.environment
        self._waiting = 0
        self._numbers = count()
        resources = load_template(ROOT / "infrastructure.yaml")["Resources"]
        definition = {key: resources["Table"]["Properties"][key] for key in _CREATE_TABLE}
        self.client.create_table(TableName=TABLE, **definition)

    def measure_tick(self, *, waiting: int, due: int) -> TickCost:
        """Return the cost of one tick while `waiting` approvals wait and `due` others are due."""
        self.write(waiting - self._waiting, timedelta(days=300))
        self._waiting = waiting
        report = self.clear_backlog(due, "once")
        calls = report["calls"]
        return TickCost(
            waiting=waiting,
            due=due,
            queries=calls["Query"],
            keys_read=report["keys_read"],
            query_units=report["query_units"],
            gets=calls.get("GetItem", 0),
            get_units=report["get_units"],
            writes=calls.get("PutItem", 0) + calls.get("TransactWriteItems", 0),
            write_units=report["write_units"],
            peak_mb=report["peak_mb"],
        )

    def clear_backlog(self, due: int, pace: Pace) -> TicksReport:
        """Store `due` approvals that are due, run ticks, and return their report."""
        self.write(due, timedelta(minutes=-1))
        printed = subprocess.run(
            [sys.executable, "-m", "bench.measured_ticks", pace],
            cwd=ROOT,
            env=os.environ | ENVIRONMENT | self.environment,
            stdout=subprocess.PIPE,
            check=True,
        ).stdout
        report: TicksReport = json.loads(printed)
        if report["answered"] != due:
            sys.exit(f"{due} approvals were due, and {report['answered']} tasks were answered")
        return report

    def write(self, number: int, left: timedelta, **more: Any) -> None:
        """Write approvals that have this time left; `more` is as `mailed_approval` has it."""
        self._put(
            mailed_approval(n, now=START, left=left, **more) for n in islice(self._numbers, number)
        )

    def write_closed(self, number: int) -> None:
        """Write approvals that are closed: nine of ten approved, the others rejected."""
        self._put(
            closed_approval(n, now=START, outcome="approved" if n % 10 else "rejected")
            for n in islice(self._numbers, number)
        )

    def _put(self, approvals: Iterable[Approval]) -> None:
        stored = (
            item
            for approval in approvals
            for item in (
                dynamodb_items.approval_item(approval),
                *dynamodb_items._waiting_entries(approval).values(),
            )
        )
        while batch := list(islice(stored, 25)):
            puts: list[Any] = [{"PutRequest": {"Item": item}} for item in batch]
            self.client.batch_write_item(RequestItems={TABLE: puts})


@contextmanager
def approval_table() -> Iterator[ApprovalTable]:
    """Start an emulator, and yield an empty table in it."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Emulator(free_port(None, "PORT="), Path(folder)) as emulator,
    ):
        yield ApprovalTable(emulator)
