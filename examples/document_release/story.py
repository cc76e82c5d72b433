"""What `make example NAME=document_release` shows: three documents, and where each one ends."""

import json
import re
import urllib.parse
import urllib.request
from collections.abc import Callable

from examples.scene import Json, Scene

ASKS_ASSENT = True
APPROVER = "ada@example.com"

_LINE = "The quick brown fox jumps over the lazy dog, and nobody minds.\n"
_ROWS = "Ada,ada@customer.example,4111 1111 1111 1111\nBob,,DE89 3704 0044 0532 0130 00\n"
DOCUMENTS = {
    "report.txt": (_LINE * 60_000 + "Questions go to press@example.com.\n").encode(),
    "customers.csv": ("name,mail,account\n" + _ROWS * 40).encode(),
    "picture.txt": b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 16,
}


def tell(scene: Scene, say: Callable[[str], None]) -> None:
    """Put three documents into the bucket; approve one, reject one; say where all of them end."""
    for name, content in DOCUMENTS.items():
        say(f"Into incoming/ goes {name}, {len(content):,} bytes.")
        put(scene, name, content)
    say("")
    decide(scene, "report.txt", "approve", "", say)
    decide(scene, "customers.csv", "reject", "Not without the customers' leave", say)
    for name in DOCUMENTS:
        execution = started(scene, name)
        ended = scene.ended(execution)
        chunks = looked(scene, execution)
        say(f"{name}, in {chunks} chunk{'s'[: chunks - 1]}: {' > '.join(scene.states(execution))}")
        if ended["status"] == "SUCCEEDED":
            output = json.loads(ended["output"])
            came = output.get("reason", "as it came in")
            say(f"    {output['outcome']}: {came}")
        else:
            say(f"    held, and the execution fails as {ended['error']}: {ended['cause']}")
    say("\nWhat is in the bucket then:")
    for key in keys(scene):
        say(f"    {key}")
    say("\nWhat EventBridge puts into the queue, within a minute:")
    for told in awaited(scene, ("report.txt", "customers.csv")):
        say(f"    {told['outcome']}: {told['subject']}")


def put(scene: Scene, name: str, content: bytes) -> None:
    """Put a document where documents come in."""
    bucket = scene.outputs["BucketName"]
    scene.client("s3").put_object(Bucket=bucket, Key=f"incoming/{name}", Body=content)


def started(scene: Scene, name: str) -> str:
    """Return the ARN of the execution that a document has started, once it has."""
    client, machine = scene.client("stepfunctions"), scene.outputs["StateMachineArn"]

    def found() -> list[str]:
        executions = client.list_executions(stateMachineArn=machine)["executions"]
        about = name.replace(".", "-")
        return [one["executionArn"] for one in executions if one["name"].startswith(about)]

    return scene.wait(found, bool, f"the execution for {name}")[0]


def decide(scene: Scene, name: str, choice: str, reason: str, say: Callable[[str], None]) -> None:
    """Wait for the mail about a document, show it, and press the button its link leads to."""
    mail = scene.wait(lambda: mails(scene, name), bool, f"the mail about {name}")[-1]
    say(f"{APPROVER} gets a mail: {mail['subject']}")
    for line in re.findall(r"^\|.*$", mail["text"], re.MULTILINE)[:10]:
        say(f"    {line}")
    say(f"and presses {choice}{f': {reason}' if reason else ''}.\n")
    (link,) = re.findall(rf"^http\S+/{choice}/\S+$", mail["text"], re.MULTILINE)
    form = urllib.parse.urlencode({"reason": reason}).encode()
    urllib.request.urlopen(link, form, timeout=30).close()  # noqa: S310  # our own, on loopback


def mails(scene: Scene, name: str) -> list[Json]:
    """Return the mails that ask about a document."""
    inbox = (scene.assent or {})["inbox"]
    query = urllib.parse.urlencode({"to": APPROVER})
    with urllib.request.urlopen(f"{inbox}/messages?{query}", timeout=30) as answer:  # noqa: S310
        messages: list[Json] = json.load(answer)["messages"]
    return [one for one in messages if f"Approval needed: Release {name}?" in one["subject"]]


def looked(scene: Scene, execution: str) -> int:
    """Return how many chunks of a document were looked at."""
    name = execution.rpartition(":")[2]
    lines = scene.log("look")
    return len({line["chunk"] for line in lines if line.get("execution") == name})


def keys(scene: Scene) -> list[str]:
    """Return what is in the bucket beside chunks."""
    found = scene.client("s3").list_objects_v2(Bucket=scene.outputs["BucketName"])["Contents"]
    return [one["Key"] for one in found if not one["Key"].startswith("chunks/")]


def awaited(scene: Scene, names: tuple[str, ...]) -> list[Json]:
    """Return the outcomes of these documents, each once, when EventBridge has put them there.

    Whatever else this Assent was asked meanwhile is in the queue as well.
    """
    questions = tuple(f"Release {name}?" for name in names)
    told: dict[str, Json] = {}

    def more() -> list[Json]:
        ours = [one for one in outcomes(scene) if one["subject"].startswith(questions)]
        told.update({one["approvalId"]: one for one in ours})
        return sorted(told.values(), key=lambda one: str(one["subject"]))

    return scene.wait(more, lambda seen: len(seen) >= len(names), "the outcomes' events", 120)


def outcomes(scene: Scene) -> list[Json]:
    """Take from the queue what EventBridge has put there, and return it."""
    client, queue = scene.client("sqs"), scene.outputs["OutcomesQueueUrl"]
    told: list[Json] = []
    while found := client.receive_message(QueueUrl=queue, WaitTimeSeconds=1).get("Messages"):
        for message in found:
            told.append(json.loads(message["Body"])["detail"])
            client.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    return told
