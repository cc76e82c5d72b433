"""A task token is carried from the question to the answer unchanged, whatever it looks like.

Emulators make short ones of letters; AWS makes ones of about 660 characters with `+`, `/` and `=`,
and may make them of up to 2,048.
"""

import json
import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import app as doors
from chalicelib.adapters.stepfunctions import StepFunctionsExecutions
from chalicelib.application import deciding, outbox_relay
from chalicelib.domain import link_tokens
from tests.asking import asked, body
from tests.aws.clients import session
from tests.aws.table import real_store
from tests.fakes import EXECUTION, TOKEN, FakePorts

BASE64 = string.ascii_letters + string.digits + "+/="
LIKE_AWS = "AQCEAAAAKgAAAAMAAAAA" + "b+/c==d+" * 80
TOKENS = [TOKEN, LIKE_AWS, "t", "=" * 2_048, ("+/=" * 683)[:2_048], "A" * 2_048]
MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:assent-test"

assert len(LIKE_AWS) == 660


@pytest.mark.parametrize("token", TOKENS)
@pytest.mark.parametrize("choice", ["approve", "reject"])
def test_the_token_asked_with_is_the_token_answered(token: str, choice: Any) -> None:
    """Through the use cases, the store's bytes and back."""
    ports = FakePorts()
    asked(ports, token)
    link = ports.token_mailed_to("ada@example.com")
    deciding.decide(ports, link, choice, reason="because", via="page")
    assert [answer.task_token for answer in ports.executions.answers] == [token]


@given(token=st.text(BASE64, min_size=1, max_size=2_048))
def test_any_token_of_base64_is_answered_as_it_was_asked_with(token: str) -> None:
    """No character of it means anything to us."""
    ports = FakePorts()
    asked(ports, token, expiresIn=60)
    ports.later(minutes=1)
    outbox_relay.relay(ports, link_tokens.approval_id(token))
    assert [answer.task_token for answer in ports.executions.answers] == [token]


@pytest.mark.parametrize("token", TOKENS)
@pytest.mark.usefixtures("account")
def test_dynamodb_gives_a_token_back_as_it_got_it(token: str) -> None:
    """Two thousand characters are nothing to an item."""
    ports = FakePorts()
    store = real_store()
    asked(ports, token)
    new = ports.store.get(link_tokens.approval_id(token))
    assert new is not None
    store.create(new)
    got = store.get(new.id)
    assert got is not None
    assert got.task_token == token


@pytest.mark.parametrize("token", TOKENS)
@pytest.mark.usefixtures("credentials")
def test_the_bytes_sent_to_step_functions_hold_the_token(token: str) -> None:
    """What leaves the process is JSON whose taskToken is the one we were given."""
    client = session().client("stepfunctions")
    sent: list[dict[str, Any]] = []

    def intercept(params: dict[str, Any], **_: Any) -> None:
        sent.append(json.loads(params["body"]))
        raise NotSentError

    client.meta.events.register("before-call.sfn", intercept)
    executions = StepFunctionsExecutions(client, MACHINE)
    with pytest.raises(NotSentError):
        executions.succeed_task(token, "{}")
    with pytest.raises(NotSentError):
        executions.fail_task(token, "Rejected", "{}")
    assert [call["taskToken"] for call in sent] == [token, token]


@pytest.mark.parametrize("token", TOKENS)
def test_the_function_takes_the_token_from_its_event(
    monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    """And a bad question fails that very token."""
    ports = FakePorts()
    monkeypatch.setattr(doors, "wiring", ports)
    event = {"taskToken": token, "executionArn": EXECUTION, "request": body()}
    doors.request_approval(event | {"request": {}}, None)
    assert [answer.task_token for answer in ports.executions.answers] == [token]
    assert doors.request_approval(event, None) == {"approvalId": link_tokens.approval_id(token)}


def test_a_bad_question_does_not_fail_a_task_that_was_asked_well(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever knows the token of a live approval can't end it by asking nonsense."""
    ports = FakePorts()
    monkeypatch.setattr(doors, "wiring", ports)
    event = {"taskToken": TOKEN, "executionArn": EXECUTION, "request": body()}
    asked = doors.request_approval(event, None)
    assert doors.request_approval(event | {"request": []}, None) == asked
    assert ports.executions.answers == []


class NotSentError(Exception):
    """Raised in the place of the network."""
