"""Lambda: limits of a function, and asynchronous events that keep failing."""

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.model import StructureShape

from .witness import answer, argument, bounds, errors, lint_codes, operation, plain

QUEUE = "arn:aws:sqs:us-east-1:123456789012:dead-letters"


def _function(**properties: Any) -> dict[str, Any]:
    return {
        "Type": "AWS::Lambda::Function",
        "Properties": {
            "Role": "arn:aws:iam::123456789012:role/assent",
            "Runtime": "python3.12",
            "Handler": "app.app",
            "Code": {"ZipFile": "app = None"},
        }
        | properties,
    }


def _variables(size: int) -> dict[str, Any]:
    return {"Environment": {"Variables": {"VALUE": "x" * (size - len("VALUE"))}}}


def test_environment_variables_have_4096_bytes_together() -> None:
    """All names and values of a function share 4 KB."""
    full, fuller = _function(**_variables(4_096)), _function(**_variables(4_097))
    assert lint_codes({"Full": full, "Fuller": fuller}) == {"Full": set(), "Fuller": {"E3697"}}


def test_a_function_runs_up_to_900_seconds() -> None:
    """Fifteen minutes, and three seconds unless said otherwise."""
    slow, slower = _function(Timeout=900), _function(Timeout=901)
    assert lint_codes({"Slow": slow, "Slower": slower}) == {"Slow": set(), "Slower": {"E3717"}}
    text = plain(argument("lambda", "CreateFunction", "Timeout").documentation)
    assert "default is 3 seconds" in text
    assert "900 seconds" in text


def test_an_asynchronous_event_is_tried_three_times_and_then_dropped() -> None:
    """Without a destination an event that failed three times is lost."""
    text = plain(operation("lambda", "PutFunctionEventInvokeConfig").documentation)
    assert "retries an asynchronous invocation twice" in text
    assert "Lambda discards it" in text
    retries = argument("lambda", "PutFunctionEventInvokeConfig", "MaximumRetryAttempts")
    assert bounds(retries) == (0, 2)


def test_the_same_event_may_arrive_more_than_once() -> None:
    """So an asynchronous function has to be idempotent."""
    text = plain(operation("lambda", "Invoke").documentation)
    assert "receive the same event multiple times, even if no error occurs" in text


def test_a_function_keeps_its_failure_destination(account: boto3.Session) -> None:
    """PutFunctionEventInvokeConfig replaces the whole configuration, the destination with it."""
    role = account.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument="{}")["Role"]
    client = account.client("lambda")
    client.create_function(
        FunctionName="tick",
        Runtime="python3.12",
        Role=role["Arn"],
        Handler="app.tick",
        Code={"ZipFile": b""},
    )
    client.put_function_event_invoke_config(
        FunctionName="tick",
        MaximumRetryAttempts=2,
        DestinationConfig={"OnFailure": {"Destination": QUEUE}},
    )
    found = client.get_function_event_invoke_config(FunctionName="tick")
    assert found["DestinationConfig"]["OnFailure"] == {"Destination": QUEUE}
    with pytest.raises(ClientError, match="ValidationException"):
        client.put_function_event_invoke_config(FunctionName="tick", MaximumRetryAttempts=3)


def test_the_transient_errors_of_an_invocation_have_these_names() -> None:
    """A Retry in a state machine lists each with `Lambda.` before it."""
    assert {"ServiceException", "TooManyRequestsException"} <= set(errors("lambda", "Invoke"))


def test_the_model_refuses_a_second_mapping_and_moto_makes_it(account: boto3.Session) -> None:
    """Of the same function and queue: a deploy that is repeated must find the first."""
    assert "ResourceConflictException" in errors("lambda", "CreateEventSourceMapping")
    role = account.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument="{}")["Role"]
    client, sqs = account.client("lambda"), account.client("sqs")
    client.create_function(
        FunctionName="f",
        Runtime="python3.12",
        Role=role["Arn"],
        Handler="app.f",
        Code={"ZipFile": b""},
    )
    url = sqs.create_queue(QueueName="q", Attributes={"VisibilityTimeout": "60"})["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    for _ in range(2):
        client.create_event_source_mapping(
            EventSourceArn=attributes["QueueArn"], FunctionName="f", BatchSize=1
        )
    found = client.list_event_source_mappings(FunctionName="f")["EventSourceMappings"]
    assert len(found) == 2, "moto has been corrected: simplify L6"


def test_a_mapping_outlives_its_function_and_is_deleted_later() -> None:
    """DeleteFunction leaves it, and DeleteEventSourceMapping returns before it is gone."""
    text = plain(operation("lambda", "DeleteFunction").documentation)
    assert "To delete Lambda event source mappings that invoke a function, use" in text
    text = plain(operation("lambda", "DeleteEventSourceMapping").documentation)
    assert "enters a Deleting state and might not be completely deleted" in text


def test_a_hundred_executions_stay_unreserved() -> None:
    """The account's settings say how many are not reserved yet."""
    text = plain(operation("lambda", "PutFunctionConcurrency").documentation)
    assert "leave at least 100 simultaneous executions unreserved" in text
    limit = answer("lambda", "GetAccountSettings")["AccountLimit"]
    assert isinstance(limit, StructureShape)
    assert {"ConcurrentExecutions", "UnreservedConcurrentExecutions"} <= limit.members.keys()


def test_the_model_queues_asynchronous_invocations_alone() -> None:
    """A synchronous one keeps its connection open, so it can't start minutes after it was sent."""
    said = plain(operation("lambda", "Invoke").documentation)
    assert "asynchronous invocation , Lambda adds events to a queue" in said
    kinds = plain(argument("lambda", "Invoke", "InvocationType").documentation)
    assert "RequestResponse (default) – Invoke the function synchronously. Keep the conn" in kinds
