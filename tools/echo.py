"""How the commands report their progress: one line for each step, printed by an `Echo`."""

import time
from collections.abc import Callable

import click

Echo = Callable[[str], None]


def timed_echo() -> Echo:
    """Return an Echo that prints the seconds since now before each line."""
    started = time.monotonic()

    def echo(line: str) -> None:
        click.echo(f"{time.monotonic() - started:5.1f} s  {line}")

    return echo
