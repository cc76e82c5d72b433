"""AWS does what is asked and its answer is lost: deployed clients repeat, and aren't misled."""

from datetime import timedelta
from typing import Any, cast

import pytest
from botocore.exceptions import ReadTimeoutError
from msgspec.structs import replace

from chalicelib.adapters.dynamodb import DynamoDbStore
from chalicelib.adapters.dynamodb_items import approval_item
from chalicelib.application.ports import Ports
from chalicelib.domain import transitions
from chalicelib.domain.approval import Approval
from chalicelib.domain.errors import Unavailable
from chalicelib.domain.outbox_entries import Resume
from chalicelib.wiring import Wiring
from tests.aws.lost_answers import TaskServer, lose_answers, serving
from tests.aws.table import make_table
from tests.builders import an_approval, people, request_approval
from tests.fakes import START, TOKEN, FakePorts
from tests.unit.steps import ADA, decide, events, stored
from tests.unit.test_wiring import ENV

GIVES_UP = 2
"""After so many tries a deployed client gives up."""


@pytest.fixture
def store(account: None) -> DynamoDbStore:  # noqa: ARG001 (it must be set first)
    """Return the deployed adapter, on a new table in moto."""
    store = Wiring(ENV).store
    make_table(store._client)
    return store


@pytest.fixture
def ports(store: DynamoDbStore) -> FakePorts:
    """Return ports whose store is the deployed adapter; the rest are fakes."""
    ports = FakePorts()
    ports.store = cast("Any", store)
    return ports


@pytest.mark.parametrize("lost", [1, GIVES_UP])
def test_a_request_whose_write_was_heard_by_nobody_is_mailed_once(
    ports: FakePorts, store: DynamoDbStore, lost: int
) -> None:
    """Whether botocore repeats the write or gives up, it is done; a retry would ask twice."""
    tries = lose_answers(store._client, "TransactWriteItems", lost)
    approval_id = request_approval(ports, approvers=people(2))
    assert tries
    assert [to for to, _ in ports.mailer.sent] == people(2)
    assert [a.mail for a in stored(ports, approval_id).approvers] == ["sent", "sent"]


def test_a_request_that_another_delivery_wrote_first_is_not_unavailable(
    store: DynamoDbStore,
) -> None:
    """A tick may have changed it meanwhile: it is there, so it is not asked again."""
    approval = an_approval()
    assert store.create(approval)
    store.replace(approval, replace(approval, reminders=1))
    _deny(store, "TransactWriteItems")
    assert store.create(approval) is False


@pytest.mark.parametrize("lost", [1, GIVES_UP])
def test_a_decision_whose_write_was_heard_by_nobody_resumes_the_task(
    ports: FakePorts, store: DynamoDbStore, lost: int
) -> None:
    """At once, and not by a tick after its lease."""
    approval_id = request_approval(ports)
    lose_answers(store._client, "TransactWriteItems", lost)
    assert decide(ports).outcome == "approved"
    assert len(ports.executions.answers) == 1
    assert len(events(ports, approval_id, "approved")) == 1


@pytest.mark.parametrize("lost", [1, GIVES_UP])
def test_a_lone_write_is_recognised_as_ones_own(store: DynamoDbStore, lost: int) -> None:
    """Botocore's repetition meets the version that its first try wrote: no version conflict."""
    read = an_approval()
    store.create(read)
    tries = lose_answers(store._client, "PutItem", lost)
    written = store.replace(read, replace(read, remind_at=START))
    assert len(tries) == GIVES_UP
    assert written is not None
    assert written.version == read.version + 1
    assert store.get(read.id) == written


def test_a_lone_write_that_another_one_overtook_is_a_version_conflict(
    store: DynamoDbStore,
) -> None:
    """The caller reads again, and applies its rule to what is there."""
    read = an_approval()
    store.create(read)
    store.replace(read, replace(read, remind_at=START + timedelta(days=1)))
    _deny(store, "PutItem")
    assert store.replace(read, replace(read, remind_at=START)) is None


def test_an_equal_write_of_somebody_else_is_a_version_conflict(store: DynamoDbStore) -> None:
    """Two presses of a button in one second put equal values; only one of them was written.

    Of the loser, the first try was lost and botocore's second met the winner's version.
    """
    read = an_approval()
    store.create(read)
    closed = replace(read, outcome="approved", outbox=(Resume(START),))
    winner = store.replace(read, closed)
    assert winner is not None
    tries = _drop_first(store, "TransactWriteItems")
    assert store.replace(read, closed) is None
    assert len(tries) == GIVES_UP
    _deny(store, "TransactWriteItems")
    assert store.replace(read, closed) is None
    assert store.get(read.id) == winner


