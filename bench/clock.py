"""Clocks for the ticks that are measured: the machine's own, and one that passes while they wait.

On the map: `ticking.py` has each call of AWS spend time on one of them.
"""

import itertools
import threading
import time
from collections.abc import Callable
from heapq import heappop, heappush
from typing import Protocol


class Clock(Protocol):
    """Seconds since the beginning, and how to spend some."""

    @property
    def now(self) -> float:
        """Seconds that have passed."""

    def spend(self, seconds: float) -> None:
        """Return when so much has passed."""


class WallClock:
    """The machine's clock. A call takes what it takes here: nothing more is spent on it."""

    def __init__(self) -> None:
        self._began = time.perf_counter()

    @property
    def now(self) -> float:
        """Seconds that have passed."""
        return time.perf_counter() - self._began

    def spend(self, seconds: float) -> None:
        """Return at once."""


class SimulatedClock:
    """A clock that passes only while all who use it wait, so that their hours take minutes.

    Of all who wait, the one whose time comes first goes on, alone; so nothing here needs a lock.
    What it computes in between is time too: that of a processor `slowness` times slower than ours.
    """

    def __init__(self, slowness: float = 0) -> None:
        self.now = 0.0
        self._slowness = slowness
        self._waiting: list[tuple[float, int, threading.Event]] = []
        self._number = itertools.count()
        self._threads: list[threading.Thread] = []
        self._mine = threading.local()

    def spend(self, seconds: float) -> None:
        """Return when so much has passed; meanwhile others go on."""
        computed = time.thread_time() - self._mine.since
        turn = self._turn_at(self.now + seconds + computed * self._slowness)
        self._pass_on()
        self._await(turn)

    def at(self, seconds: float, work: Callable[[], None]) -> None:
        """Have this done at that time, beside whatever else is being done then."""
        turn = self._turn_at(seconds)

        def run() -> None:
            self._await(turn)
            try:
                work()
            finally:
                self._pass_on()

        thread = threading.Thread(target=run)
        self._threads.append(thread)
        thread.start()

    def run(self) -> None:
        """Return when everything is done."""
        self._pass_on()
        for thread in self._threads:  # The list grows meanwhile: what is done may bring more.
            thread.join()

    def _turn_at(self, seconds: float) -> threading.Event:
        turn = threading.Event()
        heappush(self._waiting, (seconds, next(self._number), turn))
        return turn

    def _await(self, turn: threading.Event) -> None:
        turn.wait()
        self._mine.since = time.thread_time()

    def _pass_on(self) -> None:
        if self._waiting:
            self.now, _, turn = heappop(self._waiting)
            turn.set()
