"""Messages: decisions and requests by queue, topic and function, and what becomes a dead letter."""

from collections.abc import Callable

import pytest

import app as app_module
from chalicelib.application.operating import change
from chalicelib.domain import errors, link_tokens
from chalicelib.domain.commands import Cancel, Reassign
from tests.builders import request_approval, request_body, task_request
from tests.fakes import EXECUTION, TOKEN
from tests.unit.entrypoints.client import ADA, AppPorts
from tests.unit.entrypoints.functions import deliver
from tests.unit.entrypoints.messages import (
    CHANNELS,
    Send,
    by_function,
    by_queue,
    by_requests,
    by_topic,
    decision,
    each_channel,
    the_approval,
)

BOB = "bob@example.com"


@each_channel
@pytest.mark.parametrize("choice", ["approve", "reject"])
def test_a_decision_resumes_the_task_and_names_its_channel(
    ports: AppPorts, channel: str, choice: str
) -> None:
    """It writes the same as a decision by page."""
    request_approval(ports)
    CHANNELS[channel](decision(ports, choice, reason="because"))
    (answer,) = ports.executions.answers
    assert answer.task_token == TOKEN
    assert (answer.error == "Rejected") == (choice == "reject")
    approval = the_approval(ports)
    acted = [(e.what, e.who) for e in approval.events if e.via == channel]
    past = {"approve": "approved", "reject": "rejected"}[choice]
    assert acted[-2:] == [(past, ADA), ("resumed", "assent")]
    ((_, made),) = approval.decisions
    assert (made.choice, made.reason) == (choice, "because")
    assert ports.dead_letters.letters == []


@each_channel
def test_a_decision_delivered_twice_is_recorded_once(ports: AppPorts, channel: str) -> None:
    """The second delivery has no effect and no error."""
    request_approval(ports)
    CHANNELS[channel](decision(ports))
    before = ports.snapshot()
    CHANNELS[channel](decision(ports))
    assert ports.snapshot() == before
    assert [line["status"] for line in ports.logged] == [200, 200]


@each_channel
def test_a_decision_that_agrees_with_the_outcome_is_no_error(ports: AppPorts, channel: str) -> None:
    """It isn't recorded: others closed the approval."""
    request_approval(ports, approvers=[ADA, BOB])
    CHANNELS[channel]({"token": ports.link(BOB), "decision": "approve"})
    before = ports.snapshot()
    CHANNELS[channel](decision(ports))
    assert ports.snapshot() == before
    assert len(the_approval(ports).decisions) == 1


def test_the_function_returns_the_outcome_and_the_approvers_decision(ports: AppPorts) -> None:
    request_approval(ports, approvers=[ADA, BOB], approvalsNeeded="all")
    approval_id = the_approval(ports).id
    assert by_function(decision(ports)) == {
        "approvalId": approval_id,
        "outcome": "pending",
        "decision": "approve",
    }
    last = {"token": ports.link(BOB), "decision": "approve"}
    assert by_function(last)["outcome"] == "approved"
    assert by_function(decision(ports))["outcome"] == "approved"


def test_the_function_returns_null_for_an_approver_without_a_decision(ports: AppPorts) -> None:
    request_approval(ports, approvers=[ADA, BOB])
    by_function({"token": ports.link(BOB), "decision": "approve"})
    assert by_function(decision(ports)) == {
        "approvalId": the_approval(ports).id,
        "outcome": "approved",
        "decision": None,
    }


def opposite(ports: AppPorts) -> object:
    request_approval(ports)
    by_queue(decision(ports))
    return decision(ports, "reject", reason="no")


def unknown(ports: AppPorts) -> object:
    request_approval(ports)
    return decision(ports) | {"token": f"{ports.link().partition('.')[0]}.{'a' * 32}"}


def expired(ports: AppPorts) -> object:
    request_approval(ports, expiresIn=60)
    ports.later(seconds=61)
    return decision(ports)


def cancelled(ports: AppPorts) -> object:
    change(ports, request_approval(ports), Cancel(), by="mary@example.com", via="api")
    return decision(ports)


def reassigned(ports: AppPorts) -> object:
    command = Reassign(from_=ADA, to=BOB)
    change(ports, request_approval(ports), command, by="mary@example.com", via="api")
    return decision(ports)


def without_reason(ports: AppPorts) -> object:
    request_approval(ports)
    return decision(ports, "reject")


def without_code(ports: AppPorts) -> object:
    request_approval(ports, codeRequired=True)
    return decision(ports)


def wrong_code(ports: AppPorts) -> object:
    request_approval(ports, codeRequired=True)
    return decision(ports, code="000000")


Refused = Callable[[AppPorts], object]
REFUSED: list[tuple[Refused, type[errors.AssentError], str | None]] = [
    (opposite, errors.AlreadyDecided, None),
    (unknown, errors.NotFound, None),
    (expired, errors.Expired, None),
    (cancelled, errors.Cancelled, None),
    (reassigned, errors.Reassigned, None),
    (without_reason, errors.InvalidRequest, "reason"),
    (without_code, errors.InvalidRequest, "code"),
    (wrong_code, errors.WrongCode, None),
]
each_refusal = pytest.mark.parametrize(("make", "error", "field"), REFUSED)