def test_the_second_of_two_presses_does_not_record_that_the_first_came_too_late(
    ports: FakePorts, store: DynamoDbStore
) -> None:
    """The loser answers as a second click does, and doesn't answer the winner's task."""
    approval_id = request_approval(ports)
    read = stored(ports, approval_id)
    pressed = transitions.decide(read, ADA, "approve", reason="", now=ports.now(), via="page")
    assert store.replace(read, pressed)
    ports.executions.succeed_task(read.task_token, "{}")  # The winner's record comes later.
    tries = _drop_first(store, "TransactWriteItems")
    ports.store = cast("Any", ReadBefore(store, read))
    assert decide(ports).outcome == "approved"
    assert len(tries) == GIVES_UP
    assert ports.executions.refused == []
    assert events(ports, approval_id, "resumed") == []


def test_an_item_without_a_write_id_is_read_and_changed(store: DynamoDbStore) -> None:
    """An earlier version stored it. A write of ours that was never made isn't taken for made."""
    read = an_approval()
    store._client.put_item(TableName=store._table, Item=approval_item(read))
    assert store.get(read.id) == read
    _drop_first(store, "PutItem")
    assert store.replace(replace(read, version=read.version - 1), read) is None
    written = store.replace(read, replace(read, remind_at=START))
    assert written == store.get(read.id)


def test_a_write_that_was_never_made_is_unavailable(store: DynamoDbStore) -> None:
    """Its caller may try again: nothing is there."""
    read = an_approval()
    _deny(store, "TransactWriteItems")
    with pytest.raises(Unavailable):
        store.create(read)
    assert store.get(read.id) is None


class ReadBefore:
    """A store whose first read came before a write that is there by now."""

    def __init__(self, store: DynamoDbStore, read: Approval) -> None:
        self._store = store
        self._before = [read]

    def get(self, approval_id: str) -> Approval | None:
        return self._before.pop() if self._before else self._store.get(approval_id)

    def replace(self, read: Approval, changed: Approval) -> Approval | None:
        return self._store.replace(read, changed)


def _drop_first(store: DynamoDbStore, operation: str) -> list[str]:
    """Have the first try of that operation time out before AWS sees it; return all tries."""
    tries: list[str] = []

    def send(request: Any, **_: Any) -> None:
        tries.append(operation)
        if len(tries) == 1:
            raise ReadTimeoutError(endpoint_url=request.url)

    store._client.meta.events.register_first(f"before-send.dynamodb.{operation}", send)
    return tries


def _deny(store: DynamoDbStore, operation: str) -> None:
    """Have every try of that operation time out before AWS sees it."""

    def send(request: Any, **_: Any) -> None:
        raise ReadTimeoutError(endpoint_url=request.url)

    store._client.meta.events.register_first(f"before-send.dynamodb.{operation}", send)


@pytest.mark.usefixtures("credentials")
@pytest.mark.parametrize("approves", [True, False])
@pytest.mark.parametrize(
    ("task", "waited"),
    [
        ({"lost": 0}, True),
        ({"lost": 0, "waiting": False}, False),
        ({"lost": 1}, None),
        ({"lost": 1, "waiting": False}, None),
        ({"lost": 1, "drops": True}, True),
    ],
    ids=["waits", "is closed", "is resumed, unheard", "was closed", "waits at the second try"],
)
def test_a_task_that_a_repeated_call_finds_closed_is_not_known_to_have_waited(
    monkeypatch: pytest.MonkeyPatch, task: dict[str, Any], waited: bool | None, approves: bool
) -> None:
    """Its own first try, whose answer was lost, may have resumed it."""
    with serving(TaskServer(**task)) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
        wiring: Ports = Wiring(ENV)
        if approves:
            assert wiring.executions.succeed_task(TOKEN, "{}") is waited
        else:
            assert wiring.executions.fail_task(TOKEN, "Rejected", "{}") is waited
    assert [call["taskToken"] for call in server.calls] == [TOKEN] * (1 + server.lost)
    assert server.waiting is False
