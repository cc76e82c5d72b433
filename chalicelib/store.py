"""ADAPTER: DynamoDB: reads and writes approvals; `items.py` says what they look like there.

Every write is conditional, so a lost race is an answer (None or False), never a lost update.
"""

import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from heapq import merge
from itertools import groupby, islice
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from .absence import Absence
from .approval import Approval, Outcome
from .aws import Expected, faults
from .errors import Unavailable
from .items import (
    SHARDS,
    approval_in,
    away_key,
    id_in,
    item_of,
    key_of,
    waiting_changes,
    waiting_key,
)
from .views import iso

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Took = Literal["written", "refused", "conflict"]
_REFUSALS = ("ConditionalCheckFailedException", "TransactionConflictException")

STRIDE = 5
"""A tick goes from shard to shard in steps of so many, and so into none that another begins with
while it runs, which is for less than five minutes. Shares no divisor with SHARDS."""


def _a_moment() -> None:
    time.sleep(random.uniform(0.02, 0.1))  # noqa: S311 (no secret)


class Store:
    """Approvals in one table. Every method raises Unavailable if DynamoDB doesn't answer."""

    def __init__(
        self, client: "DynamoDBClient", table: str, pause: Callable[[], None] = _a_moment
    ) -> None:
        self._client = client
        self._table = table
        self._pause = pause

    def get(self, approval_id: str) -> Approval | None:
        """Return the approval as it is now (a consistent read), or None."""
        with faults("DynamoDB"):
            answer = self._client.get_item(
                TableName=self._table, Key=key_of(approval_id), ConsistentRead=True
            )
        item = answer.get("Item")
        return None if item is None else approval_in(item)

    def create(self, approval: Approval) -> bool:
        """Write a new approval; return False if there is one with its id."""
        # True only while no item has this id: the same request, delivered again, changes nothing.
        is_new = "attribute_not_exists(pk)"
        took = self._write(None, approval, ConditionExpression=is_new)
        if took == "conflict":
            raise Unavailable("the same request is being written just now; please try again")
        return took == "written"

    def replace(self, read: Approval, changed: Approval) -> Approval | None:
        """Write the changed approval and return it as written; None if another write came first."""
        # True only while the item is the one that the change was made from.
        is_the_one_read = "version = :read"
        written = msgspec.structs.replace(changed, version=read.version + 1)
        took = self._write(
            read,
            written,
            ConditionExpression=is_the_one_read,
            ExpressionAttributeValues={":read": {"N": str(read.version)}},
        )
        if took == "conflict":
            self._pause()  # Nobody may have won: all of them at once again would meet again.
        return written if took == "written" else None

    def waiting(
        self, address: str, now: datetime, most: int, after: str = ""
    ) -> tuple[list[Approval], str]:
        """Return what waits for that person, earliest deadline first, and where it goes on.

        At most so many, from behind `after`; "" for the beginning and for the end. The index
        follows the table by a moment: what is new may be missing, what is decided is left out.
        """
        person, bound = address.lower(), iso(now) or ""
        more: dict[str, Any] = {"Limit": most + 1}
        expires_at, _, approval_id = after.partition("_")
        # A key that the condition excludes is refused: whatever ended by now isn't listed anyway.
        if expires_at > bound:
            more |= {"ExclusiveStartKey": waiting_key(approval_id, person, expires_at)}
        found = self._items("approver", "approver", person, "expiresAt > :bound", bound, **more)
        ids, end = _page((f"{item['expiresAt']['S']}_{id_in(item)}" for item in found), most)
        return self.get_many(ids), end

    def get_many(self, approval_ids: Sequence[str]) -> list[Approval]:
        """Return those of these approvals that there are, at most 100, in this order."""
        wanted: Any = [key_of(one) for one in dict.fromkeys(approval_ids)]
        found: dict[str, Approval] = {}
        while wanted:
            with faults("DynamoDB"):
                asked: Any = {self._table: {"Keys": wanted, "ConsistentRead": True}}
                answer = self._client.batch_get_item(RequestItems=asked)
            responses: dict[str, Any] = answer["Responses"]
            items = map(approval_in, responses.get(self._table, []))
            found |= {approval.id: approval for approval in items}
            left: dict[str, Any] = answer.get("UnprocessedKeys", {})
            wanted = left.get(self._table, {}).get("Keys", [])
        return [found[approval_id] for approval_id in approval_ids if approval_id in found]

    def absence(self, address: str) -> Absence | None:
        """Return the absence on record for that person, past ones included, or None."""
        with faults("DynamoDB"):
            answer = self._client.get_item(
                TableName=self._table, Key=away_key(address), ConsistentRead=True
            )
        item = answer.get("Item")
        return None if item is None else msgspec.json.decode(item["absence"]["S"], type=Absence)

    def put_absence(self, address: str, absence: Absence) -> None:
        """Write the absence of that person, in the place of any earlier one."""
        text = msgspec.json.encode(absence).decode()
        item = away_key(address) | {"absence": {"S": text}}
        with faults("DynamoDB"):
            self._client.put_item(TableName=self._table, Item=item)

    def due(self, now: datetime) -> Iterator[str]:
        """Yield the ids of what is due at `now`, earliest first within each shard.

        Each minute begins with another shard, so that under overload none always waits longest,
        and goes on in strides, so that ticks at once are at different ones.
        """
        for turn in range(SHARDS):
            shard = str((now.minute + turn * STRIDE) % SHARDS)
            yield from self._query("due", "dueShard", shard, "dueAt <= :bound", iso(now) or "")

    def by_outcome(self, outcome: Outcome, most: int, after: str = "") -> tuple[list[str], str]:
        """Return the ids of approvals with that outcome, newest first, and where it goes on.

        At most so many, from behind `after`; "" for the beginning and for the end.
        """
        bound = after.partition("_")[0] or "9"  # later than any time
        shards = (self._newest(f"{outcome}#{shard}", bound, most + 1) for shard in range(SHARDS))
        newest = (place for place in merge(*shards, reverse=True) if not after or place < after)
        return _page(newest, most)

    def _newest(self, shard: str, bound: str, most: int) -> Iterator[str]:
        """Yield `<created at>_<id>` of one shard in falling order, from that time on."""
        more = {"ScanIndexForward": False, "Limit": most}
        items = self._items("outcome", "outcomeShard", shard, "createdAt <= :bound", bound, **more)
        for at, same in groupby(items, lambda item: str(item["createdAt"]["S"])):
            # Within a second an index has no order of its own.
            yield from sorted((f"{at}_{id_in(item)}" for item in same), reverse=True)

    def of_execution(self, execution_arn: str) -> str | None:
        """Return the id of the first approval that this execution asked for, or None.

        The index follows the table by a moment: just after the request it may still say None.
        """
        return next(self._query("execution", "executionArn", execution_arn), None)

    def _write(self, read: Approval | None, changed: Approval, **condition: Any) -> Took:
        """Write an approval if the condition is true, and in the same step who it waits for now.

        A conflict is a write that another one, under way at the same moment, has refused.
        """
        put: Any = {"TableName": self._table, "Item": item_of(changed), **condition}
        others: list[Any] = [
            {"Put": {"TableName": self._table, "Item": item}}
            for item in waiting_changes(read, changed)
        ]
        try:
            if others:
                with faults("DynamoDB", "TransactionCanceledException"):
                    self._client.transact_write_items(TransactItems=[{"Put": put}, *others])
            else:
                with faults("DynamoDB", *_REFUSALS):
                    self._client.put_item(**put)
        except Expected as e:
            if set(e.args) & {"ConditionalCheckFailed", "ConditionalCheckFailedException"}:
                return "refused"
            if set(e.args) & {"TransactionConflict", "TransactionConflictException"}:
                return "conflict"
            raise Unavailable(f"DynamoDB cancelled a write ({', '.join(e.args)})") from e
        return "written"

    def _query(
        self, index: str, key: str, value: str, bound: str = "", at: str = ""
    ) -> Iterator[str]:
        return map(id_in, self._items(index, key, value, bound, at))

    def _items(
        self, index: str, key: str, value: str, bound: str, at: str, **more: Any
    ) -> Iterator[Any]:
        """Yield the keys that an index holds, page by page as they are wanted."""
        while True:
            with faults("DynamoDB"):
                page = self._client.query(
                    TableName=self._table,
                    IndexName=index,
                    KeyConditionExpression=f"{key} = :value" + (f" AND {bound}" if bound else ""),
                    ExpressionAttributeValues={":value": {"S": value}}
                    | ({":bound": {"S": at}} if bound else {}),
                    **more,
                )
            yield from page["Items"]
            if "LastEvaluatedKey" not in page:
                return
            more["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def _page(places: Iterable[str], most: int) -> tuple[list[str], str]:
    """Return the ids of so many `<time>_<id>`, and the last of these if more come after it."""
    found = list(islice(places, most + 1))
    shown = found[:most]
    more = shown[-1] if len(found) > most else ""
    return [place.partition("_")[2] for place in shown], more
