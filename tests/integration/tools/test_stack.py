import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError, WaiterError

from tools.account import Account
from tools.errors import ToolError
from tools.existing_stack import ExistingStack
from tools.stack import Stack
from tools.stage import Stage
from tools.template import load_template, template_body

from .conftest import CHECKOUT, DEV

WHOM = {"ApproverEndpoints": "*@example.com,*@example.org"}


def parameters(account: Account) -> dict[str, str]:
    """Return the parameters of the stack of stage dev."""
    found = account.cloudformation.describe_stacks(StackName="assent-dev")["Stacks"][0]
    return {p["ParameterKey"]: p["ParameterValue"] for p in found["Parameters"]}


def test_the_stacks_names_are_those_that_the_code_and_chalice_expect(
    stack: Stack, project: Path
) -> None:
    """They follow from the stage alone, in any region."""
    outputs = stack.deploy(template_body(project), WHOM)
    assert outputs["TableName"] == "assent-dev"
    assert outputs["StateMachineArn"].endswith(":stateMachine:assent-dev")
    assert outputs["TopicArnPrefix"].startswith("arn:aws:sns:eu-central-1:")
    assert outputs["TopicArnPrefix"].endswith(":assent-dev-approver-")
    assert outputs["DeadLetterQueueArn"].endswith(":assent-dev-dead-letters")


@pytest.mark.parametrize("name", ["assent-dev", "assent-dev-2", "StackSet-ours-0a1b2c3d"])
def test_roles_are_named_after_the_stage_in_a_stack_of_any_name(
    account: Account, project: Path, name: str
) -> None:
    """Policies know them by that prefix.

    CloudFormation generates the names in a stack named after its stage: given ones would replace
    the roles of existing stages while their functions run.
    """
    parameters_ = {**WHOM, "Stage": "dev"}
    account.cloudformation.create_stack(
        StackName=name,
        TemplateBody=template_body(project),
        Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in parameters_.items()],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    stack = ExistingStack(name, DEV, account.cloudformation, echo=print)
    outputs = stack.deploy(template_body(project), WHOM)
    roles = {k: arn.rpartition("/")[2] for k, arn in outputs.items() if k.endswith("RoleArn")}
    assert len(roles) >= 6
    for output, role in roles.items():
        prefix = f"assent-dev-{output.removesuffix('Arn')}-"
        assert role.startswith(prefix)
        assert (role == f"{prefix}eu-central-1") == (name != "assent-dev")


def test_a_stack_watches_no_executions_but_its_own_until_told(
    stack: Stack, account: Account, project: Path
) -> None:
    """An empty list of state machines must not become a wildcard."""
    outputs = stack.deploy(template_body(project), WHOM)
    assert _watched(account) == [outputs["StateMachineArn"]]
    orders = "arn:aws:states:eu-central-1:111122223333:stateMachine:orders*"
    stack.deploy(template_body(project), {**WHOM, "WatchedStateMachines": orders})
    assert _watched(account) == [outputs["StateMachineArn"], {"wildcard": orders}]


def _watched(account: Account) -> Any:
    """Return the state machines in the pattern of the rule of ended executions."""
    rule = account.events.describe_rule(Name="assent-dev-ended")
    return json.loads(rule["EventPattern"])["detail"]["stateMachineArn"]


def test_an_unchanged_stack_can_be_deployed_again(stack: Stack, project: Path) -> None:
    """CloudFormation's error about it is ignored."""
    assert stack.deploy(template_body(project), WHOM) == stack.deploy(template_body(project), WHOM)


def test_a_parameter_that_is_not_given_keeps_its_value(
    stack: Stack, account: Account, project: Path
) -> None:
    """Such as the retention of the logs."""
    stack.deploy(template_body(project), {**WHOM, "LogRetentionDays": "30"})
    stack.deploy(template_body(project), {**WHOM, "ApiId": "abc123"})
    assert parameters(account)["LogRetentionDays"] == "30"
    assert parameters(account)["ApiId"] == "abc123"


def test_the_stack_keeps_the_table_that_it_created(
    stack: Stack, account: Account, project: Path
) -> None:
    """At the next deploy the table exists, and is still the stack's."""
    stack.deploy(template_body(project), WHOM)
    assert parameters(account)["CreateTable"] == "true"
    stack.deploy(template_body(project), WHOM)
    assert parameters(account)["CreateTable"] == "true"


