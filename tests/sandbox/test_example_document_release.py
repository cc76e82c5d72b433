"""`document_release`, deployed beside Assent: its story, its bad days, what each part may do."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from examples.document_release import story
from examples.scene import Scene
from tests.sandbox.client import Sandbox, press, until
from tests.sandbox.roles import May

ADA = "ada@example.com"
CARD = "4111 1111 1111 1111"
BUCKET = "document-release-sandbox-000000000000-us-east-1"
Json = dict[str, Any]


@pytest.fixture
def scene(example: Callable[[str], Scene]) -> Scene:
    """Give the deployed example."""
    return example("document_release")


def reason(scene: Scene, name: str) -> str:
    """Return why a document is held."""
    key = f"held/{name}.reason.json"
    found = scene.client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read()
    return str(json.loads(found)["reason"])


def test_the_story_is_what_the_readme_promises(
    scene: Scene, promised: Callable[[str], set[str]]
) -> None:
    """One released, two held, each with its reason; and what Assent tells reaches the queue."""
    said: list[str] = []
    story.tell(scene, said.append)
    lines = {line.strip() for text in said for line in text.splitlines()}
    assert promised("document_release") - lines == set()
    for key in ("released/report.txt", "held/customers.csv", "held/picture.txt"):
        assert key in lines
    assert "released/customers.csv" not in lines


def test_many_chunks_are_looked_at_in_parallel_and_it_goes_on_once(
    scene: Scene, sandbox: Sandbox
) -> None:
    """Each chunk by a worker of its own, told by S3; the mail has what they found between them."""
    line = "x" * 1_023 + "\n"
    content = "".join(CARD + "\n" if n % 1_000 == 999 else line for n in range(10_000))
    story.put(scene, "many.txt", content.encode())
    link = sandbox.link(ADA, "Release many.txt? It holds 10 card numbers")
    execution = story.started(scene, "many.txt")
    assert story.looked(scene, execution) == 10
    press(link)
    assert scene.ended(execution)["status"] == "SUCCEEDED"
    assert len(sandbox.mails(ADA, "Approval needed: Release many.txt?")) == 1


def test_events_lost_and_sent_again_complete_it(scene: Scene, sandbox: Sandbox) -> None:
    """S3 tells nobody of the chunks; later it does, of the last one first, and twice."""
    s3 = scene.client("s3")
    whole = s3.get_bucket_notification_configuration(Bucket=BUCKET)
    whole.pop("ResponseMetadata")
    deaf = [one for one in whole["LambdaFunctionConfigurations"] if "look" not in _target(one)]
    s3.put_bucket_notification_configuration(
        Bucket=BUCKET, NotificationConfiguration={"LambdaFunctionConfigurations": deaf}
    )
    story.put(scene, "lost.txt", b"x" * (3 << 20))
    name = story.started(scene, "lost.txt").rpartition(":")[2]
    prefix = f"chunks/{name}/"
    look = s3.list_objects_v2
    until(lambda: look(Bucket=BUCKET, Prefix=prefix)["KeyCount"], lambda n: n == 3, seconds=20)
    s3.put_bucket_notification_configuration(Bucket=BUCKET, NotificationConfiguration=whole)
    assert sandbox.mails(ADA, "Release lost.txt?") == []
    for number in (2, 2, 0, 1, 0):
        _send_again(s3, f"{prefix}{number}")
    press(sandbox.link(ADA, "Release lost.txt?", "approve"))
    execution = story.started(scene, "lost.txt")
    assert scene.ended(execution)["status"] == "SUCCEEDED"
    _send_again(s3, f"{prefix}1")
    until(lambda: _resumed(scene, name), lambda seen: len(seen) >= 6, seconds=20)
    assert _resumed(scene, name).count(True) == 1


def _target(notification: Json) -> str:
    return str(notification["LambdaFunctionArn"]).rpartition(":")[2]


def _send_again(s3: Any, key: str) -> None:
    """Have S3 send a chunk's event once more: written over itself, it is a new object to it."""
    found = s3.get_object(Bucket=BUCKET, Key=key)
    s3.put_object(Bucket=BUCKET, Key=key, Body=found["Body"].read(), Metadata=found["Metadata"])


