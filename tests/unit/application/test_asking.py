"""Asking: a task token and a request become one approval and one set of mails."""

import json
from typing import Any

import pytest

from chalicelib.application import approvers, asking
from chalicelib.domain import link_tokens
from chalicelib.domain.errors import InvalidRequest, Unavailable
from tests.builders import people, request_approval, request_body, task_request
from tests.fakes import TOKEN, FakePorts
from tests.unit.steps import (
    ADA,
    GRACE,
    LINUS,
    MARY,
    decide,
    events,
    run_tick,
    stored,
    subjects,
)


def test_each_approver_is_mailed_a_link_of_their_own(ports: FakePorts) -> None:
    """The approval is written before any mail is sent."""
    request_approval(ports, approvers=people(3))
    assert [to for to, _ in ports.mailer.sent] == people(3)
    assert len({ports.token_mailed_to(person) for person in people(3)}) == 3
    assert ports.effects.done[0] == "store.create"


def test_the_child_of_a_distributed_map_asks_like_any_other_execution(ports: FakePorts) -> None:
    """Its mail names the state machine with the map's label."""
    arn = "arn:aws:states:us-east-1:111122223333:execution:orders/AskEach:1-2"
    sent = task_request() | {"executionArn": arn}
    approval_id = asking.request_approval(ports, sent, "function")
    assert approval_id is not None
    assert stored(ports, approval_id).execution_arn == arn
    assert "The workflow orders/AskEach asks you to decide" in ports.mailer.sent[0][1].text


def test_the_same_task_token_again_mails_nobody_twice(ports: FakePorts) -> None:
    """Step Functions, SQS and callers may deliver a request more than once."""
    first = request_approval(ports, approvers=people(2))
    before = ports.snapshot()[1:]
    again = request_approval(ports, approvers=people(2))
    assert first == again == link_tokens.approval_id(TOKEN)
    assert ports.snapshot()[1:] == before


def test_only_the_hash_of_a_link_is_stored(ports: FakePorts) -> None:
    approval_id = request_approval(ports)
    secret = ports.token_mailed_to(ADA).split(".")[1]
    assert secret.encode() not in ports.store._items[approval_id]
    assert ports.token_mailed_to(ADA, "inbox").encode() not in ports.store._items[approval_id]
    assert link_tokens.digest(secret).encode() in ports.store._items[approval_id]


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        ({"subject": "x"}, "approvers"),
        (request_body(approvers=["ada@elsewhere.org"]), "approvers[0]"),
        (request_body(subject="x" * 1_000_000), "subject"),
        ("text", None),
    ],
    ids=["a missing field", "a foreign domain", "a megabyte", "no object"],
)
def test_a_bad_request_fails_its_task_as_invalid_request(
    ports: FakePorts, request_: object, field: str | None
) -> None:
    """The cause names the field; nothing is stored or mailed."""
    sent = task_request() | {"request": request_}
    assert asking.request_approval(ports, sent, "function") is None
    (answer,) = ports.executions.answers
    assert (answer.task_token, answer.error) == (TOKEN, "InvalidRequest")
    assert answer.cause is not None
    assert len(answer.cause) <= 32_768
    assert json.loads(answer.cause).get("field") == field
    assert ports.effects.done == ["executions.answer"]


@pytest.mark.parametrize("missing", ["request", "executionArn"])
def test_a_task_request_without_a_part_fails_its_task(ports: FakePorts, missing: str) -> None:
    sent = {name: value for name, value in task_request().items() if name != missing}
    assert asking.request_approval(ports, sent, "function") is None
    (answer,) = ports.executions.answers
    assert json.loads(answer.cause or "")["field"] == missing


def test_a_bad_request_for_a_known_task_token_does_not_end_its_approval(ports: FakePorts) -> None:
    """A caller of the function could otherwise fail a task that waits for people."""
    approval_id = request_approval(ports)
    before = ports.snapshot()
    sent = task_request() | {"request": {}}
    assert asking.request_approval(ports, sent, "function") == approval_id
    assert ports.snapshot() == before


