"""Assent beside the bare handlers: in a fresh process, and in one that has answered before.

The runs of the two apps alternate, so that other load on the machine affects both.
"""

import json
import os
import subprocess
import sys
import time
from functools import cache
from typing import Any, NamedTuple

from rich.progress import track

from bench.canned_aws import CannedAws, served
from bench.environment import ENVIRONMENT
from bench.measured_app import Measured, Work
from bench.packages import ROOT, Package, Packages
from bench.report import Row, Table, ratios, spread
from bench.works import COLD, WARM

COLD_ROUNDS = 25
WARM_ROUNDS = 5


class Start(NamedTuple):
    """How long a fresh process took to do its work, in milliseconds, by clock and by processor."""

    wall: float
    cpu: float


@cache
def cold_starts(packages: Packages) -> dict[str, list[list[Start]]]:
    """Return, by the name of each work, the starts of the bare app and of Assent."""
    starts: dict[str, list[list[Start]]] = {name: [[], []] for name in COLD}
    for _ in track(range(COLD_ROUNDS), "cold starts"):
        for name, works in COLD.items():
            for package, work, measured in zip(packages, works, starts[name], strict=True):
                measured.append(start(package, work))
    return starts


def start(package: Package, work: Work, tasks: str = os.devnull) -> Start:
    """Return how long a fresh process took; `tasks` is the file of a cgroup that it joins."""
    with served(CannedAws(work["answers"])) as url:
        began = time.perf_counter()
        process = _process(package, "cold", [work], AWS_ENDPOINT_URL=url, TASKS=tasks)
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{package.name} failed when it was started for {work['handler']}")
    return Start(wall * 1000, (used.ru_utime + used.ru_stime) * 1000)


def cold(packages: Packages) -> list[Table]:
    """Measure from the start of a process to the end of its first work."""
    rows: list[Row] = []
    for name, (bare, ours) in cold_starts(packages).items():
        walls = [[start.wall for start in starts] for starts in (ours, bare)]
        cpus = [[start.cpu for start in starts] for starts in (ours, bare)]
        rows.append((name, spread(walls[1]), spread(walls[0]), ratios(*walls), ratios(*cpus)))
    columns = ("cold", "bare, ms", "Assent, ms", "ratio", "ratio of processor time")
    sizes = [package.zipped_bytes / 1000 for package in packages]
    zipped: Row = ("deployment zip, kB", *map(round, sizes), sizes[1] / sizes[0], "")
    return [Table("From the start of a process", columns, [*rows, zipped])]


@cache
def warm_runs(packages: Packages) -> list[list[list[Measured]]]:
    """Return, for the bare app and for Assent, what each process measured for each work."""
    runs: list[list[list[Measured]]] = [[], []]
    for _ in track(range(WARM_ROUNDS), "warm requests"):
        for number, package in enumerate(packages):
            process = _process(package, "warm", [works[number] for works in WARM.values()])
            runs[number].append(json.loads(process.stdout.read()))
            process.wait()
    return runs


def warm(packages: Packages) -> list[Table]:
    """Measure requests in a process that has answered before, and count their AWS calls."""
    rows: list[Row] = []
    bare_runs, our_runs = warm_runs(packages)
    for number, name in enumerate(WARM):
        bare, ours = ([run[number] for run in runs] for runs in (bare_runs, our_runs))
        times = [[measured["ms"] for measured in found] for found in (ours, bare)]
        calls = f"{len(bare[0]['calls'])}, {len(ours[0]['calls'])}"
        rows.append((name, spread(times[1]), spread(times[0]), ratios(*times), calls))
    columns = ("warm", "bare, ms", "Assent, ms", "ratio", "AWS calls, bare and Assent")
    return [Table("In a process that has answered before", columns, rows)]


def _process(package: Package, mode: str, works: list[Work], **env: str) -> Any:
    """Start `measured_app.py` over a package."""
    path = os.pathsep.join([str(package.folder), str(ROOT)])
    process: Any = subprocess.Popen(
        [sys.executable, "-P", "-m", "bench.measured_app", mode],
        env=os.environ | ENVIRONMENT | {"PYTHONPATH": path} | env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )  # of type Any, because a Popen's stdin and stdout may be None, and these aren't
    with process.stdin as stdin:
        json.dump(works, stdin)
    return process