def _resumed(scene: Scene, name: str) -> list[bool]:
    lines = scene.log("look")
    return [bool(line["resumed"]) for line in lines if line.get("execution") == name]


def test_a_request_withdrawn_holds_the_document(scene: Scene, sandbox: Sandbox) -> None:
    """Assent's execution fails as Cancelled; ours says so, and so does the file beside it."""
    story.put(scene, "withdrawn.txt", b"harmless")
    sandbox.link(ADA, "Release withdrawn.txt?")
    execution = story.started(scene, "withdrawn.txt")
    child = sandbox.execution(execution.rpartition(":")[2])
    sandbox.call("POST", f"/approvals/{child['approval']['id']}/cancel", {"reason": "a mistake"})
    ended = scene.ended(execution)
    assert (ended["status"], ended["error"]) == ("FAILED", "Cancelled")
    assert reason(scene, "withdrawn.txt") == "the request was withdrawn"


def test_what_people_decided_on_is_what_goes_out(scene: Scene, sandbox: Sandbox) -> None:
    """Another document of the same name is another question, whatever the name."""
    name = "2026/Größe 1+1 & 100%.txt"
    story.put(scene, name, b"the first")
    first = sandbox.link(ADA, f"Release {name}? It holds nothing")
    story.put(scene, name, f"the second, {CARD}".encode())
    sandbox.link(ADA, f"Release {name}? It holds 1 card number")
    press(first)
    s3 = scene.client("s3")
    found = until(
        lambda: s3.list_objects_v2(Bucket=BUCKET, Prefix="released/2026").get("Contents"),
        bool,
        seconds=20,
    )
    assert len(found) == 1
    body = s3.get_object(Bucket=BUCKET, Key=f"released/{name}")["Body"].read()
    assert body == b"the first"


def test_no_log_holds_a_task_token_or_what_was_found(scene: Scene) -> None:
    """The tokens are in the table, and there alone."""
    story.put(scene, "quiet.txt", CARD.encode())
    execution = story.started(scene, "quiet.txt")
    scene.wait(lambda: story.looked(scene, execution), bool, "the worker")
    items = scene.client("dynamodb").scan(TableName="document-release-sandbox")["Items"]
    tokens = [item["taskToken"]["S"] for item in items if "taskToken" in item]
    assert tokens
    logged = json.dumps([scene.log(name) for name in ("start", "split", "look")])
    for secret in [*tokens, CARD]:
        assert secret not in logged
    assert CARD not in json.dumps(items)


def test_the_queue_gets_the_outcomes_of_this_assent_alone(scene: Scene) -> None:
    """By who tells, of what, and of whose executions."""
    ours, others = "execution:assent-sandbox:", "execution:assent-other:"
    for source, kind, machine in (
        ("somebody", "Approval closed", ours),
        ("assent", "Something else", ours),
        ("assent", "Approval closed", others),
        ("assent", "Approval closed", ours),
    ):
        arn = f"arn:aws:states:us-east-1:000000000000:{machine}x"
        told = {"approvalId": f"by hand: {source} {kind} {machine}", "executionArn": arn}
        entry = {"Source": source, "DetailType": kind, "Detail": json.dumps(told)}
        scene.client("events").put_events(Entries=[entry])
    arrived: list[str] = []

    def by_hand() -> list[str]:
        arrived.extend(one["approvalId"] for one in story.outcomes(scene))
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
    scene: Scene, may: May, who: str, service: str, action: str, arguments: Any
) -> None:
    """Each function's, and the state machine's."""
    assert not may(scene, who, service, action, arguments)


@pytest.mark.parametrize(("who", "service", "action", "arguments"), ALLOWED)
def test_a_role_may_do_what_it_needs(
    scene: Scene, may: May, who: str, service: str, action: str, arguments: Any
) -> None:
    """The same way of asking isn't denied everything."""
    assert may(scene, who, service, action, arguments)
