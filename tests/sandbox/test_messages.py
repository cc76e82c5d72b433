"""Decisions that come as messages and calls, deployed: who may send, and what becomes of each."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.client import Json, Sandbox, policy, until

ADA = "ada@example.com"


def asked(sandbox: Sandbox, subject: str) -> tuple[str, str]:
    """Start an approval of Ada's; return its execution's name and her link token."""
    name = sandbox.start(subject=subject)
    return name, sandbox.link(ADA, subject).rpartition("/")[2]


def vote(token: str, decision: str = "approve", reason: str = "so") -> str:
    """Return what a program sends to decide."""
    return json.dumps({"token": token, "decision": decision, "reason": reason})


def decided(sandbox: Sandbox, execution: str, via: str) -> Json:
    """Return the execution once it has ended, having seen by which door it was decided."""
    ended = sandbox.ended(execution)
    votes = ("approved", "rejected", "resumed")
    assert {e["via"] for e in ended["approval"]["events"] if e["what"] in votes} == {via}
    assert len(sandbox.votes(execution)) == 1
    return ended


def test_a_decision_by_queue(sandbox: Sandbox) -> None:
    """By whoever may send to it: a bad one before, the same again after, and it counts once."""
    keys = sandbox.may("bot", "sqs:SendMessage", sandbox.arn("sqs", "assent-sandbox-decisions"))
    sqs, url = sandbox.client("sqs", **keys), sandbox.queue("decisions")
    execution, token = asked(sandbox, "By queue")
    bad = sqs.send_message(QueueUrl=url, MessageBody="nonsense")["MessageId"]
    for _ in range(2):
        sqs.send_message(QueueUrl=url, MessageBody=vote(token))
    assert decided(sandbox, execution, "queue")["output"]["decisions"][0]["reason"] == "so"
    assert sandbox.dead_letter(bad)["refused"]["code"] == "InvalidRequest"
    late = sqs.send_message(QueueUrl=url, MessageBody=vote(token, "reject"))["MessageId"]
    letter = sandbox.dead_letter(late)
    assert letter["refused"]["code"] == "AlreadyDecided"
    assert letter["approvalId"] == token.partition(".")[0]
    assert token.partition(".")[2] not in json.dumps(letter)


def test_a_decision_by_topic(sandbox: Sandbox) -> None:
    """By whoever may publish; what is refused has the id that the publisher was told."""
    topic = sandbox.arn("sns", "assent-sandbox-decisions")
    sns = sandbox.client("sns", **sandbox.may("publisher", "sns:Publish", topic))
    execution, token = asked(sandbox, "By topic")
    bad = sns.publish(TopicArn=topic, Message="{}")["MessageId"]
    sns.publish(TopicArn=topic, Message=vote(token, "reject", "too dear"))
    assert decided(sandbox, execution, "topic")["error"] == "Rejected"
    assert sandbox.dead_letter(bad)["via"] == "topic"


def invoked(client: Any, said: str) -> tuple[str | None, Json]:
    """Return how a call of record_decision failed, if it did, and what it answered."""
    answer = client.invoke(FunctionName="assent-sandbox-record_decision", Payload=said)
    return answer.get("FunctionError"), json.loads(answer["Payload"].read())


def test_a_decision_by_function(sandbox: Sandbox) -> None:
    """By whoever may invoke it: answered, twice the same, and refused by name."""
    function = sandbox.arn("lambda", "function:assent-sandbox-record_decision")
    keys = sandbox.may("caller", "lambda:InvokeFunction", function)
    client = sandbox.client("lambda", **keys)
    execution, token = asked(sandbox, "By function")
    answer = {
        "approvalId": token.partition(".")[0],
        "outcome": "approved",
        "decision": "approve",
    }
    assert invoked(client, vote(token)) == (None, answer)
    assert invoked(client, vote(token)) == (None, answer)
    decided(sandbox, execution, "function")
    failed, error = invoked(client, vote(token, "reject"))
    assert (failed, error["errorType"]) == ("Unhandled", "AlreadyDecided")
    assert token.partition(".")[2] not in json.dumps(error)


def test_strangers_decide_and_ask_nothing(sandbox: Sandbox) -> None:
    """Keys alone open no queue, topic or function."""
    keys = sandbox.stranger()
    for name in ("decisions", "requests", "dead-letters"):
        with pytest.raises(ClientError, match="AccessDenied"):
            sandbox.client("sqs", **keys).send_message(
                QueueUrl=sandbox.queue(name), MessageBody="{}"
            )
    topic = sandbox.arn("sns", "assent-sandbox-decisions")
    with pytest.raises(ClientError, match="not authorized"):
        sandbox.client("sns", **keys).publish(TopicArn=topic, Message="{}")
    for name in ("record_decision", "decision_from_queue", "request_from_queue"):
        with pytest.raises(ClientError, match="not authorized"):
            sandbox.client("lambda", **keys).invoke(
                FunctionName=f"assent-sandbox-{name}", Payload="{}"
            )


def test_a_decision_that_cannot_be_recorded_waits_and_counts_when_it_can(sandbox: Sandbox) -> None:
    """Delivered five times, kept whole beside the queue, redriven from there: nothing is lost."""
    execution, token = asked(sandbox, "While DynamoDB is away")
    sqs, iam = sandbox.client("sqs"), sandbox.client("iam")
    functions = sandbox.client("lambda")
    name = "assent-sandbox-decision_from_queue"
    role = functions.get_function_configuration(FunctionName=name)["Role"].rpartition("/")[2]
    denied = {"Effect": "Deny", "Action": "dynamodb:*", "Resource": "*"}
    decisions, dead = sandbox.queue("decisions"), sandbox.queue("decisions-dead-letters")
    seconds = sqs.get_queue_attributes(QueueUrl=decisions, AttributeNames=["VisibilityTimeout"])
    try:
        iam.put_role_policy(
            RoleName=role, PolicyName="away", PolicyDocument=json.dumps(policy(denied))
        )
        sqs.set_queue_attributes(QueueUrl=decisions, Attributes={"VisibilityTimeout": "1"})
        sqs.send_message(QueueUrl=decisions, MessageBody=vote(token))
        until(lambda: _waiting(sqs, dead), bool, seconds=60)
    finally:
        iam.delete_role_policy(RoleName=role, PolicyName="away")
        sqs.set_queue_attributes(QueueUrl=decisions, Attributes=seconds["Attributes"])
    assert sandbox.votes(execution) == []
    # MiniStack lacks StartMessageMoveTask: this is what it does.
    (letter,) = sqs.receive_message(QueueUrl=dead)["Messages"]
    sqs.send_message(QueueUrl=decisions, MessageBody=letter["Body"])
    sqs.delete_message(QueueUrl=dead, ReceiptHandle=letter["ReceiptHandle"])
    assert decided(sandbox, execution, "queue")["status"] == "SUCCEEDED"
    assert _waiting(sqs, dead) == 0


def _waiting(sqs: Any, url: str) -> int:
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
    return int(found["Attributes"]["ApproximateNumberOfMessages"])
