import io
import json
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tools.account import Account
from tools.chalice_cli import Chalice
from tools.destroy import destroy
from tools.errors import ToolError
from tools.stack import Stack
from tools.template import template_body

from .conftest import DEV


@pytest.fixture
def deployed(stack: Stack, account: Account, project: Path) -> Chalice:
    """Give a stage with a stack, an approver's topic, and a neighbour's; return its Chalice."""
    waiting = {"Type": "Wait", "Seconds": 600, "End": True}
    definition = {"StartAt": "A", "States": {"A": waiting}}
    (project / "statemachine.asl.json").write_text(json.dumps(definition))
    stack.deploy(template_body(project), {"ApproverEndpoints": "*"})
    account.sns.create_topic(Name="assent-dev-approver-1")
    account.sns.create_topic(Name="assent-development-approver-1")
    return Chalice(project, environment={})


def tables(account: Account) -> list[str]:
    """Return the names of all tables."""
    return account.dynamodb.list_tables()["TableNames"]


def topics(account: Account) -> list[str]:
    """Return the names of all topics."""
    return sorted(t["TopicArn"].rpartition(":")[2] for t in account.sns.list_topics()["Topics"])


def test_the_table_and_the_approvers_survive(
    deployed: Chalice, stack: Stack, account: Account
) -> None:
    """Code and stack go; what people did and confirmed stays."""
    destroy(DEV, account, deployed, stack, say=print)
    assert not stack.exists()
    assert tables(account) == ["assent-dev"]
    assert topics(account) == ["assent-dev-approver-1", "assent-development-approver-1"]


def test_the_data_goes_if_it_is_asked_for_by_name(
    deployed: Chalice, stack: Stack, account: Account
) -> None:
    """The table and this stage's topics, and no other stage's."""
    destroy(DEV, account, deployed, stack, delete_data="assent-dev", say=print)
    assert tables(account) == []
    assert topics(account) == ["assent-development-approver-1"]


def test_the_data_can_be_deleted_later(deployed: Chalice, stack: Stack, account: Account) -> None:
    """A first destroy doesn't take away the way to a second, thorough one."""
    destroy(DEV, account, deployed, stack, say=print)
    destroy(DEV, account, deployed, stack, delete_data="assent-dev", say=print)
    assert tables(account) == []


def test_another_tables_name_deletes_nothing(
    deployed: Chalice, stack: Stack, account: Account
) -> None:
    """A slip is noticed before anything is gone."""
    with pytest.raises(ToolError, match="not assent-prod: nothing was deleted"):
        destroy(DEV, account, deployed, stack, delete_data="assent-prod", say=print)
    assert stack.exists()


def refused(account: Account, chalice: Chalice, stack: Stack, **more: Any) -> str:
    """Return why a destroy is refused, having seen that nothing was deleted or stopped."""
    statuses = [e["status"] for e in executions(account, stack)]
    with pytest.raises(ToolError, match="nothing was deleted") as caught:
        destroy(DEV, account, chalice, stack, say=print, **more)
    assert stack.exists()
    assert [e["status"] for e in executions(account, stack)] == statuses
    assert tables(account) == ["assent-dev"]
    return caught.value.message


def executions(account: Account, stack: Stack) -> Any:
    """Return the executions of the stage's state machine."""
    machine = stack.outputs()["StateMachineArn"]
    return account.stepfunctions.list_executions(stateMachineArn=machine)["executions"]


def start(account: Account, stack: Stack) -> str:
    """Start an execution that waits; return its ARN."""
    machine = stack.outputs()["StateMachineArn"]
    return account.stepfunctions.start_execution(stateMachineArn=machine)["executionArn"]


def put(account: Account, *shards: str) -> None:
    """Write an approval into each of these shards of the index `outcome`."""
    for number, shard in enumerate(shards):
        item = {"pk": f"APPROVAL#{number}", "outcomeShard": shard, "createdAt": "2026-01-01"}
        account.dynamodb.put_item(
            TableName="assent-dev", Item={key: {"S": value} for key, value in item.items()}
        )


def function(account: Account, stack: Stack, name: str) -> str:
    """Make a function of that name, in the role of the stack's API, and return its ARN."""
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("app.py", "")
    return account.functions.create_function(
        FunctionName=name,
        Runtime="python3.11",
        Role=stack.outputs()["ApiRoleArn"],
        Handler="app.app",
        Code={"ZipFile": code.getvalue()},
    )["FunctionArn"]


def recorded(project: Path, *arns: str) -> None:
    """Write Chalice's record of these functions."""
    resources = [{"resource_type": "lambda_function", "lambda_arn": arn} for arn in arns]
    (project / ".chalice" / "deployed").mkdir()
    (project / ".chalice" / "deployed" / "dev.json").write_text(
        json.dumps({"resources": resources})
    )