def test_a_table_that_outlived_its_stack_is_used(
    stack: Stack, account: Account, project: Path
) -> None:
    """After a destroy the next stack uses the table with its items, at every deploy."""
    stack.deploy(template_body(project), WHOM)
    account.dynamodb.put_item(TableName="assent-dev", Item={"pk": {"S": "precious"}})
    stack.delete()
    for _ in range(2):
        stack.deploy(template_body(project), WHOM)
        assert parameters(account)["CreateTable"] == "false"
    found = account.dynamodb.get_item(TableName="assent-dev", Key={"pk": {"S": "precious"}})
    assert "Item" in found


def make_table(account: Account, **other: Any) -> None:
    """Create the template's table as a restore from a backup does; `other` replaces properties."""
    wanted = load_template(CHECKOUT / "infrastructure.yaml")["Resources"]["Table"]
    names = ("KeySchema", "GlobalSecondaryIndexes", "BillingMode")
    table = {name: wanted["Properties"][name] for name in names} | other
    used = json.dumps(table)
    account.dynamodb.create_table(
        TableName="assent-dev",
        AttributeDefinitions=[
            attribute
            for attribute in wanted["Properties"]["AttributeDefinitions"]
            if f'"{attribute["AttributeName"]}"' in used
        ],
        **table,
    )


def index(name: str, *keys: str) -> dict[str, Any]:
    """Return an index with these keys and all attributes."""
    kinds = ("HASH", "RANGE")
    return {
        "IndexName": name,
        "KeySchema": [
            {"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, kinds, strict=False)
        ],
        "Projection": {"ProjectionType": "ALL"},
    }


OUTCOME = index("outcome", "outcomeShard", "createdAt")
DUE = index("due", "dueShard", "dueAt")
EXECUTION = index("execution", "executionArn", "createdAt")
APPROVER = index("approver", "approver", "expiresAt")
REQUESTER = index("requester", "requester", "createdAt")


def test_a_table_that_never_had_a_stack_is_used(
    stack: Stack, account: Account, project: Path
) -> None:
    """Such as one that was restored from a backup."""
    make_table(account)
    stack.deploy(template_body(project), WHOM)
    assert parameters(account)["CreateTable"] == "false"


def test_a_table_with_more_than_the_template_asks_for_is_used(
    stack: Stack, account: Account, project: Path
) -> None:
    """Another index, or an index with more attributes, does no harm."""
    more = index("mine", "dueAt")
    make_table(account, GlobalSecondaryIndexes=[APPROVER, EXECUTION, DUE, OUTCOME, REQUESTER, more])
    stack.deploy(template_body(project), WHOM)
    assert parameters(account)["CreateTable"] == "false"


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (
            {"KeySchema": [{"AttributeName": "dueAt", "KeyType": "HASH"}]},
            "its key is dueAt (S), not pk (S)",
        ),
        (
            {"GlobalSecondaryIndexes": [OUTCOME, EXECUTION, APPROVER]},
            "it has no index due, by dueShard (S) and dueAt (S)",
        ),
        (
            {"GlobalSecondaryIndexes": [OUTCOME, EXECUTION, APPROVER, index("due", "dueShard")]},
            "its index due is by dueShard (S), not dueShard (S) and dueAt (S)",
        ),
    ],
)
def test_a_table_that_the_functions_could_not_use_is_refused(
    stack: Stack, account: Account, project: Path, other: dict[str, Any], message: str
) -> None:
    """CloudFormation wouldn't repair it, and the first request would fail. No stack is created."""
    make_table(account, **other)
    with pytest.raises(ToolError, match=re.escape(message)):
        stack.deploy(template_body(project), WHOM)
    assert not stack.exists()


def test_a_table_outside_the_stack_is_checked_by_each_deploy(
    stack: Stack, account: Account, project: Path
) -> None:
    """A new index must be created by hand before a template that needs it is deployed."""
    make_table(account)
    stack.deploy(template_body(project), WHOM)
    account.dynamodb.update_table(
        TableName="assent-dev", GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "due"}}]
    )
    with pytest.raises(ToolError, match="has no index due"):
        stack.deploy(template_body(project), WHOM)


def test_the_definition_is_the_file_with_its_placeholders_replaced(
    stack: Stack, account: Account, project: Path
) -> None:
    """The state machine runs statemachine.asl.json and calls this stage's function."""
    (project / "statemachine.asl.json").write_text(
        '{"StartAt": "A", "States": {"A": {"Type": "Pass", "Result": "${RequestApprovalFunction}",'
        ' "End": true}}}'
    )
    arn = stack.deploy(template_body(project), WHOM)["StateMachineArn"]
    definition = account.stepfunctions.describe_state_machine(stateMachineArn=arn)["definition"]
    assert ":function:assent-dev-request_approval" in definition


