"""DynamoDbStore against a stub: what is sent, and what each answer becomes."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from botocore.stub import Stubber
from msgspec.structs import replace

from chalicelib.adapters.dynamodb import BATCH_PAUSES, DynamoDbStore
from chalicelib.adapters.dynamodb_items import (
    SHARDS,
    approval_item,
    approval_key,
    waiting_entry,
    write_id_of,
)
from chalicelib.domain import link_tokens
from chalicelib.domain.approval import Approval
from chalicelib.domain.delegation import Delegation
from chalicelib.domain.errors import Unavailable
from chalicelib.domain.timestamps import iso
from tests.aws.stubs import strict_client, stubbed
from tests.aws.table import TABLE, calls
from tests.builders import an_approval, people
from tests.fakes import START, TOKEN

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

ADA = "ada@example.com"
DELEGATION = Delegation("grace@example.com", START, START, at=START)
OPERATIONS: dict[str, tuple[str, Callable[[DynamoDbStore], object]]] = {
    "get": ("get_item", lambda store: store.get(an_approval().id)),
    "get_many": ("batch_get_item", lambda store: store.get_many([an_approval().id])),
    "create": ("transact_write_items", lambda store: store.create(an_approval())),
    "replace": ("put_item", lambda store: store.replace(an_approval(), an_approval())),
    "close": ("transact_write_items", lambda store: store.replace(an_approval(), closed())),
    "due": ("query", lambda store: list(store.due(START))),
    "by_outcome": ("query", lambda store: store.by_outcome("pending", 5)),
    "waiting_for": ("query", lambda store: store.waiting_for(ADA, START, 5)),
    "of_execution": ("query", lambda store: store.of_execution("arn")),
    "ids_of_execution": ("query", lambda store: list(store.ids_of_execution("arn"))),
    "delegation": ("get_item", lambda store: store.delegation(ADA)),
    "put_delegation": ("put_item", lambda store: store.put_delegation(ADA, DELEGATION)),
    "replace_delegation": (
        "put_item",
        lambda store: store.replace_delegation(ADA, DELEGATION, DELEGATION),
    ),
}
"""Method of the store -> the operation of DynamoDB that it calls."""


@pytest.fixture
def client() -> "DynamoDBClient":
    """Return a client without AWS."""
    client: DynamoDBClient = strict_client("dynamodb")
    return client


@pytest.fixture
def stub(client: "DynamoDBClient") -> Iterator[Stubber]:
    """Give the stub that answers for DynamoDB."""
    with stubbed(client) as stub:
        yield stub


@pytest.fixture
def store(client: "DynamoDBClient") -> DynamoDbStore:
    """Return the adapter."""
    return DynamoDbStore(client, TABLE)


def closed() -> Approval:
    """Return an approval that waits for nobody."""
    return replace(an_approval(), outcome="approved")


def cancel_transaction(stub: Stubber, reason: str) -> None:
    """Have the next transaction cancelled because of its first item."""
    stub.add_client_error(
        "transact_write_items",
        "TransactionCanceledException",
        modeled_fields={"CancellationReasons": [{"Code": reason}, {"Code": "None"}]},
    )


def test_every_read_of_an_item_is_consistent(store: DynamoDbStore, stub: Stubber) -> None:
    """A decision is judged by the approval as it is now, not as it was a moment ago."""
    key = approval_key(an_approval().id)
    one = {"TableName": TABLE, "Key": key, "ConsistentRead": True}
    many = {"RequestItems": {TABLE: {"Keys": [key], "ConsistentRead": True}}}
    absent = one | {"Key": {"pk": {"S": f"ABSENCE#{ADA}"}}}
    stub.add_response("get_item", {}, one)
    stub.add_response("batch_get_item", {"Responses": {}}, many)
    stub.add_response("get_item", {}, absent)
    assert store.get(an_approval().id) is None
    assert store.get_many([an_approval().id]) == []
    assert store.delegation(ADA) is None


def test_every_write_of_an_approval_is_conditional(
    client: "DynamoDBClient", store: DynamoDbStore, stub: Stubber
) -> None:
    """Alone or in a transaction with waiting entries, it overwrites only the version it read."""
    for operation in ("transact_write_items", "put_item", "transact_write_items"):
        stub.add_response(operation, {})
    made = calls(client)
    read = replace(an_approval(), version=7)
    store.create(an_approval())
    store.replace(read, read)
    store.replace(read, replace(read, outcome="approved"))
    created = made[0][1]["TransactItems"][0]["Put"]
    alone = made[1][1]
    with_others = made[2][1]["TransactItems"][0]["Put"]
    assert created["ConditionExpression"] == "attribute_not_exists(pk)"
    for put in (alone, with_others):
        assert put["ConditionExpression"] == "version = :read"
        assert put["ExpressionAttributeValues"] == {":read": {"N": "7"}}
        assert put["Item"]["version"] == {"N": "8"}


def test_every_write_of_an_approval_has_an_id_of_its_own(
    client: "DynamoDBClient", stub: Stubber
) -> None:
    """By which a writer whose answer was lost tells its own write from an equal one."""
    for _ in range(3):
        stub.add_response("transact_write_items", {})
    made = calls(client)
    ids = iter(["first", "second"])
    store = DynamoDbStore(client, TABLE, write_id=lambda: next(ids))
    for one in (store, store, DynamoDbStore(client, TABLE)):
        one.replace(an_approval(), closed())
    items = [call["TransactItems"][0]["Put"]["Item"] for _, call in made]
    first, second, random = map(write_id_of, items)
    assert (first, second) == ("first", "second")
    assert random is not None
    assert len(random) == 16
    assert all("writeId" not in put["Put"]["Item"] for put in made[0][1]["TransactItems"][1:])


def test_a_write_that_waits_for_nobody_new_is_one_put(
    client: "DynamoDBClient", store: DynamoDbStore, stub: Stubber
) -> None:
    """A transaction costs twice as much, so only changed waiting entries make one."""
    for operation in ("put_item", "transact_write_items"):
        stub.add_response(operation, {})
    made = calls(client)
    pending = an_approval(approvers=people(3))
    store.replace(pending, replace(pending, outbox=()))
    store.replace(pending, replace(pending, approvers=pending.approvers[1:]))
    (_, transaction) = made[1]
    keys = [item["Put"]["Item"]["pk"]["S"] for item in transaction["TransactItems"]]
    assert keys == [f"APPROVAL#{pending.id}", f"WAITING#{pending.id}#{people(1)[0]}"]


def test_a_write_that_meets_another_one_is_a_version_conflict(
    client: "DynamoDBClient", stub: Stubber
) -> None:
    """Of two writes at once DynamoDB may refuse both: each pauses, and its caller reads again."""
    pauses: list[float] = []
    store = DynamoDbStore(client, TABLE, pauses.append)
    stub.add_client_error("put_item", "TransactionConflictException")
    assert store.replace(an_approval(), an_approval()) is None
    cancel_transaction(stub, "TransactionConflict")
    assert store.replace(an_approval(), closed()) is None
    assert len(pauses) == 2, "without a pause they would meet again"


def test_a_refused_condition_needs_no_pause(client: "DynamoDBClient", stub: Stubber) -> None:
    """The other write is done, so the next read sees it."""
    pauses: list[float] = []
    store = DynamoDbStore(client, TABLE, pauses.append)
    stub.add_client_error("put_item", "ConditionalCheckFailedException")
    assert store.replace(an_approval(), an_approval()) is None
    cancel_transaction(stub, "ConditionalCheckFailed")
    assert store.replace(an_approval(), closed()) is None
    assert pauses == []


def test_a_request_that_is_being_written_is_looked_up(
    client: "DynamoDBClient", stub: Stubber
) -> None:
    """After a pause: a caller who tried again could ask people twice. Unavailable if it is not."""
    pauses: list[float] = []
    store = DynamoDbStore(client, TABLE, pauses.append)
    cancel_transaction(stub, "TransactionConflict")
    stub.add_response("get_item", {"Item": approval_item(an_approval())})
    assert store.create(an_approval()) is False
    cancel_transaction(stub, "TransactionConflict")
    stub.add_response("get_item", {})
    with pytest.raises(Unavailable, match="just now"):
        store.create(an_approval())
    assert len(pauses) == 2


def test_a_transaction_cancelled_for_another_reason_is_unavailable(
    store: DynamoDbStore, stub: Stubber
) -> None:
    """A throttled write isn't a version conflict."""
    cancel_transaction(stub, "ThrottlingError")
    with pytest.raises(Unavailable, match="ThrottlingError"):
        store.create(an_approval())


