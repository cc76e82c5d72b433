"""Deploys into an emulator of their own: by a user with the deployer's policy, and by our steps.

`docs/operating.md` has the policy's use and the steps.
"""

import json
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.deployer_calls import ALWAYS, AT_TIMES, FREE
from tests.planned import planned
from tools.account import Account
from tools.deploy import deploy
from tools.destroy import destroy
from tools.errors import ToolError
from tools.existing_stack import ExistingStack
from tools.sandbox.emulator import REGION, Emulator, free_port
from tools.sandbox.project import CHECKOUT, chalice_for_emulator, copy_project
from tools.sandbox.users import IamUser
from tools.stack import Stack
from tools.stage import Stage

DEV = Stage("dev")
POLICY: dict[str, Any] = json.loads((CHECKOUT / "docs" / "deployer-policy.json").read_text())


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[Emulator]:
    """Start an emulator for one test."""
    with Emulator(free_port(None, "--port"), tmp_path) as running:
        yield running


@pytest.fixture
def checkout(tmp_path: Path, project: Path) -> Path:
    """Give a copy of the project, with the packages that the sandbox has fetched already."""
    copy = tmp_path / "project"
    copy_project(CHECKOUT, copy)
    (copy / ".chalice" / "deployments").symlink_to(project / ".chalice" / "deployments")
    return copy


class Deployer:
    """An IAM user who has a policy, and nothing else, and deploys stage dev from a checkout."""

    def __init__(self, emulator: Emulator, checkout: Path, policy: dict[str, Any]) -> None:
        iam = emulator.account.iam
        made = iam.create_policy(PolicyName="deployer", PolicyDocument=json.dumps(policy))
        self.user = IamUser.create(emulator.account, "deployer", made["Policy"]["Arn"])
        session = boto3.Session(self.user.key, self.user.secret, region_name=REGION)
        self.account = Account(session, emulator.endpoint_url)
        self.project = checkout
        self.chalice = chalice_for_emulator(checkout, self.account)
        self.stack = Stack(DEV, self.account.cloudformation, self.account.dynamodb, delay=0.1)
        self.lines: list[str] = []

    def deploy(self, stack: Stack | ExistingStack | None = None) -> str:
        """Deploy stage dev and return its URL."""
        return deploy(
            DEV,
            project=self.project,
            account=self.account,
            chalice=self.chalice,
            stack=stack or self.stack,
            domains="example.com",
            echo=self.lines.append,
        )

    def destroy(self) -> None:
        """Destroy stage dev, whatever waits, with its data."""
        destroy(
            DEV,
            account=self.account,
            chalice=self.chalice,
            stack=self.stack,
            delete_data=DEV.prefix,
            stop_running=True,
            echo=self.lines.append,
        )


def test_the_deployers_policy_suffices(emulator: Emulator, checkout: Path) -> None:
    """For a deploy, a second one, and a destroy of a stage in which people are asked."""
    deployer = Deployer(emulator, checkout, POLICY)
    url = deployer.deploy()
    assert deployer.deploy() == url
    root = emulator.account
    arn = f"arn:aws:states:{REGION}:000000000000:stateMachine:assent-dev"
    request = {"subject": "Waits", "approvers": ["ada@example.com"]}
    root.stepfunctions.start_execution(stateMachineArn=arn, input=json.dumps(request))
    root.sns.create_topic(Name="assent-dev-approver-1")
    deployer.destroy()
    assert root.dynamodb.list_tables()["TableNames"] == []
    assert root.sns.list_topics()["Topics"] == []
    calls = map(json.loads, emulator.calls.read_text().splitlines())
    called = {call["action"] for call in calls if call["key"] == deployer.user.key}
    assert called - AT_TIMES - FREE == ALWAYS


@pytest.mark.parametrize(
    ("action", "fails"), [("lambda:CreateEventSourceMapping", 1), ("apigateway:PUT", 2)]
)
def test_a_deploy_without_one_of_its_permissions_fails(
    emulator: Emulator, checkout: Path, action: str, fails: int
) -> None:
    """The emulator enforces each: the next deploy's first API, and this one's second."""
    less = json.loads(json.dumps(POLICY).replace(f'"{action}"', '"sts:GetCallerIdentity"'))
    assert less != POLICY
    deployer = Deployer(emulator, checkout, less)
    with pytest.raises(ToolError, match=f"not authorized to perform: {action}"):
        deployer.deploy()
    ran = [line for line in deployer.lines if line.startswith("code")]
    assert len(ran) == fails


