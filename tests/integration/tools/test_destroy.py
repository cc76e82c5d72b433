import io
import json
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tools.account import Account
from tools.chalice_cli import Chalice
from tools.destroy import destroy
from tools.errors import ToolError
from tools.existing_stack import ExistingStack, refuse_second_stack
from tools.stack import Stack
from tools.template import template_body

from .conftest import DEV


@pytest.fixture
def deployed(stack: Stack, account: Account, project: Path) -> Chalice:
    """Deploy a stack, a topic of the stage and one of another stage; return the stage's Chalice."""
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
    """The table and the confirmed topics stay, while code and stack are deleted."""
    destroy(DEV, account=account, chalice=deployed, stack=stack, echo=print)
    assert not stack.exists()
    assert tables(account) == ["assent-dev"]
    assert topics(account) == ["assent-dev-approver-1", "assent-development-approver-1"]


def test_the_data_is_deleted_if_the_table_is_named(
    deployed: Chalice, stack: Stack, account: Account
) -> None:
    """The table and this stage's topics, but no other stage's."""
    destroy(
        DEV, account=account, chalice=deployed, stack=stack, delete_data="assent-dev", echo=print
    )
    assert tables(account) == []
    assert topics(account) == ["assent-development-approver-1"]


def test_the_data_can_be_deleted_later(deployed: Chalice, stack: Stack, account: Account) -> None:
    """A second destroy can delete the data that the first one kept."""
    destroy(DEV, account=account, chalice=deployed, stack=stack, echo=print)
    destroy(
        DEV, account=account, chalice=deployed, stack=stack, delete_data="assent-dev", echo=print
    )
    assert tables(account) == []


def test_another_tables_name_deletes_nothing(
    deployed: Chalice, stack: Stack, account: Account
) -> None:
    """A typing mistake is noticed before anything is deleted."""
    with pytest.raises(ToolError, match="not assent-prod: nothing was deleted"):
        destroy(
            DEV,
            account=account,
            chalice=deployed,
            stack=stack,
            delete_data="assent-prod",
            echo=print,
        )
    assert stack.exists()


def refused(account: Account, chalice: Chalice, stack: Stack, **more: Any) -> str:
    """Return why a destroy is refused; check that nothing was deleted or stopped."""
    statuses = [e["status"] for e in executions(account, stack)]
    with pytest.raises(ToolError, match="nothing was deleted") as caught:
        destroy(DEV, account=account, chalice=chalice, stack=stack, echo=print, **more)
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


def function(account: Account, role: str, name: str) -> str:
    """Make a function of that name, in that role, and return its ARN."""
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("app.py", "")
    return account.lambda_.create_function(
        FunctionName=name,
        Runtime="python3.11",
        Role=role,
        Handler="app.app",
        Code={"ZipFile": code.getvalue()},
    )["FunctionArn"]


def test_running_executions_are_stopped_if_asked_and_refused_otherwise(
    deployed: Chalice, stack: Stack, account: Account
) -> None:
    """After a destroy they could never be answered."""
    arn = start(account, stack)
    why = refused(account, deployed, stack)
    assert "1 executions of assent-dev are running, and 0 approvals are pending" in why

    seen: list[str] = []

    def look(_: object) -> None:
        found = account.stepfunctions.describe_execution(executionArn=arn)
        seen.append(found["status"])

    chalice = cast(
        "Chalice",
        SimpleNamespace(delete=look, recorded=lambda _: [], record=lambda *_: None),
    )
    destroy(DEV, account=account, chalice=chalice, stack=stack, stop_running=True, echo=print)
    assert seen == ["ABORTED"]
    assert not stack.exists()


def test_pending_approvals_of_other_state_machines_are_counted(
    deployed: Chalice, stack: Stack, account: Account
) -> None:
    """In every shard of the index; closed approvals aren't counted."""
    put(account, "pending#0", "pending#7", "pending#3", "pending#3", "approved#3", "expired#0")
    why = refused(account, deployed, stack)
    assert "0 executions of assent-dev are running, and 4 approvals are pending" in why
    assert "stops the executions of assent-dev and no others" in why
    assert "wait until they time out, or until this stage is deployed again" in why
    assert "deployed again" not in refused(account, deployed, stack, delete_data="assent-dev")


def test_stop_running_reports_the_approvals_that_stay_pending(
    deployed: Chalice, stack: Stack, account: Account
) -> None:
    """Their executions belong to other state machines and aren't stopped."""
    put(account, "pending#5")
    said: list[str] = []
    destroy(
        DEV, account=account, chalice=deployed, stack=stack, stop_running=True, echo=said.append
    )
    assert not stack.exists()
    assert any(line.startswith("1 approvals stay undecided") for line in said)


def test_a_table_with_pending_approvals_needs_stop_running_to_be_deleted(
    deployed: Chalice, stack: Stack, account: Account
) -> None:
    """Also after the stack was deleted: without the table they could never be answered."""
    put(account, "pending#5")
    destroy(DEV, account=account, chalice=deployed, stack=stack, stop_running=True, echo=print)
    with pytest.raises(ToolError, match="1 approvals are pending"):
        destroy(
            DEV,
            account=account,
            chalice=deployed,
            stack=stack,
            delete_data="assent-dev",
            echo=print,
        )
    assert tables(account) == ["assent-dev"]
    destroy(
        DEV,
        account=account,
        chalice=deployed,
        stack=stack,
        delete_data="assent-dev",
        stop_running=True,
        echo=print,
    )
    assert tables(account) == []


