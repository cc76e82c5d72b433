"""The Store against DynamoDB itself: what it asks for, how it pages, what a fault becomes."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.config import Config
from botocore.stub import Stubber
from msgspec.structs import replace

from chalicelib.adapters.dynamodb import DynamoDbStore
from chalicelib.adapters.dynamodb_items import SHARDS
from chalicelib.domain import link_tokens
from chalicelib.domain.approval import Approval, Decision
from chalicelib.domain.errors import Unavailable
from chalicelib.domain.events import Event, EventKind
from chalicelib.domain.outbox_entries import Mail
from tests.asking import an_approval, people
from tests.aws.clients import session
from tests.aws.closed_port import closed_port
from tests.aws.table import TABLE, calls, make_table
from tests.fakes import EXECUTION, START, TOKEN

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_dynamodb import DynamoDBClient

OPERATIONS: "dict[str, Callable[[DynamoDbStore], object]]" = {
    "get_item": lambda store: store.get(an_approval().id),
    "put_item": lambda store: store.replace(an_approval(), an_approval()),
    "transact_write_items": lambda store: store.create(an_approval()),
    "batch_get_item": lambda store: store.get_many([an_approval().id]),
    "query": lambda store: list(store.due(START)),
}


@pytest.fixture
def table(account: None) -> "DynamoDBClient":  # noqa: ARG001 (it must be there first)
    """Return a client whose account holds the template's table."""
    client = session().client("dynamodb")
    make_table(client)
    return client


def test_an_approval_is_read_consistently(table: "DynamoDBClient") -> None:
    """A decision is judged by the approval as it is, not as it was a moment ago."""
    made = calls(table)
    DynamoDbStore(table, TABLE).get(an_approval().id)
    assert made == [
        (
            "GetItem",
            {
                "TableName": TABLE,
                "Key": {"pk": {"S": f"APPROVAL#{an_approval().id}"}},
                "ConsistentRead": True,
            },
        )
    ]


def test_every_write_is_conditional(table: "DynamoDBClient") -> None:
    """No put goes out that could overwrite what its writer hasn't seen."""
    made = calls(table)
    store = DynamoDbStore(table, TABLE)
    store.create(an_approval())
    store.replace(an_approval(), an_approval())
    assert [name for name, _ in made] == ["TransactWriteItems", "PutItem"]
    (_, created), (_, replaced) = made
    assert created["TransactItems"][0]["Put"]["ConditionExpression"] == "attribute_not_exists(pk)"
    assert replaced["ConditionExpression"] == "version = :read"


def test_a_closed_approval_leaves_nothing_that_waits(table: "DynamoDBClient") -> None:
    """What said so is out of the index, and cleared away in time; the approval never is."""
    store, new = DynamoDbStore(table, TABLE), an_approval(approvers=people(3))
    store.create(new)
    assert table.scan(TableName=TABLE, IndexName="approver")["Count"] == 3
    store.replace(new, replace(new, outcome="approved"))
    assert table.scan(TableName=TABLE, IndexName="approver")["Count"] == 0
    gone = {item["pk"]["S"] for item in table.scan(TableName=TABLE)["Items"] if "goneAt" in item}
    assert gone == {f"WAITING#{new.id}#{who}" for who in people(3)}


def test_a_place_whose_time_is_over_is_the_beginning(table: "DynamoDBClient") -> None:
    """DynamoDB refuses a start outside the condition; what ended isn't listed anyway."""
    store = DynamoDbStore(table, TABLE)
    for n in range(3):
        store.create(
            replace(
                an_approval(),
                id=link_tokens.approval_id(f"token {n}"),
                expires_at=START + timedelta(hours=n + 1),
            )
        )

    def refuse(params: dict[str, Any], **_: Any) -> None:
        if "ExclusiveStartKey" in params:
            start = params["ExclusiveStartKey"]["expiresAt"]["S"]
            assert start > params["ExpressionAttributeValues"][":bound"]["S"]

    table.meta.events.register("provide-client-params.dynamodb.Query", refuse)
    _, after = store.waiting_for("ada@example.com", START, 1)
    for hours, left in ((0, 2), (1, 2), (2, 1), (3, 0)):
        found, _ = store.waiting_for("ada@example.com", START + timedelta(hours=hours), 5, after)
        assert len(found) == left


def cancel(stub: Stubber, why: str) -> None:
    """Have the next transaction cancelled, for its first item."""
    stub.add_client_error(
        "transact_write_items",
        "TransactionCanceledException",
        modeled_fields={"CancellationReasons": [{"Code": why}, {"Code": "None"}]},
    )


def test_a_write_that_another_one_under_way_refuses_is_a_lost_race(table: "DynamoDBClient") -> None:
    """Of two at the same moment DynamoDB may refuse both: whoever changes reads again."""
    paused: list[str] = []
    store, new = DynamoDbStore(table, TABLE, lambda: paused.append("a moment")), an_approval()
    closed = replace(new, outcome="approved")
    with Stubber(table) as stub:
        stub.add_client_error("put_item", "TransactionConflictException")
        assert store.replace(new, new) is None
        cancel(stub, "TransactionConflict")
        assert store.replace(new, closed) is None
    assert len(paused) == 2, "else all of them meet again"


