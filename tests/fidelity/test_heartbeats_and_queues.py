"""What the examples rely on: heartbeats, the cause of a time-out, and where dead letters go."""

import json
from typing import Any

from .engine import Engine
from .witness import argument, errors, operation, plain


def test_a_heartbeat_starts_its_own_clock_again_and_no_other() -> None:
    """The model says it, and by which errors a closed task refuses one."""
    text = plain(operation("stepfunctions", "SendTaskHeartbeat").documentation)
    assert "This action resets the Heartbeat clock" in text
    assert "maximum allowed duration, regardless of the number of SendTaskHeartbeat" in text
    assert {"TaskTimedOut", "TaskDoesNotExist"} <= set(errors("stepfunctions", "SendTaskHeartbeat"))


def test_a_message_that_was_delivered_too_often_is_a_dead_letter() -> None:
    """By the queue's redrive policy, once the count is exceeded."""
    text = plain(argument("sqs", "CreateQueue", "Attributes").documentation)
    assert "maxReceiveCount is exceeded" in text


def _missed(engine: Engine, failed: dict[str, Any]) -> dict[str, Any]:
    """Return the end of an execution that misses a heartbeat, catches that, and goes on here."""
    caught = [{"ErrorEquals": ["States.Timeout"], "Next": "Failed"}]
    waits = engine.waiting(HeartbeatSeconds=1, TimeoutSeconds=60, Catch=caught, End=True)
    execution = engine.start(engine.machine(Wait=waits, Failed=failed))
    engine.token()
    return engine.end(execution)


def test_a_missed_heartbeat_is_a_time_out_with_an_empty_cause(engine: Engine) -> None:
    """That is what a catcher hands on."""
    ended = _missed(engine, {"Type": "Pass", "End": True})
    assert json.loads(ended["output"]) == {"Error": "States.Timeout", "Cause": ""}


def test_the_whole_error_can_be_the_cause(engine: Engine) -> None:
    """As JSON, whatever fields it has."""
    failed = {"Type": "Fail", "Error": "Lost", "CausePath": "States.JsonToString($)"}
    ended = _missed(engine, failed)
    assert ended["error"] == "Lost"
    assert json.loads(ended["cause"]) == {"Error": "States.Timeout", "Cause": ""}


def test_an_error_of_step_functions_own_is_nobody_elses(engine: Engine) -> None:
    """A Fail that passes such a name on fails otherwise than it says."""
    ended = _missed(engine, {"Type": "Fail", "ErrorPath": "$.Error"})
    assert ended["error"] == "States.Runtime"
