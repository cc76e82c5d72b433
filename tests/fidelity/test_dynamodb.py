"""DynamoDB: conditions, consistency and indexes, by moto and by botocore's model."""

import io
import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse, HTTPHeaders
from botocore.exceptions import ClientError

from .witness import argument, bounds, errors, operation, plain, values

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef


@pytest.fixture
def table(account: boto3.Session) -> "DynamoDBClient":
    """Return a client that has a table `t` by `pk`, with an index `due` that holds keys only."""
    client = account.client("dynamodb")
    client.create_table(
        TableName="t",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": "S"} for name in ("pk", "dueShard", "dueAt")
        ],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "due",
                "KeySchema": [
                    {"AttributeName": "dueShard", "KeyType": "HASH"},
                    {"AttributeName": "dueAt", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
        ],
    )
    return client


def _put(client: "DynamoDBClient", condition: str = "attribute_not_exists(pk)", **item: str) -> str:
    """Put an item of strings; return "written" or the error's code."""
    typed: dict[str, AttributeValueTypeDef] = {name: {"S": text} for name, text in item.items()}
    try:
        client.put_item(TableName="t", Item=typed, ConditionExpression=condition)
    except ClientError as e:
        return e.response["Error"]["Code"]
    return "written"


def _due(
    client: "DynamoDBClient", consistent: bool = False
) -> "list[dict[str, AttributeValueTypeDef]]":
    return client.query(
        TableName="t",
        IndexName="due",
        ConsistentRead=consistent,
        KeyConditionExpression="dueShard = :shard",
        ExpressionAttributeValues={":shard": {"S": "3"}},
    )["Items"]


def test_a_conditional_put_writes_once(table: "DynamoDBClient") -> None:
    """The second of two creations is refused by an error code, and the first item stays."""
    assert _put(table, pk="a", v="first") == "written"
    assert _put(table, pk="a", v="second") == "ConditionalCheckFailedException"
    item = table.get_item(TableName="t", Key={"pk": {"S": "a"}}, ConsistentRead=True)["Item"]
    assert item["v"] == {"S": "first"}


def test_one_of_many_concurrent_conditional_puts_succeeds(table: "DynamoDBClient") -> None:
    """Condition and write are one step: eight writers, one success."""
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: _put(table, pk="race", v=str(n)), range(8)))
    assert answers.count("written") == 1
    assert answers.count("ConditionalCheckFailedException") == 7


def test_the_model_names_the_failed_condition() -> None:
    """PutItem may raise ConditionalCheckFailedException."""
    assert "ConditionalCheckFailedException" in errors("dynamodb", "PutItem")


def test_reads_are_eventually_consistent_by_default() -> None:
    """ConsistentRead makes GetItem return the last written value."""
    text = plain(operation("dynamodb", "GetItem").documentation)
    assert "eventually consistent read by default" in text
    assert "always returns the last updated value" in text


def test_an_index_cannot_be_read_consistently(table: "DynamoDBClient") -> None:
    """Its entries may be old, so Assent reads the item itself before it decides."""
    with pytest.raises(ClientError, match="ValidationException"):
        _due(table, consistent=True)
    text = plain(argument("dynamodb", "Query", "ConsistentRead").documentation)
    assert "not supported on global secondary indexes" in text


def test_an_item_without_the_index_keys_is_not_in_the_index(table: "DynamoDBClient") -> None:
    """The index is sparse; an item with one of the two keys isn't in it either."""
    _put(table, pk="due", dueShard="3", dueAt="2026-01-01")
    _put(table, pk="closed")
    _put(table, pk="half", dueShard="3")
    assert [item["pk"] for item in _due(table)] == [{"S": "due"}]


def test_an_item_leaves_the_index_with_its_keys(table: "DynamoDBClient") -> None:
    """Putting the item again without the keys removes it from the index."""
    _put(table, pk="due", dueShard="3", dueAt="2026-01-01")
    _put(table, condition="attribute_exists(pk)", pk="due")
    assert _due(table) == []


def test_an_index_of_keys_holds_keys_alone(table: "DynamoDBClient") -> None:
    """No text of an approval is copied into it."""
    _put(table, pk="due", dueShard="3", dueAt="2026-01-01", approval="secret")
    assert set(_due(table)[0]) == {"pk", "dueShard", "dueAt"}
    assert values("dynamodb", "ProjectionType") == ["ALL", "KEYS_ONLY", "INCLUDE"]


