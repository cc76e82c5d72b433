"""The simulated clock: what many do at once comes in its order, and takes no time here."""

import time

from bench.clock import SimulatedClock


def test_who_waits_shortest_goes_on_first() -> None:
    """Two at once are interleaved by the clock, whatever this machine is doing."""
    clock, seen = SimulatedClock(), list[tuple[str, float]]()

    def walk(name: str, step: float) -> None:
        for _ in range(3):
            clock.spend(step)
            seen.append((name, clock.now))

    clock.at(0, lambda: walk("slow", 10))
    clock.at(1, lambda: walk("quick", 4))
    clock.run()
    assert seen == [
        ("quick", 5),
        ("quick", 9),
        ("slow", 10),
        ("quick", 13),
        ("slow", 20),
        ("slow", 30),
    ]


def test_what_is_begun_meanwhile_is_waited_for() -> None:
    """The clock runs until nobody has anything left to do, for hours if need be."""
    clock, seen = SimulatedClock(), list[float]()

    def again() -> None:
        seen.append(clock.now)
        if len(seen) < 4:
            clock.at(clock.now + 3_600, again)

    clock.at(0, again)
    clock.run()
    assert seen == [0, 3_600, 7_200, 10_800]


def test_computing_takes_time_too() -> None:
    """As much as on a processor that is so many times slower than this one."""
    clock = SimulatedClock(slowness=1_000)

    def compute() -> None:
        began = time.thread_time()
        while time.thread_time() - began < 0.01:
            pass
        clock.spend(5)

    clock.at(0, compute)
    clock.run()
    assert clock.now >= 15
