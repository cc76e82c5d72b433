"""The simulated clock: threads run in the order of their times, without waiting."""

import time

from bench.clock import SimulatedClock


def test_threads_run_in_the_order_of_their_wake_up_times() -> None:
    """Two threads interleave by the clock, under any load of this machine."""
    clock, seen = SimulatedClock(), list[tuple[str, float]]()

    def sleep_thrice(name: str, step: float) -> None:
        for _ in range(3):
            clock.sleep(step)
            seen.append((name, clock.now))

    clock.schedule(0, lambda: sleep_thrice("slow", 10))
    clock.schedule(1, lambda: sleep_thrice("quick", 4))
    clock.run()
    assert seen == [
        ("quick", 5),
        ("quick", 9),
        ("slow", 10),
        ("quick", 13),
        ("slow", 20),
        ("slow", 30),
    ]


def test_work_that_is_scheduled_meanwhile_is_run() -> None:
    """The clock runs until no work is left, for hours of its time."""
    clock, seen = SimulatedClock(), list[float]()

    def again() -> None:
        seen.append(clock.now)
        if len(seen) < 4:
            clock.schedule(clock.now + 3_600, again)

    clock.schedule(0, again)
    clock.run()
    assert seen == [0, 3_600, 7_200, 10_800]


def test_processor_time_counts() -> None:
    """As on a processor that is `slowness` times slower."""
    clock = SimulatedClock(slowness=1_000)

    def compute() -> None:
        began = time.thread_time()
        while time.thread_time() - began < 0.01:
            pass
        clock.sleep(5)

    clock.schedule(0, compute)
    clock.run()
    assert clock.now >= 15