def test_executions_that_wait_are_not_left_behind(
    deployed: Chalice, stack: Stack, account: Account
) -> None:
    """Nobody could answer them any more: they are stopped if that is said, or nothing happens."""
    arn = start(account, stack)
    why = refused(account, deployed, stack)
    assert "1 executions of assent-dev still wait for an answer, and 0 approvals" in why

    seen: list[str] = []

    def look(_: object) -> None:
        found = account.stepfunctions.describe_execution(executionArn=arn)
        seen.append(found["status"])

    chalice = cast("Chalice", SimpleNamespace(delete=look, functions=lambda _: set()))
    destroy(DEV, account, chalice, stack, stop_running=True, say=print)
    assert seen == ["ABORTED"]
    assert not stack.exists()


def test_approvals_that_other_state_machines_wait_for_are_counted(
    deployed: Chalice, stack: Stack, account: Account
) -> None:
    """All that is pending, in whichever shard; what has its outcome waits for nobody."""
    put(account, "pending#0", "pending#7", "pending#3", "pending#3", "approved#3", "expired#0")
    why = refused(account, deployed, stack)
    assert "0 executions of assent-dev still wait for an answer, and 4 approvals are pending" in why
    assert "stops the executions of assent-dev and no others" in why
    assert "wait until they time out, or until this stage is deployed again" in why
    assert "deployed again" not in refused(account, deployed, stack, delete_data="assent-dev")


def test_what_becomes_of_others_is_said_when_they_are_left(
    deployed: Chalice, stack: Stack, account: Account
) -> None:
    """`--stop-running` goes on, and doesn't keep the number to itself."""
    put(account, "pending#5")
    said: list[str] = []
    destroy(DEV, account, deployed, stack, stop_running=True, say=said.append)
    assert not stack.exists()
    assert any(line.startswith("1 approvals stay without an answer") for line in said)


def test_a_table_with_pending_approvals_is_not_deleted_unasked(
    deployed: Chalice, stack: Stack, account: Account
) -> None:
    """Also after the stack is gone: with the table goes the last way to answer them."""
    put(account, "pending#5")
    destroy(DEV, account, deployed, stack, stop_running=True, say=print)
    with pytest.raises(ToolError, match="1 approvals are pending"):
        destroy(DEV, account, deployed, stack, delete_data="assent-dev", say=print)
    assert tables(account) == ["assent-dev"]
    destroy(DEV, account, deployed, stack, delete_data="assent-dev", stop_running=True, say=print)
    assert tables(account) == []


@pytest.mark.parametrize("name", DEV.functions)
def test_functions_without_chalices_record_are_not_orphaned(
    deployed: Chalice, stack: Stack, account: Account, name: str
) -> None:
    """From another checkout `chalice delete` would do nothing: whoever asks is sent there."""
    function(account, stack, name)
    start(account, stack)
    why = refused(account, deployed, stack, stop_running=True)
    assert f".chalice/deployed/dev.json, doesn't know {name}:" in why


def test_functions_of_another_region_or_account_are_not_taken_for_ours(
    deployed: Chalice, stack: Stack, account: Account, project: Path
) -> None:
    """A record of the same names elsewhere is no record of what is here."""
    arn = function(account, stack, "assent-dev")
    recorded(project, arn.replace("eu-central-1", "us-west-2"))
    assert "doesn't know assent-dev" in refused(account, deployed, stack)


def test_recorded_functions_are_left_to_chalice(
    stack: Stack, account: Account, project: Path, deployed: Chalice
) -> None:
    """With the record there is nothing to refuse: Chalice is run, and then the stack goes."""
    arns = [function(account, stack, name) for name in DEV.functions]
    recorded(project, *arns)
    assert deployed.functions(DEV) == set(arns)
    command = (sys.executable, "-c", "import sys; open(sys.argv[2] + '/ran', 'w').close()")
    chalice = Chalice(project, environment={}, command=command)
    destroy(DEV, account, chalice, stack, say=print)
    assert (project / "ran").exists()
    assert not stack.exists()


def test_an_attached_operator_policy_stops_it_before_it_starts(
    deployed: Chalice, stack: Stack, account: Account
) -> None:
    """IAM keeps an attached policy, so the stack would stay half deleted; who has it is named."""
    policy = stack.outputs()["OperatorPolicyArn"]
    account.iam.create_user(UserName="ada")
    account.iam.create_group(GroupName="operators")
    account.iam.create_role(RoleName="ci", AssumeRolePolicyDocument="{}")
    account.iam.attach_user_policy(UserName="ada", PolicyArn=policy)
    account.iam.attach_group_policy(GroupName="operators", PolicyArn=policy)
    account.iam.attach_role_policy(RoleName="ci", PolicyArn=policy)
    start(account, stack)
    why = refused(account, deployed, stack, stop_running=True)
    assert f"{policy} is attached to user ada, group operators, role ci," in why

    account.iam.detach_user_policy(UserName="ada", PolicyArn=policy)
    account.iam.detach_group_policy(GroupName="operators", PolicyArn=policy)
    account.iam.detach_role_policy(RoleName="ci", PolicyArn=policy)
    destroy(DEV, account, deployed, stack, stop_running=True, say=print)
    assert not stack.exists()


def test_where_there_is_nothing_that_is_said(stack: Stack, account: Account, project: Path) -> None:
    """A wrong region or account looks like this."""
    with pytest.raises(ToolError, match="there is no stack assent-dev"):
        destroy(DEV, account, Chalice(project, environment={}), stack, say=print)