@pytest.fixture
def steps() -> list[list[str]]:
    """Return the commands of the documentation, each split into its words."""
    text = (CHECKOUT / "docs" / "operating.md").read_text()
    _, _, section = text.partition("## A stack that something else deploys")
    block = re.search(r"(?:^    .*\n)+", section, re.MULTILINE)
    assert block is not None
    return [shlex.split(line) for line in block[0].replace("\\\n", " ").splitlines()]


def aws_cloudformation_deploy(cloudformation: Any, words: list[str], file: Path) -> None:
    """Do what the AWS CLI does: create or update the stack by a change set.

    Parameters that aren't given keep their values.
    """
    assert words[:3] == ["aws", "cloudformation", "deploy"]
    name = words[words.index("--stack-name") + 1]
    capability = words[words.index("--capabilities") + 1]
    given = dict(one.split("=", 1) for one in words[words.index("--parameter-overrides") + 1 :])
    parameters: list[dict[str, Any]] = [
        {"ParameterKey": k, "ParameterValue": v} for k, v in given.items()
    ]
    kind: Any = "CREATE"
    try:
        (stack,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
    except ClientError:
        pass
    else:
        kind = "UPDATE"
        for known in stack["Parameters"]:
            if known["ParameterKey"] not in given:
                key = known["ParameterKey"]
                parameters.append({"ParameterKey": key, "UsePreviousValue": True})
    cloudformation.create_change_set(
        StackName=name,
        ChangeSetName=kind,
        ChangeSetType=kind,
        TemplateBody=file.read_text(),
        Capabilities=[capability],
        Parameters=parameters,
    )
    often: Any = {"Delay": 0.1, "MaxAttempts": 300}
    change = {"StackName": name, "ChangeSetName": kind}
    cloudformation.get_waiter("change_set_create_complete").wait(**change, WaiterConfig=often)
    cloudformation.execute_change_set(**change)
    ended = cloudformation.get_waiter(f"stack_{kind.lower()}_complete")
    ended.wait(StackName=name, WaiterConfig=often)


def test_the_steps_for_a_stack_that_something_else_deploys(
    emulator: Emulator, checkout: Path, tmp_path: Path, steps: list[list[str]]
) -> None:
    """The documented commands, in their order: after the last one an operator may call the API."""
    template, create, code, update = steps
    python, *written = planned(*template[1:])
    assert python.endswith("python")
    file = tmp_path / written.pop()
    subprocess.run([CHECKOUT / python, *written, file], cwd=CHECKOUT, check=True)
    cloudformation = emulator.account.cloudformation
    aws_cloudformation_deploy(cloudformation, create, file)

    options = planned(*code[1:])[3:]
    assert options == ["--stage", "dev", "--domains", "example.com", "--stack", "assent-dev"]
    deployer = Deployer(emulator, checkout, {"Version": "2012-10-17", "Statement": EVERYTHING})
    before = cloudformation.describe_stacks(StackName="assent-dev")["Stacks"]
    existing = ExistingStack("assent-dev", DEV, cloudformation, echo=deployer.lines.append)
    url = deployer.deploy(existing)
    assert cloudformation.describe_stacks(StackName="assent-dev")["Stacks"] == before
    (said,) = (line for line in deployer.lines if "ApiId" in line)

    outputs = {o["OutputKey"]: o["OutputValue"] for o in before[0]["Outputs"]}
    operator = IamUser.create(emulator.account, "operator", outputs["OperatorPolicyArn"])
    with pytest.raises(ToolError, match="answered 403"):
        operator.call("GET", f"{url}/approvals?outcome=pending")
    printed = re.search(r"ApiId to (\w+)\.", said)
    assert printed is not None
    assert update[-1].startswith("ApiId=")
    aws_cloudformation_deploy(cloudformation, [*update[:-1], f"ApiId={printed[1]}"], file)
    assert operator.call("GET", f"{url}/approvals?outcome=pending")["approvals"] == []
    deployer.lines.clear()
    assert deployer.deploy(existing) == url
    assert not [line for line in deployer.lines if "ApiId" in line]


EVERYTHING = [{"Effect": "Allow", "Action": "*", "Resource": "*"}]
