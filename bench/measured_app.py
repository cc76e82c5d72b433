"""A measured process: one of the two apps, which gets events as Lambda gives them.

`python -m bench.measured_app cold` answers one Work and ends. `... warm` answers each Work many
times, with AWS's answers prepared in the process, and prints a Measured for each as JSON.
`... peak` answers one and prints the memory that took, in MiB. The works come on standard input,
the app is the first in PYTHONPATH.
"""

import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from importlib import import_module
from operator import attrgetter
from typing import Any, NotRequired, TypedDict

ROUNDS = 600
Json = dict[str, Any]


class Work(TypedDict):
    """What an app is to do, and how AWS answers meanwhile."""

    handler: str
    """The name of what Lambda calls, in the module `app`."""
    event: Json
    answers: dict[str, str]
    """Operation -> body of AWS's answer."""
    addresses: NotRequired[list[str]]
    """The approvers who have a topic."""
    clients: NotRequired[list[str]]
    """In place of the event: what has a client once it is read, or called, in the module `app`."""


class Measured(TypedDict):
    """The median time of a work in milliseconds, and its AWS calls."""

    ms: float
    calls: list[str]


class Context:
    """Lambda's context, as far as the apps read it."""

    aws_request_id = "bench"

    def get_remaining_time_in_millis(self) -> int:
        """Return five minutes."""
        return 300_000


def main(mode: str) -> None:
    """Measure one app; TASKS is the file of a cgroup that limits the processor."""
    if "TASKS" in os.environ:
        with open(os.environ["TASKS"], "w") as tasks:  # noqa: PTH123 (pathlib isn't imported here)
            tasks.write(str(os.getpid()))
    works: list[Work] = json.load(sys.stdin)
    sys.modules["typing_extensions"] = None  # type: ignore[assignment]  # Lambda hasn't got it
    app = import_module("app")
    if mode == "cold":
        do(app, works[0])
        os._exit(0)  # what Python frees at its end isn't part of an answer
    from bench.canned_aws import CannedAws, answer_in_process  # noqa: PLC0415 (not when cold)

    measured = []
    for work in works:
        aws = CannedAws(work["answers"], work.get("addresses", ["ada@example.com"]))
        answer_in_process(aws)
        with _unlogged():
            do(app, work)
        if mode == "peak":
            from bench.memory_used import peak_mb  # noqa: PLC0415 (not when cold)

            print(peak_mb())
            return
        calls = list(aws.calls.elements())
        measured.append({"ms": _median_ms(app, work), "calls": calls})
    print(json.dumps(measured))


def do(app: Any, work: Work) -> None:
    """Have the app do its work, and end this process if it refuses."""
    if "clients" in work:
        for name in work["clients"]:
            found = attrgetter(name)(app)
            _ = found() if callable(found) else found
        return
    answer = getattr(app, work["handler"])(work["event"], Context())
    if isinstance(answer, dict) and answer.get("statusCode", 200) != 200:
        sys.exit(f"{work['handler']} answered {answer['statusCode']}")


@contextmanager
def _unlogged() -> Iterator[None]:
    """Let the app's log go nowhere: the figures are on standard output."""
    with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere):  # noqa: PTH123 (as above)
        yield


def _median_ms(app: Any, work: Work) -> float:
    took = []
    with _unlogged():
        for _ in range(ROUNDS):
            started = time.perf_counter()
            do(app, work)
            took.append(time.perf_counter() - started)
    return sorted(took)[ROUNDS // 2] * 1000


if __name__ == "__main__":
    main(*sys.argv[1:])
