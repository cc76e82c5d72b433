"""What `make example NAME=two_groups` runs: a release that two groups approve, and an emergency."""

import json
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

import yaml

from examples.deployed import DeployedExample
from examples.inbox import decide, mails_with
from examples.polling import poll
from tools.echo import Echo
from tools.sandbox.mailbox import MessageJson
from tools.sandbox.state import SandboxState
from tools.sandbox.users import IamUser

Json = dict[str, Any]

NEEDS_ASSENT = True
POLICY = "shop-release"
IMAGE = "registry.example.com/shop@sha256:1f0c7a"
ADA, HEDY = "ada@example.com", "hedy@example.com"
GRACE, LINUS, BARBARA = "grace@example.com", "linus@example.com", "barbara@example.com"
MARGARET = "margaret@example.com"


def run(example: DeployedExample, echo: Echo) -> None:
    """Write the policy, release with both groups, then by break-glass, and print what happens."""
    write_policy(example, echo)
    release_by_groups(example, echo)
    release_by_break_glass(example, echo)


def write_policy(example: DeployedExample, echo: Echo) -> None:
    """Register the policy's people, and write it as a user who may do nothing but that."""
    policy = read_policy()
    for person in people(policy):
        operator(example).call("PUT", f"{api(example)}/approvers/{quote(person, safe='')}")
    author = IamUser.create(example.account, "policy-author", author_policy(example))
    written = author.call("PUT", f"{api(example)}/policies/{POLICY}", policy)
    echo(f"Somebody of the policy authors writes {POLICY}, version {written['version']}:")
    for group in written["policy"]["groups"]:
        echo(f"    {group['approvalsNeeded']} of {group['name']}: {', '.join(group['approvers'])}")
    echo(f"    alone in an emergency: {', '.join(written['policy']['breakGlass'])}\n")


def release_by_groups(example: DeployedExample, echo: Echo) -> None:
    """Release with one approval of security and two of operations, one after the other."""
    subject, arn = start(example, "5.0.0", echo)
    for person, reason in (
        (GRACE, "The night shift knows"),
        (ADA, "No open findings"),
        (BARBARA, "Rollback is ready"),
    ):
        mail = mailed(example, person, f"Approval needed: {subject}")
        echo(f"{person} approves: {reason}")
        decide(mail, "approve", reason)
        for line in waiting(example, subject):
            echo(f"    {line}")
    print_end(example, arn, echo)


def release_by_break_glass(example: DeployedExample, echo: Echo) -> None:
    """Release with the approval of one person alone, and show that everybody is told."""
    subject, arn = start(example, "5.0.1", echo)
    reason = "The shop is down, and nobody else answers"
    mail = mailed(example, MARGARET, f"For emergencies: {subject}")
    echo(f"{MARGARET} gets a mail: {mail['subject']}")
    echo(f"and approves alone: {reason}")
    decide(mail, "approve", reason, break_glass=True)
    print_end(example, arn, echo)
    echo("Everybody else who was asked is told by mail, with the reason:")
    for person in (ADA, HEDY, GRACE, LINUS, BARBARA):
        echo(f"    {person}: {mailed(example, person, subject, saying=reason)['subject']}")


def start(example: DeployedExample, version: str, echo: Echo) -> tuple[str, str]:
    """Start a release; return the subject of its request, and the execution's ARN."""
    subject = f"Release shop {version} to production?"
    echo(f"An execution asks: {subject}")
    return subject, example.start_execution({"version": version, "image": IMAGE})


def mailed(example: DeployedExample, person: str, subject: str, *, saying: str = "") -> MessageJson:
    """Return the newest mail to that person with these texts in it, waiting for it."""

    def mails() -> list[MessageJson]:
        found = mails_with(example, person, subject)
        return [mail for mail in found if saying in mail["text"]]

    return poll(mails, until=bool, waiting_for=f"mail to {person}")[-1]


def waiting(example: DeployedExample, subject: str) -> list[str]:
    """Return for each group that isn't filled yet what it waits for, as the API tells it."""
    listed = operator(example).call("GET", f"{api(example)}/approvals?policy={POLICY}")
    approvals: list[Json] = listed["approvals"]
    return [
        f"waits for {group['name']}, {group['approvals']} of {group['approvalsNeeded']}: "
        f"{', '.join(group['waitsFor'])}"
        for approval in approvals
        if approval["subject"] == subject
        for group in approval["groups"]
        if group["approvals"] < group["approvalsNeeded"]
    ]


def print_end(example: DeployedExample, arn: str, echo: Echo) -> None:
    """Wait for the execution's end, and print its states and its result."""
    execution = example.wait_for_end(arn)
    echo(f"    {' > '.join(example.entered_states(arn))}")
    if execution["status"] != "SUCCEEDED":
        echo(f"    {execution['status']}  {execution['error']}: {execution['cause']}\n")
        return
    result = json.loads(execution["output"])
    groups = ", ".join(
        f"{group['name']} {group['approvals']} of {group['approvalsNeeded']}"
        for group in result["groups"]
    )
    alone = ", break-glass" if result["breakGlass"] else ""
    echo(f"    SUCCEEDED  released {result['released']}: {groups}{alone}\n")


def read_policy() -> Json:
    """Return the policy in this example's folder."""
    file = Path(__file__).parent / "policies" / f"{POLICY}.yaml"
    return cast("Json", yaml.safe_load(file.read_text()))


def people(policy: Json) -> list[str]:
    """Return everybody whom the policy names."""
    return [
        *(who for group in policy["groups"] for who in group["approvers"]),
        *policy["breakGlass"],
    ]


def author_policy(example: DeployedExample) -> str:
    """Return the ARN of the managed policy that lets its users write policies."""
    stack = example.account.cloudformation.describe_stacks(
        StackName=f"assent-{assent(example)['stage']}"
    )["Stacks"][0]
    outputs = {found["OutputKey"]: found["OutputValue"] for found in stack["Outputs"]}
    return outputs["PolicyAuthorPolicyArn"]


def operator(example: DeployedExample) -> IamUser:
    """Return the sandbox's operator."""
    state = assent(example)
    keys = state["operator"]
    return IamUser("operator", keys["accessKeyId"], keys["secretAccessKey"], state["aws"]["region"])


def api(example: DeployedExample) -> str:
    """Return the URL of Assent's API."""
    return assent(example)["api"]


def assent(example: DeployedExample) -> SandboxState:
    """Return the Assent beside the example."""
    if example.assent is None:
        raise TypeError("NEEDS_ASSENT starts one")
    return example.assent
