"""The table of `infrastructure.yaml` in moto, and a record of the calls that clients make."""

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chalicelib.adapters.dynamodb import DynamoDbStore
from tests.aws.clients import session
from tools.template import load_template

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

TABLE = "assent-test"
_TEMPLATE = Path(__file__).parents[2] / "infrastructure.yaml"
# CloudFormation makes separate calls for these properties.
_NOT_CREATE_TABLE = (
    "TableName",
    "PointInTimeRecoverySpecification",
    "SSESpecification",
    "TimeToLiveSpecification",
)


def make_table(client: "DynamoDBClient") -> None:
    """Create the template's table under the name `TABLE`."""
    resources = load_template(_TEMPLATE)["Resources"]
    definition: dict[str, Any] = dict(resources["Table"]["Properties"])
    for name in _NOT_CREATE_TABLE:
        definition.pop(name)
    client.create_table(TableName=TABLE, **definition)


def table_client() -> "DynamoDBClient":
    """Return a client of a new table; it checks parameters against botocore's model."""
    client = session().client("dynamodb")
    make_table(client)
    take_turns(client)
    return client


def real_store() -> DynamoDbStore:
    """Return the adapter on a new table."""
    return DynamoDbStore(table_client(), TABLE)


def take_turns(client: "DynamoDBClient") -> None:
    """Make moto answer one call at a time.

    It checks a write's condition before it writes, and another thread may come in between; DynamoDB
    does both in one step.
    """
    turn = threading.Lock()

    def begin(**_: Any) -> None:
        turn.acquire()

    def end(**_: Any) -> None:
        turn.release()

    client.meta.events.register("before-call.dynamodb", begin)
    client.meta.events.register("after-call.dynamodb", end)
    client.meta.events.register("after-call-error.dynamodb", end)


def calls(*clients: Any) -> list[tuple[str, dict[str, Any]]]:
    """Return a list that grows by (operation, parameters) with every call of these clients."""
    made: list[tuple[str, dict[str, Any]]] = []

    def note(params: dict[str, Any], model: Any, **_: Any) -> None:
        made.append((model.name, params))

    for client in clients:
        client.meta.events.register("provide-client-params.*", note)
    return made
