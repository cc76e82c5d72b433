"""`python -m tools.destroy --stage dev`: deletes the code, then the stack; keeps the data.

The data are the table and the approvers' topics. `--delete-data assent-dev`, with the table's name,
deletes them too. A stack that something else deploys stays, and so do its data. Everything that
would stop a destroy halfway is checked first (`destroy_checks.py`).
"""

from pathlib import Path

import click
from botocore.exceptions import BotoCoreError, ClientError

from tools.account import Account
from tools.chalice_cli import Chalice
from tools.config import Config
from tools.deployed_record import deployed_resources, name, names
from tools.destroy_checks import (
    consequence_for_others,
    refuse_attached_policy,
    refuse_staying,
    refuse_waiting,
)
from tools.echo import Echo
from tools.errors import ToolError
from tools.existing_stack import ExistingStack
from tools.rules import refuse_shared_rules
from tools.stack import Stack
from tools.stage import Stage
from tools.state_machine import running_executions, state_machine_arn
from tools.table import Table


def destroy(
    stage: Stage,
    *,
    account: Account,
    chalice: Chalice,
    stack: Stack,
    existing: ExistingStack | None = None,
    delete_data: str | None = None,
    stop_running: bool = False,
    echo: Echo,
) -> None:
    """Delete the functions, the API and the stack, and the data if `delete_data` names the table.

    Functions, mappings, rule and API are looked up in AWS: Chalice's record may be missing, or name
    less than a deploy that broke off has made. The stack stays if it is `existing`, or has another
    name than the stage: something else deploys it. Raises ToolError, before anything is deleted, if
    `delete_data` is another name or the stack stays, if there is nothing to delete, if something
    would be left over, or if an execution or approval waits and `stop_running` isn't set.
    """
    if delete_data is not None and delete_data != stage.prefix:
        raise ToolError(
            f"the table of stage {stage} is {stage.prefix}, not {delete_data}: nothing was deleted"
        )
    code = deployed_resources(stage, stage.code, account, chalice.recorded(stage))
    machine = state_machine_arn(stage, account)
    running = running_executions(machine, account)
    staying = _staying_stack(stage, stack, existing, has_machine=machine is not None)
    refuse_staying(staying, code=bool(code), data=delete_data is not None)
    stack_exists = staying is None and stack.exists()
    if not stack_exists and delete_data is None and not code:
        raise ToolError(
            f"there is no stack {stage.prefix} in this account and region: nothing was deleted"
        )
    outputs = stack.outputs() if stack_exists else {}
    refuse_shared_rules(names(code, "cloudwatch_event"), account)
    for policy in (
        "OperatorPolicyArn",
        "ReadOnlyPolicyArn",
        "ErasurePolicyArn",
        "PolicyAuthorPolicyArn",
    ):
        refuse_attached_policy(account, outputs.get(policy))
    table = Table(account.dynamodb, stage.prefix)
    pending = table.count_pending()
    table_stays = delete_data is None
    if not stop_running:
        refuse_waiting(stage, running=len(running), pending=pending, table_stays=table_stays)
    _stop_executions(stage, account, running, echo)
    if pending:
        echo(f"{pending} approvals stay undecided. {consequence_for_others(table_stays)}")

    if code:
        echo(f"functions and API: deleting {', '.join(map(name, code))}")
    chalice.record(stage, code)
    chalice.delete(stage)
    if stack_exists:
        echo(f"stack {stage.prefix}")
        stack.delete()
    if staying:
        echo(f"stack {staying} and its data stay: delete it where it is deployed")
        return
    if table_stays:
        echo(
            f"table {stage.prefix} and the approvers' topics stay; "
            f"DELETE_DATA={stage.prefix} deletes them"
        )
        return
    echo(f"table {stage.prefix}")
    table.delete()
    echo(f"{_delete_topics(stage, account)} approvers' topics")


def _staying_stack(
    stage: Stage, stack: Stack, existing: ExistingStack | None, *, has_machine: bool
) -> str | None:
    """Return which stack something else deploys: the recorded one, or else one with our names."""
    if existing is not None and existing.exists():
        return existing.name
    if has_machine and not stack.exists():
        return f"of another name than {stage.prefix}"
    return None


def _stop_executions(stage: Stage, account: Account, running: list[str], echo: Echo) -> None:
    for arn in running:
        account.stepfunctions.stop_execution(
            executionArn=arn, error="Cancelled", cause=f"stage {stage} was destroyed"
        )
    if running:
        echo(f"{len(running)} executions stopped")


def _delete_topics(stage: Stage, account: Account) -> int:
    """Delete the topics of the stage's approvers and return their number."""
    topics = [
        t["TopicArn"]
        for page in account.sns.get_paginator("list_topics").paginate()
        for t in page["Topics"]
    ]
    approvers = [arn for arn in topics if arn.rpartition(":")[2].startswith(stage.topic_prefix)]
    for arn in approvers:
        account.sns.delete_topic(TopicArn=arn)
    return len(approvers)


@click.command()
@click.option("--stage", "name", required=True, help="The Chalice stage, such as dev.")
@click.option(
    "--delete-data",
    help="The table's name, assent-<stage>: delete the table and the approvers' topics too.",
)
@click.option(
    "--stop-running",
    is_flag=True,
    help="Stop the running executions of this stage's state machine. Others are left running.",
)
@click.option(
    "--project",
    type=click.Path(path_type=Path, file_okay=False, exists=True, resolve_path=True),
    default=".",
    hidden=True,
)
def main(name: str, delete_data: str | None, stop_running: bool, project: Path) -> None:
    """Delete a stage of Assent, but keep its data."""
    stage = Stage(name)
    account = Account.from_environment()
    recorded = Config(project).existing_stack(stage)
    cloudformation = account.cloudformation
    try:
        destroy(
            stage,
            account=account,
            chalice=Chalice(project, environment=account.environment),
            stack=Stack(stage, cloudformation, account.dynamodb, echo=click.echo),
            existing=ExistingStack(recorded, stage, cloudformation, echo=click.echo)
            if recorded
            else None,
            delete_data=delete_data,
            stop_running=stop_running,
            echo=click.echo,
        )
    except (BotoCoreError, ClientError) as e:
        raise ToolError(f"AWS: {e}") from e


if __name__ == "__main__":
    main()
