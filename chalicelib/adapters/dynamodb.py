"""DynamoDB: reads and writes approvals and delegations in the stage's one table.

`dynamodb_items.py` has the items. Every write of an approval is conditional, so a version conflict
is an answer (None or False), never a lost update.
"""

import random
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from heapq import merge
from itertools import groupby, islice
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from ..domain.approval import DECIDED, Approval, Outcome
from ..domain.delegation import Delegation
from ..domain.errors import Unavailable
from ..domain.invitation import Invitation
from ..domain.timestamps import iso
from .aws_errors import Expected, aws_errors
from .dynamodb_items import (
    APPROVERS,
    DEADLINES,
    SHARDS,
    approval_id_of,
    approval_in,
    approval_item,
    approval_key,
    approver_item,
    approver_key,
    delegation_in,
    delegation_item,
    delegation_key,
    invitation_in,
    policy_partition,
    removed_approver_item,
    waiting_changes,
    waiting_entry,
    with_write_id,
    write_id_of,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

WriteResult = Literal["written", "condition_false", "collided"]
"""`collided`: DynamoDB refused the write because of another one under way at that moment. For
`replace`, both are a version conflict."""

_REFUSALS = ("ConditionalCheckFailedException", "TransactionConflictException")

STRIDE = 5
"""Ticks visit shards in this stride, so overlapping ticks work on different shards. Must be coprime
with SHARDS."""
BATCH_PAUSES = (0.1, 0.2, 0.4, 0.8)
"""Seconds before each new try, at the longest, while DynamoDB leaves a part of a batch unread."""
MOST_OF_EXECUTION = 100
"""How many approvals of one execution are found: what one `BatchGetItem` reads."""


def _random_id() -> str:
    return secrets.token_hex(8)


class DynamoDbStore:
    """The stage's table. Every method raises Unavailable if DynamoDB doesn't answer.

    `retention` is how long delivered approvals are kept, None for ever. `write_id` returns a new
    random id for each write.

    A write whose answer was lost is looked up: it counts as written if the item has its random
    write id. What it puts may be equal to another's: two presses of a button in one second. So
    Unavailable from a write says that nothing was written, as far as a consistent read can tell.
    """

    def __init__(
        self,
        client: "DynamoDBClient",
        table: str,
        sleep: Callable[[float], None] = time.sleep,
        *,
        retention: timedelta | None = None,
        write_id: Callable[[], str] = _random_id,
    ) -> None:
        self._client = client
        self._table = table
        self._sleep = sleep
        self._retention = retention
        self._write_id = write_id

    def get(self, approval_id: str) -> Approval | None:
        """Return the approval as stored now (a consistent read), or None."""
        item = self._item(approval_key(approval_id))
        return None if item is None else approval_in(item)

    def create(self, approval: Approval) -> bool:
        """Write a new approval; return False if there is one with its id."""
        # True while no item has this id: the same request, delivered again, changes nothing.
        is_new = "attribute_not_exists(pk)"
        result = self._write(None, approval, ConditionExpression=is_new)
        if result == "collided":
            self._pause()  # The other write is done by then, or refused like this one.
            if self.get(approval.id) is None:
                raise Unavailable("the same request is being written just now; please try again")
        return result == "written"

    def replace(self, read: Approval, changed: Approval) -> Approval | None:
        """Write the changed approval and return it as written; None on a version conflict."""
        # True while the item has the version that was read.
        is_unchanged = "version = :read"
        written = msgspec.structs.replace(changed, version=read.version + 1)
        result = self._write(
            read,
            written,
            ConditionExpression=is_unchanged,
            ExpressionAttributeValues={":read": {"N": str(read.version)}},
        )
        if result == "collided":
            self._pause()  # All writers may have lost; without a pause they would meet again.
        return written if result == "written" else None

    def waiting_for(
        self, address: str, now: datetime, most: int, after: str = ""
    ) -> tuple[list[Approval], str]:
        """Return approvals that wait for that person, earliest deadline first, at most `most`.

        Also returns where the next page begins; as `after`, "" means the beginning, as a result
        the end. The index is eventually consistent, so a new approval may be missing.
        """
        person, bound = address.lower(), iso(now)
        more: dict[str, Any] = {"Limit": most + 1}
        expires_at, _, approval_id = after.partition("_")
        # DynamoDB refuses a start key outside the condition; such approvals have ended anyway.
        if expires_at > bound:
            more |= {"ExclusiveStartKey": waiting_entry(approval_id, person, expires_at)}
        found = self._items("approver", "approver", person, "expiresAt > :bound", bound, **more)
        ids, end = _page(
            (f"{item['expiresAt']['S']}_{approval_id_of(item)}" for item in found), most
        )
        return self.get_many(ids), end

    def get_many(self, approval_ids: Sequence[str]) -> list[Approval]:
        """Return the approvals of these ids that exist, in this order; 100 ids at most."""
        wanted: Any = [approval_key(one) for one in dict.fromkeys(approval_ids)]
        items = map(approval_in, self._batch(wanted))
        found = {approval.id: approval for approval in items}
        return [found[approval_id] for approval_id in approval_ids if approval_id in found]

    def delegation(self, address: str) -> Delegation | None:
        """Return the stored delegation of that approver, past ones included, or None."""
        item = self._item(delegation_key(address))
        return None if item is None else delegation_in(item)

    def put_delegation(self, address: str, delegation: Delegation) -> None:
        """Write the delegation of that approver; it replaces an earlier one, unconditionally."""
        self._put_item(delegation_item(address, delegation))

    def replace_delegation(self, address: str, read: Delegation, changed: Delegation) -> bool:
        """Write the changed delegation; False if another was written since `read`."""
        # True while nobody has written the approver's delegation, or who is told of it.
        is_unchanged = "authorship = :read"
        authorship: Any = delegation_item(address, read)["authorship"]
        try:
            with aws_errors("DynamoDB", *_REFUSALS):
                self._client.put_item(
                    TableName=self._table,
                    Item=delegation_item(address, changed),
                    ConditionExpression=is_unchanged,
                    ExpressionAttributeValues={":read": authorship},
                )
        except Expected:
            return False
        return True

    def put_approver(self, address: str, invitation: Invitation) -> None:
        """List an approver, with their newest invitation."""
        self._put_item(approver_item(address, invitation))

    def invitation(self, address: str) -> Invitation | None:
        """Return the newest invitation of that approver; None if they aren't listed."""
        item = self._item(approver_key(address))
        return None if item is None else invitation_in(item)

    def invitations(self, addresses: Sequence[str]) -> dict[str, Invitation]:
        """Return the newest invitation of each approver who is listed, by address in lower case."""
        wanted: Any = [approver_key(one) for one in dict.fromkeys(map(str.lower, addresses))]
        found = ((item, invitation_in(item)) for item in self._batch(wanted))
        return {approval_id_of(item): one for item, one in found if one is not None}

    def drop_approver(self, address: str, now: datetime) -> None:
        """List an approver no more."""
        self._put_item(removed_approver_item(address, now))

    def approvers(self, most: int, after: str = "") -> tuple[list[str], str]:
        """Return approvers' addresses in lower case, last invited first, as `by_outcome` does."""
        return self._newest("requester", "requester", [APPROVERS], most, after)

    def count_waiting(self, address: str, now: datetime, most: int) -> int:
        """Return how many approvals wait for that person, `most` if there are more."""
        found = self._items(
            *("approver", "approver", address.lower(), "expiresAt > :bound", iso(now)), Limit=most
        )
        return sum(1 for _ in islice(found, most))

    def waiting_under(
        self, policy: str, now: datetime, most: int, after: str = ""
    ) -> tuple[list[Approval], str]:
        """Return approvals that wait under the policy of that name, as `waiting_for` does."""
        return self.waiting_for(policy_partition(policy), now, most, after)

    def count_waiting_under(self, policy: str, now: datetime, most: int) -> int:
        """Return how many approvals wait under that policy, as `count_waiting` does."""
        return self.count_waiting(policy_partition(policy), now, most)

    def due(self, now: datetime) -> Iterator[str]:
        """Yield the ids of approvals due at `now`, earliest first within each shard.

        Also the addresses of approvers of whose delegation people are to be told.

        Each minute begins with another shard, so that under overload no shard always waits longest.
        """
        for turn in range(SHARDS):
            shard = str((now.minute + turn * STRIDE) % SHARDS)
            yield from self._query("due", "dueShard", shard, "dueAt <= :bound", iso(now))

    def by_outcome(self, outcome: Outcome, most: int, after: str = "") -> tuple[list[str], str]:
        """Return the ids of approvals with that outcome, newest first, at most `most`.

        Also returns where the next page begins, as `waiting_for` does.
        """
        shards = [f"{outcome}#{shard}" for shard in range(SHARDS)]
        return self._newest("outcome", "outcomeShard", shards, most, after)

    def decided(self, most: int, after: str = "") -> tuple[list[str], str]:
        """Return the ids of approvals of any outcome but pending, newest first, as `by_outcome`."""
        shards = [f"{one}#{shard}" for one in DECIDED for shard in range(SHARDS)]
        return self._newest("outcome", "outcomeShard", shards, most, after)

    def by_requester(self, address: str, most: int, after: str = "") -> tuple[list[str], str]:
        """Return the ids of what that person asked, newest first, as `by_outcome` does."""
        return self._newest("requester", "requester", [address.lower()], most, after)

    def by_deadline(self, until: datetime, most: int, after: str = "") -> tuple[list[str], str]:
        """Return the ids of approvals that are pending until then, earliest deadline first."""
        shards = [f"{DEADLINES}{shard}" for shard in range(SHARDS)]
        return self._earliest("approver", "approver", shards, "expiresAt", until, most, after)

    def due_since(self, since: datetime, most: int, after: str = "") -> tuple[list[str], str]:
        """Return the ids of approvals that have been due since then or longer, longest first."""
        shards = [str(shard) for shard in range(SHARDS)]
        return self._earliest("due", "dueShard", shards, "dueAt", since, most, after)

    def _newest(
        self, index: str, key: str, values: Sequence[str], most: int, after: str
    ) -> tuple[list[str], str]:
        """Return a page of ids, newest first, merged from these partitions of an index."""
        bound = after.partition("_")[0] or "9"  # later than any time
        # Two pages of the busiest partitions cost less than a whole one of each.
        limit = most + 1 if len(values) <= SHARDS else most // SHARDS + 2
        more: dict[str, Any] = {"ScanIndexForward": False, "Limit": limit}
        found = (
            self._items(index, key, value, "createdAt <= :bound", bound, **more) for value in values
        )
        partitions = (_places(items, "createdAt", reverse=True) for items in found)
        newest = (place for place in merge(*partitions, reverse=True) if not after or place < after)
        return _page(newest, most)

    def _earliest(
        self,
        index: str,
        key: str,
        values: Sequence[str],
        at: str,
        until: datetime,
        most: int,
        after: str,
    ) -> tuple[list[str], str]:
        """Return a page of ids, earliest first, as `_newest` does."""
        since, bound = after.partition("_")[0] or "0", iso(until)  # earlier than any time
        if since > bound:
            return [], ""
        condition = f"{at} BETWEEN :since AND :bound"
        found = (
            self._items(index, key, value, condition, bound, since, Limit=most + 1)
            for value in values
        )
        earliest = merge(*(_places(items, at) for items in found))
        approvals = (place for place in earliest if "@" not in place)  # no absent approver
        return _page((place for place in approvals if place > after), most)

    def of_execution(self, execution_arn: str) -> list[Approval]:
        """Return the approvals that this execution requested, newest first, the newest 100 at most.

        The index is eventually consistent: just after its request an approval may be missing.
        """
        ids = list(islice(self.ids_of_execution(execution_arn), MOST_OF_EXECUTION))
        return self.get_many(ids) if ids else []

    def ids_of_execution(self, execution_arn: str) -> Iterator[str]:
        """Yield the ids of all approvals that this execution requested, newest first.

        Page after page is fetched as they are consumed.
        """
        page: dict[str, Any] = {"ScanIndexForward": False, "Limit": MOST_OF_EXECUTION}
        found = self._items("execution", "executionArn", execution_arn, "", "", **page)
        return map(approval_id_of, found)

    def _write(self, read: Approval | None, changed: Approval, **condition: Any) -> WriteResult:
        """Write an approval on that condition, and in the same transaction its waiting entries."""
        write_id = self._write_id()
        item = with_write_id(approval_item(changed, self._retention), write_id)
        put: Any = {"TableName": self._table, "Item": item, **condition}
        others: list[Any] = [
            {"Put": {"TableName": self._table, "Item": item}}
            for item in waiting_changes(read, changed)
        ]
        try:
            self._put(put, others)
        except Unavailable:
            stored = self._item(approval_key(changed.id))
            if _is_written_by(stored, write_id):
                return "written"
            if (None if stored is None else approval_in(stored)) == read:
                raise  # Nothing was written.
            return "condition_false"
        except Expected as e:
            if e.repeated and _is_written_by(self._item(approval_key(changed.id)), write_id):
                return "written"  # By the first try, whose answer was lost.
            codes = {e.code, *e.reasons}
            if codes & {"ConditionalCheckFailed", "ConditionalCheckFailedException"}:
                return "condition_false"
            if codes & {"TransactionConflict", "TransactionConflictException"}:
                return "collided"
            all_codes = ", ".join((e.code, *e.reasons))
            raise Unavailable(f"DynamoDB cancelled a write ({all_codes})") from e
        return "written"

    def _put(self, put: Any, others: list[Any]) -> None:
        if others:
            with aws_errors("DynamoDB", "TransactionCanceledException"):
                self._client.transact_write_items(TransactItems=[{"Put": put}, *others])
        else:
            with aws_errors("DynamoDB", *_REFUSALS):
                self._client.put_item(**put)

    def _put_item(self, item: Any) -> None:
        with aws_errors("DynamoDB"):
            self._client.put_item(TableName=self._table, Item=item)

    def _item(self, key: Any) -> Any:
        """Return the item of that key as stored now, or None."""
        with aws_errors("DynamoDB"):
            answer = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True)
        return answer.get("Item")

    def _batch(self, wanted: Any) -> list[Any]:
        """Return the items of these keys that exist, as stored now, in any order; 100 at most."""
        found: list[Any] = []
        for pause in (0, *BATCH_PAUSES):
            if not wanted:
                return found
            if pause:
                self._sleep(pause * random.uniform(0.5, 1))  # noqa: S311 (no secret)
            with aws_errors("DynamoDB"):
                asked: Any = {self._table: {"Keys": wanted, "ConsistentRead": True}}
                answer = self._client.batch_get_item(RequestItems=asked)
            responses: dict[str, Any] = answer["Responses"]
            found += responses.get(self._table, [])
            left: dict[str, Any] = answer.get("UnprocessedKeys", {})
            wanted = left.get(self._table, {}).get("Keys", [])
        if wanted:
            raise Unavailable("DynamoDB leaves a part of a batch unread; please try again")
        return found

    def _pause(self) -> None:
        self._sleep(random.uniform(0.02, 0.1))  # noqa: S311 (no secret)

    def _query(
        self, index: str, key: str, value: str, bound: str = "", at: str = ""
    ) -> Iterator[str]:
        return map(approval_id_of, self._items(index, key, value, bound, at))

    def _items(
        self, index: str, key: str, value: str, bound: str, at: str, since: str = "", **more: Any
    ) -> Iterator[Any]:
        """Yield the keys in an index, fetching page after page as they are consumed."""
        while True:
            with aws_errors("DynamoDB"):
                page = self._client.query(
                    TableName=self._table,
                    IndexName=index,
                    KeyConditionExpression=f"{key} = :value" + (f" AND {bound}" if bound else ""),
                    ExpressionAttributeValues={":value": {"S": value}}
                    | ({":bound": {"S": at}} if bound else {})
                    | ({":since": {"S": since}} if since else {}),
                    **more,
                )
            yield from page["Items"]
            if "LastEvaluatedKey" not in page:
                return
            more["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def _is_written_by(item: Any, write_id: str) -> bool:
    return item is not None and write_id_of(item) == write_id


def _places(items: Iterable[Any], at: str, *, reverse: bool = False) -> Iterator[str]:
    """Yield `<time>_<id>` of each item, in order also within one second, as no index is."""
    for moment, same in groupby(items, lambda item: str(item[at]["S"])):
        yield from sorted((f"{moment}_{approval_id_of(item)}" for item in same), reverse=reverse)


def _page(places: Iterable[str], most: int) -> tuple[list[str], str]:
    """Return the ids of `most` places `<time>_<id>`, and the last place if more follow."""
    found = list(islice(places, most + 1))
    shown = found[:most]
    more = shown[-1] if len(found) > most else ""
    return [place.partition("_")[2] for place in shown], more
