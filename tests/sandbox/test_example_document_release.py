"""`document_release`, deployed beside Assent: its demo, faults, the permissions of its roles."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from examples.deployed import DeployedExample
from examples.document_release import demo
from examples.polling import poll
from tests.sandbox.client import Sandbox, press, until
from tests.sandbox.roles import May

ADA = "ada@example.com"
CARD = "4111 1111 1111 1111"
BUCKET = "document-release-sandbox-000000000000-us-east-1"
Json = dict[str, Any]


@pytest.fixture
def deployed(example: Callable[[str], DeployedExample]) -> DeployedExample:
    """Give the deployed example."""
    return example("document_release")


def reason(deployed: DeployedExample, name: str) -> str:
    """Return why a document is held."""
    key = f"held/{name}.reason.json"
    found = deployed.client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read()
    return str(json.loads(found)["reason"])


def test_the_demo_prints_what_the_readme_shows(
    deployed: DeployedExample, readme_output: Callable[[str], set[str]]
) -> None:
    """One document released, two held, each with its reason; the outcomes reach the queue."""
    printed: list[str] = []
    demo.run(deployed, printed.append)
    lines = {line.strip() for text in printed for line in text.splitlines()}
    assert readme_output("document_release") - lines == set()
    for key in ("released/report.txt", "held/customers.csv", "held/picture.txt"):
        assert key in lines
    assert "released/customers.csv" not in lines


def test_chunks_are_scanned_in_parallel_and_the_execution_resumes_once(
    deployed: DeployedExample, sandbox: Sandbox
) -> None:
    """S3 starts a worker for each chunk; the mail has the findings of all of them."""
    line = "x" * 1_023 + "\n"
    content = "".join(CARD + "\n" if n % 1_000 == 999 else line for n in range(10_000))
    demo.upload(deployed, "many.txt", content.encode())
    link = sandbox.link(ADA, "Release many.txt? Found: 10 card numbers")
    execution = demo.wait_for_execution(deployed, "many.txt")
    assert demo.count_scanned_chunks(deployed, execution) == 10
    press(link)
    assert deployed.wait_for_end(execution)["status"] == "SUCCEEDED"
    assert len(sandbox.mails(ADA, "Approval needed: Release many.txt?")) == 1


def test_lost_events_that_are_sent_again_complete_the_scan(
    deployed: DeployedExample, sandbox: Sandbox
) -> None:
    """S3 first sends no events about chunks, later sends them out of order and repeatedly."""
    s3 = deployed.client("s3")
    whole = s3.get_bucket_notification_configuration(Bucket=BUCKET)
    whole.pop("ResponseMetadata")
    deaf = [one for one in whole["LambdaFunctionConfigurations"] if "look" not in _target(one)]
    s3.put_bucket_notification_configuration(
        Bucket=BUCKET, NotificationConfiguration={"LambdaFunctionConfigurations": deaf}
    )
    demo.upload(deployed, "lost.txt", b"x" * (3 << 20))
    name = demo.wait_for_execution(deployed, "lost.txt").rpartition(":")[2]
    prefix = f"chunks/{name}/"
    look = s3.list_objects_v2
    until(lambda: look(Bucket=BUCKET, Prefix=prefix)["KeyCount"], lambda n: n == 3, seconds=20)
    s3.put_bucket_notification_configuration(Bucket=BUCKET, NotificationConfiguration=whole)
    assert sandbox.mails(ADA, "Release lost.txt?") == []
    for number in (2, 2, 0, 1, 0):
        _send_again(s3, f"{prefix}{number}")
    press(sandbox.link(ADA, "Release lost.txt?", "approve"))
    execution = demo.wait_for_execution(deployed, "lost.txt")
    assert deployed.wait_for_end(execution)["status"] == "SUCCEEDED"
    _send_again(s3, f"{prefix}1")
    until(lambda: _resumed(deployed, name), lambda seen: len(seen) >= 6, seconds=20)
    assert _resumed(deployed, name).count(True) == 1


def _target(notification: Json) -> str:
    return str(notification["LambdaFunctionArn"]).rpartition(":")[2]


def _send_again(s3: Any, key: str) -> None:
    """Make S3 send a chunk's event again by overwriting the chunk with itself."""
    found = s3.get_object(Bucket=BUCKET, Key=key)
    s3.put_object(Bucket=BUCKET, Key=key, Body=found["Body"].read(), Metadata=found["Metadata"])


