"""ADAPTER: DynamoDB counts the chunks: whoever finishes last learns it, however often events come.

One item for each chunk, and counters that are sets: a chunk's number is in the set or it isn't, so
counting it twice is counting it once, without a transaction. A hundred chunks share a counter; one
that is full is counted in the scan's own. So no counter is written much more than a hundred times
or grows beyond 1 KB, and a chunk costs two writes of one unit each, however many there are.

    pk              sk      attributes
    <scan>          -1      taskToken, askedAt, chunks, chunkBytes, done: which batches are full
    <scan>#<batch>  -1      done: which chunks of the batch were looked at
    <scan>#<batch>  number  lines, found: what stands in one chunk
"""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from .scan import Finding, Looked

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Item = dict[str, Any]

BATCH = 100
"""How many chunks share a counter."""
_KEPT_SECONDS = 90 * 86_400
"""How long items are kept: as long as Step Functions keeps the execution's history."""
_COUNTER = -1


class Progress(NamedTuple):
    """How far a scan is, and the task that waits for it."""

    task_token: str
    chunks: int
    chunk_bytes: int
    full: frozenset[int]
    """The batches whose every chunk was looked at."""

    @property
    def complete(self) -> bool:
        """Return whether every chunk was looked at."""
        return len(self.full) == -(-self.chunks // BATCH)

    def counted(self, number: int) -> bool:
        """Return whether a chunk is known to be counted, as all of its batch."""
        return number // BATCH in self.full


class Counting:
    """The scans of one table. `now` is the time, in milliseconds since 1970."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def begin(
        self, scan: str, chunks: int, chunk_bytes: int, task_token: str, now: int
    ) -> Progress | None:
        """Have a task wait for the scan and return how far that is; None if a later task waits.

        The first to begin settles how the document is cut. Another one only brings its token.
        """
        item = self._update(
            scan,
            "SET taskToken = :token, askedAt = :now, expiresAt = :expires,"
            " chunks = if_not_exists(chunks, :chunks),"
            " chunkBytes = if_not_exists(chunkBytes, :bytes)",
            {
                ":token": {"S": task_token},
                ":now": _number(now),
                ":expires": _expires(now),
                ":chunks": _number(chunks),
                ":bytes": _number(chunk_bytes),
            },
            only_if="attribute_not_exists(askedAt) OR askedAt <= :now",
        )
        return _progress(item) if item else None

    def record(self, scan: str, looked: Looked, now: int) -> None:
        """Write what a chunk holds. Writing it again changes nothing."""
        found = {"kinds": looked.kinds, "first": looked.first}
        self._client.put_item(
            TableName=self._table,
            Item={
                **_key(_batch(scan, looked.number), looked.number),
                "lines": _number(looked.lines),
                "found": {"S": json.dumps(found)},
                "expiresAt": _expires(now),
            },
        )

    def count(self, scan: str, number: int, chunks: int, now: int) -> Progress | None:
        """Count a chunk as looked at; return how far the scan is, if its batch is full with it.

        So whoever counts last learns that the scan is complete, and whoever counts once more after
        that learns it again. None, too, if there is no such scan (any more).
        """
        batch = number // BATCH
        counted = self._add(_batch(scan, number), number, now)
        if len(counted["done"]["NS"]) < min(BATCH, chunks - batch * BATCH):
            return None
        item = self._add(scan, batch, now, only_if="attribute_exists(taskToken)")
        return _progress(item) if item else None

    def find(self, scan: str) -> Progress | None:
        """Return how far a scan is, or None if there is none."""
        found = self._client.get_item(
            TableName=self._table, Key=_key(scan, _COUNTER), ConsistentRead=True
        )
        return _progress(found["Item"]) if "Item" in found else None

    def looked(self, scan: str, chunks: int) -> Iterator[Looked]:
        """Yield what each chunk holds, in the document's order, a batch at a time."""
        for first in range(0, chunks, BATCH):
            pages = self._client.get_paginator("query").paginate(
                TableName=self._table,
                KeyConditionExpression="pk = :pk AND sk > :counter",
                ExpressionAttributeValues={
                    ":pk": {"S": _batch(scan, first)},
                    ":counter": _number(_COUNTER),
                },
                ConsistentRead=True,
            )
            for page in pages:
                yield from map(_looked, page["Items"])

    def _add(self, pk: str, number: int, now: int, only_if: str | None = None) -> Item:
        return self._update(
            pk,
            "SET expiresAt = :expires ADD done :number",
            {":number": {"NS": [str(number)]}, ":expires": _expires(now)},
            only_if,
        )

    def _update(self, pk: str, how: str, values: Item, only_if: str | None = None) -> Item:
        """Return the counter as it is after the update; empty if the condition isn't met."""
        asked: Item = {
            "TableName": self._table,
            "Key": _key(pk, _COUNTER),
            "UpdateExpression": how,
            "ExpressionAttributeValues": values,
            "ReturnValues": "ALL_NEW",
        }
        if only_if is not None:
            asked["ConditionExpression"] = only_if
        try:
            return self._client.update_item(**asked)["Attributes"]
        except self._client.exceptions.ConditionalCheckFailedException:
            return {}


def _key(pk: str, sk: int) -> Item:
    return {"pk": {"S": pk}, "sk": _number(sk)}


def _batch(scan: str, number: int) -> str:
    return f"{scan}#{number // BATCH}"


def _number(value: int) -> dict[str, str]:
    return {"N": str(value)}


def _expires(now: int) -> dict[str, str]:
    return _number(now // 1000 + _KEPT_SECONDS)


def _progress(item: Item) -> Progress:
    full = item.get("done", {}).get("NS", [])
    return Progress(
        item["taskToken"]["S"],
        int(item["chunks"]["N"]),
        int(item["chunkBytes"]["N"]),
        frozenset(map(int, full)),
    )


def _looked(item: Item) -> Looked:
    found = json.loads(item["found"]["S"])
    return Looked(
        int(item["sk"]["N"]),
        int(item["lines"]["N"]),
        found["kinds"],
        [Finding(*finding) for finding in found["first"]],
    )
