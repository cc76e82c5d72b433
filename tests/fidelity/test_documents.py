"""What `examples/document_release` builds on: S3's objects and events, sets in DynamoDB."""

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
    """Add a number to a set and return what is in it then."""
    answer = client.update_item(
        TableName="t",
        Key={"pk": {"S": "x"}},
        UpdateExpression="ADD done :number",
        ExpressionAttributeValues={":number": {"NS": [str(number)]}},
        ReturnValues="ALL_NEW",
    )
    found: list[str] = answer["Attributes"]["done"]["NS"]
    return found


def test_the_model_says_what_add_does_to_a_set() -> None:
    """And that an update's answer is as it is at that moment, at no cost."""
    added = plain(argument("dynamodb", "UpdateItem", "UpdateExpression").documentation)
    assert "If the existing data type is a set and if Value is also a set" in added
    returned = plain(argument("dynamodb", "UpdateItem", "ReturnValues").documentation)
    assert "The values returned are strongly consistent" in returned
    assert "No read capacity units are consumed" in returned


def test_a_number_that_is_in_a_set_already_changes_nothing(table: Any) -> None:
    """The same update twice is the same as once; the set comes back whole."""
    assert sorted(_add(table, 1)) == ["1"]
    assert sorted(_add(table, 2)) == ["1", "2"]
    assert sorted(_add(table, 1)) == ["1", "2"]


def test_of_those_who_add_at_once_one_sees_the_set_full(table: Any) -> None:
    """Each answer is the set as it was after that very update."""
    take_turns(table)
    with ThreadPoolExecutor(8) as workers:
        seen = list(workers.map(lambda number: len(_add(table, number)), range(20)))
    assert sorted(seen) == list(range(1, 21))


def test_the_model_says_when_a_missing_object_is_denied() -> None:
    """Without the right to list the bucket, S3 doesn't say that something isn't there."""
    said = plain(operation("s3", "GetObject").documentation)
    assert "If you don’t have the s3:ListBucket permission" in said.replace("\u2019", "’")
    assert "403 Access Denied" in said


def test_the_model_says_how_much_is_copied_in_one_call() -> None:
    """5 GB; boto3 copies what is larger in parts."""
    said = plain(operation("s3", "CopyObject").documentation)
    assert "up to 5 GB in size in a single atomic action" in said


def test_a_version_stays_what_it_was(bucket: Any) -> None:
    """Read and copied by its id, whatever is put under its name afterwards."""
    version = bucket.put_object(Bucket=BUCKET, Key="k", Body=b"one")["VersionId"]
    bucket.put_object(Bucket=BUCKET, Key="k", Body=b"two")
    assert bucket.get_object(Bucket=BUCKET, Key="k", VersionId=version)["Body"].read() == b"one"
    bucket.copy({"Bucket": BUCKET, "Key": "k", "VersionId": version}, BUCKET, "copy")
    assert bucket.get_object(Bucket=BUCKET, Key="copy")["Body"].read() == b"one"


def test_a_version_that_isnt_there_has_an_error_of_its_own(bucket: Any) -> None:
    """In moto; with the right to list, that is."""
    bucket.put_object(Bucket=BUCKET, Key="k", Body=b"one")
    with pytest.raises(ClientError) as refused:
        bucket.get_object(Bucket=BUCKET, Key="k", VersionId="0" * 32)
    assert refused.value.response["Error"]["Code"] == "NoSuchVersion"


def test_no_error_of_ours_begins_with_states(engine: Engine) -> None:
    """A Fail state by such a name ends otherwise than it says."""
    named = {"Type": "Fail", "ErrorPath": "$.error", "CausePath": "$.cause"}
    ended = engine.run(engine.machine(F=named), '{"error": "States.Timeout", "cause": "x"}')
    assert (ended["status"], ended["error"]) == ("FAILED", "States.Runtime")
    ended = engine.run(engine.machine(F=named), '{"error": "Timeout", "cause": "x"}')
    assert (ended["status"], ended["error"]) == ("FAILED", "Timeout")