def _resumed(deployed: DeployedExample, name: str) -> list[bool]:
    lines = deployed.log_lines("look")
    return [bool(line["resumed"]) for line in lines if line.get("execution") == name]


def test_a_cancelled_request_holds_the_document(
    deployed: DeployedExample, sandbox: Sandbox
) -> None:
    """The child execution fails as Cancelled, and so do its parent and the reason beside it."""
    demo.upload(deployed, "cancelled.txt", b"harmless")
    sandbox.link(ADA, "Release cancelled.txt?")
    execution = demo.wait_for_execution(deployed, "cancelled.txt")
    child = sandbox.execution(execution.rpartition(":")[2])
    sandbox.call("POST", f"/approvals/{child['approval']['id']}/cancel", {"reason": "a mistake"})
    ended = deployed.wait_for_end(execution)
    assert (ended["status"], ended["error"]) == ("FAILED", "Cancelled")
    assert reason(deployed, "cancelled.txt") == "the request was cancelled"


def test_the_approved_version_is_released(deployed: DeployedExample, sandbox: Sandbox) -> None:
    """Another document under the same name needs another approval, with any characters in it."""
    name = "2026/Größe 1+1 & 100%.txt"
    demo.upload(deployed, name, b"the first")
    first = sandbox.link(ADA, f"Release {name}? Found: nothing")
    demo.upload(deployed, name, f"the second, {CARD}".encode())
    sandbox.link(ADA, f"Release {name}? Found: 1 card number")
    press(first)
    s3 = deployed.client("s3")
    found = until(
        lambda: s3.list_objects_v2(Bucket=BUCKET, Prefix="released/2026").get("Contents"),
        bool,
        seconds=20,
    )
    assert len(found) == 1
    body = s3.get_object(Bucket=BUCKET, Key=f"released/{name}")["Body"].read()
    assert body == b"the first"


def test_no_log_holds_a_task_token_or_a_finding(deployed: DeployedExample) -> None:
    """The table alone holds the tokens."""
    demo.upload(deployed, "quiet.txt", CARD.encode())
    execution = demo.wait_for_execution(deployed, "quiet.txt")
    poll(
        lambda: demo.count_scanned_chunks(deployed, execution),
        until=bool,
        waiting_for="scanned chunk",
    )
    items = deployed.client("dynamodb").scan(TableName="document-release-sandbox")["Items"]
    tokens = [item["taskToken"]["S"] for item in items if "taskToken" in item]
    assert tokens
    logged = json.dumps([deployed.log_lines(name) for name in ("start", "split", "look")])
    for secret in [*tokens, CARD]:
        assert secret not in logged
    assert CARD not in json.dumps(items)


def test_the_queue_gets_only_the_outcomes_of_this_assent(deployed: DeployedExample) -> None:
    """The rule matches the source, the kind of event and the state machine."""
    ours, others = "execution:assent-sandbox:", "execution:assent-other:"
    for source, kind, machine in (
        ("somebody", "Approval closed", ours),
        ("assent", "Something else", ours),
        ("assent", "Approval closed", others),
        ("assent", "Approval closed", ours),
    ):
        arn = f"arn:aws:states:us-east-1:000000000000:{machine}x"
        detail = {"approvalId": f"by hand: {source} {kind} {machine}", "executionArn": arn}
        entry = {"Source": source, "DetailType": kind, "Detail": json.dumps(detail)}
        deployed.client("events").put_events(Entries=[entry])
    arrived: list[str] = []

    def by_hand() -> list[str]:
        arrived.extend(one["approvalId"] for one in demo.receive_outcomes(deployed))
        return [one for one in arrived if one.startswith("by hand")]

    assert until(by_hand, bool, seconds=20) == [f"by hand: assent Approval closed {ours}"]


