"""For `examples/document_release`: objects and versions in S3, sets in DynamoDB."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.aws.table import take_turns

from .engine import Engine
from .witness import argument, operation, plain

BUCKET = "documents"


@pytest.fixture
def bucket(account: boto3.Session) -> Any:
    """Return a client of S3 that has a bucket with versions."""
    client = account.client("s3")
    client.create_bucket(Bucket=BUCKET)
    client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    return client


@pytest.fixture
def table(account: boto3.Session) -> Any:
    """Return a client of DynamoDB that has a table `t` by `pk`."""
    client = account.client("dynamodb")
    client.create_table(
        TableName="t",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
    )
    return client


def _add(client: Any, number: int) -> list[str]:
    """Add a number to a set and return the set after that."""
    answer = client.update_item(
        TableName="t",
        Key={"pk": {"S": "x"}},
        UpdateExpression="ADD done :number",
        ExpressionAttributeValues={":number": {"NS": [str(number)]}},
        ReturnValues="ALL_NEW",
    )
    found: list[str] = answer["Attributes"]["done"]["NS"]
    return found


def test_the_model_describes_add_for_a_set() -> None:
    """And that an update returns the item as it is then, at no cost."""
    added = plain(argument("dynamodb", "UpdateItem", "UpdateExpression").documentation)
    assert "If the existing data type is a set and if Value is also a set" in added
    returned = plain(argument("dynamodb", "UpdateItem", "ReturnValues").documentation)
    assert "The values returned are strongly consistent" in returned
    assert "No read capacity units are consumed" in returned


def test_adding_a_number_twice_changes_nothing(table: Any) -> None:
    """The second update returns the same set."""
    assert sorted(_add(table, 1)) == ["1"]
    assert sorted(_add(table, 2)) == ["1", "2"]
    assert sorted(_add(table, 1)) == ["1", "2"]


def test_one_of_many_concurrent_updates_sees_the_full_set(table: Any) -> None:
    """Each update returns the set as it was just after it."""
    take_turns(table)
    with ThreadPoolExecutor(8) as workers:
        seen = list(workers.map(lambda number: len(_add(table, number)), range(20)))
    assert sorted(seen) == list(range(1, 21))


def test_the_model_says_when_a_missing_object_is_denied() -> None:
    """Without the permission to list the bucket, S3 doesn't say that an object is missing."""
    said = plain(operation("s3", "GetObject").documentation)
    assert "If you don’t have the s3:ListBucket permission" in said.replace("\u2019", "’")
    assert "403 Access Denied" in said


def test_the_model_limits_one_copy_to_5_gb() -> None:
    """boto3 copies larger objects in parts."""
    said = plain(operation("s3", "CopyObject").documentation)
    assert "up to 5 GB in size in a single atomic action" in said


def test_a_version_never_changes(bucket: Any) -> None:
    """It is read and copied by its id, also after other puts under its name."""
    version = bucket.put_object(Bucket=BUCKET, Key="k", Body=b"one")["VersionId"]
    bucket.put_object(Bucket=BUCKET, Key="k", Body=b"two")
    assert bucket.get_object(Bucket=BUCKET, Key="k", VersionId=version)["Body"].read() == b"one"
    bucket.copy({"Bucket": BUCKET, "Key": "k", "VersionId": version}, BUCKET, "copy")
    assert bucket.get_object(Bucket=BUCKET, Key="copy")["Body"].read() == b"one"


def test_a_missing_version_has_its_own_error(bucket: Any) -> None:
    """In moto, as with the permission to list."""
    bucket.put_object(Bucket=BUCKET, Key="k", Body=b"one")
    with pytest.raises(ClientError) as refused:
        bucket.get_object(Bucket=BUCKET, Key="k", VersionId="0" * 32)
    assert refused.value.response["Error"]["Code"] == "NoSuchVersion"


def test_a_fail_state_cannot_have_a_reserved_error_name(engine: Engine) -> None:
    """With a name that begins with `States.` the execution ends with another error."""
    named = {"Type": "Fail", "ErrorPath": "$.error", "CausePath": "$.cause"}
    ended = engine.run(engine.machine(F=named), '{"error": "States.Timeout", "cause": "x"}')
    assert (ended["status"], ended["error"]) == ("FAILED", "States.Runtime")
    ended = engine.run(engine.machine(F=named), '{"error": "Timeout", "cause": "x"}')
    assert (ended["status"], ended["error"]) == ("FAILED", "Timeout")
