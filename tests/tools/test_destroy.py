import json
from pathlib import Path
from types import SimpleNamespace
from typing import cast

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


def test_executions_that_wait_are_not_left_behind(
    deployed: Chalice, stack: Stack, account: Account
) -> None:
    """Nobody could answer them any more: they are stopped if that is said, or nothing happens."""
    machine = stack.outputs()["StateMachineArn"]
    arn = account.stepfunctions.start_execution(stateMachineArn=machine)["executionArn"]
    with pytest.raises(ToolError, match="1 executions still wait"):
        destroy(DEV, account, deployed, stack, say=print)
    assert stack.exists()

    seen: list[str] = []

    def look(_: object) -> None:
        found = account.stepfunctions.describe_execution(executionArn=arn)
        seen.append(found["status"])

    chalice = cast("Chalice", SimpleNamespace(delete=look))
    destroy(DEV, account, chalice, stack, stop_running=True, say=print)
    assert seen == ["ABORTED"]
    assert not stack.exists()


def test_where_there_is_nothing_that_is_said(stack: Stack, account: Account, project: Path) -> None:
    """A wrong region or account looks like this."""
    with pytest.raises(ToolError, match="there is no stack assent-dev"):
        destroy(DEV, account, Chalice(project, environment={}), stack, say=print)