DOCUMENT = {"Bucket": BUCKET, "Key": "incoming/report.txt"}
CHUNK = {"Bucket": BUCKET, "Key": "chunks/x/0"}
RELEASED = {"Bucket": BUCKET, "Key": "released/x"}
HELD = {"Bucket": BUCKET, "Key": "held/x"}
KEY = {"TableName": "document-release-sandbox", "Key": {"pk": {"S": "x"}, "sk": {"N": "-1"}}}
ITEM = {"TableName": KEY["TableName"], "Item": KEY["Key"]}
QUERY = {
    "TableName": KEY["TableName"],
    "KeyConditionExpression": "pk = :v",
    "ExpressionAttributeValues": {":v": {"S": "x"}},
}
MACHINES = "arn:aws:states:us-east-1:000000000000:stateMachine:"
OURS = {"stateMachineArn": f"{MACHINES}document-release-sandbox"}
ASSENTS = {"stateMachineArn": f"{MACHINES}assent-sandbox"}
TOKEN = {"taskToken": "x", "output": "{}"}
DENIED: list[tuple[str, str, str, Any]] = [
    ("Start", "stepfunctions", "start_execution", ASSENTS),
    ("Start", "stepfunctions", "send_task_success", TOKEN),
    ("Start", "s3", "get_object", DOCUMENT),
    ("Start", "dynamodb", "get_item", KEY),
    ("Split", "s3", "put_object", RELEASED),
    ("Split", "s3", "put_object", DOCUMENT),
    ("Split", "s3", "delete_object", CHUNK),
    ("Split", "dynamodb", "put_item", ITEM),
    ("Split", "dynamodb", "query", QUERY),
    ("Split", "stepfunctions", "start_execution", OURS),
    ("Look", "s3", "get_object", DOCUMENT),
    ("Look", "s3", "put_object", CHUNK),
    ("Look", "dynamodb", "query", QUERY),
    ("Look", "dynamodb", "delete_item", KEY),
    ("Look", "stepfunctions", "start_execution", OURS),
    ("Summarise", "dynamodb", "get_item", KEY),
    ("Summarise", "dynamodb", "put_item", ITEM),
    ("Summarise", "s3", "get_object", CHUNK),
    ("Summarise", "stepfunctions", "send_task_success", TOKEN),
    ("Release", "s3", "put_object", HELD),
    ("Release", "s3", "put_object", DOCUMENT),
    ("Release", "s3", "get_object", CHUNK),
    ("Release", "stepfunctions", "send_task_success", TOKEN),
    ("Hold", "s3", "put_object", RELEASED),
    ("Hold", "s3", "delete_object", HELD),
    ("Hold", "dynamodb", "get_item", KEY),
    ("StateMachine", "stepfunctions", "start_execution", OURS),
    ("StateMachine", "stepfunctions", "send_task_success", TOKEN),
    ("StateMachine", "lambda", "invoke", {"FunctionName": "document-release-sandbox-look"}),
    ("StateMachine", "lambda", "invoke", {"FunctionName": "assent-sandbox-tick"}),
    ("StateMachine", "s3", "get_object", DOCUMENT),
]
ALLOWED: list[tuple[str, str, str, Any]] = [
    ("Look", "dynamodb", "get_item", KEY),
    ("Summarise", "dynamodb", "query", QUERY),
    ("Release", "s3", "put_object", RELEASED),
    ("Hold", "s3", "put_object", HELD),
    ("StateMachine", "stepfunctions", "start_execution", ASSENTS | {"input": "{}"}),
]


@pytest.mark.parametrize(("who", "service", "action", "arguments"), DENIED)
def test_a_role_is_denied_what_it_doesnt_need(
    deployed: DeployedExample, may: May, who: str, service: str, action: str, arguments: Any
) -> None:
    """The role of each function, and of the state machine."""
    assert not may(deployed, who, service, action, arguments)


@pytest.mark.parametrize(("who", "service", "action", "arguments"), ALLOWED)
def test_a_role_may_do_what_it_needs(
    deployed: DeployedExample, may: May, who: str, service: str, action: str, arguments: Any
) -> None:
    """So a denial above isn't a denial of everything."""
    assert may(deployed, who, service, action, arguments)
