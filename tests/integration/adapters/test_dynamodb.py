"""DynamoDbStore on the template's table in moto: what it reads, page by page, and what fits."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from chalicelib.adapters.dynamodb import DynamoDbStore
from chalicelib.domain import link_tokens
from chalicelib.domain.approval import Approval, Decision
from chalicelib.domain.events import Event, EventKind
from chalicelib.domain.outbox_entries import Mail
from tests.aws.clients import session
from tests.aws.table import TABLE, calls, make_table
from tests.builders import an_approval, cancelled, people
from tests.fakes import EXECUTION, START

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@pytest.fixture
def table(account: None) -> "DynamoDBClient":  # noqa: ARG001 (it must be there first)
    """Return a client whose account holds the template's table."""
    client = session().client("dynamodb")
    make_table(client)
    return client


def create(store: DynamoDbStore, number: int) -> list[str]:
    """Create that many approvals, each with a deadline an hour after the last; return their ids."""
    ids = [link_tokens.approval_id(f"token {n}") for n in range(number)]
    for hours, approval_id in enumerate(ids, start=1):
        expires_at = START + timedelta(hours=hours)
        store.create(replace(an_approval(), id=approval_id, expires_at=expires_at))
    return ids


def read_one_item_a_page(table: "DynamoDBClient") -> None:
    """Make DynamoDB answer each query with one item, as it does after 1 MB."""

    def limit(params: dict[str, Any], **_: Any) -> None:
        params["Limit"] = 1

    table.meta.events.register("provide-client-params.dynamodb.Query", limit)


def test_a_closed_approval_leaves_the_index_of_inboxes(table: "DynamoDBClient") -> None:
    """Its waiting entries are marked for the time-to-live; without a retention it never is.

    While it is pending its own item is in there too, for the list of near deadlines.
    """
    store, pending = DynamoDbStore(table, TABLE), an_approval(approvers=people(3))
    store.create(pending)
    assert table.scan(TableName=TABLE, IndexName="approver")["Count"] == 3 + 1
    store.replace(pending, replace(pending, outcome="approved"))
    assert table.scan(TableName=TABLE, IndexName="approver")["Count"] == 0
    gone = {item["pk"]["S"] for item in table.scan(TableName=TABLE)["Items"] if "goneAt" in item}
    assert gone == {f"WAITING#{pending.id}#{person}" for person in people(3)}


def test_a_delivered_approval_is_marked_for_the_time_to_live(table: "DynamoDBClient") -> None:
    """With the write that records its last delivery, if the stage has a retention."""
    store, pending = DynamoDbStore(table, TABLE, retention=timedelta(days=30)), an_approval()
    store.create(pending)
    closed = store.replace(pending, cancelled(pending))
    assert closed is not None
    key = {"pk": {"S": f"APPROVAL#{pending.id}"}}
    assert "goneAt" not in table.get_item(TableName=TABLE, Key=key)["Item"]
    store.replace(closed, replace(closed, outbox=()))
    item = table.get_item(TableName=TABLE, Key=key)["Item"]
    assert item["goneAt"] == {"N": str(int((START + timedelta(days=30)).timestamp()))}


def test_a_page_of_the_inbox_may_begin_at_an_expired_approval(table: "DynamoDBClient") -> None:
    """DynamoDB refuses a start key outside the condition, so the inbox begins anew then."""
    store = DynamoDbStore(table, TABLE)
    create(store, 3)

    def refuse(params: dict[str, Any], **_: Any) -> None:
        if "ExclusiveStartKey" in params:
            start = params["ExclusiveStartKey"]["expiresAt"]["S"]
            assert start > params["ExpressionAttributeValues"][":bound"]["S"]

    table.meta.events.register("provide-client-params.dynamodb.Query", refuse)
    _, after = store.waiting_for("ada@example.com", START, 1)
    for hours, left in ((0, 2), (1, 2), (2, 1), (3, 0)):
        found, _ = store.waiting_for("ada@example.com", START + timedelta(hours=hours), 5, after)
        assert len(found) == left


def test_every_page_of_what_is_due_is_read_when_it_is_needed(table: "DynamoDBClient") -> None:
    """Each query begins where the last one ended; of any backlog one page is in memory."""
    store = DynamoDbStore(table, TABLE)
    ids = create(store, 24)
    read_one_item_a_page(table)
    made = calls(table)
    due = store.due(START.replace(year=2028))
    assert made == []
    first = [next(due) for _ in range(3)]
    assert len(made) == 3
    assert sorted([*first, *due]) == sorted(ids)


def test_the_approvals_of_an_execution_cost_a_query_and_a_read_if_there_are_any(
    table: "DynamoDBClient",
) -> None:
    store = DynamoDbStore(table, TABLE)
    made = calls(table)
    assert store.of_execution(EXECUTION) == []
    assert [name for name, _ in made] == ["Query"]
    create(store, 3)
    made.clear()
    assert len(store.of_execution(EXECUTION)) == 3
    assert [name for name, _ in made] == ["Query", "BatchGetItem"]


def test_the_largest_approval_that_people_can_make_is_written(table: "DynamoDBClient") -> None:
    """50 approvers, each invited twice and with the longest reason, fit in an item of 400 KB."""
    store = DynamoDbStore(table, TABLE)
    largest = _largest()
    assert store.create(largest)
    assert store.replace(largest, largest) == replace(largest, version=1)


def _largest() -> Approval:
    people = [f"{n:02}{'a' * 46}@example.com" for n in range(50)]
    pending = an_approval(approvers=people, subject="é" * 200, details="d" * 16_000)
    reason = '"' * 1_000 + "\U0001f642" * 1_000  # 2,000 characters, 5,000 bytes, 6,000 in JSON
    approvers = tuple(
        replace(
            approver,
            link_hashes=(link_tokens.digest("one"), link_tokens.digest("two")),
            decision=Decision("approve", START, reason),
        )
        for approver in pending.approvers
    )
    kinds: tuple[EventKind, ...] = ("invited", "unconfirmed", "refused", "mailed", "approved")
    events = tuple(Event(START, kind, person, "tick") for person in people for kind in kinds)
    return replace(
        pending,
        task_token="t" * 2_048,
        approvers=approvers,
        events=events,
        outbox=tuple(Mail(to, START) for to in people),
    )
