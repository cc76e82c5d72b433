"""IAM, enforced: who may call the routes, and which calls each function's role denies."""

import hashlib
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import quote

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.client import Sandbox, until

ROUTES = [
    ("POST", "/executions"),
    ("GET", "/executions/some-name"),
    ("GET", "/approvals"),
    ("GET", "/approvals/some-id"),
    ("DELETE", "/approvals/some-id"),
    ("POST", "/approvals/some-id/cancel"),
    ("POST", "/approvals/some-id/remind"),
    ("POST", "/approvals/some-id/extend"),
    ("POST", "/approvals/some-id/reassign"),
    ("GET", "/approvers"),
    ("GET", "/approvers/ada%40example.com"),
    ("PUT", "/approvers/ada%40example.com"),
    ("DELETE", "/approvers/ada%40example.com"),
    ("DELETE", "/approvers/ada%40example.com/delegation"),
    ("POST", "/approvers/ada%40example.com/confirmation"),
    ("GET", "/policies"),
    ("GET", "/policies/some-name"),
    ("PUT", "/policies/some-name"),
    ("DELETE", "/policies/some-name"),
    ("POST", "/console/sessions"),
    ("POST", "/console/read-only-sessions"),
]
APPROVER_TOPIC = "arn:aws:sns:us-east-1:000000000000:assent-sandbox-approver-x"
FOREIGN_TOPIC = "arn:aws:sns:us-east-1:000000000000:of-another-program"
ITEM = {"TableName": "assent-sandbox", "Key": {"pk": {"S": "x"}}}
INDEX = {
    "TableName": "assent-sandbox",
    "KeyConditionExpression": "#k = :v",
    "ExpressionAttributeValues": {":v": {"S": "x"}},
}
OUTCOME = INDEX | {"IndexName": "outcome", "ExpressionAttributeNames": {"#k": "outcomeShard"}}
TOPIC_POLICY = {"TopicArn": APPROVER_TOPIC, "AttributeName": "Policy", "AttributeValue": "{}"}
HISTORY = {"executionArn": "arn:aws:states:us-east-1:000000000000:execution:assent-sandbox:x"}
OTHERS_HISTORY = {"executionArn": HISTORY["executionArn"].replace("assent-sandbox", "others")}
SUBSCRIBE = {"TopicArn": APPROVER_TOPIC, "Protocol": "email"}
CHILD = {"stateMachineArn": "arn:aws:states:us-east-1:000000000000:stateMachine:assent-sandbox"}
SUCCESS = {"taskToken": "x", "output": "{}"}
QUEUE = "http://localhost/000000000000/assent-sandbox-"
DECISION = {"QueueUrl": f"{QUEUE}decisions", "MessageBody": "{}"}
REQUEST = {"QueueUrl": f"{QUEUE}requests", "MessageBody": "{}"}
EVENT = {"Source": "assent", "DetailType": "x", "Detail": "{}"}
DEAD = {"QueueUrl": f"{QUEUE}dead-letters"}