def test_functions_without_a_record_are_deleted_from_a_checkout_without_the_stage(
    deployed: Chalice, stack: Stack, account: Account, project: Path
) -> None:
    """Chalice gets a record of them, and a project where it needs neither app.py nor roles."""
    (project / ".chalice" / "config.json").unlink()
    role = stack.outputs()["ApiRoleArn"]
    for name in DEV.functions:
        function(account, role, name)
    chalice = Chalice(project, environment=account.environment, quiet=True)
    destroy(DEV, account=account, chalice=chalice, stack=stack, echo=print)
    assert account.lambda_.list_functions()["Functions"] == []
    assert deployed.recorded(DEV) == []
    assert not stack.exists()


def test_functions_of_another_stage_are_left_alone(
    deployed: Chalice, stack: Stack, account: Account
) -> None:
    """Also of a stage whose name begins with this one's."""
    function(account, stack.outputs()["ApiRoleArn"], "assent-dev-2")
    destroy(DEV, account=account, chalice=deployed, stack=stack, echo=print)
    (other,) = account.lambda_.list_functions()["Functions"]
    assert other["FunctionName"] == "assent-dev-2"


@pytest.mark.parametrize(
    "output",
    ["OperatorPolicyArn", "ReadOnlyPolicyArn", "ErasurePolicyArn", "PolicyAuthorPolicyArn"],
)
def test_an_attached_policy_is_refused_with_its_users(
    deployed: Chalice, stack: Stack, account: Account, output: str
) -> None:
    """IAM deletes no attached policy, so the stack's deletion would fail halfway."""
    policy = stack.outputs()[output]
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
    destroy(DEV, account=account, chalice=deployed, stack=stack, stop_running=True, echo=print)
    assert not stack.exists()


def test_a_missing_stack_is_named(stack: Stack, account: Account, project: Path) -> None:
    """The region or the account may be wrong."""
    with pytest.raises(ToolError, match="there is no stack assent-dev"):
        destroy(
            DEV, account=account, chalice=Chalice(project, environment={}), stack=stack, echo=print
        )


@pytest.fixture
def theirs(account: Account, project: Path) -> str:
    """Deploy the stage's stack under a name that StackSets chose, and return the name."""
    waiting = {"Type": "Wait", "Seconds": 600, "End": True}
    definition = {"StartAt": "A", "States": {"A": waiting}}
    (project / "statemachine.asl.json").write_text(json.dumps(definition))
    given = {"Stage": "dev", "ApproverEndpoints": "*"}
    account.cloudformation.create_stack(
        StackName="StackSet-x",
        TemplateBody=template_body(project),
        Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in given.items()],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    waiter = account.cloudformation.get_waiter("stack_create_complete")
    often: Any = {"Delay": 0.1, "MaxAttempts": 100}
    waiter.wait(StackName="StackSet-x", WaiterConfig=often)
    account.sns.create_topic(Name="assent-dev-approver-1")
    return "StackSet-x"


@pytest.mark.parametrize("recorded", [True, False])
def test_of_a_stack_that_something_else_deploys_the_code_alone_is_deleted(
    theirs: str, stack: Stack, account: Account, project: Path, *, recorded: bool
) -> None:
    """Its data can't be deleted under it, also by a checkout that doesn't know the stack's name."""
    existing = ExistingStack(theirs, DEV, account.cloudformation, echo=print)
    said: list[str] = []
    chalice = Chalice(project, environment=account.environment, quiet=True)

    def destroy_(**more: Any) -> None:
        known = existing if recorded else None
        destroy(
            DEV,
            account=account,
            chalice=chalice,
            stack=stack,
            existing=known,
            echo=said.append,
            **more,
        )

    role = existing.deploy("{}", {})["ApiRoleArn"]
    function(account, role, "assent-dev-tick")
    machine = existing.deploy("{}", {})["StateMachineArn"]
    account.stepfunctions.start_execution(stateMachineArn=machine)
    name = theirs if recorded else "of another name than assent-dev"
    with pytest.raises(ToolError, match=f"stack {name} has .* without DELETE_DATA"):
        destroy_(delete_data="assent-dev", stop_running=True)
    with pytest.raises(ToolError, match="1 executions of assent-dev are running"):
        destroy_()
    assert len(account.lambda_.list_functions()["Functions"]) == 1

    destroy_(stop_running=True)
    assert account.lambda_.list_functions()["Functions"] == []
    assert said[-1] == f"stack {name} and its data stay: delete it where it is deployed"
    assert (existing.exists(), tables(account)) == (True, ["assent-dev"])
    assert topics(account) == ["assent-dev-approver-1", "assent-dev-decisions"]
    with pytest.raises(ToolError, match=f"only stack {name} is left of the stage"):
        destroy_()

    account.cloudformation.delete_stack(StackName=theirs)
    waiter = account.cloudformation.get_waiter("stack_delete_complete")
    often: Any = {"Delay": 0.1, "MaxAttempts": 100}
    waiter.wait(StackName=theirs, WaiterConfig=often)
    destroy_(delete_data="assent-dev")
    assert (tables(account), topics(account)) == ([], [])


@pytest.mark.usefixtures("theirs")
def test_a_checkout_that_does_not_know_the_stack_makes_no_second_one(
    stack: Stack, account: Account
) -> None:
    """The resources' names are taken, and CloudFormation would find that out one by one."""
    with pytest.raises(ToolError, match=r"stack of another name has the stage\. Nothing was d"):
        refuse_second_stack(DEV, stack, account)
    assert not stack.exists()


def test_a_stage_of_ours_may_be_deployed(stack: Stack, account: Account, project: Path) -> None:
    """Before its first deploy, and again."""
    refuse_second_stack(DEV, stack, account)
    stack.deploy(template_body(project), {"ApproverEndpoints": "*"})
    refuse_second_stack(DEV, stack, account)