def test_a_request_that_is_just_being_written_is_asked_again_later(table: "DynamoDBClient") -> None:
    """Nobody knows yet whether the other one gets through: neither yes nor no would be true."""
    with Stubber(table) as stub:
        cancel(stub, "TransactionConflict")
        with pytest.raises(Unavailable, match="just now"):
            DynamoDbStore(table, TABLE).create(an_approval())


def test_a_transaction_cancelled_for_another_reason_is_unavailable(table: "DynamoDBClient") -> None:
    """Throttled is not lost."""
    with Stubber(table) as stub:
        cancel(stub, "ThrottlingError")
        with pytest.raises(Unavailable, match="ThrottlingError"):
            DynamoDbStore(table, TABLE).create(an_approval())


def test_what_a_batch_leaves_out_is_asked_for_again(table: "DynamoDBClient") -> None:
    """DynamoDB may answer a part; the rest is read in the next call."""
    store, ids = (
        DynamoDbStore(table, TABLE),
        [link_tokens.approval_id(f"token {n}") for n in range(3)],
    )
    for new_id in ids:
        store.create(replace(an_approval(), id=new_id))
    first_left_out = {"put": True}

    def leave_out(params: dict[str, Any], **_: Any) -> None:
        keys = params["RequestItems"][TABLE]["Keys"]
        if first_left_out["put"]:
            params["RequestItems"][TABLE]["Keys"] = keys[:2]

    def say_so(parsed: dict[str, Any], **_: Any) -> None:
        if first_left_out.pop("put", False):
            left = {"Keys": [{"pk": {"S": f"APPROVAL#{ids[2]}"}}], "ConsistentRead": True}
            parsed["UnprocessedKeys"] = {TABLE: left}
            first_left_out["put"] = False

    table.meta.events.register("provide-client-params.dynamodb.BatchGetItem", leave_out)
    table.meta.events.register("after-call.dynamodb.BatchGetItem", say_so)
    assert [found.id for found in store.get_many(ids)] == ids


def test_the_list_reads_what_it_shows(table: "DynamoDBClient") -> None:
    """One query for as many as are shown and one more, and one read of those, of a hundred."""
    store = DynamoDbStore(table, TABLE)
    for n in range(100):
        store.create(replace(an_approval(), id=link_tokens.approval_id(f"token {n}")))
    made = calls(table)
    found, more = store.waiting_for("ada@example.com", START, 25)
    assert (len(found), bool(more)) == (25, True)
    (_, query), (name, batch) = made
    assert (name, query["Limit"]) == ("BatchGetItem", 26)
    assert len(batch["RequestItems"][TABLE]["Keys"]) == 25


def test_pages_of_one_item_each_are_all_read(table: "DynamoDBClient") -> None:
    """Each query begins where the one before it ended, in both indexes."""
    store = DynamoDbStore(table, TABLE)
    ids = [link_tokens.approval_id(f"token {n}") for n in range(12)]
    for new_id in ids:
        store.create(replace(an_approval(), id=new_id))
    table.meta.events.register("provide-client-params.dynamodb.Query", _one_item_a_page)
    made = calls(table)
    assert sorted(store.due(START.replace(year=2028))) == sorted(ids)
    assert len(made) >= len(ids)


def test_what_is_due_is_read_a_page_at_a_time(table: "DynamoDBClient") -> None:
    """A page when it is needed and not before, so that of any backlog one page is in memory."""
    store = DynamoDbStore(table, TABLE)
    for n in range(40):
        store.create(replace(an_approval(), id=link_tokens.approval_id(f"token {n}")))
    table.meta.events.register("provide-client-params.dynamodb.Query", _one_item_a_page)
    made = calls(table)
    due = store.due(START.replace(year=2028))
    assert made == []
    for number in range(1, 4):
        next(due)
        assert len(made) == number


def test_ticks_that_overlap_work_in_different_shards(table: "DynamoDBClient") -> None:
    """Each looks into all of them, and goes on to one that no tick of the next minutes begins with.

    One that begins five minutes later finds it gone.
    """
    made = calls(table)
    orders = []
    for minute in range(5):
        list(DynamoDbStore(table, TABLE).due(START.replace(minute=minute)))
        orders.append([query["ExpressionAttributeValues"][":value"]["S"] for _, query in made])
        made.clear()
    assert {tuple(sorted(order)) for order in orders} == {tuple(map(str, range(SHARDS)))}
    first = [order[0] for order in orders]
    assert len(set(first)) == len(first)
    assert orders[0][1] not in first


def _one_item_a_page(params: dict[str, Any], **_: Any) -> None:
    params["Limit"] = 1


