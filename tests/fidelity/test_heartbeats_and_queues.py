"""For the examples: heartbeats, the cause of a time-out, and dead-letter queues."""

import json
from typing import Any

from .engine import Engine
from .witness import argument, errors, operation, plain


def test_a_heartbeat_resets_the_heartbeat_clock_alone() -> None:
    """By the model, which also names the errors of a heartbeat for a closed task."""
    text = plain(operation("stepfunctions", "SendTaskHeartbeat").documentation)
    assert "This action resets the Heartbeat clock" in text
    assert "maximum allowed duration, regardless of the number of SendTaskHeartbeat" in text
    assert {"TaskTimedOut", "TaskDoesNotExist"} <= set(errors("stepfunctions", "SendTaskHeartbeat"))


def test_a_message_becomes_a_dead_letter_after_too_many_deliveries() -> None:
    """Once `maxReceiveCount` of the redrive policy is exceeded."""
    text = plain(argument("sqs", "CreateQueue", "Attributes").documentation)
    assert "maxReceiveCount is exceeded" in text


def _missed(engine: Engine, failed: dict[str, Any]) -> dict[str, Any]:
    """Return the end of an execution that catches a missed heartbeat and goes on to this state."""
    caught = [{"ErrorEquals": ["States.Timeout"], "Next": "Failed"}]
    waits = engine.waiting(HeartbeatSeconds=1, TimeoutSeconds=60, Catch=caught, End=True)
    execution = engine.start(engine.machine(Wait=waits, Failed=failed))
    engine.token()
    return engine.end(execution)


def test_a_missed_heartbeat_is_a_time_out_with_an_empty_cause(engine: Engine) -> None:
    """A catcher passes both on."""
    ended = _missed(engine, {"Type": "Pass", "End": True})
    assert json.loads(ended["output"]) == {"Error": "States.Timeout", "Cause": ""}


def test_the_whole_error_can_be_the_cause(engine: Engine) -> None:
    """As JSON with all its fields."""
    failed = {"Type": "Fail", "Error": "Lost", "CausePath": "States.JsonToString($)"}
    ended = _missed(engine, failed)
    assert ended["error"] == "Lost"
    assert json.loads(ended["cause"]) == {"Error": "States.Timeout", "Cause": ""}


def test_a_fail_state_cannot_pass_on_an_error_of_step_functions(engine: Engine) -> None:
    """With such a name the execution fails with another error."""
    ended = _missed(engine, {"Type": "Fail", "ErrorPath": "$.Error"})
    assert ended["error"] == "States.Runtime"