def test_unprocessed_keys_are_read_again(store: DynamoDbStore, stub: Stubber) -> None:
    """BatchGetItem may answer a part; the rest is read in the next call."""
    found = [replace(an_approval(), id=link_tokens.approval_id(f"token {n}")) for n in range(3)]
    ids = [approval.id for approval in found]
    items = [approval_item(approval) for approval in found]
    left = {TABLE: {"Keys": [approval_key(ids[2])], "ConsistentRead": True}}
    first = {"Responses": {TABLE: items[1::-1]}, "UnprocessedKeys": left}
    stub.add_response("batch_get_item", first)
    stub.add_response("batch_get_item", {"Responses": {TABLE: items[2:]}}, {"RequestItems": left})
    assert [approval.id for approval in store.get_many(ids)] == ids


def test_keys_that_stay_unprocessed_are_given_up_after_growing_pauses(
    client: "DynamoDBClient", stub: Stubber
) -> None:
    """DynamoDB leaves keys unread when it is throttled: asking again at once makes that worse."""
    pauses: list[float] = []
    left = {TABLE: {"Keys": [approval_key(an_approval().id)], "ConsistentRead": True}}
    for _ in (0, *BATCH_PAUSES):
        stub.add_response("batch_get_item", {"Responses": {}, "UnprocessedKeys": left})
    with pytest.raises(Unavailable, match="unread"):
        DynamoDbStore(client, TABLE, pauses.append).get_many([an_approval().id])
    assert len(pauses) == len(BATCH_PAUSES)
    assert all(most / 2 <= pause <= most for pause, most in zip(pauses, BATCH_PAUSES, strict=True))
    assert sorted(BATCH_PAUSES) == list(BATCH_PAUSES)
    assert sum(BATCH_PAUSES) < 2, "a page's reader waits"


