"""Latency and price by a function's memory, computed from measured processor time.

Computed is `processor time x 1769 MB / memory + waiting`; waiting is the number of calls times
`canned_aws.latency`, and CONNECTING for each service at a cold start. A processor of Lambda is
taken to be as fast as this machine's.
"""

import statistics
import sys
from pathlib import Path

from bench.canned_aws import SERVICE_OF, latency
from bench.cost import DATED, PRICES, WHOLE_CPU, duration, gb_seconds
from bench.packages import Packages
from bench.report import Row, Table, spread
from bench.requests import COLD_ROUNDS, cold_starts, start, warm_runs
from bench.works import COLD, WARM

MEMORIES = (256, 512, 1024, 1769, 3008)
CONNECTING = 0.015
"""Seconds for TCP and TLS to one service, without processor time: assumed."""
FUNCTIONS = {
    "page": ("first page", "page"),
    "decision that closes": ("first decision, closes; same calls", "decision that closes"),
    "request function": ("request function; same calls", "request function; same calls"),
    "tick, nothing due": (
        "tick function, nothing due; same calls",
        "tick function, nothing due; same calls",
    ),
}
"""Name -> its works in COLD and in WARM."""
QUOTA_PERIOD = 20_000
"""Microseconds in which a function may use its share, as for the witness's cgroup."""


def memory(packages: Packages) -> list[Table]:
    """Compute the latency and price of each function for each memory size."""
    rows: list[Row] = []
    for name, (cold, warm) in FUNCTIONS.items():
        (cold_cpu, cold_wait), (warm_cpu, warm_wait) = figures(packages, cold, warm)
        for size in MEMORIES:
            warm_used = gb_seconds(warm_cpu, warm_wait, size) * 1000
            rows.append(
                (
                    name,
                    size,
                    round(duration(cold_cpu, cold_wait, size) * 1000),
                    round(duration(warm_cpu, warm_wait, size) * 1000, 1),
                    gb_seconds(cold_cpu, cold_wait, size) * 1000 * PRICES["GB-second"],
                    warm_used * PRICES["GB-second"],
                    warm_used * PRICES["GB-second, arm64"],
                )
            )
    columns = (
        *("function", "MB", "cold, ms", "warm, ms"),
        *("$ for 1,000 cold", "$ for 1,000 warm", "$ for 1,000 warm, arm64"),
    )
    title = f"Latency and duration's price by memory, computed ({DATED})"
    return [Table(title, columns, rows), *_witness(packages)]


def figures(packages: Packages, cold: str, warm: str) -> tuple[tuple[float, float], ...]:
    """Return processor time and waiting of Assent's works, cold and warm, in seconds."""
    starts = cold_starts(packages)[cold][1]
    number = list(WARM).index(warm)
    runs = [run[number] for run in warm_runs(packages)[1]]
    calls = runs[0]["calls"]
    waiting = sum(map(latency, calls))
    services = {SERVICE_OF[operation] for operation in calls}
    return (
        (
            statistics.median(one.cpu for one in starts) / 1000,
            waiting + len(services) * CONNECTING,
        ),
        (statistics.median(run["ms"] for run in runs) / 1000, waiting),
    )


def _witness(packages: Packages) -> list[Table]:
    """Measure cold first pages under a quota of the processor, if this machine has one to give."""
    group = Path("/sys/fs/cgroup/cpu/assent-bench")
    title = "Cold first page under a quota of the processor (cgroup), without waiting"
    try:
        group.mkdir()
    except OSError as error:
        print(f"No quota: {error.strerror} at {group} (cgroup v1, root).", file=sys.stderr)
        return []
    rows: list[Row] = []
    try:
        (group / "cpu.cfs_period_us").write_text(str(QUOTA_PERIOD))
        cpu = statistics.median(one.cpu for one in cold_starts(packages)["first page"][1])
        for size in (256, 512, 1024):
            (group / "cpu.cfs_quota_us").write_text(str(QUOTA_PERIOD * size // WHOLE_CPU))
            walls = [
                start(packages[1], COLD["first page"][1], str(group / "tasks")).wall
                for _ in range(COLD_ROUNDS // 5)
            ]
            rows.append((size, round(cpu * WHOLE_CPU / size), spread(walls)))
    finally:
        group.rmdir()
    return [Table(title, ("MB", "computed, ms", "measured, ms"), rows)]
