"""Runs inside a measured process: the tick, again and again until nothing is left to settle.

`python -m bench.ticking wall` runs one after another, AWS answering as fast as this machine can;
`once` runs one. `simulated` starts one each minute, as the schedule does: a call takes LATENCY, the
processor is as slow as Lambda's. DynamoDB is the emulator at AWS_ENDPOINT_URL; SNS, EventBridge
and Step Functions are answered here. Prints JSON: the ticks, what they cost, the peak of memory.
"""

import json
import os
import re
import sys
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import app as doors
from bench.clock import Clock, SimulatedClock, WallClock
from bench.meter import Meter
from bench.subject import answer
from chalicelib.wiring import Wiring

START = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
"""When the first tick begins."""
TIMEOUT = 300
"""Seconds that a tick may run; `tools/config.py` tells Lambda so."""
LATENCY = {"dynamodb": 0.005, "sns": 0.030, "sfn": 0.030, "eventbridge": 0.030}
"""Seconds that a call of each service takes: assumed."""
TRANSACTION = 0.010
"""Seconds that DynamoDB takes for a write of several items in one step: assumed as well."""
SLOWNESS = 1769 / 512
"""With 1,769 MB a function has a whole processor (AWS: Configure Lambda function memory); with 512,
as `tools/config.py` gives it, that part of one."""
ANSWERS = {
    "PutEvents": b'{"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]}',
    "SendTaskFailure": b"{}",
    "Publish": b"<R><PublishResult><MessageId>1</MessageId></PublishResult></R>",
    "GetTopicAttributes": b"<R><GetTopicAttributesResult><Attributes><entry>"
    b"<key>SubscriptionsConfirmed</key><value>1</value>"
    b"</entry></Attributes></GetTopicAttributesResult></R>",
}
EVENT = dict.fromkeys(("version", "account", "region", "detail-type", "source", "time", "id"), "")

Json = dict[str, Any]


class Stage(Wiring):
    """The deployed wiring, its clients watched, on a clock of ours."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(os.environ)
        self.meter = Meter()
        self.answered = Counter[str]()
        """How often each task was."""
        self.lines: list[Json] = []
        self._clock = clock

    def now(self) -> datetime:
        """Return the clock's time."""
        return START + timedelta(seconds=int(self._clock.now))

    def log(self, event: str, **facts: object) -> None:
        """Keep it."""
        self.lines.append({"event": event, **facts})

    def _client(self, service: str) -> Any:
        client = super()._client(service)
        self.meter.watch(client)
        client.meta.events.register("before-send", self._send)
        return client

    def _send(self, request: Any, event_name: str, **_: Any) -> Any:
        service, operation = event_name.split(".")[1:]
        transaction = operation == "TransactWriteItems"
        self._clock.spend(TRANSACTION if transaction else LATENCY[service])
        if operation == "SendTaskFailure":
            self.answered[json.loads(request.body)["taskToken"]] += 1
        body = ANSWERS.get(operation)
        return None if body is None else answer(request, body)


class Context:
    """What Lambda tells a tick of the time it has left."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ends = clock.now + TIMEOUT

    def get_remaining_time_in_millis(self) -> int:
        """Return it."""
        return int((self._ends - self._clock.now) * 1000)


def main(pace: str) -> None:
    """Run ticks until one settles nothing, which isn't shown unless it is the only one."""
    clock = SimulatedClock(SLOWNESS) if pace == "simulated" else WallClock()
    doors.wiring = stage = Stage(clock)
    ticks: list[Json] = []

    def tick() -> bool:
        began = clock.now
        event: Json = {**EVENT, "detail": {}, "resources": []}
        doors.app.handler_map["tick"](event, Context(clock))
        line = stage.lines[-1]  # This tick's: no other gets a turn between its line and here.
        ticks.append(line | {"began": began, "seconds": clock.now - began})
        return bool(line["delivered"])

    if isinstance(clock, SimulatedClock):
        each_minute(clock, tick)
    else:
        while tick() and pace != "once":
            pass
    faults = [line for line in stage.lines if line["event"] != "tick"]
    twice = [token for token, times in stage.answered.items() if times != 1]
    if faults or twice:
        sys.exit(f"{len(twice)} tasks were answered twice; faults: {faults[:1]}")
    worked = sorted((t for t in ticks if t["delivered"]), key=lambda t: t["began"]) or ticks
    found = {"ticks": worked, "answered": len(stage.answered), "peak_mb": peak_mb()}
    print(json.dumps(found | vars(stage.meter)))


def each_minute(clock: SimulatedClock, tick: Callable[[], bool]) -> None:
    """Start a tick each minute, whether or not others run still, until one settles nothing."""
    idle = False

    def start() -> None:
        nonlocal idle
        if idle:
            return
        clock.at(clock.now + 60, start)
        settled = False
        try:
            settled = tick()
        finally:  # One that fails is the last as well.
            idle = idle or not settled

    clock.at(0, start)
    clock.run()


def peak_mb() -> float:
    """Return the most memory that this process has had.

    From Linux itself: `getrusage` goes on counting from the process that started this one.
    """
    (kilobytes,) = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(kilobytes) / 1024


if __name__ == "__main__":
    main(*sys.argv[1:])