def test_a_query_reads_what_matches_its_key_condition(table: "DynamoDBClient") -> None:
    """Entries beyond the bound aren't read; entries that a filter hides are read and charged."""
    for number in range(5):
        _put(table, pk=str(number), dueShard="3", dueAt=f"2026-01-0{number}")
    bounded = table.query(
        TableName="t",
        IndexName="due",
        KeyConditionExpression="dueShard = :shard AND dueAt <= :now",
        FilterExpression="pk = :one",
        ExpressionAttributeValues={
            ":shard": {"S": "3"},
            ":now": {"S": "2026-01-02"},
            ":one": {"S": "1"},
        },
    )
    assert (bounded["ScannedCount"], bounded["Count"]) == (3, 1)
    text = plain(operation("dynamodb", "Query").documentation)
    assert "based on item size, not on the amount of data that is returned" in text
    assert "Queries that do not return results consume the minimum number" in text


def test_an_item_has_less_than_400_kb(table: "DynamoDBClient") -> None:
    """390 KB are written, 400 KB with their key are not."""
    assert _put(table, pk="a", v="x" * 390 * 1024) == "written"
    assert _put(table, pk="b", v="x" * 400 * 1024) == "ValidationException"


def test_a_transaction_writes_all_or_nothing_and_says_which_condition_failed(
    table: "DynamoDBClient",
) -> None:
    """The reasons are in the order of the items; an item that isn't the cause has `None`."""
    _put(table, pk="there")
    with pytest.raises(table.exceptions.TransactionCanceledException) as cancelled:
        table.transact_write_items(
            TransactItems=[
                {"Put": {"TableName": "t", "Item": {"pk": {"S": "other"}}}},
                {
                    "Put": {
                        "TableName": "t",
                        "Item": {"pk": {"S": "there"}},
                        "ConditionExpression": "attribute_not_exists(pk)",
                    }
                },
            ]
        )
    reasons = cancelled.value.response["CancellationReasons"]
    assert [reason["Code"] for reason in reasons] == ["None", "ConditionalCheckFailed"]
    assert "Item" not in table.get_item(TableName="t", Key={"pk": {"S": "other"}})


def test_the_model_names_the_errors_of_concurrent_writes() -> None:
    """A cancelled transaction has a reason with a code, a single put has an error of its own."""
    cancelled = errors("dynamodb", "TransactWriteItems")["TransactionCanceledException"]
    assert "Code: TransactionConflict" in cancelled
    assert (
        "ongoing transaction for the item"
        in (errors("dynamodb", "PutItem")["TransactionConflictException"])
    )
    most = argument("dynamodb", "TransactWriteItems", "TransactItems")
    assert bounds(most) == (1, 100)


class Fault(io.BytesIO):
    """The body of an answer that has none."""

    def stream(self) -> list[bytes]:
        return [b"{}"]


def test_a_transaction_sent_again_has_the_same_token(table: "DynamoDBClient") -> None:
    """Botocore adds it before it sends, so each retry of a call is the same request."""
    text = plain(argument("dynamodb", "TransactWriteItems", "ClientRequestToken").documentation)
    assert "multiple identical calls have the same effect as one single call" in text
    tokens: list[str] = []

    def fail_once(request: Any, **_: Any) -> Any:
        tokens.append(json.loads(request.body)["ClientRequestToken"])
        return None if len(tokens) > 1 else AWSResponse(request.url, 500, HTTPHeaders(), Fault())

    table.meta.events.register("before-send.dynamodb.TransactWriteItems", fail_once)
    put: Any = {"Put": {"TableName": "t", "Item": {"pk": {"S": "x"}}}}
    table.transact_write_items(TransactItems=[put])
    assert len(tokens) == 2
    assert len(set(tokens)) == 1


def test_a_batch_may_be_answered_in_part_and_is_asked_again_after_growing_pauses() -> None:
    """The rest is in UnprocessedKeys; asking at once may be throttled again."""
    text = plain(operation("dynamodb", "BatchGetItem").documentation)
    assert "UnprocessedKeys" in text
    assert "strongly recommend that you use an exponential backoff algorithm" in text
