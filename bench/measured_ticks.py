"""A measured process: runs ticks until nothing is left to do, and prints a TicksReport as JSON.

`python -m bench.measured_ticks once` runs one tick, `wall` runs one after another with AWS
answering as fast as this machine can. `simulated` starts one each minute, as the schedule does:
each AWS call takes its latency (`measured_wiring.py`), and the processor is as slow as Lambda's.
"""

import json
import sys
from typing import Any, TypedDict

import app as assent
from bench.clock import Clock, SimulatedClock, WallClock
from bench.cost import WHOLE_CPU
from bench.measured_wiring import MeasuredWiring
from bench.memory_used import peak_mb
from bench.works import TICK
from tools.stage_settings import MEMORY

TIMEOUT = 300
"""Seconds that a tick may run, as `tools/stage_settings.py` configures Lambda."""
SLOWNESS = WHOLE_CPU / MEMORY
"""The tick's function has that part of a processor."""

Json = dict[str, Any]


class TickReport(TypedDict):
    """One tick: its start and duration in seconds, and the counts that it logged."""

    began: float
    seconds: float
    due: int
    delivered: int


class TicksReport(TypedDict):
    """The ticks that did something, and what all ticks cost together."""

    ticks: list[TickReport]
    answered: int
    """The number of answered tasks."""
    calls: dict[str, int]
    """AWS calls by operation."""
    keys_read: int
    query_units: float
    get_units: float
    write_units: float
    version_conflicts: int
    peak_mb: float


class LambdaContext:
    """The context of a tick: it knows the time that is left."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ends = clock.now + TIMEOUT

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds until the function's time-out."""
        return int((self._ends - self._clock.now) * 1000)


class Ticks:
    """Runs ticks on a clock and records a TickReport of each."""

    def __init__(self, clock: Clock, wiring: MeasuredWiring) -> None:
        self.reports: list[TickReport] = []
        self._clock = clock
        self._wiring = wiring
        self._idle = False

    def run_one(self) -> bool:
        """Run one tick and return whether it delivered anything."""
        began = self._clock.now
        assent.app.handler_map["tick"](TICK, LambdaContext(self._clock))
        line = self._wiring.lines[-1]  # this tick's: no other thread runs before this line
        self.reports.append(
            {
                "began": began,
                "seconds": self._clock.now - began,
                "due": line["due"],
                "delivered": line["delivered"],
            }
        )
        return bool(line["delivered"])

    def run_each_minute(self, clock: SimulatedClock) -> None:
        """Start a tick each minute, even while others run, until one settles nothing."""
        clock.schedule(0, lambda: self._run_scheduled(clock))
        clock.run()

    def _run_scheduled(self, clock: SimulatedClock) -> None:
        if self._idle:
            return
        clock.schedule(clock.now + 60, lambda: self._run_scheduled(clock))
        delivered = False
        try:
            delivered = self.run_one()
        finally:  # also if the tick fails, so that the process ends
            self._idle = self._idle or not delivered


def main(pace: str) -> None:
    """Run ticks at that pace and print the report.

    The last tick, which settles nothing, isn't in the report, unless it is the only one.
    """
    clock = SimulatedClock(SLOWNESS) if pace == "simulated" else WallClock()
    assent.wiring = wiring = MeasuredWiring(clock)
    ticks = Ticks(clock, wiring)
    if isinstance(clock, SimulatedClock):
        ticks.run_each_minute(clock)
    else:
        while ticks.run_one() and pace != "once":
            pass
    _exit_on_faults(wiring)
    reports = [tick for tick in ticks.reports if tick["delivered"]] or ticks.reports
    meter = wiring.meter
    report: TicksReport = {
        "ticks": sorted(reports, key=lambda tick: tick["began"]),
        "answered": len(wiring.answers),
        "calls": meter.calls,
        "keys_read": meter.keys_read,
        "query_units": meter.query_units,
        "get_units": meter.get_units,
        "write_units": meter.write_units,
        "version_conflicts": meter.version_conflicts,
        "peak_mb": peak_mb(),
    }
    print(json.dumps(report))


def _exit_on_faults(wiring: MeasuredWiring) -> None:
    """End the process with an error if a tick logged a fault or answered a task twice."""
    faults = [line for line in wiring.lines if line["event"] not in ("tick", "closed")]
    repeated = [token for token, times in wiring.answers.items() if times != 1]
    if faults or repeated:
        sys.exit(f"{len(repeated)} tasks were answered twice; faults: {faults[:1]}")


if __name__ == "__main__":
    main(*sys.argv[1:])
