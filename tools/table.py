"""The stage's table: what waits in it, whether it fits the template, and its end.

On the map: used by `stack` and `destroy`; knows DynamoDB, and from the template its table alone.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from chalicelib.adapters.dynamodb_items import SHARDS

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Keys = tuple[str, ...]


class Table:
    """The table of that name, which need not be there."""

    def __init__(self, client: "DynamoDBClient", name: str) -> None:
        self._client = client
        self._name = name

    def exists(self) -> bool:
        """Return whether there is such a table, whoever made it."""
        try:
            self._client.describe_table(TableName=self._name)
        except self._client.exceptions.ResourceNotFoundException:
            return False
        return True

    def misfits(self, wanted: Mapping[str, Any]) -> list[str]:
        """Return what `wanted`, a table's properties in CloudFormation's words, has otherwise.

        More indexes than wanted are fine, and so is a wider projection: every one holds the keys.
        """
        found = self._client.describe_table(TableName=self._name)["Table"]
        key, indexes = _shape(found)
        wanted_key, wanted_indexes = _shape(wanted)
        wrong = [] if key == wanted_key else [f"its key is {_said(key)}, not {_said(wanted_key)}"]
        for name, keys in wanted_indexes.items():
            if name not in indexes:
                wrong.append(f"it has no index {name}, by {_said(keys)}")
            elif indexes[name] != keys:
                wrong.append(f"its index {name} is by {_said(indexes[name])}, not {_said(keys)}")
        return wrong

    def pending(self) -> int:
        """Return how many approvals wait for an answer, whichever state machine asked.

        The index `outcome` follows the table by a moment.
        """
        pages = self._client.get_paginator("query")
        try:
            return sum(
                page["Count"]
                for shard in range(SHARDS)
                for page in pages.paginate(
                    TableName=self._name,
                    IndexName="outcome",
                    Select="COUNT",
                    KeyConditionExpression="outcomeShard = :shard",
                    ExpressionAttributeValues={":shard": {"S": f"pending#{shard}"}},
                )
            )
        except self._client.exceptions.ResourceNotFoundException:
            return 0

    def delete(self) -> None:
        """Delete the table and wait; fine if there is none."""
        try:
            self._client.delete_table(TableName=self._name)
        except self._client.exceptions.ResourceNotFoundException:
            return
        self._client.get_waiter("table_not_exists").wait(TableName=self._name)


def _shape(table: Mapping[str, Any]) -> tuple[Keys, dict[str, Keys]]:
    """Return the key and the indexes' keys, each attribute with its type: `pk (S)`."""
    types = {a["AttributeName"]: a["AttributeType"] for a in table["AttributeDefinitions"]}

    def keys(schema: Iterable[Mapping[str, str]]) -> Keys:
        return tuple(f"{k['AttributeName']} ({types[k['AttributeName']]})" for k in schema)

    indexes = table.get("GlobalSecondaryIndexes", [])
    return keys(table["KeySchema"]), {i["IndexName"]: keys(i["KeySchema"]) for i in indexes}


def _said(keys: Keys) -> str:
    return " and ".join(keys)