def test_the_newest_of_an_execution_costs_one_query(table: "DynamoDBClient") -> None:
    """Only the first of what could be many pages is asked for."""
    store = DynamoDbStore(table, TABLE)
    for n in range(3):
        store.create(replace(an_approval(), id=link_tokens.approval_id(f"token {n}")))
    table.meta.events.register("provide-client-params.dynamodb.Query", _one_item_a_page)
    made = calls(table)
    assert store.of_execution(EXECUTION) is not None
    assert len(made) == 1


def test_an_item_that_is_not_due_has_no_key_in_the_due_index(table: "DynamoDBClient") -> None:
    """The index is sparse: its attributes go with the last promise."""
    store = DynamoDbStore(table, TABLE)
    store.create(an_approval())
    store.replace(an_approval(), replace(an_approval(), outcome="approved", outbox=()))
    (item,) = (i for i in table.scan(TableName=TABLE)["Items"] if "approval" in i)
    assert {"dueShard", "dueAt"}.isdisjoint(item)
    assert item["outcomeShard"]["S"].startswith("approved#")


def test_the_task_token_stands_in_the_item_once_and_in_no_index_key(
    table: "DynamoDBClient",
) -> None:
    """It is a credential: what lists, counts or exports keys doesn't see it."""
    DynamoDbStore(table, TABLE).create(an_approval())
    items = table.scan(TableName=TABLE)["Items"]
    found = [(i["pk"]["S"][:9], name) for i in items for name in i if TOKEN in str(i[name])]
    assert found == [("APPROVAL#", "approval")]


def test_the_largest_approval_that_people_can_make_is_written(table: "DynamoDBClient") -> None:
    """50 approvers, each invited twice and with the longest reason, fit in an item of 400 KB."""
    store = DynamoDbStore(table, TABLE)
    largest = _largest()
    assert store.create(largest)
    assert store.replace(largest, largest) == replace(largest, version=1)


def _largest() -> Approval:
    people = [f"{n:02}{'a' * 46}@example.com" for n in range(50)]
    new = an_approval(approvers=people, subject="é" * 200, details="d" * 16_000)
    reason = '"' * 1_000 + "\U0001f642" * 1_000  # 2,000 characters, 5,000 bytes, 6,000 in JSON
    approvers = tuple(
        replace(
            approver,
            link_hashes=(link_tokens.digest("one"), link_tokens.digest("two")),
            decision=Decision("approve", START, reason),
        )
        for approver in new.approvers
    )
    happened: tuple[EventKind, ...] = ("invited", "unconfirmed", "refused", "mailed", "approved")
    events = tuple(Event(START, what, who, "tick") for who in people for what in happened)
    return replace(
        new,
        task_token="t" * 2_048,
        approvers=approvers,
        events=events,
        outbox=tuple(Mail(to, START) for to in people),
    )


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("ThrottlingException", 400),
        ("ProvisionedThroughputExceededException", 400),
        ("RequestLimitExceeded", 400),
        ("InternalServerError", 500),
        ("ServiceUnavailable", 503),
        ("AccessDeniedException", 400),
        ("ResourceNotFoundException", 400),
    ],
)
@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.usefixtures("credentials")
def test_what_dynamodb_refuses_is_unavailable(operation: str, code: str, status: int) -> None:
    """Each method says which service and which code, and nothing of what was sent."""
    client = session().client("dynamodb", config=Config(retries={"total_max_attempts": 1}))
    with Stubber(client) as stub:
        stub.add_client_error(operation, code, f"about {TOKEN}", http_status_code=status)
        with pytest.raises(Unavailable, match=f"DynamoDB answered {code}") as raised:
            OPERATIONS[operation](DynamoDbStore(client, TABLE))
    _holds_no_secret(raised.value)


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.usefixtures("credentials")
def test_a_dynamodb_that_is_not_there_is_unavailable(operation: str) -> None:
    """A refused connection is a fault like any other."""
    with closed_port() as url:
        client = session().client(
            "dynamodb", endpoint_url=url, config=Config(retries={"total_max_attempts": 1})
        )
        with pytest.raises(Unavailable, match="EndpointConnectionError") as raised:
            OPERATIONS[operation](DynamoDbStore(client, TABLE))
    _holds_no_secret(raised.value)


def test_a_fault_on_a_later_page_is_unavailable_too(table: "DynamoDBClient") -> None:
    """A half-read list of what is due is never taken for the whole."""
    with Stubber(table) as stub:
        first: Any = {
            "Items": [{"pk": {"S": "APPROVAL#one"}}],
            "LastEvaluatedKey": {"pk": {"S": "APPROVAL#one"}},
        }
        stub.add_response("query", first)
        stub.add_client_error("query", "ThrottlingException", http_status_code=400)
        found = DynamoDbStore(table, TABLE).due(START)
        assert next(found) == "one"
        with pytest.raises(Unavailable):
            next(found)


def _holds_no_secret(error: Unavailable) -> None:
    assert TOKEN not in error.message
    assert TOKEN not in str(error.as_json())
