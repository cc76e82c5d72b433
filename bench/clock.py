"""Clocks for measured ticks: the machine's, and one that simulates hours within minutes.

Each AWS call of `measured_ticks.py` sleeps on one of them.
"""

import itertools
import threading
import time
from collections.abc import Callable
from heapq import heappop, heappush
from typing import Protocol


class Clock(Protocol):
    """The seconds since its start, and a way to let some pass."""

    @property
    def now(self) -> float:
        """Return the seconds since the clock's start."""

    def sleep(self, seconds: float) -> None:
        """Return after that time."""


class WallClock:
    """The machine's clock. It doesn't sleep: a call takes as long as it really takes."""

    def __init__(self) -> None:
        self._started = time.perf_counter()

    @property
    def now(self) -> float:
        """Return the seconds since the clock's start."""
        return time.perf_counter() - self._started

    def sleep(self, seconds: float) -> None:
        """Return at once."""


class SimulatedClock:
    """A clock that jumps to the next time at which one of its threads wakes up.

    One thread runs at a time, the one that wakes up first, so threads on this clock need no locks.
    Processor time counts too: each second of it as `slowness` simulated seconds.
    """

    def __init__(self, slowness: float = 0) -> None:
        self.now = 0.0
        self._slowness = slowness
        self._sleeping: list[tuple[float, int, threading.Event]] = []
        """A heap of wake-up times; the number orders threads with the same time."""
        self._numbers = itertools.count()
        self._threads: list[threading.Thread] = []
        self._local = threading.local()

    def sleep(self, seconds: float) -> None:
        """Return after that time; meanwhile other threads run."""
        computed = time.thread_time() - self._local.woke_at
        wake_up = self._enqueue(self.now + seconds + computed * self._slowness)
        self._wake_next()
        self._wait_for(wake_up)

    def schedule(self, at: float, work: Callable[[], None]) -> None:
        """Run `work` at that time in a thread of its own."""
        wake_up = self._enqueue(at)

        def run() -> None:
            self._wait_for(wake_up)
            try:
                work()
            finally:
                self._wake_next()

        thread = threading.Thread(target=run)
        self._threads.append(thread)
        thread.start()

    def run(self) -> None:
        """Run all scheduled work, and the work that it schedules, and return."""
        self._wake_next()
        for thread in self._threads:  # work may append to the list meanwhile
            thread.join()

    def _enqueue(self, at: float) -> threading.Event:
        wake_up = threading.Event()
        heappush(self._sleeping, (at, next(self._numbers), wake_up))
        return wake_up

    def _wait_for(self, wake_up: threading.Event) -> None:
        wake_up.wait()
        self._local.woke_at = time.thread_time()

    def _wake_next(self) -> None:
        if self._sleeping:
            self.now, _, wake_up = heappop(self._sleeping)
            wake_up.set()
