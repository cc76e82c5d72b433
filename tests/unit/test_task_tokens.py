"""The task token that was sent with a request is answered unchanged, whatever characters it has.

Its way through the adapters is tested with those.
"""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import app as entrypoints
from chalicelib.application import deciding, outbox_relay
from chalicelib.domain import link_tokens
from tests.aws.task_tokens import BASE64, TASK_TOKENS
from tests.builders import request_approval, request_body
from tests.fakes import EXECUTION, TOKEN, FakePorts


@pytest.mark.parametrize("choice", ["approve", "reject"])
def test_the_task_token_of_the_request_is_answered(choice: Any) -> None:
    """The use cases and the bytes of the store change no character."""
    for token in TASK_TOKENS:
        ports = FakePorts()
        request_approval(ports, token)
        link = ports.token_mailed_to("ada@example.com")
        deciding.decide(ports, link, choice, reason="because", via="page")
        assert [answer.task_token for answer in ports.executions.answers] == [token]


@given(token=st.text(BASE64, min_size=1, max_size=2_048))
def test_any_task_token_of_base64_is_answered_unchanged(token: str) -> None:
    """No character of it has a meaning for Assent."""
    ports = FakePorts()
    request_approval(ports, token, expiresIn=60)
    ports.later(minutes=1)
    outbox_relay.relay(ports, link_tokens.approval_id(token))
    assert [answer.task_token for answer in ports.executions.answers] == [token]


def test_the_function_takes_the_task_token_from_its_event(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A bad request fails that task; a good one derives the approval's id from the token."""
    for token in TASK_TOKENS:
        ports = FakePorts()
        monkeypatch.setattr(entrypoints, "wiring", ports)
        event = {"taskToken": token, "executionArn": EXECUTION, "request": request_body()}
        entrypoints.request_approval(event | {"request": {}}, None)
        assert [answer.task_token for answer in ports.executions.answers] == [token]
        approval_id = link_tokens.approval_id(token)
        assert entrypoints.request_approval(event, None) == {"approvalId": approval_id}


def test_a_bad_request_does_not_fail_the_task_of_a_pending_approval(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A program that knows the task token of an approval can't end it with a bad request."""
    ports = FakePorts()
    monkeypatch.setattr(entrypoints, "wiring", ports)
    event = {"taskToken": TOKEN, "executionArn": EXECUTION, "request": request_body()}
    first = entrypoints.request_approval(event, None)
    assert entrypoints.request_approval(event | {"request": []}, None) == first
    assert ports.executions.answers == []