DENIED: list[tuple[str, str, str, dict[str, Any]]] = [
    ("api", "dynamodb", "delete_item", ITEM),
    ("api", "dynamodb", "scan", {"TableName": "assent-sandbox"}),
    ("tick", "dynamodb", "delete_item", ITEM),
    ("tick", "dynamodb", "query", OUTCOME),
    ("record_decision", "sns", "set_topic_attributes", TOPIC_POLICY),
    ("api", "sns", "set_topic_attributes", TOPIC_POLICY | {"TopicArn": FOREIGN_TOPIC}),
    ("api", "stepfunctions", "get_execution_history", OTHERS_HISTORY),
    ("api", "sns", "publish", {"TopicArn": APPROVER_TOPIC, "Message": "x"}),
    ("api", "sns", "delete_topic", {"TopicArn": FOREIGN_TOPIC}),
    ("api", "sns", "subscribe", SUBSCRIBE | {"Endpoint": "x@elsewhere.example"}),
    ("api", "lambda", "invoke", {"FunctionName": "assent-sandbox-tick"}),
    ("request_approval", "dynamodb", "delete_item", ITEM),
    ("request_approval", "stepfunctions", "send_task_success", SUCCESS),
    ("request_approval", "stepfunctions", "start_execution", CHILD),
    ("request_approval", "stepfunctions", "get_execution_history", HISTORY),
    ("request_approval", "sns", "publish", {"TopicArn": FOREIGN_TOPIC, "Message": "x"}),
    ("request_approval", "sns", "subscribe", SUBSCRIBE | {"Endpoint": "x@elsewhere.example"}),
    ("record_decision", "stepfunctions", "get_execution_history", HISTORY),
    ("record_decision", "sns", "publish", {"TopicArn": APPROVER_TOPIC, "Message": "x"}),
    ("record_decision", "sqs", "send_message", DECISION),
    ("decision_from_queue", "dynamodb", "query", OUTCOME),
    ("decision_from_queue", "sns", "publish", {"TopicArn": APPROVER_TOPIC, "Message": "x"}),
    ("decision_from_queue", "sqs", "send_message", DECISION),
    ("decision_from_queue", "sqs", "receive_message", DEAD),
    ("decision_from_queue", "sqs", "receive_message", {"QueueUrl": f"{QUEUE}requests"}),
    ("request_from_queue", "stepfunctions", "send_task_success", SUCCESS),
    ("request_from_queue", "sqs", "send_message", REQUEST),
    ("request_from_queue", "sqs", "receive_message", {"QueueUrl": f"{QUEUE}decisions"}),
    ("request_from_queue", "sns", "publish", {"TopicArn": FOREIGN_TOPIC, "Message": "x"}),
    ("request_from_queue", "sns", "subscribe", SUBSCRIBE | {"Endpoint": "x@elsewhere.example"}),
    ("execution_ended", "dynamodb", "delete_item", ITEM),
    ("execution_ended", "dynamodb", "query", OUTCOME),
    ("execution_ended", "stepfunctions", "send_task_success", SUCCESS),
    ("execution_ended", "stepfunctions", "describe_execution", HISTORY),
    ("execution_ended", "sns", "publish", {"TopicArn": APPROVER_TOPIC, "Message": "x"}),
    ("execution_ended", "sqs", "receive_message", {"QueueUrl": f"{QUEUE}decisions"}),
    ("request_approval", "dynamodb", "query", OUTCOME),
    ("request_from_queue", "dynamodb", "query", OUTCOME),
    ("tick", "sqs", "receive_message", DEAD),
    ("tick", "events", "put_events", {"Entries": [EVENT | {"EventBusName": "others"}]}),
    ("api", "events", "put_events", {"Entries": [EVENT]}),
    ("tick", "stepfunctions", "start_execution", CHILD),
    ("tick", "sns", "delete_topic", {"TopicArn": APPROVER_TOPIC}),
    ("tick", "stepfunctions", "get_execution_history", HISTORY),
    ("tick", "sns", "publish", {"TopicArn": FOREIGN_TOPIC, "Message": "x"}),
]


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_an_operators_route_is_closed_to_others(sandbox: Sandbox, method: str, path: str) -> None:
    """Unsigned, or signed by a user without the permission: 403."""
    assert sandbox.call(method, path, who=None).status == 403
    assert sandbox.call(method, path, who="stranger").status == 403


def test_the_operators_policy_opens_the_operators_routes(sandbox: Sandbox) -> None:
    """A user with the stack's managed policy needs nothing else."""
    found = sandbox.call("GET", "/approvers/ada%40example.com")
    assert (found.status, found.json["subscription"]) == (200, "confirmed")
    assert sandbox.call("GET", "/executions/no-such").status == 404
    assert sandbox.call("POST", "/approvals/some-id/cancel", {}).status == 404


def test_erasing_needs_a_policy_of_its_own(sandbox: Sandbox) -> None:
    """An operator can't erase, and a user with the other policy can't do anything else."""
    assert sandbox.call("DELETE", "/approvals/some-id").status == 403
    eraser = sandbox.with_user("eraser", "ErasurePolicyArn")
    assert eraser.call("DELETE", "/approvals/some-id", who="eraser").status == 404
    assert eraser.call("GET", "/approvals/some-id", who="eraser").status == 403
    assert eraser.call("DELETE", "/approvers/ada%40example.com", who="eraser").status == 403


def test_a_delegation_is_the_operators_who_signed_and_both_people_are_told(
    sandbox: Sandbox,
) -> None:
    """The principal is the one that AWS verified; the mails come with the next tick."""
    away, delegate = (f"{name}-{time.time_ns()}@example.com" for name in ("away", "delegate"))
    for address in (away, delegate):
        assert sandbox.call("PUT", f"/approvers/{quote(address)}").status == 200
    sent = {"delegate": delegate, "from": "2020-01-01T00:00:00Z", "by": "boss@example.com"}
    sent["until"] = f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}"
    absence = sandbox.call("PUT", f"/approvers/{quote(away)}", sent).json["absence"]
    assert absence["principal"].startswith("arn:aws:iam::")
    assert absence["by"] == "boss@example.com"
    for address in (away, delegate):
        (mail,) = until(partial(sandbox.mails, address, "Delegation"), bool, seconds=150)
        assert "an operator (as boss@example.com)" in mail["text"]
    assert sandbox.call("DELETE", f"/approvers/{quote(away)}/delegation").status == 204
    assert "absence" not in sandbox.call("GET", f"/approvers/{quote(away)}").json


def test_the_approvers_pages_need_no_signature(sandbox: Sandbox) -> None:
    """The link token is the credential; a wrong one gets a page that says nothing."""
    assert sandbox.call("GET", "/health", who=None).json == {"status": "ok", "stage": "sandbox"}
    for link in ("/approve/wrong", "/approve/", "/approve", "/"):
        assert sandbox.call("GET", link, who=None).status == 404


