"""Messages while AWS is unavailable or our code has a bug, and what logs and dead letters hold."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain import errors
from chalicelib.domain.approval import Approval
from chalicelib.entrypoints import answering, queue_messages
from tests.builders import people, request_approval, task_request
from tests.fakes import TOKEN, FakeStore
from tests.unit.entrypoints.client import AppPorts
from tests.unit.entrypoints.functions import notification
from tests.unit.entrypoints.messages import (
    CHANNELS,
    Send,
    by_queue,
    by_requests,
    decision,
    each_channel,
    the_approval,
)
from tests.unit.steps import use_store


class Away(FakeStore):
    """A store that DynamoDB doesn't answer."""

    def get(self, approval_id: str) -> Approval | None:  # noqa: ARG002 (as FakeStore's)
        raise errors.Unavailable("DynamoDB answered ThrottlingException; please try again")


@pytest.mark.parametrize("fault", ["store.replace", "store.get"])
@each_channel
def test_a_decision_that_can_not_be_written_is_raised_and_delivered_again(
    ports: AppPorts, channel: str, fault: str
) -> None:
    """Without a dead letter; the next delivery is recorded."""
    request_approval(ports)
    message = decision(ports)
    working = ports.store
    if fault == "store.get":
        ports.store = Away(ports.effects)
    ports.effects.faulty = {fault}
    with pytest.raises(errors.Unavailable):
        CHANNELS[channel](message)
    assert ports.dead_letters.letters == []
    assert (ports.logged[-1]["code"], ports.logged[-1]["status"]) == ("Unavailable", 503)
    ports.store, ports.effects.faulty = working, set()
    CHANNELS[channel](message)
    assert the_approval(ports).outcome == "approved"


@pytest.mark.parametrize(
    ("fault", "send", "message"),
    [
        ("store.create", by_requests, task_request()),
        ("executions.answer", by_requests, task_request() | {"request": {}}),
        ("dead_letters.put", by_queue, "nonsense"),
    ],
    ids=["a request", "a refusal to its task", "a dead letter"],
)
def test_a_message_whose_effect_fails_is_raised_and_delivered_again(
    ports: AppPorts, fault: str, send: Send, message: object
) -> None:
    ports.effects.faulty = {fault}
    with pytest.raises(errors.Unavailable):
        send(message)
    assert ports.effects.done == []
    ports.effects.faulty = set()
    send(message)
    assert fault in ports.effects.done


class Talkative(FakeStore):
    """A store with a bug, whose error message has secrets."""

    secret = ""

    def get(self, approval_id: str) -> Approval | None:
        raise RuntimeError(f"about {approval_id}: {TOKEN} {self.secret}")


@each_channel
def test_a_bug_is_raised_and_logged_without_its_message(ports: AppPorts, channel: str) -> None:
    """Its message may hold anything; type and place are enough."""
    request_approval(ports)
    message = decision(ports)
    use_store(ports, Talkative(ports.effects)).secret = ports.link()
    with pytest.raises(errors.AssentError) as raised:
        CHANNELS[channel](message)
    assert raised.value.__suppress_context__
    (line,) = ports.logged
    assert (line["status"], line["error"]) == (500, "RuntimeError")
    assert "in get" in str(line["trace"])
    for secret in (TOKEN, ports.link().split(".")[1]):
        assert secret not in json.dumps(line) + str(raised.value)


@given(data=st.data())
def test_no_log_and_no_dead_letter_holds_a_token_a_code_or_a_reason(data: st.DataObject) -> None:
    """Wherever they are in the message, and whatever else is wrong with it."""
    ports = AppPorts()
    request_approval(ports, codeRequired=True, approvers=people(2))
    token, code, reason = ports.link(people(2)[0]), "271828", "a private reason"
    names = st.sampled_from([token, "token", "decision", "code", "reason", "colour"])
    words = st.sampled_from([token, code, reason, "approve", "reject"])
    body = data.draw(
        st.dictionaries(names, words | st.lists(words, max_size=2), max_size=4).map(json.dumps)
        | st.lists(words, min_size=1, max_size=3).map(" ".join)
    )
    for record in (body, json.dumps(notification(body))):
        for kind in ("decision", "request"):
            message = queue_messages.open_message({"messageId": "sqs-1", "body": record})
            result = queue_messages.take(ports, kind, message)
            assert isinstance(result, errors.AssentError)
            written = json.dumps(
                [answering.error_facts(result), ports.dead_letters.letters, ports.logged]
            )
            for secret in (token.split(".")[1], code, reason):
                assert secret not in written
