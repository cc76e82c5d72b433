"""SQS, SNS into SQS, and EventBridge: delivery, redelivery and refusal of messages."""

import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from .engine import Engine
from .witness import argument, operation, plain

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


@pytest.fixture
def sqs(account: boto3.Session) -> "SQSClient":
    """Return a client of SQS in moto."""
    return account.client("sqs")


def _arn(sqs: "SQSClient", url: str) -> str:
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    return found["Attributes"]["QueueArn"]


def test_a_message_moves_to_the_dead_letter_queue_after_its_deliveries(
    sqs: "SQSClient",
) -> None:
    """It is unchanged there, and gone from the queue before."""
    dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
    policy = {"deadLetterTargetArn": _arn(sqs, dead), "maxReceiveCount": 5}
    attributes: Any = {"RedrivePolicy": json.dumps(policy), "VisibilityTimeout": "0"}
    url = sqs.create_queue(QueueName="source", Attributes=attributes)["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="the whole of it")
    deliveries = [sqs.receive_message(QueueUrl=url).get("Messages", []) for _ in range(6)]
    assert [len(messages) for messages in deliveries] == [1, 1, 1, 1, 1, 0]
    (message,) = sqs.receive_message(QueueUrl=dead)["Messages"]
    assert message["Body"] == "the whole of it"
    text = plain(argument("sqs", "SetQueueAttributes", "Attributes").documentation)
    assert "When the ReceiveCount for a message exceeds the maxReceiveCount" in text


def test_only_messages_that_sqs_moved_are_redriven() -> None:
    """So Assent puts its own dead letters on another queue."""
    text = plain(operation("sqs", "StartMessageMoveTask").documentation)
    assert "Non-SQS queue sources of dead-letter queues" in text
    assert "are currently not supported" in text


def test_a_message_has_up_to_a_mebibyte() -> None:
    """Until 2025 it was a quarter of that."""
    text = plain(argument("sqs", "SetQueueAttributes", "Attributes").documentation)
    assert "up to 1,048,576 bytes (1 MiB)" in text


def test_sns_delivers_into_a_queue_in_an_envelope(account: boto3.Session, sqs: "SQSClient") -> None:
    """With its type, SNS's message id, and the message as text."""
    sns = account.client("sns")
    url = sqs.create_queue(QueueName="source")["QueueUrl"]
    topic = sns.create_topic(Name="t")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=_arn(sqs, url))
    sent = sns.publish(TopicArn=topic, Message='{"a": 1}')["MessageId"]
    (message,) = sqs.receive_message(QueueUrl=url)["Messages"]
    envelope = json.loads(message["Body"])
    assert (envelope["Type"], envelope["MessageId"]) == ("Notification", sent)
    assert envelope["Message"] == '{"a": 1}'


def test_an_entry_of_events_has_less_than_a_megabyte_and_may_fail_alone(
    account: boto3.Session,
) -> None:
    """PutEvents answers how many entries it refused, with status 200."""
    text = plain(operation("events", "PutEvents").documentation)
    assert "total entry size must be less than 1MB" in text
    entries: Any = [{"Source": "assent", "DetailType": "x", "Detail": "no JSON"}]
    answer = account.client("events").put_events(Entries=entries)
    assert answer["FailedEntryCount"] == 1
    assert "ErrorCode" in answer["Entries"][0]


def test_moto_cannot_start_a_child(engine: Engine) -> None:
    """It passes parameters as ASL spells them to its own API, which spells them otherwise."""
    child = engine.machine(Done={"Type": "Pass", "End": True})
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::states:startExecution.sync:2",
        "Parameters": {"StateMachineArn": child, "Input": {}},
        "End": True,
    }
    ended = engine.end(engine.start(engine.machine(Child=task)))
    assert (ended["status"], ended["error"]) == ("FAILED", "States.Runtime")
