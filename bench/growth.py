"""How calls and units grow: with stored approvals, with approvers, with the size of a request."""

import json
import os
import subprocess
import sys
from datetime import timedelta

from rich.progress import track

from bench.environment import ENVIRONMENT
from bench.packages import ROOT, Packages
from bench.price import journey_steps
from bench.report import Row, Table
from bench.tick import approval_table
from bench.works import largest_works

STORED = (100, 10_000)


def growth(_: Packages) -> list[Table]:
    """Measure verbs among few and many stored approvals, and the largest legal inputs."""
    found = []
    for stored in track(STORED, "stored approvals"):
        with approval_table() as table:
            table.write(stored, timedelta(days=300))
            found.append(journey_steps(table, "each verb"))
            fifty = journey_steps(table, "fifty approvers")
    rows: list[Row] = []
    for few, many in zip(*found, strict=True):
        figures = [
            f"{sum(step['calls'].values())}; {step['reads']:g}, {step['writes']:g}"
            for step in (few, many)
        ]
        rows.append((few["verb"], *figures))
    columns = ("verb", *(f"{stored:,} stored" for stored in STORED))
    with_fifty: list[Row] = [
        (step["verb"], sum(step["calls"].values()), step["reads"], step["writes"]) for step in fifty
    ]
    return [
        Table("Calls; read units, write units", columns, rows),
        Table("Fifty approvers", ("verb", "calls", "read units", "write units"), with_fifty),
        Table("The largest legal input", ("function", "input, kB", "peak, MB"), _largest()),
    ]


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
