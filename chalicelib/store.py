"""ADAPTER: DynamoDB; one item holds one approval whole, as JSON, beside the keys of its indexes.

Every write is conditional, so a lost race is an answer (None or False), never a lost update.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zlib import crc32

import msgspec

from .absence import Absence
from .approval import Approval
from .aws import Expected, faults
from .views import iso

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

SHARDS = 8
"""Partitions of each index; docs/scaling.md says how to raise it."""


class Store:
    """Approvals in one table. Every method raises Unavailable if DynamoDB doesn't answer."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def get(self, approval_id: str) -> Approval | None:
        """Return the approval as it is now (a consistent read), or None."""
        with faults("DynamoDB"):
            answer = self._client.get_item(
                TableName=self._table, Key={"pk": {"S": _pk(approval_id)}}, ConsistentRead=True
            )
        item = answer.get("Item")
        return None if item is None else _approval(item)

    def create(self, approval: Approval) -> bool:
        """Write a new approval; return False if there is one with its id."""
        # True only while no item has this id: the same request, delivered again, changes nothing.
        is_new = "attribute_not_exists(pk)"
        return self._put(approval, ConditionExpression=is_new)

    def replace(self, approval: Approval) -> Approval | None:
        """Write the changed approval and return it as written; None if another write came first."""
        # True only while the item is the one that the change was made from.
        is_the_one_read = "version = :read"
        written = msgspec.structs.replace(approval, version=approval.version + 1)
        took = self._put(
            written,
            ConditionExpression=is_the_one_read,
            ExpressionAttributeValues={":read": {"N": str(approval.version)}},
        )
        return written if took else None

    def absence(self, address: str) -> Absence | None:
        """Return the absence on record for that person, past ones included, or None."""
        with faults("DynamoDB"):
            answer = self._client.get_item(
                TableName=self._table, Key={"pk": {"S": _away(address)}}, ConsistentRead=True
            )
        item = answer.get("Item")
        return None if item is None else msgspec.json.decode(item["absence"]["S"], type=Absence)

    def put_absence(self, address: str, absence: Absence) -> None:
        """Write the absence of that person, in the place of any earlier one."""
        text = msgspec.json.encode(absence).decode()
        item = {"pk": {"S": _away(address)}, "absence": {"S": text}}
        with faults("DynamoDB"):
            self._client.put_item(TableName=self._table, Item=item)

    def due(self, now: datetime) -> Iterator[str]:
        """Yield the ids of what is due at `now`, earliest first within each shard.

        Each minute begins with another shard, so that under overload none always waits longest.
        """
        for turn in range(SHARDS):
            shard = str((now.minute + turn) % SHARDS)
            yield from self._query("due", "dueShard", shard, "dueAt <= :bound", iso(now) or "")

    def of_execution(self, execution_arn: str) -> str | None:
        """Return the id of the first approval that this execution asked for, or None.

        The index follows the table by a moment: just after the request it may still say None.
        """
        return next(self._query("execution", "executionArn", execution_arn), None)

    def _put(self, approval: Approval, **condition: Any) -> bool:
        try:
            with faults("DynamoDB", "ConditionalCheckFailedException"):
                self._client.put_item(TableName=self._table, Item=_item(approval), **condition)
        except Expected:
            return False
        return True

    def _query(
        self, index: str, key: str, value: str, bound: str = "", at: str = ""
    ) -> Iterator[str]:
        start: dict[str, Any] = {}
        while True:
            with faults("DynamoDB"):
                page = self._client.query(
                    TableName=self._table,
                    IndexName=index,
                    KeyConditionExpression=f"{key} = :value" + (f" AND {bound}" if bound else ""),
                    ExpressionAttributeValues={":value": {"S": value}}
                    | ({":bound": {"S": at}} if bound else {}),
                    **start,
                )
            for item in page["Items"]:
                yield item["pk"]["S"].removeprefix("APPROVAL#")
            if "LastEvaluatedKey" not in page:
                return
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


def _pk(approval_id: str) -> str:
    return f"APPROVAL#{approval_id}"


def _away(address: str) -> str:
    return f"ABSENCE#{address.lower()}"


def _item(approval: Approval) -> dict[str, Any]:
    shard = str(crc32(approval.id.encode()) % SHARDS)
    item = {
        "pk": {"S": _pk(approval.id)},
        "approval": {"S": msgspec.json.encode(approval).decode()},
        "version": {"N": str(approval.version)},
        "executionArn": {"S": approval.execution_arn},
        "createdAt": {"S": iso(approval.created_at)},
        "outcomeShard": {"S": f"{approval.outcome}#{shard}"},
    }
    if approval.due_at is not None:
        item |= {"dueShard": {"S": shard}, "dueAt": {"S": iso(approval.due_at)}}
    return item


def _approval(item: Any) -> Approval:
    return msgspec.json.decode(item["approval"]["S"], type=Approval)
