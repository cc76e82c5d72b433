"""Policies in the stage's table: `POLICY#<name>` is the newest version, `POLICY#<name>#<n>` each.

The index `requester` lists those that aren't deleted.
"""

from typing import TYPE_CHECKING, Any

import msgspec

from ..domain.errors import Unavailable
from ..domain.policy import PolicyVersion
from ..domain.timestamps import iso
from .aws_errors import Expected, aws_errors

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

LISTED = "policies#"
"""The partition of policies in the index `requester`; no address equals it."""


class DynamoDbPolicies:
    """The policies of a stage. Every method raises Unavailable if DynamoDB doesn't answer."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def newest(self, name: str) -> PolicyVersion | None:
        """Return the newest version (a consistent read), a removal too; None if there is none."""
        return self._get(f"POLICY#{name}")

    def version(self, name: str, number: int) -> PolicyVersion | None:
        """Return that version, or None."""
        return self._get(f"POLICY#{name}#{number}")

    def replace(self, read: PolicyVersion | None, written: PolicyVersion) -> bool:
        """Write the next version; False if another was written since `read`.

        botocore gives the transaction a token, so that a try whose answer was lost counts once.
        """
        current: Any = {"TableName": self._table, "Item": _item(written)}
        if read is None:
            current["ConditionExpression"] = "attribute_not_exists(pk)"
        else:
            current["ConditionExpression"] = "version = :read"
            current["ExpressionAttributeValues"] = {":read": {"N": str(read.version)}}
        kept: Any = {"TableName": self._table, "Item": _version_item(written)}
        try:
            with aws_errors("DynamoDB", "TransactionCanceledException"):
                self._client.transact_write_items(TransactItems=[{"Put": current}, {"Put": kept}])
        except Expected as e:
            if not set(e.reasons) & {"ConditionalCheckFailed", "TransactionConflict"}:
                why = ", ".join((e.code, *e.reasons))
                raise Unavailable(f"DynamoDB cancelled a write ({why})") from e
            return False
        return True

    def page(self, most: int, after: str = "") -> tuple[list[PolicyVersion], str]:
        """Return policies, last written first, and where the next page begins.

        As `after`, "" means the beginning, as a result the end. The index follows the table by a
        moment.
        """
        query: Any = {
            "TableName": self._table,
            "IndexName": "requester",
            "KeyConditionExpression": "requester = :listed",
            "ExpressionAttributeValues": {":listed": {"S": LISTED}},
            "ScanIndexForward": False,
            "Limit": most,
        }
        at, _, name = after.partition("_")
        if name:
            query["ExclusiveStartKey"] = _key(f"POLICY#{name}") | _listed(at)
        with aws_errors("DynamoDB"):
            page = self._client.query(**query)
        keys: list[Any] = page["Items"]
        names = [key["pk"]["S"].removeprefix("POLICY#") for key in keys]
        found = [self.newest(name) for name in names]
        more = f"{keys[-1]['createdAt']['S']}_{names[-1]}" if "LastEvaluatedKey" in page else ""
        return [one for one in found if one is not None and not one.removed], more

    def _get(self, key: str) -> PolicyVersion | None:
        with aws_errors("DynamoDB"):
            answer = self._client.get_item(
                TableName=self._table, Key=_key(key), ConsistentRead=True
            )
        item: Any = answer.get("Item")
        return item and msgspec.json.decode(item["policy"]["S"], type=PolicyVersion)


def _key(key: str) -> Any:
    return {"pk": {"S": key}}


def _listed(written_at: str) -> Any:
    """Return the attributes by which a policy is in the index."""
    return {"requester": {"S": LISTED}, "createdAt": {"S": written_at}}


def _item(written: PolicyVersion) -> Any:
    item = _key(f"POLICY#{written.name}") | _content(written)
    return item if written.removed else item | _listed(iso(written.written_at))


def _version_item(written: PolicyVersion) -> Any:
    return _key(f"POLICY#{written.name}#{written.version}") | _content(written)


def _content(written: PolicyVersion) -> Any:
    stored = msgspec.json.encode(written).decode()
    return {"policy": {"S": stored}, "version": {"N": str(written.version)}}
