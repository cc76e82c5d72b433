"""Sessions of the console in the stage's table: `SESSION#<id>`, listed by the index `requester`.

The table's time-to-live deletes them once they are over.
"""

from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from ..domain.console_session import ConsoleSession
from ..domain.timestamps import iso
from .aws_errors import Expected, aws_errors

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

OPEN = "sessions#"
"""The partition of open sessions in the index `requester`; no address equals it."""


class DynamoDbSessions:
    """The sessions of a stage. Every method raises Unavailable if DynamoDB doesn't answer."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def create(self, session: ConsoleSession) -> None:
        """Write a new session."""
        with aws_errors("DynamoDB"):
            self._client.put_item(TableName=self._table, Item=_item(session))

    def get(self, session_id: str) -> ConsoleSession | None:
        """Return the session as stored now (a consistent read), or None."""
        with aws_errors("DynamoDB"):
            answer = self._client.get_item(
                TableName=self._table, Key=_key(session_id), ConsistentRead=True
            )
        item: Any = answer.get("Item")
        return item and msgspec.json.decode(item["session"]["S"], type=ConsoleSession)

    def replace(self, read: ConsoleSession, changed: ConsoleSession) -> bool:
        """Write the changed session; False if it was opened or ended since `read`.

        False also if the answer of the write was lost and it was sent again.
        """
        try:
            with aws_errors("DynamoDB", "ConditionalCheckFailedException"):
                self._client.put_item(
                    TableName=self._table,
                    Item=_item(changed),
                    ConditionExpression="#state = :read",  # The name is a reserved word.
                    ExpressionAttributeNames={"#state": "state"},
                    ExpressionAttributeValues={":read": _item(read)["state"]},
                )
        except Expected:
            return False
        return True

    def opened_since(
        self, since: datetime, most: int, after: str = ""
    ) -> tuple[list[ConsoleSession], str]:
        """Return a page of sessions opened after that time and not ended, last opened first.

        Also returns where the next page begins, as `<time>_<id>`; as `after`, "" means the
        beginning, as a result the end. The index follows the table by a moment.
        """
        query: Any = {
            "TableName": self._table,
            "IndexName": "requester",
            "KeyConditionExpression": "requester = :open AND createdAt > :since",
            "ExpressionAttributeValues": {":open": {"S": OPEN}, ":since": {"S": iso(since)}},
            "ScanIndexForward": False,
            "Limit": most,
        }
        at, _, session_id = after.partition("_")
        if at > iso(since):  # DynamoDB refuses a start key outside the condition.
            query["ExclusiveStartKey"] = _key(session_id) | _listed(at)
        with aws_errors("DynamoDB"):
            page = self._client.query(**query)
        keys: list[Any] = page["Items"]
        found = [self.get(key["pk"]["S"].removeprefix("SESSION#")) for key in keys]
        more = ""
        if "LastEvaluatedKey" in page and keys:
            more = f"{keys[-1]['createdAt']['S']}_{keys[-1]['pk']['S'].removeprefix('SESSION#')}"
        return [one for one in found if one is not None and one.ended_at is None], more


def _key(session_id: str) -> Any:
    return {"pk": {"S": f"SESSION#{session_id}"}}


def _listed(opened_at: str) -> Any:
    """Return the attributes by which an open session is in the index."""
    return {"requester": {"S": OPEN}, "createdAt": {"S": opened_at}}


def _item(session: ConsoleSession) -> Any:
    state = "ended" if session.ended_at else "open" if session.opened_at else "offered"
    item = _key(session.id) | {
        "session": {"S": msgspec.json.encode(session).decode()},
        "state": {"S": state},
        "goneAt": {"N": str(int(session.expires_at.timestamp()))},
    }
    if session.opened_at is not None and session.ended_at is None:
        item |= _listed(iso(session.opened_at))
    return item
