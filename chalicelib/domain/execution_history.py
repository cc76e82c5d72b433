"""What happened in an execution: the states that it entered, and how each of them ended."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, NamedTuple

StateStatus = Literal["passed", "failed", "waits", "stopped"]
"""`waits` is the state that a running execution is in, `stopped` one in which it was ended."""


class StateRun(NamedTuple):
    """A state that was entered; `error` is the name of the error that it failed with, if any."""

    name: str
    status: StateStatus
    entered_at: datetime
    error: str = ""


class ExecutionHistory(NamedTuple):
    """The definition of an execution, in Amazon States Language, and the states it has entered."""

    definition: Mapping[str, Any]
    states: tuple[StateRun, ...]
    has_succeeded: bool