@each_refusal
@pytest.mark.parametrize("channel", ["queue", "topic"])
def test_a_refused_decision_becomes_a_dead_letter_at_once(
    ports: AppPorts, channel: str, make: Refused, error: type[errors.AssentError], field: str
) -> None:
    """It says which message, which approval and why; the log has one event; nothing is raised."""
    message = make(ports)
    answers, lines = list(ports.executions.answers), len(ports.logged)
    CHANNELS[channel](message)
    (letter,) = ports.dead_letters.letters
    message_id = {"queue": "sqs-0", "topic": "sns-1"}[channel]
    assert letter.pop("refused").items() >= {"code": error.code}.items()
    assert letter == {
        "messageId": message_id,
        "via": channel,
        "approvalId": the_approval(ports).id,
    }
    (line,) = ports.logged[lines:]
    assert (line["event"], line["messageId"]) == ("decision_from_queue", message_id)
    assert (line["code"], line.get("field")) == (error.code, field)
    assert ports.executions.answers == answers


@each_refusal
def test_a_refused_decision_by_function_is_raised_by_its_name(
    ports: AppPorts, make: Refused, error: type[errors.AssentError], field: str
) -> None:
    """A caller in Step Functions catches it so, and needs no dead letter."""
    message = make(ports)
    with pytest.raises(error) as refused:
        by_function(message)
    assert refused.value.field == field
    assert ports.dead_letters.letters == []
    logged = (ports.logged[-1]["code"], ports.logged[-1]["status"])
    assert logged == (error.code, refused.value.status)


def test_a_wrong_code_is_counted_once(ports: AppPorts) -> None:
    """It isn't delivered again: five deliveries would lock the link."""
    by_queue(wrong_code(ports))
    assert list(the_approval(ports).approvers[0].wrong_codes_by_link.values()) == [1]


NONSENSE: list[object] = [
    "",
    "no JSON",
    '{"token": ',
    "null",
    "[]",
    '"text"',
    "12",
    "{}",
    "[" * 100_000,
    "\ud800",
    '{"token": "\\ud800", "decision": "approve"}',
    {"token": 5, "decision": "approve"},
    {"token": "x", "decision": "maybe"},
    {"token": "x", "decision": "approve", "colour": "red"},
    {"token": "x" * 300_000, "decision": "approve"},
    {"taskToken": 7, "executionArn": EXECUTION, "request": {}},
    {"Type": "Notification", "MessageId": 5, "Message": "{}"},
]


@pytest.mark.parametrize("send", [by_queue, by_topic, by_requests])
@pytest.mark.parametrize("message", NONSENSE, ids=lambda message: repr(message)[:40])
def test_a_message_that_makes_no_sense_becomes_a_dead_letter(
    ports: AppPorts, send: Send, message: object
) -> None:
    """It is never raised, since it would only be delivered again; the stored approval stays."""
    request_approval(ports)
    before = ports.snapshot()[1:5]
    send(message)
    (letter,) = ports.dead_letters.letters
    assert letter["refused"]["code"] in ("InvalidRequest", "NotFound")
    assert len(letter["refused"]["message"]) < 400
    assert ports.snapshot()[1:5] == before
    (line,) = ports.logged
    assert line["code"] == letter["refused"]["code"]


def test_a_dead_letter_lists_the_choices_there_are(ports: AppPorts) -> None:
    """Its reader can then correct the sender."""
    by_queue({"token": "x", "decision": "maybe"})
    (letter,) = ports.dead_letters.letters
    assert letter["refused"] == {
        "code": "InvalidRequest",
        "message": "decision: must be one of approve, reject",
        "field": "decision",
    }


def test_a_refused_message_does_not_hold_up_the_next(ports: AppPorts) -> None:
    request_approval(ports)
    last = {"token": "x", "decision": "reject"}
    deliver("decision_from_queue", "nonsense", decision(ports), last)
    assert the_approval(ports).outcome == "approved"
    assert [letter["messageId"] for letter in ports.dead_letters.letters] == ["sqs-0", "sqs-2"]


@pytest.mark.parametrize("name", ["decision_from_queue", "request_from_queue", "execution_ended"])
def test_each_message_is_delivered_alone(name: str) -> None:
    """An error that is raised then sends back no other message."""
    (source,) = [source for source in app_module.app.event_sources if source.name == name]
    assert getattr(source, "batch_size", None) == 1


@pytest.mark.parametrize("message", [None, [], "text", {}, {"token": 5}, {"token": "x"}])
def test_nonsense_to_the_function_is_refused_by_name(ports: AppPorts, message: object) -> None:
    with pytest.raises(errors.InvalidRequest):
        by_function(message)
    assert ports.effects.done == []


def test_a_request_by_queue_makes_an_approval_and_names_its_channel(ports: AppPorts) -> None:
    by_requests(task_request())
    approval = the_approval(ports)
    assert approval.id == link_tokens.approval_id(TOKEN)
    assert [to for to, _ in ports.mailer.sent] == [ADA]
    assert {event.via for event in approval.events} == {"queue"}
    assert ports.logged[-1]["approvalId"] == approval.id


def test_a_request_delivered_again_after_the_outcome_has_no_effect(ports: AppPorts) -> None:
    by_requests(task_request())
    by_queue(decision(ports))
    before = ports.snapshot()[1:]
    by_requests(task_request())
    assert ports.snapshot()[1:] == before


def test_a_bad_request_by_queue_fails_its_task_and_needs_no_dead_letter(ports: AppPorts) -> None:
    by_requests(task_request() | {"request": request_body(approvers=["ada@elsewhere.org"])})
    (answer,) = ports.executions.answers
    assert (answer.task_token, answer.error) == (TOKEN, "InvalidRequest")
    assert ports.dead_letters.letters == []


def test_a_request_without_a_task_token_becomes_a_dead_letter(ports: AppPorts) -> None:
    """There is no task to fail."""
    message = task_request()
    del message["taskToken"]
    by_requests(message)
    (letter,) = ports.dead_letters.letters
    assert letter["refused"]["field"] == "taskToken"
    assert letter["messageId"] == "sqs-0"
