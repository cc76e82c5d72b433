"""What `make example NAME=document_release` runs: three documents, one approved, one rejected."""

import json
import re
from typing import TypedDict

from examples.deployed import DeployedExample
from examples.inbox import Decision, decide, mails_about
from examples.polling import poll
from tools.echo import Echo

NEEDS_ASSENT = True
APPROVER = "ada@example.com"

_LINE = "The quick brown fox jumps over the lazy dog, and nobody minds.\n"
_ROWS = "Ada,ada@customer.example,4111 1111 1111 1111\nBob,,DE89 3704 0044 0532 0130 00\n"
DOCUMENTS = {
    "report.txt": (_LINE * 60_000 + "Questions go to press@example.com.\n").encode(),
    "customers.csv": ("name,mail,account\n" + _ROWS * 40).encode(),
    "picture.txt": b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 16,
}


class Outcome(TypedDict):
    """The `detail` of an event about a closed approval, as far as the demo reads it."""

    approvalId: str
    outcome: str
    subject: str


def run(example: DeployedExample, echo: Echo) -> None:
    """Upload three documents, approve one, reject one, and print what happens to all of them."""
    for name, content in DOCUMENTS.items():
        echo(f"Uploading {name}, {len(content):,} bytes, to incoming/.")
        upload(example, name, content)
    echo("")
    await_and_decide(example, "report.txt", "approve", "", echo)
    await_and_decide(example, "customers.csv", "reject", "The customers must agree first", echo)
    for name in DOCUMENTS:
        print_result(example, name, echo)
    echo("\nObjects in the bucket:")
    for key in document_keys(example):
        echo(f"    {key}")
    echo("\nOutcomes that EventBridge sends to the queue, within a minute:")
    for outcome in wait_for_outcomes(example, ("report.txt", "customers.csv")):
        echo(f"    {outcome['outcome']}: {outcome['subject']}")


def upload(example: DeployedExample, name: str, content: bytes) -> None:
    """Upload a document to `incoming/`."""
    bucket = example.outputs["BucketName"]
    example.client("s3").put_object(Bucket=bucket, Key=f"incoming/{name}", Body=content)


def wait_for_execution(example: DeployedExample, name: str) -> str:
    """Wait until the document's execution has started and return its ARN."""
    client, machine = example.account.stepfunctions, example.outputs["StateMachineArn"]
    prefix = name.replace(".", "-")

    def executions() -> list[str]:
        found = client.list_executions(stateMachineArn=machine)["executions"]
        return [one["executionArn"] for one in found if one["name"].startswith(prefix)]

    return poll(executions, until=bool, waiting_for=f"execution for {name}")[0]


def await_and_decide(
    example: DeployedExample, name: str, decision: Decision, reason: str, echo: Echo
) -> None:
    """Wait for the mail about a document, print it, and submit the form behind its link."""
    mail = poll(
        lambda: mails_about(example, APPROVER, f"Release {name}?"),
        until=bool,
        waiting_for=f"mail about {name}",
    )[-1]
    echo(f"{APPROVER} gets a mail: {mail['subject']}")
    for line in re.findall(r"^\|.*$", mail["text"], re.MULTILINE)[:10]:
        echo(f"    {line}")
    echo(f"and presses {decision}{f': {reason}' if reason else ''}.\n")
    decide(mail, decision, reason)


def print_result(example: DeployedExample, name: str, echo: Echo) -> None:
    """Print the states that a document's execution entered, and whether it was released."""
    arn = wait_for_execution(example, name)
    execution = example.wait_for_end(arn)
    chunks = count_scanned_chunks(example, arn)
    states = " > ".join(example.entered_states(arn))
    echo(f"{name}, in {chunks} chunk{'s'[: chunks - 1]}: {states}")
    if execution["status"] == "SUCCEEDED":
        output = json.loads(execution["output"])
        echo(f"    {output['outcome']}: {output.get('reason', output['key'])}")
    else:
        echo(f"    held; the execution fails as {execution['error']}: {execution['cause']}")


def count_scanned_chunks(example: DeployedExample, execution_arn: str) -> int:
    """Return the number of chunks that an execution's workers have scanned."""
    name = execution_arn.rpartition(":")[2]
    lines = example.log_lines("look")
    return len({line["chunk"] for line in lines if line.get("execution") == name})


def document_keys(example: DeployedExample) -> list[str]:
    """Return the keys of the objects in the bucket that aren't chunks."""
    found = example.client("s3").list_objects_v2(Bucket=example.outputs["BucketName"])["Contents"]
    return [one["Key"] for one in found if not one["Key"].startswith("chunks/")]


def wait_for_outcomes(example: DeployedExample, names: tuple[str, ...]) -> list[Outcome]:
    """Wait for the events about these documents and return each approval's outcome once.

    The queue also receives the outcomes of other requests to the same Assent.
    """
    subjects = tuple(f"Release {name}?" for name in names)
    outcomes: dict[str, Outcome] = {}

    def receive_more() -> list[Outcome]:
        for outcome in receive_outcomes(example):
            if outcome["subject"].startswith(subjects):
                outcomes[outcome["approvalId"]] = outcome
        return sorted(outcomes.values(), key=lambda outcome: outcome["subject"])

    return poll(
        receive_more,
        until=lambda received: len(received) >= len(names),
        waiting_for="events about the outcomes",
        timeout=120,
    )


def receive_outcomes(example: DeployedExample) -> list[Outcome]:
    """Take the outcomes out of the queue that EventBridge sends them to."""
    client, queue = example.client("sqs"), example.outputs["OutcomesQueueUrl"]
    outcomes: list[Outcome] = []
    while found := client.receive_message(QueueUrl=queue, WaitTimeSeconds=1).get("Messages"):
        for message in found:
            outcomes.append(json.loads(message["Body"])["detail"])
            client.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    return outcomes
