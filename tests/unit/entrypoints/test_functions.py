"""The functions that Step Functions and the schedule invoke."""

from pathlib import Path
from typing import Any

import pytest
from chalice.test import Client

import app as app_module
from chalicelib.domain import link_tokens
from chalicelib.domain.errors import InvalidRequest, Unavailable
from tests.builders import request_approval, task_request
from tests.fakes import TOKEN
from tests.unit.entrypoints.client import ADA, AppPorts
from tests.unit.entrypoints.functions import invoke, tick
from tests.unit.steps import stored


def test_request_approval_returns_the_approvals_id(ports: AppPorts) -> None:
    """The task isn't answered yet."""
    approval_id = link_tokens.approval_id(TOKEN)
    assert invoke("request_approval", task_request()) == {"approvalId": approval_id}
    assert {event.via for event in stored(ports, approval_id).events} == {"function"}
    assert [to for to, _ in ports.mailer.sent] == [ADA]
    assert ports.executions.answers == []


def test_request_approval_returns_null_for_a_bad_request(ports: AppPorts) -> None:
    """Its task has failed already, so the function doesn't."""
    assert invoke("request_approval", task_request(colour="red")) == {"approvalId": None}
    assert [answer.error for answer in ports.executions.answers] == ["InvalidRequest"]


@pytest.mark.parametrize(
    ("event", "fault", "error"),
    [(None, "", InvalidRequest), (task_request(), "store.create", Unavailable)],
    ids=["no task token", "nothing could be written"],
)
def test_request_approval_raises_errors_by_the_names_that_the_state_machine_knows(
    ports: AppPorts, event: object, fault: str, error: type[Exception]
) -> None:
    """Only `Unavailable` is retried there."""
    ports.effects.faulty = {fault}
    with pytest.raises(error):
        invoke("request_approval", event)
    assert ports.logged[-1]["code"] == error.__name__


@pytest.mark.parametrize("field", ["token", "reason", "code"])
@pytest.mark.parametrize("text", ["\ud800", "12345\ud8006", "a\udfff"])
def test_half_a_character_in_a_decision_is_refused_by_field(
    ports: AppPorts, field: str, text: str
) -> None:
    """Lambda's JSON may hold half of a surrogate pair; it is no fault of ours."""
    request_approval(ports, codeRequired=True)
    message = {"token": ports.link(), "decision": "approve", field: text}
    before = ports.snapshot()
    with pytest.raises(InvalidRequest) as refusal:
        invoke("record_decision", message)
    assert refusal.value.field == field
    assert ports.snapshot() == before


def test_the_tick_delivers_what_is_due(ports: AppPorts) -> None:
    request_approval(ports, expiresIn=60)
    ports.later(seconds=60)
    tick()
    assert [answer.error for answer in ports.executions.answers] == ["Expired"]
    assert ports.logged[-1]["delivered"] == 1


@pytest.mark.parametrize(
    ("remaining_ms", "due"), [(app_module.HANDOVER_MS, 0), (app_module.HANDOVER_MS + 2_000, 1)]
)
def test_the_tick_begins_nothing_when_the_functions_time_out_is_near(
    ports: AppPorts, remaining_ms: int, due: int
) -> None:
    request_approval(ports, expiresIn=60)
    ports.later(seconds=60)
    tick(remaining_ms)
    assert ports.logged[-1]["due"] == due


def test_the_tick_runs_every_minute() -> None:
    """As the alarm for a missing tick expects."""
    (schedule,) = [event for event in app_module.app.event_sources if event.name == "tick"]
    expression: Any = getattr(schedule, "schedule_expression", None)
    assert expression.to_string() == "rate(1 minute)"


def test_the_tick_takes_the_event_of_a_schedule(ports: AppPorts, tmp_path: Path) -> None:
    """As Chalice's test client makes it, with three seconds: too few to begin anything."""
    request_approval(ports, expiresIn=60)
    ports.later(seconds=60)
    client = Client(app_module.app, project_dir=str(tmp_path))
    event = client.events.generate_cw_event("aws.events", "Scheduled Event", {}, [])
    client.lambda_.invoke("tick", event)
    assert ports.logged[-1]["due"] == 0
