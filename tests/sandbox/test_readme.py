"""The samples of docs/integrating.md in the sandbox: to ask, to decide, to follow the outcomes.

Each runs with the permissions in the table there.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests import readme
from tests.sandbox.announced import Announced
from tests.sandbox.client import ACCOUNT, Json, Sandbox, policy, press, statement, until
from tools.sandbox.samples import FIRST_REQUEST
from tools.sandbox.state import operator_variables

ADA = "ada@example.com"
CHECKOUT = Path(__file__).parents[2]
PURPOSES = {"A child": "a child, waited for", "A function": "a function", "A queue": "a queue"}
"""Heading -> the purpose in the table of permissions."""


def here(sandbox: Sandbox, text: str) -> str:
    """Return the text with the sandbox's names instead of the sample ones."""
    text = text.replace(
        f"https://sqs.us-east-1.amazonaws.com/{readme.ACCOUNT}/assent-dev-requests",
        sandbox.queue("requests"),
    )
    return text.replace(readme.ACCOUNT, ACCOUNT).replace("assent-dev", "assent-sandbox")


def role(sandbox: Sandbox, title: str) -> str:
    """Create a role with the documented permissions for a state machine; return its ARN."""
    iam, name = sandbox.client("iam"), f"{title.replace(' ', '-')}"
    trust = {"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}}
    made = iam.create_role(
        RoleName=name,
        AssumeRolePolicyDocument=json.dumps(policy(trust | {"Action": "sts:AssumeRole"})),
    )
    rows = readme.permissions(PURPOSES[title])
    document = policy(*(statement(actions, here(sandbox, on)) for actions, on in rows))
    iam.put_role_policy(RoleName=name, PolicyName="readme", PolicyDocument=json.dumps(document))
    arn: str = made["Role"]["Arn"]
    return arn


@pytest.fixture(scope="module")
def machines(sandbox: Sandbox) -> dict[str, str]:
    """Create the state machines of the samples and return their ARNs by heading."""
    return {
        title: sandbox.client("stepfunctions").create_state_machine(
            name=title.replace(" ", "-"),
            definition=here(sandbox, json.dumps(readme.states(title))),
            roleArn=role(sandbox, title),
        )["stateMachineArn"]
        for title in PURPOSES
    }


def ended(sandbox: Sandbox, execution: str) -> Json:
    """Return the execution once it has ended."""
    describe = partial(sandbox.client("stepfunctions").describe_execution, executionArn=execution)
    return until(describe, lambda found: found["status"] != "RUNNING", seconds=30)


@pytest.mark.parametrize("title", PURPOSES)
def test_a_sample_asks_and_goes_on(sandbox: Sandbox, machines: dict[str, str], title: str) -> None:
    """Approved to Release, with the result; rejected to TellThem."""
    states = sandbox.client("stepfunctions")
    executions = {
        choice: states.start_execution(
            stateMachineArn=machines[title],
            input=json.dumps({"question": f"{title}, to {choice}?"}),
        )["executionArn"]
        for choice in ("approve", "reject")
    }
    for choice in executions:
        assert press(sandbox.link(ADA, f"{title}, to {choice}?", choice), "so").status == 200
    released = ended(sandbox, executions["approve"])
    assert released["status"] == "SUCCEEDED"
    result = json.loads(released["output"])
    assert (result["outcome"], result["subject"]) == ("approved", f"{title}, to approve?")
    rejected = ended(sandbox, executions["reject"])
    assert (rejected["status"], rejected["error"]) == ("FAILED", "TheyWereTold")


@pytest.mark.parametrize("version", ["4.2.0", "4.2.1"])
def test_only_what_was_shown_is_released(
    sandbox: Sandbox, machines: dict[str, str], version: str
) -> None:
    """The sample that compares hashes; the data of one execution changes after the approval."""
    author = sandbox.with_user(f"policy-author-{version}", "PolicyAuthorPolicyArn")
    group = {"name": "security", "approvers": [ADA]}
    put = {"groups": [group], "description": f"asked for {version}"}
    who = f"policy-author-{version}"
    assert author.call("PUT", "/policies/production-release", put, who=who).status == 200
    states = sandbox.client("stepfunctions")
    definition = readme.states("What was approved is what was shown", of=2)
    definition["States"]["IsItApproved"]["Choices"][0]["Next"] = "Change"
    change = {"Type": "Pass", "Result": "4.2.0", "ResultPath": "$.version"}
    definition["States"]["Change"] = change | {"Next": "HashTheRelease"}
    like = states.describe_state_machine(stateMachineArn=machines["A child"])
    machine = states.create_state_machine(
        name=f"Compares-{version.replace('.', '-')}",
        definition=here(sandbox, json.dumps(definition)),
        roleArn=like["roleArn"],
    )["stateMachineArn"]
    question = f"Release {version} as shown?"
    release = {"question": question, "image": "registry/shop@sha256:1f0c", "version": version}
    execution = states.start_execution(stateMachineArn=machine, input=json.dumps(release))
    assert press(sandbox.link(ADA, question), "so").status == 200
    found = ended(sandbox, execution["executionArn"])
    if version == "4.2.0":
        assert found["status"] == "SUCCEEDED", found
    else:
        assert (found["status"], found["error"]) == ("FAILED", "SomethingElseWasShown")


def test_without_on_reject_a_rejection_fails_the_child(
    sandbox: Sandbox, machines: dict[str, str]
) -> None:
    """The parent's Catch gets the child's error."""
    states = sandbox.client("stepfunctions")
    definition = here(sandbox, json.dumps(readme.states("A child")))
    failing = json.loads(definition)
    del failing["States"]["AskForRelease"]["Parameters"]["Input"]["onReject"]
    like = states.describe_state_machine(stateMachineArn=machines["A child"])
    machine = states.create_state_machine(
        name="A-child-that-fails", definition=json.dumps(failing), roleArn=like["roleArn"]
    )["stateMachineArn"]
    execution = states.start_execution(
        stateMachineArn=machine, input=json.dumps({"question": "May the child fail?"})
    )["executionArn"]
    press(sandbox.link(ADA, "May the child fail?", "reject"), "no")
    caught = json.loads(ended(sandbox, execution)["output"])
    # AWS says States.TaskFailed to the parent, and so does moto (docs/fidelity.md, S18).
    assert caught["Error"] == "Rejected"
    assert json.loads(caught["Cause"])["outcome"] == "rejected"


def test_the_permissions_are_enough_and_allow_nothing_else(
    sandbox: Sandbox, machines: dict[str, str]
) -> None:
    """MiniStack ignores a state machine's role, so here the role itself makes the calls."""
    sts = sandbox.client("sts")

    def client_of(title: str, service: str) -> Any:
        arn = f"arn:aws:iam::{ACCOUNT}:role/{title.replace(' ', '-')}"
        made = sts.assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
        return sandbox.client(
            service,
            aws_access_key_id=made["AccessKeyId"],
            aws_secret_access_key=made["SecretAccessKey"],
            aws_session_token=made["SessionToken"],
        )

    ours, bad = sandbox.state["stateMachineArn"], json.dumps({})
    child = client_of("A child", "stepfunctions")
    execution = child.start_execution(stateMachineArn=ours, input=bad)["executionArn"]
    assert child.describe_execution(executionArn=execution)["status"]
    client_of("A function", "lambda").invoke(
        FunctionName="assent-sandbox-request_approval", InvocationType="DryRun"
    )
    client_of("A queue", "sqs").send_message(QueueUrl=sandbox.queue("requests"), MessageBody=bad)
    for title, service, call, arguments in (
        ("A child", "stepfunctions", "start_execution", {"stateMachineArn": machines["A queue"]}),
        ("A child", "stepfunctions", "get_execution_history", {"executionArn": execution}),
        ("A function", "lambda", "invoke", {"FunctionName": "assent-sandbox-record_decision"}),
        ("A queue", "sqs", "receive_message", {"QueueUrl": sandbox.queue("requests")}),
    ):
        with pytest.raises(ClientError, match=r"not authorized|AccessDenied"):
            getattr(client_of(title, service), call)(**arguments)


def shell(line: str, **more: str) -> Json:
    """Return the JSON that a curl command prints when it is pasted into a shell."""
    assert shutil.which("curl"), "no curl here: `make test` installs it"
    done = subprocess.run(
        ["/bin/sh", "-c", line],
        env=os.environ | more,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answered: Json = json.loads(done.stdout)
    return answered


@pytest.mark.parametrize("keys", ["lasting", "temporary"])
def test_the_curl_line_asks(sandbox: Sandbox, keys: str) -> None:
    """Signed with an operator's keys, in a shell; temporary keys have a session token."""
    given = operator_variables(sandbox.state) | (assumed(sandbox) if keys == "temporary" else {})
    subject = f"Release by curl, with {keys} keys?"
    line = (
        readme.snippet("HTTP", 1, of=2)
        .replace("https://abcdef1234.execute-api.us-east-1.amazonaws.com/api", sandbox.state["api"])
        .replace("release-4-2-0", f"by-curl-{keys}")
        # An example asks the same question in this sandbox.
        .replace("Release 4.2.0 of the shop?", subject)
    )
    started = shell(line, **given)
    assert started.keys() == {"execution", "executionArn", "status", "links"}
    assert press(sandbox.link(ADA, subject)).status == 200
    assert sandbox.ended(started["execution"])["outcome"] == "approved"


def test_the_line_of_assent_asks_and_waits(sandbox: Sandbox) -> None:
    subject = "Release by the command?"
    line = readme.snippet("HTTP", of=2).replace("Release 4.2.0 of the shop?", subject)
    line = line.replace("assent start", ".venv/bin/assent start").replace("release-4", "release-5")
    variables = operator_variables(sandbox.state)
    with subprocess.Popen(["/bin/sh", "-c", line], cwd=CHECKOUT, env=os.environ | variables) as run:
        press(sandbox.link(ADA, subject))
        assert run.wait(60) == 0


def assumed(sandbox: Sandbox) -> dict[str, str]:
    """Return the variables of a role with the operator policy."""
    iam = sandbox.client("iam")
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}}
    made = iam.create_role(
        RoleName="operators",
        AssumeRolePolicyDocument=json.dumps(policy(trust | {"Action": "sts:AssumeRole"})),
    )
    (attached,) = iam.list_attached_user_policies(UserName="operator")["AttachedPolicies"]
    iam.attach_role_policy(RoleName="operators", PolicyArn=attached["PolicyArn"])
    keys = sandbox.client("sts").assume_role(RoleArn=made["Role"]["Arn"], RoleSessionName="test")
    found = keys["Credentials"]
    return {
        "AWS_ACCESS_KEY_ID": found["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": found["SecretAccessKey"],
        "AWS_SESSION_TOKEN": found["SessionToken"],
    }


def test_the_curl_line_that_make_demo_prints_works(sandbox: Sandbox, folder: Path) -> None:
    """As it is printed, with the operator's keys."""
    (ask,) = re.findall(r"^curl .*?(?=\n\n)", (folder / "said.log").read_text(), re.M | re.S)
    arguments = shlex.split(ask)
    asked = json.loads(arguments[arguments.index("-d") + 1])
    started = shell(ask)
    (approver,) = asked["approvers"]
    assert press(sandbox.link(approver, asked["subject"])).status == 200
    assert sandbox.ended(started["execution"])["outcome"] == "approved"


def test_the_lines_of_assent_that_make_demo_prints_work(sandbox: Sandbox, folder: Path) -> None:
    """As they are printed, in the checkout: one shows the first request, one asks and waits."""
    said = (folder / "said.log").read_text()
    (export,) = re.findall(r"^export .*?[^\\]$", said, re.M | re.S)
    commands = re.findall(r"^\.venv/bin/assent .*?[^\\]$", said, re.M | re.S)
    show, console, start, listing, people, help_ = commands

    def run(command: str) -> "subprocess.Popen[str]":
        line = f"{export}\n{command}"
        return subprocess.Popen(
            ["/bin/sh", "-c", line], cwd=CHECKOUT, stdout=subprocess.PIPE, text=True
        )

    for command, part in (
        (show, FIRST_REQUEST["subject"]),
        (console, "/console/sessions/"),
        (listing, FIRST_REQUEST["subject"]),
        (people, ADA),
        (help_, "Usage: assent"),
    ):
        with run(command) as shown:
            assert str(part) in shown.communicate(timeout=60)[0]
        assert shown.returncode == 0
    with run(start) as waiting:
        assert waiting.stdout is not None
        name = waiting.stdout.readline().strip()
        asked: Any = until(lambda: sandbox.execution(name).get("approval"), bool, seconds=20)
        (approver,) = asked["approvers"]
        press(sandbox.link(approver["approver"], asked["subject"]))
        assert waiting.wait(60) == 0


@pytest.mark.parametrize("service", ["sqs", "sns", "lambda"])
def test_a_program_decides_with_the_documented_permission(sandbox: Sandbox, service: str) -> None:
    """It sends the sample by queue, topic or function."""
    (row,) = [row for row in readme.permissions("deciding") if f":{service}:" in row[1]]
    (action,), resource = row[0], here(sandbox, row[1])
    keys = sandbox.may(f"decides-by-{service}", action, resource)
    name = sandbox.start(subject=f"Decided by {service}")
    token = sandbox.link(ADA, f"Decided by {service}").rpartition("/")[2]
    message = readme.snippet("Decide from a program").replace("<approval id>.<secret>", token)
    client = sandbox.client(service, **keys)
    if service == "sqs":
        client.send_message(QueueUrl=sandbox.queue("decisions"), MessageBody=message)
    elif service == "sns":
        client.publish(TopicArn=resource, Message=message)
    else:
        client.invoke(FunctionName=resource, Payload=message)
    (made,) = sandbox.ended(name)["output"]["decisions"]
    assert (made["approver"], made["reason"]) == (ADA, "Tests are green")


def test_the_pattern_matches_the_announced_outcome(
    sandbox: Sandbox, slow: dict[str, str], announced: Announced
) -> None:
    """It matches no other outcome and no other stage."""
    approval_id = sandbox.execution(slow["decided"])["approval"]["id"]
    (event,) = until(partial(announced.of, approval_id), bool, seconds=70)
    pattern = readme.snippet("Follow the outcomes").replace('"dev"', '"sandbox"')
    events = sandbox.client("events")

    def matches(**changed: str) -> bool:
        one = json.dumps(event | {"detail": event["detail"] | changed})
        found: bool = events.test_event_pattern(EventPattern=pattern, Event=one)["Result"]
        return found

    assert matches()
    assert not matches(outcome="rejected")
    assert not matches(stage="prod")
    for field in ("stage", "approvalId", "outcome", "subject", "executionArn", "closedAt"):
        assert f'"{field}"' in readme.section("Follow the outcomes")
        assert field in event["detail"]