@pytest.mark.parametrize(("function", "service", "action", "arguments"), DENIED)
def test_a_function_is_denied_what_it_doesnt_need(
    sandbox: Sandbox, function: str, service: str, action: str, arguments: dict[str, Any]
) -> None:
    """IAM denies it to the role of the deployed function."""
    client = _as(sandbox, function, service)
    with pytest.raises(ClientError) as refused:
        getattr(client, action)(**arguments)
    assert "not authorized" in refused.value.response["Error"]["Message"]


def test_a_function_may_do_what_it_needs(sandbox: Sandbox) -> None:
    """So the denials above aren't due to the way of calling."""
    assert "Item" not in _as(sandbox, "tick", "dynamodb").get_item(**ITEM)


def test_only_the_tick_and_the_lists_of_operators_read_what_is_due(sandbox: Sandbox) -> None:
    """The roles of other functions don't allow the index `due`."""
    due = INDEX | {"IndexName": "due", "ExpressionAttributeNames": {"#k": "dueShard"}}
    for function in ("tick", "api"):
        assert _as(sandbox, function, "dynamodb").query(**due)["Items"] == []
    for function in ("request_approval", "execution_ended"):
        with pytest.raises(ClientError, match="not authorized"):
            _as(sandbox, function, "dynamodb").query(**due)


def test_only_assents_functions_use_an_approvers_topic(sandbox: Sandbox) -> None:
    """A user whom IAM allows everything of SNS can delete it, and nothing else.

    The topic was made by a version that gave it no policy: its next use mends it.
    """
    address = "guarded@example.com"
    digest = hashlib.sha256(address.encode()).hexdigest()[:32]
    arn = sandbox.arn("sns", f"assent-sandbox-approver-{digest}")
    sandbox.client("sns").create_topic(Name=arn.rpartition(":")[2])
    assert sandbox.call("PUT", f"/approvers/{quote(address)}").status == 200
    sns = sandbox.client("sns", **sandbox.may("topics-admin", "sns:*", "*"))
    queue = sandbox.arn("sqs", "assent-sandbox-decisions")
    for action, arguments in (
        ("subscribe", {"Protocol": "sqs", "Endpoint": queue}),
        ("subscribe", {"Protocol": "email", "Endpoint": address}),
        ("publish", {"Message": "Approve this"}),
        ("get_topic_attributes", {}),
        ("list_subscriptions_by_topic", {}),
        ("set_topic_attributes", {"AttributeName": "Policy", "AttributeValue": "{}"}),
    ):
        with pytest.raises(ClientError, match="not authorized"):
            getattr(sns, action)(TopicArn=arn, **arguments)
    for function in ("tick", "request_approval", "request_from_queue", "api"):
        client = _as(sandbox, function, "sns")
        assert "Policy" in client.get_topic_attributes(TopicArn=arn)["Attributes"]
        (found,) = client.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"]
        assert (found["Protocol"], found["Endpoint"]) == ("email", address)
    sns.delete_topic(TopicArn=arn)
    found = sandbox.call("GET", f"/approvers/{quote(address)}")
    assert found.json["subscription"] == "none"


def test_a_topic_that_somebody_made_first_gets_no_mail(sandbox: Sandbox) -> None:
    """Its name can be computed, and IAM lets them subscribe a queue before the policy comes.

    The approver is subscribed too. An operator deletes the topic, and it is made anew.
    """
    address = "foreseen@example.com"
    digest = hashlib.sha256(address.encode()).hexdigest()[:32]
    arn = sandbox.arn("sns", f"assent-sandbox-approver-{digest}")
    sns = sandbox.client("sns", **sandbox.may("topics-maker", "sns:*", "*"))
    sns.create_topic(Name=arn.rpartition(":")[2])
    queue = sandbox.arn("sqs", "assent-sandbox-decisions")
    sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=queue)
    sns.subscribe(TopicArn=arn, Protocol="email", Endpoint=address)
    found = sandbox.call("GET", f"/approvers/{quote(address)}")
    assert (found.status, found.json["code"]) == (409, "Refused")
    assert "ForeignSubscription" in found.json["message"]
    assert sandbox.call("DELETE", f"/approvers/{quote(address)}").status == 204
    assert sandbox.call("GET", f"/approvers/{quote(address)}").json["subscription"] == "none"
    assert sandbox.call("PUT", f"/approvers/{quote(address)}").json["subscription"] == "confirmed"


def _as(sandbox: Sandbox, function: str, service: str) -> Any:
    """Return a client with the credentials of a function's role."""
    role = _role(sandbox, function)
    made = sandbox.client("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    return sandbox.client(
        service,
        aws_access_key_id=made["AccessKeyId"],
        aws_secret_access_key=made["SecretAccessKey"],
        aws_session_token=made["SessionToken"],
    )


def _role(sandbox: Sandbox, function: str) -> str:
    name = "assent-sandbox" if function == "api" else f"assent-sandbox-{function}"
    role: str = sandbox.client("lambda").get_function_configuration(FunctionName=name)["Role"]
    return role
