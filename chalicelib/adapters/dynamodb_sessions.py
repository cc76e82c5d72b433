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
"""The partition of open sessions in the index `requester`; no address begins so."""


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
        """Write the changed session; False if it was changed since `read`.

        False also if the answer of the write was lost and it was sent again.
        """
        try:
            with aws_errors("DynamoDB", "ConditionalCheckFailedException"):
                self._client.put_item(
                    TableName=self._table,
                    Item=_item(changed),
                    ConditionExpression="#session = :read",  # The name is a reserved word.
                    ExpressionAttributeNames={"#session": "session"},
                    ExpressionAttributeValues={":read": _item(read)["session"]},
                )
        except Expected:
            return False
        return True

    def opened_since(self, since: datetime, most: int) -> list[ConsoleSession]:
        """Return sessions opened after that time and not ended, last opened first.

        The index follows the table by a moment.
        """
        with aws_errors("DynamoDB"):
            page = self._client.query(
                TableName=self._table,
                IndexName="requester",
                KeyConditionExpression="requester = :open AND createdAt > :since",
                ExpressionAttributeValues={":open": {"S": OPEN}, ":since": {"S": iso(since)}},
                ScanIndexForward=False,
                Limit=most,
            )
        keys: list[Any] = [item["pk"]["S"] for item in page["Items"]]
        found = [self.get(key.removeprefix("SESSION#")) for key in keys]
        return [session for session in found if session is not None and session.ended_at is None]


def _key(session_id: str) -> Any:
    return {"pk": {"S": f"SESSION#{session_id}"}}


def _item(session: ConsoleSession) -> Any:
    item = _key(session.id) | {
        "session": {"S": msgspec.json.encode(session).decode()},
        "goneAt": {"N": str(int(session.expires_at.timestamp()))},
    }
    if session.opened_at is not None and session.ended_at is None:
        item |= {"requester": {"S": OPEN}, "createdAt": {"S": iso(session.opened_at)}}
    return item
