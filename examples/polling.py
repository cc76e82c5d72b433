"""Waiting for something that happens in the sandbox."""

import time
from collections.abc import Callable
from typing import TypeVar

from tools.errors import ToolError

T = TypeVar("T")


def poll(
    read: Callable[[], T],
    *,
    until: Callable[[T], object],
    waiting_for: str,
    timeout: float = 60,
) -> T:
    """Call `read` until its result meets the condition `until`, and return that result.

    Raises ToolError after `timeout` seconds.
    """
    end = time.monotonic() + timeout
    while not until(result := read()):
        if time.monotonic() > end:
            raise ToolError(f"no {waiting_for} after {timeout:.0f} s; the last result was {result}")
        time.sleep(0.1)
    return result
