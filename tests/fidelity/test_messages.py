"""SQS, SNS into SQS, and EventBridge: how messages come, come again, and are refused."""

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
    """Return SQS, in moto."""
    return account.client("sqs")


def _arn(sqs: "SQSClient", url: str) -> str:
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    return found["Attributes"]["QueueArn"]


def test_after_so_many_deliveries_a_message_lies_in_the_dead_letter_queue(sqs: "SQSClient") -> None:
    """Whole, and the queue that it came from has it no more."""
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


def test_only_what_sqs_moved_there_is_redriven() -> None:
    """Dead letters that others wrote lie in a queue apart."""
    text = plain(operation("sqs", "StartMessageMoveTask").documentation)
    assert "Non-SQS queue sources of dead-letter queues" in text
    assert "are currently not supported" in text


def test_a_message_has_up_to_a_mebibyte() -> None:
    """It was a quarter of that until 2025."""
    text = plain(argument("sqs", "SetQueueAttributes", "Attributes").documentation)
    assert "up to 1,048,576 bytes (1 MiB)" in text


def test_sns_delivers_into_a_queue_in_an_envelope(account: boto3.Session, sqs: "SQSClient") -> None:
    """Its type, SNS's own id of the message, and the message as text."""
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
    """PutEvents answers how many it refused; a call that is answered isn't yet one that took."""
    text = plain(operation("events", "PutEvents").documentation)
    assert "total entry size must be less than 1MB" in text
    entries: Any = [{"Source": "assent", "DetailType": "x", "Detail": "no JSON"}]
    answer = account.client("events").put_events(Entries=entries)
    assert answer["FailedEntryCount"] == 1
    assert "ErrorCode" in answer["Entries"][0]


def test_moto_cannot_start_a_child(engine: Engine) -> None:
    """It calls its own API with the parameters as ASL writes them, which the API doesn't know."""
    child = engine.machine(Done={"Type": "Pass", "End": True})
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::states:startExecution.sync:2",
        "Parameters": {"StateMachineArn": child, "Input": {}},
        "End": True,
    }
    ended = engine.end(engine.start(engine.machine(Child=task)))
    assert (ended["status"], ended["error"]) == ("FAILED", "States.Runtime")
