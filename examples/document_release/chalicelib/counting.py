"""DynamoDB: stores the findings of each chunk, and counts the scanned chunks exactly once each.

Counters are sets. `ADD` puts a chunk's number into a set, once however often its event comes, in
one write and without a transaction; DynamoDB answers with the new set, so that the worker whose
number completes it knows. Chunks are counted in batches of a hundred with one counter each, and
full batches in the counter of the scan. So no counter grows beyond 1 KB or is written much more
than a hundred times, and a chunk costs two writes of one unit each, in a document of any size.

    pk              sk      attributes
    <scan>          -1      taskToken, askedAt, chunks, chunkBytes, done: the full batches
    <scan>#<batch>  -1      done: the scanned chunks of the batch
    <scan>#<batch>  number  lines, found: the findings of one chunk
"""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from .scan import Finding, ScannedChunk

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Item = dict[str, Any]

BATCH = 100
"""The number of chunks that share a counter."""
_RETENTION_SECONDS = 90 * 86_400
"""Items expire after 90 days, as the execution's history does in Step Functions."""
_COUNTER = -1


class Progress(NamedTuple):
    """The progress of a scan, and the token of the task that waits for it."""

    task_token: str
    chunks: int
    chunk_bytes: int
    full_batches: frozenset[int]
    """The numbers of the batches whose chunks have all been scanned."""

    @property
    def complete(self) -> bool:
        """Return whether every chunk has been scanned."""
        return len(self.full_batches) == -(-self.chunks // BATCH)

    def in_full_batch(self, number: int) -> bool:
        """Return whether the chunk's batch is full; then the chunk has been scanned."""
        return number // BATCH in self.full_batches


class ScanTable:
    """The table of scans. `now` is the time in milliseconds since 1970."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def begin(
        self, scan: str, *, chunks: int, chunk_bytes: int, task_token: str, now: int
    ) -> Progress | None:
        """Store the task token and return the scan's progress; None if a later token is stored.

        The number and size of the chunks are stored by the first call and never change.
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
            condition="attribute_not_exists(askedAt) OR askedAt <= :now",
        )
        return _progress(item) if item else None

    def record(self, scan: str, chunk: ScannedChunk, now: int) -> None:
        """Store the findings of a chunk. Storing them again changes nothing."""
        found = {"kinds": chunk.counts, "first": chunk.findings}
        self._client.put_item(
            TableName=self._table,
            Item={
                **_key(_batch(scan, chunk.number), chunk.number),
                "lines": _number(chunk.lines),
                "found": {"S": json.dumps(found)},
                "expiresAt": _expires(now),
            },
        )

    def count(self, scan: str, number: int, *, chunks: int, now: int) -> Progress | None:
        """Count a chunk as scanned; return the scan's progress if the chunk's batch is full.

        So the last chunk's worker learns that the scan is complete, and learns it again if the
        chunk is counted again. None if the batch isn't full, or if the scan doesn't exist.
        """
        batch = number // BATCH
        counter = self._add(_batch(scan, number), number, now)
        if len(counter["done"]["NS"]) < min(BATCH, chunks - batch * BATCH):
            return None
        item = self._add(scan, batch, now, condition="attribute_exists(taskToken)")
        return _progress(item) if item else None

    def progress(self, scan: str) -> Progress | None:
        """Return the progress of a scan, or None if the scan doesn't exist."""
        found = self._client.get_item(
            TableName=self._table, Key=_key(scan, _COUNTER), ConsistentRead=True
        )
        return _progress(found["Item"]) if "Item" in found else None

    def scanned_chunks(self, scan: str, chunks: int) -> Iterator[ScannedChunk]:
        """Yield the findings of each chunk, in the document's order, reading batch by batch."""
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
                yield from map(_scanned_chunk, page["Items"])

    def _add(self, pk: str, number: int, now: int, condition: str | None = None) -> Item:
        """Add a number to a counter and return the new counter."""
        return self._update(
            pk,
            "SET expiresAt = :expires ADD done :number",
            {":number": {"NS": [str(number)]}, ":expires": _expires(now)},
            condition,
        )

    def _update(self, pk: str, update: str, values: Item, condition: str | None = None) -> Item:
        """Return the counter after the update; an empty item if the condition isn't met."""
        arguments: Item = {
            "TableName": self._table,
            "Key": _key(pk, _COUNTER),
            "UpdateExpression": update,
            "ExpressionAttributeValues": values,
            "ReturnValues": "ALL_NEW",
        }
        if condition is not None:
            arguments["ConditionExpression"] = condition
        try:
            return self._client.update_item(**arguments)["Attributes"]
        except self._client.exceptions.ConditionalCheckFailedException:
            return {}


def _key(pk: str, sk: int) -> Item:
    return {"pk": {"S": pk}, "sk": _number(sk)}


def _batch(scan: str, number: int) -> str:
    return f"{scan}#{number // BATCH}"


def _number(value: int) -> dict[str, str]:
    return {"N": str(value)}


def _expires(now: int) -> dict[str, str]:
    return _number(now // 1000 + _RETENTION_SECONDS)


def _progress(item: Item) -> Progress:
    full = item.get("done", {}).get("NS", [])
    return Progress(
        task_token=item["taskToken"]["S"],
        chunks=int(item["chunks"]["N"]),
        chunk_bytes=int(item["chunkBytes"]["N"]),
        full_batches=frozenset(map(int, full)),
    )


def _scanned_chunk(item: Item) -> ScannedChunk:
    found = json.loads(item["found"]["S"])
    return ScannedChunk(
        number=int(item["sk"]["N"]),
        lines=int(item["lines"]["N"]),
        counts=found["kinds"],
        findings=[Finding(*finding) for finding in found["first"]],
    )
