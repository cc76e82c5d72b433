"""AWS does what is asked and its answer is lost: deployed clients repeat, and aren't misled."""

from datetime import timedelta
from typing import Any, cast

import pytest
from botocore.exceptions import ReadTimeoutError
from msgspec.structs import replace

from chalicelib.adapters.dynamodb import DynamoDbStore
from chalicelib.application.ports import Ports
from chalicelib.domain.errors import Unavailable
from chalicelib.wiring import Wiring
from tests.aws.lost_answers import TaskServer, lose_answers, serving
from tests.aws.table import make_table
from tests.builders import an_approval, people, request_approval
from tests.fakes import START, TOKEN, FakePorts
from tests.unit.steps import decide, events, stored
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


def test_a_write_that_was_never_made_is_unavailable(store: DynamoDbStore) -> None:
    """Its caller may try again: nothing is there."""
    read = an_approval()
    _deny(store, "TransactWriteItems")
    with pytest.raises(Unavailable):
        store.create(read)
    assert store.get(read.id) is None


def _deny(store: DynamoDbStore, operation: str) -> None:
    """Have every try of that operation time out before AWS sees it."""

    def send(request: Any, **_: Any) -> None:
        raise ReadTimeoutError(endpoint_url=request.url)

    store._client.meta.events.register_first(f"before-send.dynamodb.{operation}", send)


@pytest.mark.usefixtures("credentials")
@pytest.mark.parametrize("approves", [True, False])
@pytest.mark.parametrize(
    ("task", "waiting"),
    [
        ({"lost": 0}, True),
        ({"lost": 0, "waiting": False}, False),
        ({"lost": 1}, True),
        ({"lost": 1, "drops": True}, True),
    ],
    ids=["waits", "is closed", "is resumed, unheard", "is resumed at the second try"],
)
def test_a_task_that_a_lost_answer_resumed_was_waiting(
    monkeypatch: pytest.MonkeyPatch, task: dict[str, Any], waiting: bool, approves: bool
) -> None:
    """The repeated call finds the task closed, by its own first try."""
    with serving(TaskServer(**task)) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
        wiring: Ports = Wiring(ENV)
        if approves:
            assert wiring.executions.succeed_task(TOKEN, "{}") is waiting
        else:
            assert wiring.executions.fail_task(TOKEN, "Rejected", "{}") is waiting
    assert [call["taskToken"] for call in server.calls] == [TOKEN] * (1 + server.lost)
    assert server.waiting is False
