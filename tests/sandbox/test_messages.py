"""Decisions by queue, topic and function in the sandbox: who may send them, and their results."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.client import Json, Sandbox, policy, until

ADA = "ada@example.com"


def asked(sandbox: Sandbox, subject: str) -> tuple[str, str]:
    """Ask Ada; return the execution's name and her link token."""
    name = sandbox.start(subject=subject)
    return name, sandbox.link(ADA, subject).rpartition("/")[2]


def decision_message(token: str, decision: str = "approve", reason: str = "so") -> str:
    """Return the message by which a program decides."""
    return json.dumps({"token": token, "decision": decision, "reason": reason})


def decided(sandbox: Sandbox, execution: str, via: str) -> Json:
    """Return the execution once it has ended; it must have been decided once, by that channel."""
    ended = sandbox.ended(execution)
    kinds = ("approved", "rejected", "resumed")
    assert {e["via"] for e in ended["approval"]["events"] if e["what"] in kinds} == {via}
    assert len(sandbox.decisions(execution)) == 1
    return ended


def test_a_decision_by_queue(sandbox: Sandbox) -> None:
    """With the permission to send. A bad message before and a repeated one after change nothing."""
    keys = sandbox.may("bot", "sqs:SendMessage", sandbox.arn("sqs", "assent-sandbox-decisions"))
    sqs, url = sandbox.client("sqs", **keys), sandbox.queue("decisions")
    execution, token = asked(sandbox, "By queue")
    bad = sqs.send_message(QueueUrl=url, MessageBody="nonsense")["MessageId"]
    for _ in range(2):
        sqs.send_message(QueueUrl=url, MessageBody=decision_message(token))
    assert decided(sandbox, execution, "queue")["output"]["decisions"][0]["reason"] == "so"
    assert sandbox.dead_letter(bad)["refused"]["code"] == "InvalidRequest"
    late = sqs.send_message(QueueUrl=url, MessageBody=decision_message(token, "reject"))[
        "MessageId"
    ]
    letter = sandbox.dead_letter(late)
    assert letter["refused"]["code"] == "AlreadyDecided"
    assert letter["approvalId"] == token.partition(".")[0]
    assert token.partition(".")[2] not in json.dumps(letter)


def test_a_decision_by_topic(sandbox: Sandbox) -> None:
    """With the permission to publish. A dead letter has the message id that the publisher got."""
    topic = sandbox.arn("sns", "assent-sandbox-decisions")
    sns = sandbox.client("sns", **sandbox.may("publisher", "sns:Publish", topic))
    execution, token = asked(sandbox, "By topic")
    bad = sns.publish(TopicArn=topic, Message="{}")["MessageId"]
    sns.publish(TopicArn=topic, Message=decision_message(token, "reject", "too dear"))
    assert decided(sandbox, execution, "topic")["error"] == "Rejected"
    assert sandbox.dead_letter(bad)["via"] == "topic"


def invoked(client: Any, said: str) -> tuple[str | None, Json]:
    """Return the kind of failure of a call of record_decision, if any, and its payload."""
    answer = client.invoke(FunctionName="assent-sandbox-record_decision", Payload=said)
    return answer.get("FunctionError"), json.loads(answer["Payload"].read())


def test_a_decision_by_function(sandbox: Sandbox) -> None:
    """With the permission to invoke. A repeated decision gets the same answer."""
    function = sandbox.arn("lambda", "function:assent-sandbox-record_decision")
    keys = sandbox.may("caller", "lambda:InvokeFunction", function)
    client = sandbox.client("lambda", **keys)
    execution, token = asked(sandbox, "By function")
    answer = {
        "approvalId": token.partition(".")[0],
        "outcome": "approved",
        "decision": "approve",
    }
    assert invoked(client, decision_message(token)) == (None, answer)
    assert invoked(client, decision_message(token)) == (None, answer)
    decided(sandbox, execution, "function")
    failed, error = invoked(client, decision_message(token, "reject"))
    assert (failed, error["errorType"]) == ("Unhandled", "AlreadyDecided")
    assert token.partition(".")[2] not in json.dumps(error)


def test_a_user_without_permissions_can_send_nothing(sandbox: Sandbox) -> None:
    """IAM denies every queue, topic and function."""
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


def test_a_decision_that_cannot_be_recorded_can_be_redriven(sandbox: Sandbox) -> None:
    """After five deliveries it is in the dead-letter queue; redriven from there, it counts."""
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
        sqs.send_message(QueueUrl=decisions, MessageBody=decision_message(token))
        until(lambda: _waiting(sqs, dead), bool, seconds=60)
    finally:
        iam.delete_role_policy(RoleName=role, PolicyName="away")
        sqs.set_queue_attributes(QueueUrl=decisions, Attributes=seconds["Attributes"])
    assert sandbox.decisions(execution) == []
    # MiniStack lacks StartMessageMoveTask: this is what it does.
    (letter,) = sqs.receive_message(QueueUrl=dead)["Messages"]
    sqs.send_message(QueueUrl=decisions, MessageBody=letter["Body"])
    sqs.delete_message(QueueUrl=dead, ReceiptHandle=letter["ReceiptHandle"])
    assert decided(sandbox, execution, "queue")["status"] == "SUCCEEDED"
    assert _waiting(sqs, dead) == 0


def _waiting(sqs: Any, url: str) -> int:
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
    return int(found["Attributes"]["ApproximateNumberOfMessages"])
