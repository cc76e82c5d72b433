"""The real state machine, executed in moto: every outcome of a request.

The function, the use cases and the adapter of Step Functions are real; the table and the mail are
fakes in memory.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest

import app as entrypoints
from chalicelib.application import deciding, operating, outbox_relay
from chalicelib.application.outbox_relay import ERROR_NAMES
from chalicelib.domain import link_tokens
from chalicelib.domain.commands import Cancel
from chalicelib.domain.errors import AlreadyDecided, Unavailable
from tests.builders import request_body
from tests.fakes import FakePorts
from tests.integration.statemachine.engine import Engine

ADA = "ada@example.com"


def asked(engine: Engine, ports: FakePorts, **fields: Any) -> str:
    """Start an execution and return its ARN, once its mail is sent and it waits."""
    execution = engine.start(request_body(**fields))
    engine.until(lambda: bool(ports.mailer.sent) and engine.waits(execution))
    return execution


def decide(ports: FakePorts, choice: Any, reason: str = "", to: str = ADA) -> None:
    """Decide as that approver, by the link in their mail."""
    deciding.decide(ports, ports.token_mailed_to(to), choice, reason=reason, via="page")


def approval_id(engine: Engine, execution: str) -> str:
    """Return the id of the execution's approval."""
    return link_tokens.approval_id(engine.task_token(execution))


def test_an_approval_resumes_the_execution_with_its_result(
    engine: Engine, ports: FakePorts
) -> None:
    """The execution succeeds, and its output is the wire's result."""
    execution = asked(engine, ports, subject="Größe 分 🙂")
    decide(ports, "approve", "looks good")
    ended = engine.end(execution)
    assert ended["status"] == "SUCCEEDED"
    at = "2026-11-22T09:00:00Z"
    assert json.loads(ended["output"]) == {
        "outcome": "approved",
        "approvalId": approval_id(engine, execution),
        "subject": "Größe 分 🙂",
        "decisions": [
            {"approver": ADA, "decision": "approve", "reason": "looks good", "decidedAt": at}
        ],
        "closedAt": at,
        "shown": "c24aaa9299b4aeaff74580134e012b0cba137a8d567610c05843377909b9f6a7",
    }
    assert engine.states(execution) == ["RequestApproval"]


def test_the_approval_is_found_by_its_execution(engine: Engine, ports: FakePorts) -> None:
    """The state machine sends its execution's ARN with the request."""
    execution = asked(engine, ports)
    (found,) = ports.store.of_execution(execution)
    assert found.id == approval_id(engine, execution)


@pytest.mark.parametrize("chosen", [{}, {"onReject": "fail"}])
def test_a_rejection_fails_the_execution(
    engine: Engine, ports: FakePorts, chosen: dict[str, str]
) -> None:
    """As `Rejected`, with the result as JSON in the cause; that is the default too."""
    execution = asked(engine, ports, **chosen)
    decide(ports, "reject", "too dear")
    ended = engine.end(execution)
    assert (ended["status"], ended["error"]) == ("FAILED", "Rejected")
    cause = json.loads(ended["cause"])
    assert (cause["outcome"], cause["decisions"][0]["reason"]) == ("rejected", "too dear")
    assert engine.states(execution) == ["RequestApproval", "OnReject", "Rejected"]


def test_a_rejection_can_be_returned_instead(engine: Engine, ports: FakePorts) -> None:
    """The execution succeeds with a result of the same shape as an approval's."""
    execution = asked(engine, ports, onReject="return")
    decide(ports, "reject", 'too "dear"\n€')
    ended = engine.end(execution)
    assert ended["status"] == "SUCCEEDED"
    result = json.loads(ended["output"])
    fields = {"outcome", "approvalId", "subject", "decisions", "closedAt", "shown"}
    assert result.keys() == fields
    assert result["outcome"] == "rejected"
    assert result["decisions"][0]["reason"] == 'too "dear"\n€'
    assert engine.states(execution) == ["RequestApproval", "OnReject", "ReturnRejection"]


def test_a_quorum_of_two_waits_for_the_second_approval(engine: Engine, ports: FakePorts) -> None:
    """After the first of two decisions the execution still runs."""
    execution = asked(engine, ports, approvers=[ADA, "bob@example.com"], approvalsNeeded="all")
    decide(ports, "approve")
    assert engine.client.describe_execution(executionArn=execution)["status"] == "RUNNING"
    decide(ports, "approve", to="bob@example.com")
    assert engine.end(execution)["status"] == "SUCCEEDED"


def test_a_request_past_its_deadline_fails_as_expired(engine: Engine, ports: FakePorts) -> None:
    """The tick closes it."""
    execution = asked(engine, ports, expiresIn=60)
    ports.later(seconds=60)
    outbox_relay.relay(ports, approval_id(engine, execution))
    _ended(engine, execution, "Expired", "expired")


def test_a_cancelled_request_fails_as_cancelled(engine: Engine, ports: FakePorts) -> None:
    """The execution ends at once, without a tick."""
    execution = asked(engine, ports)
    operating.change(
        ports, approval_id(engine, execution), Cancel(reason="not needed"), by=ADA, via="api"
    )
    _ended(engine, execution, "Cancelled", "cancelled")


