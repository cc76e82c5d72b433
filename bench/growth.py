"""How calls and units grow: with stored approvals, with approvers, with the size of a request."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from datetime import timedelta

from rich.progress import track

from bench.approvals import REQUESTER
from bench.environment import ENVIRONMENT
from bench.measured_journeys import Step
from bench.packages import ROOT, Packages
from bench.price import journey_steps
from bench.report import Row, Table
from bench.tick import approval_table
from bench.works import largest_works

STORED = (100, 10_000)
LISTED = (100, 100_000)
"""How many approvals wait when lists are read: half are overdue, half are due soon. Besides, a
hundred and then ten thousand are decided."""


NOT_LISTED = ("invite", "offer", "sign in")
"""Steps on the way to the lists."""


def growth(_: Packages) -> list[Table]:
    """Measure verbs among few and many stored approvals, and the largest legal inputs."""
    found = []
    for stored in track(STORED, "stored approvals"):
        with approval_table() as table:
            table.write(stored, timedelta(days=300))
            found.append(journey_steps(table, "each verb"))
            fifty = journey_steps(table, "fifty approvers")
    with_fifty: list[Row] = [
        (step["verb"], sum(step["calls"].values()), step["reads"], step["writes"]) for step in fifty
    ]
    return [
        _compared("Calls; read units, write units", "verb", STORED, found),
        _compared("Operators' lists, and the console's pages", "list", LISTED, _listed()),
        Table("Fifty approvers", ("verb", "calls", "read units", "write units"), with_fifty),
        Table("The largest legal input", ("function", "input, kB", "peak, MB"), _largest()),
    ]


def _listed() -> list[list[Step]]:
    """Return the steps that show each list, among few and many stored approvals."""
    found, written = [], 0
    with approval_table() as table:
        for stored in track(LISTED, "lists"):
            for number in range(written, stored, 100):
                asker = f"{number or ''}{REQUESTER}"  # the first hundred are what is listed
                for hours in (-1, 12):
                    left = timedelta(hours=hours, seconds=number // 100)  # fifty in one second
                    table.write(50, left, among=2, requestedBy=asker)
            table.write_closed(max(100, stored // 10))
            written = stored
            steps = journey_steps(table, "lists")
            found.append([step for step in steps if step["verb"] not in NOT_LISTED])
    return found


def _compared(
    title: str, verb: str, stored: Sequence[int], found: Sequence[Sequence[Step]]
) -> Table:
    """Return calls and units of each verb, with few and with many approvals stored."""
    rows: list[Row] = []
    for few, many in zip(*found, strict=True):
        figures = [
            f"{sum(step['calls'].values())}; {step['reads']:g}, {step['writes']:g}"
            for step in (few, many)
        ]
        rows.append((few["verb"], *figures))
    return Table(title, (verb, *(f"{number:,} stored" for number in stored)), rows)


def _largest() -> list[Row]:
    """Return the peak memory of a process that answers each of the largest works."""
    rows: list[Row] = []
    for name, work in largest_works().items():
        printed = subprocess.run(
            [sys.executable, "-m", "bench.measured_app", "peak"],
            cwd=ROOT,
            env=os.environ | ENVIRONMENT,
            input=json.dumps([work]),
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        ).stdout
        rows.append((name, round(len(json.dumps(work)) / 1000), round(float(printed))))
    return rows
