"""The history of an execution, read from Step Functions' events.

An event's input, output, parameters and cause may hold a task token or what people wrote, so only
names, times and the names of errors are read (docs/decisions/0037-*.md).
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from ..domain.errors import NotFound
from ..domain.execution_history import ExecutionHistory, StateRun, StateStatus
from .aws_errors import Expected, aws_errors

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

MOST_EVENTS = 1_000
"""One call's; an execution of the approval workflow has some ten."""
_HOLDING = ("ParallelStateEntered", "MapStateEntered")
"""The states inside of these are left out."""
_ENDS: dict[str, StateStatus] = {
    "ExecutionFailed": "failed",
    "ExecutionTimedOut": "stopped",
    "ExecutionAborted": "stopped",
}


def read_history(client: "SFNClient", execution_arn: str) -> ExecutionHistory:
    """Return the definition and the states of an execution; NotFound if there is none.

    Raises Unavailable if Step Functions doesn't answer.
    """
    try:
        with aws_errors("Step Functions", "ExecutionDoesNotExist", "InvalidArn"):
            followed = client.describe_state_machine_for_execution(executionArn=execution_arn)
            found = client.get_execution_history(
                executionArn=execution_arn, maxResults=MOST_EVENTS, includeExecutionData=False
            )
    except Expected:
        raise NotFound("Step Functions keeps no history of this execution any more.") from None
    events: list[Any] = list(found["events"])
    succeeded = any(event["type"] == "ExecutionSucceeded" for event in events)
    definition = msgspec.json.decode(followed["definition"])
    return ExecutionHistory(definition, tuple(_states(events)), succeeded)


def _states(events: Iterable[Any]) -> list[StateRun]:
    done, current, outer = list[StateRun](), None, ""
    for event in events:
        kind: str = event["type"]
        if outer and kind not in _ENDS:  # Inside of a Parallel or Map state: until it is left.
            left = event.get("stateExitedEventDetails", {}).get("name") == outer
            if not left:
                continue
        outer = _name_entered(event) if kind in _HOLDING else ""
        if kind.endswith("StateEntered"):
            done += [] if current is None else [_left(current)]
            current = _entered(event)
        elif current is None:
            continue
        elif kind.endswith("StateExited"):
            done.append(_left(current))
            current = None
        elif kind in _ENDS:
            done.append(current._replace(status="failed" if current.error else _ENDS[kind]))
            current = None
        elif kind.endswith("Succeeded"):
            current = current._replace(error="")  # A retry went well.
        else:
            current = current._replace(error=_error_in(event) or current.error)
    return done if current is None else [*done, current]


def _name_entered(event: Any) -> str:
    return str(event["stateEnteredEventDetails"]["name"])


def _entered(event: Any) -> StateRun:
    name = _name_entered(event)
    at: datetime = event["timestamp"].astimezone(UTC).replace(microsecond=0)
    return StateRun(name, "waits", at)


def _left(state: StateRun) -> StateRun:
    return state._replace(status="failed" if state.error else "passed")


def _error_in(event: Any) -> str:
    """Return the name of the error in an event such as TaskFailed; "" if it has none."""
    details = (value for key, value in event.items() if key.endswith("EventDetails"))
    return next((str(one["error"]) for one in details if "error" in one), "")