def _ended(engine: Engine, execution: str, error: str, outcome: str) -> None:
    ended = engine.end(execution)
    assert (ended["status"], ended["error"]) == ("FAILED", error)
    assert json.loads(ended["cause"])["outcome"] == outcome
    assert engine.states(execution) == ["RequestApproval", error]


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        ({"subject": "x"}, "approvers"),
        (request_body(approvers=["ada@elsewhere.org"]), "approvers[0]"),
        (request_body(colour="red"), "colour"),
        (request_body(onReject="shrug"), "onReject"),
        ([], None),
        ("text", None),
    ],
)
def test_a_bad_request_fails_the_execution_at_once(
    engine: Engine, ports: FakePorts, request_: object, field: str | None
) -> None:
    """The cause names the field; nobody is mailed, and nothing is retried."""
    execution = engine.start(request_)
    ended = engine.end(execution)
    assert (ended["status"], ended["error"]) == ("FAILED", "InvalidRequest")
    cause = json.loads(ended["cause"])
    assert cause["code"] == "InvalidRequest"
    assert cause.get("field") == field
    assert engine.states(execution) == ["RequestApproval", "InvalidRequest"]
    assert engine.attempts(execution) == 1
    assert ports.effects.done == []


def test_a_bug_in_the_function_is_an_unexpected_failure(
    engine_for: Callable[..., Engine],
) -> None:
    """It is neither retried nor taken for an outcome; the error keeps its name."""

    def broken(event: object, context: object) -> None:  # noqa: ARG001
        raise ZeroDivisionError("a bug")

    engine = engine_for(broken)
    execution = engine.start(request_body())
    ended = engine.end(execution)
    assert (ended["status"], ended["error"]) == ("FAILED", "ZeroDivisionError")
    assert engine.states(execution) == ["RequestApproval", "UnexpectedFailure"]
    assert engine.attempts(execution) == 1


def test_unavailable_is_retried(engine_for: Callable[..., Engine], ports: FakePorts) -> None:
    """The second try succeeds and mails once."""
    calls: list[object] = []

    def unavailable_at_first(event: object, context: object) -> object:
        calls.append(event)
        ports.effects.faulty = {"store.create"} if len(calls) == 1 else set()
        return entrypoints.request_approval(event, context)

    engine = engine_for(unavailable_at_first, IntervalSeconds=1)
    execution = engine.start(request_body())
    engine.until(lambda: bool(ports.mailer.sent) and engine.waits(execution))
    decide(ports, "approve")
    assert engine.end(execution)["status"] == "SUCCEEDED"
    assert len(calls) == engine.attempts(execution) == 2
    assert len(ports.mailer.sent) == 1


def test_unavailable_after_all_retries_fails_the_execution(
    engine_for: Callable[..., Engine], ports: FakePorts
) -> None:
    """By way of UnexpectedFailure, with the error's own name."""
    engine = engine_for(IntervalSeconds=1, BackoffRate=1, MaxAttempts=2)
    ports.effects.faulty = {"store.create"}
    ended = engine.end(execution := engine.start(request_body()))
    assert (ended["status"], ended["error"]) == ("FAILED", Unavailable.__name__)
    assert engine.states(execution) == ["RequestApproval", "UnexpectedFailure"]
    assert engine.attempts(execution) == 3


@pytest.mark.parametrize("name", ["Surprise", "rejected", "Approved"])
def test_an_error_with_another_name_is_an_unexpected_failure(
    engine: Engine, ports: FakePorts, name: str
) -> None:
    """Only the exact names that Assent sends are caught by name."""
    execution = asked(engine, ports)
    assert ports.executions.fail_task(engine.task_token(execution), name, '{"why": "who knows"}')
    ended = engine.end(execution)
    assert (ended["status"], ended["error"]) == ("FAILED", name)
    assert json.loads(ended["cause"]) == {"why": "who knows"}
    assert engine.states(execution) == ["RequestApproval", "UnexpectedFailure"]


def test_a_second_answer_is_refused_and_changes_nothing(engine: Engine, ports: FakePorts) -> None:
    """The adapter returns False for every answer but the first."""
    execution = asked(engine, ports)
    token = engine.task_token(execution)
    decide(ports, "approve")
    assert ports.executions.fail_task(token, "Rejected", "{}") is False
    first = engine.end(execution)
    assert first["status"] == "SUCCEEDED"
    assert ports.executions.succeed_task(token, '{"outcome": "rejected"}') is False
    assert ports.executions.fail_task(token, "Rejected", "{}") is False
    with pytest.raises(AlreadyDecided):
        decide(ports, "reject", "changed my mind")
    assert engine.end(execution) == first


def test_a_task_that_another_program_answered_is_recorded_as_not_waiting(
    engine: Engine, ports: FakePorts
) -> None:
    """The decision is stored, and the audit trail says that the task was not waiting."""
    execution = asked(engine, ports)
    ports.executions.succeed_task(engine.task_token(execution), '{"by": "hand"}')
    engine.end(execution)
    decide(ports, "approve")
    stored = ports.store.get(approval_id(engine, execution))
    assert stored is not None
    assert (stored.outcome, stored.resumed_at) == ("approved", ports.now())
    notes = [event.note for event in stored.events if event.what == "resumed"]
    assert notes == ["the task was not waiting any more"]
    assert json.loads(engine.end(execution)["output"]) == {"by": "hand"}


def test_each_error_name_is_tested_above() -> None:
    """A new outcome needs a test of its execution too."""
    assert ERROR_NAMES == {
        "rejected": "Rejected",
        "expired": "Expired",
        "cancelled": "Cancelled",
    }


def test_the_task_token_is_neither_in_the_output_nor_in_a_mail(
    engine: Engine, ports: FakePorts
) -> None:
    """It is a credential: only Step Functions and the table hold it."""
    execution = asked(engine, ports)
    token = engine.task_token(execution)
    decide(ports, "approve")
    ended = engine.end(execution)
    assert token not in ended["output"]
    assert all(token not in email.text for _, email in ports.mailer.sent)