def test_a_template_without_a_table_ignores_a_table_of_its_name(
    stack: Stack, account: Account
) -> None:
    """An example's stack neither creates nor checks one."""
    make_table(account, KeySchema=[{"AttributeName": "dueAt", "KeyType": "HASH"}])
    queue = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": {"Ref": "Stage"}}}
    template = {"Parameters": {"Stage": {"Type": "String"}}, "Resources": {"Queue": queue}}
    stack.deploy(json.dumps(template), {})
    assert parameters(account) == {"Stage": "dev"}


def test_a_missing_stack_is_named(stack: Stack) -> None:
    """The error has the stack's name."""
    assert not stack.exists()
    with pytest.raises(ToolError, match="there is no stack assent-dev"):
        stack.outputs()


class FailingCloudFormation:
    """A CloudFormation whose stack fails, with events of two runs."""

    def describe_stacks(self, **_: str) -> Any:
        error = {"Error": {"Code": "ValidationError", "Message": "Stack does not exist"}}
        raise ClientError(cast("Any", error), "DescribeStacks")

    def create_stack(self, **_: object) -> None:
        pass

    def get_waiter(self, _: str) -> "FailingCloudFormation":
        return self

    def wait(self, **_: object) -> None:
        raise WaiterError("StackCreateComplete", "it failed", {})

    def describe_stack_events(self, **_: str) -> Any:
        def event(resource: str, status: str, reason: str = "") -> dict[str, str]:
            return {
                "LogicalResourceId": resource,
                "ResourceStatus": status,
                "ResourceStatusReason": reason,
            }

        return {
            "StackEvents": [
                event("assent-dev", "ROLLBACK_COMPLETE"),
                event("ApiRole", "CREATE_FAILED", "Resource creation cancelled"),
                event("TickRole", "CREATE_FAILED", "MalformedPolicyDocument"),
                event("assent-dev", "CREATE_IN_PROGRESS"),
                event("Table", "DELETE_FAILED", "of an earlier run"),
            ]
        }


def test_a_failure_is_raised_with_the_reasons_of_this_run_oldest_first(account: Account) -> None:
    """The first failure is the cause; those of earlier runs would mislead."""
    stack = Stack(DEV, cast("Any", FailingCloudFormation()), account.dynamodb, delay=0.01)
    with pytest.raises(ToolError) as caught:
        stack.deploy("{}", WHOM)
    assert caught.value.message.splitlines() == [
        "stack assent-dev failed:",
        "  TickRole: MalformedPolicyDocument",
        "  ApiRole: Resource creation cancelled",
    ]


@pytest.mark.parametrize(
    ("statuses", "then"),
    [
        (["CREATE_IN_PROGRESS"] * 3 + ["CREATE_COMPLETE"], "update"),
        (
            ["UPDATE_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "UPDATE_COMPLETE"],
            "update",
        ),
        (["UPDATE_ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE"], "update"),
        (["DELETE_IN_PROGRESS", "DELETE_COMPLETE"], "create"),
    ],
)
def test_a_stack_that_a_broken_run_is_still_changing_is_waited_for(
    account: Account, statuses: list[str], then: str
) -> None:
    """CloudFormation goes on by itself, and refuses a second change meanwhile."""
    left = [*statuses, "UPDATE_COMPLETE"]
    done: list[str] = []

    def describe(**_: str) -> Any:
        return {"Stacks": [{"StackStatus": left.pop(0)}]}

    cloudformation = SimpleNamespace(
        describe_stacks=describe,
        create_stack=lambda **_: done.append("create"),
        update_stack=lambda **_: done.append("update"),
        get_waiter=lambda _: SimpleNamespace(wait=lambda **_: None),
    )
    said: list[str] = []
    stack = Stack(DEV, cast("Any", cloudformation), account.dynamodb, delay=0.001, echo=said.append)
    assert stack.deploy("{}", WHOM) == {}
    assert done == [then]
    going_on = sorted(set(statuses[:-1]))
    assert sorted(line.split()[3].rstrip(":") for line in said) == going_on


@pytest.mark.parametrize(
    "name",
    ["", "Dev", "1st", "a" * 22, "dev_1", "dev ", "dev\n", "dev-tick", "dev-requests", "dev-ended"],
)
def test_a_stage_name_that_aws_would_refuse_is_refused_at_once(name: str) -> None:
    """The names of tables, topics and roles contain it."""
    with pytest.raises(ToolError, match="is no stage name"):
        Stage(name)