@pytest.mark.parametrize(
    "sent",
    [
        None, [], {}, "text", {"request": {}}, {"taskToken": 7}, {"taskToken": []},
        {"taskToken": None, "executionArn": "x"}, {"taskToken": "x" * 2_049},
    ],
)  # fmt: skip
def test_without_a_usable_task_token_the_caller_gets_the_error(
    ports: FakePorts, sent: object
) -> None:
    """There is no task to fail."""
    with pytest.raises(InvalidRequest):
        asking.request_approval(ports, sent, "function")
    assert ports.effects.done == []


@pytest.mark.parametrize(
    ("fault", "fields"),
    [("store.create", request_body()), ("executions.answer", {})],
    ids=["a request that can't be written", "a refusal that can't be sent"],
)
def test_while_nothing_is_written_a_fault_is_raised_for_the_caller_to_retry(
    ports: FakePorts, fault: str, fields: dict[str, Any]
) -> None:
    ports.effects.faulty = {fault}
    with pytest.raises(Unavailable):
        asking.request_approval(ports, task_request() | {"request": fields}, "function")
    assert ports.effects.done == []


@pytest.mark.parametrize("fault", ["mailer.send", "store.replace", "mailer.invite"])
def test_once_it_is_written_a_fault_is_left_to_the_tick(ports: FakePorts, fault: str) -> None:
    """A retry by the state machine would ask under a new task token."""
    ports.effects.faulty = {fault}
    if fault == "mailer.invite":
        ports.mailer.subscriptions[ADA] = "none"
    approval_id = request_approval(ports)
    assert len(stored(ports, approval_id).outbox) == 1


def test_the_requester_gets_a_receipt_by_the_next_tick(ports: FakePorts) -> None:
    request_approval(ports, requestedBy=MARY)
    assert subjects(ports, MARY) == []
    run_tick(ports)
    assert subjects(ports, MARY) == ["Asked: Release 4.2"]


def test_a_requester_at_a_foreign_domain_is_not_mailed(ports: FakePorts) -> None:
    """They may ask, but the roles' policy lets nobody at their domain be mailed."""
    approval_id = request_approval(ports, requestedBy="somebody@elsewhere.example")
    ports.later(hours=1)
    run_tick(ports)
    assert [to for to, _ in ports.mailer.sent] == [ADA]
    assert stored(ports, approval_id).requester is None


def test_a_delegate_is_asked_for_an_absent_approver(ports: FakePorts) -> None:
    """Their decision counts, and the record says for whom they decided."""
    period = {"from": "2026-11-22T09:00:00Z", "until": "2026-11-29T09:00:00Z"}
    approvers.delegate(ports, ADA, {"delegate": GRACE} | period, "arn:boss")
    approval_id = request_approval(ports, approvers=[ADA, LINUS], approvalsNeeded=2)
    assert subjects(ports, ADA) == []
    assert f"asks you to decide for {ADA}, who is away, by" in ports.mailer.sent[0][1].text
    decide(ports, GRACE)
    assert decide(ports, LINUS).outcome == "approved"
    (event,) = events(ports, approval_id, "delegated")
    assert (event.who, event.note) == ("arn:boss", f"{ADA} -> {GRACE}")
    assert stored(ports, approval_id).approvers[0].stands_in_for == ADA


def test_the_requester_decides_for_no_absent_approver(ports: FakePorts) -> None:
    """Nobody approves their own request by delegation, unless the request allows it."""
    period = {"from": "2026-11-22T09:00:00Z", "until": "2026-11-29T09:00:00Z"}
    approvers.delegate(ports, ADA, {"delegate": GRACE} | period)
    own = request_approval(ports, requestedBy=GRACE)
    assert [a.address for a in stored(ports, own).approvers] == [ADA]
    allowed = request_approval(ports, "another", requestedBy=GRACE, allowSelfApproval=True)
    assert [a.address for a in stored(ports, allowed).approvers] == [GRACE]