def test_an_inbox_reads_only_what_it_shows(
    client: "DynamoDBClient", store: DynamoDbStore, stub: Stubber
) -> None:
    """One query for a page and one more entry, and one read of that page's approvals."""
    until = iso(an_approval().expires_at)
    entries = [waiting_entry(link_tokens.approval_id(f"token {n}"), ADA, until) for n in range(26)]
    stub.add_response("query", {"Items": entries, "LastEvaluatedKey": entries[-1]})
    stub.add_response("batch_get_item", {"Responses": {}})
    made = calls(client)
    _, after = store.waiting_for(ADA, START, 25)
    assert after == f"{until}_{link_tokens.approval_id('token 24')}"
    (_, query), (_, batch) = made
    assert query["Limit"] == 26
    assert len(batch["RequestItems"][TABLE]["Keys"]) == 25


def test_overlapping_ticks_work_in_different_shards(
    client: "DynamoDBClient", store: DynamoDbStore, stub: Stubber
) -> None:
    """Five ticks begin in five shards, and none of them goes on to one of these five."""
    made, orders = calls(client), []
    for minute in range(5):
        for _ in range(SHARDS):
            stub.add_response("query", {"Items": []})
        assert list(store.due(START.replace(minute=minute))) == []
        orders.append([query["ExpressionAttributeValues"][":value"]["S"] for _, query in made])
        made.clear()
    assert {tuple(sorted(order)) for order in orders} == {tuple(map(str, range(SHARDS)))}
    first = [order[0] for order in orders]
    assert len(set(first)) == len(first)
    assert orders[0][1] not in first


@pytest.mark.parametrize("code", ["ThrottlingException", "AccessDeniedException"])
@pytest.mark.parametrize("method", OPERATIONS)
def test_a_fault_of_dynamodb_is_unavailable(
    store: DynamoDbStore, stub: Stubber, method: str, code: str
) -> None:
    """Each method names service and code, and repeats nothing of what was sent.

    A write is looked up before that: here it wasn't made.
    """
    operation, call = OPERATIONS[method]
    stub.add_client_error(operation, code, f"about {TOKEN}", http_status_code=400)
    if method in ("create", "replace", "close"):
        before = {} if method == "create" else {"Item": approval_item(an_approval())}
        stub.add_response("get_item", before)
    with pytest.raises(Unavailable, match=f"DynamoDB answered {code}") as raised:
        call(store)
    assert TOKEN not in str(raised.value.as_json())


def test_a_fault_on_a_later_page_is_unavailable(store: DynamoDbStore, stub: Stubber) -> None:
    """The first page of due approvals is never taken for all of them."""
    first: Any = {
        "Items": [{"pk": {"S": "APPROVAL#one"}}],
        "LastEvaluatedKey": {"pk": {"S": "APPROVAL#one"}},
    }
    stub.add_response("query", first)
    stub.add_client_error("query", "ThrottlingException", http_status_code=400)
    due = store.due(START)
    assert next(due) == "one"
    with pytest.raises(Unavailable):
        next(due)
