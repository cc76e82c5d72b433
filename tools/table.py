"""The DynamoDB table of a stage: counts pending approvals, compares keys, deletes the table."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from chalicelib.adapters.dynamodb_items import SHARDS

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Keys = tuple[str, ...]
"""A key schema as text, each attribute with its type: `("dueShard (S)", "dueAt (S)")`."""


class Table:
    """A table by its name. It may be missing."""

    def __init__(self, client: "DynamoDBClient", name: str) -> None:
        self._client = client
        self._name = name

    def exists(self) -> bool:
        """Return whether the table exists, in this stack or without one."""
        try:
            self._client.describe_table(TableName=self._name)
        except self._client.exceptions.ResourceNotFoundException:
            return False
        return True

    def differences(self, wanted: Mapping[str, Any]) -> list[str]:
        """Return how the table's keys differ from `wanted`, an AWS::DynamoDB::Table's properties.

        More indexes than wanted are no difference, nor is an index's projection: every projection
        has the keys, and the code reads nothing else from an index.
        """
        table = self._client.describe_table(TableName=self._name)["Table"]
        key, indexes = _keys_of(table)
        wanted_key, wanted_indexes = _keys_of(wanted)
        found = []
        if key != wanted_key:
            found.append(f"its key is {_text(key)}, not {_text(wanted_key)}")
        for name, keys in wanted_indexes.items():
            if name not in indexes:
                found.append(f"it has no index {name}, by {_text(keys)}")
            elif indexes[name] != keys:
                found.append(f"its index {name} is by {_text(indexes[name])}, not {_text(keys)}")
        return found

    def count_pending(self) -> int:
        """Return the number of pending approvals, those of other state machines included.

        The index `outcome` is eventually consistent.
        """
        query = self._client.get_paginator("query")
        try:
            return sum(
                page["Count"]
                for shard in range(SHARDS)
                for page in query.paginate(
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
        """Delete the table and wait until it is gone. A missing table is no error."""
        try:
            self._client.delete_table(TableName=self._name)
        except self._client.exceptions.ResourceNotFoundException:
            return
        self._client.get_waiter("table_not_exists").wait(TableName=self._name)


def _keys_of(table: Mapping[str, Any]) -> tuple[Keys, dict[str, Keys]]:
    """Return the keys of a table and of each of its indexes."""
    types = {a["AttributeName"]: a["AttributeType"] for a in table["AttributeDefinitions"]}

    def keys(schema: Iterable[Mapping[str, str]]) -> Keys:
        return tuple(f"{k['AttributeName']} ({types[k['AttributeName']]})" for k in schema)

    indexes = table.get("GlobalSecondaryIndexes", [])
    return keys(table["KeySchema"]), {i["IndexName"]: keys(i["KeySchema"]) for i in indexes}


def _text(keys: Keys) -> str:
    return " and ".join(keys)
