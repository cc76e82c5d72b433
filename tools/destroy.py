"""`python -m tools.destroy --stage dev`: the code, then the stack. Table and approvers stay.

On the map: the mirror of `deploy`. `--delete-data assent-dev` takes the table and the approvers'
topics too; it has to be said by the table's name.
"""

from collections.abc import Callable
from pathlib import Path

import click
from botocore.exceptions import BotoCoreError, ClientError

from tools.account import Account
from tools.chalice_cli import Chalice
from tools.errors import ToolError
from tools.stack import Stack
from tools.stage import Stage


def destroy(
    stage: Stage,
    account: Account,
    chalice: Chalice,
    stack: Stack,
    *,
    delete_data: str | None = None,
    stop_running: bool = False,
    say: Callable[[str], None],
) -> None:
    """Delete the functions, the API and the stack; the data only if it is asked for.

    `delete_data` is the table's name. Raises ToolError, before anything is deleted, if it is
    another name, if there is nothing, or if executions still wait and `stop_running` isn't set.
    """
    if delete_data is not None and delete_data != stage.prefix:
        raise ToolError(
            f"the table of stage {stage} is {stage.prefix}, not {delete_data}: nothing was deleted"
        )
    if stack.exists():
        _settle_running(stage, account, stack, stop_running, say)
    elif delete_data is None and chalice.api(stage) is None:
        raise ToolError(
            f"there is no stack {stage.prefix} in this account and region: nothing was deleted"
        )

    say("functions and API")
    chalice.delete(stage)
    if stack.exists():
        say(f"stack {stage.prefix}")
        stack.delete()
    if delete_data is None:
        say(
            f"table {stage.prefix} and the approvers' topics stay; "
            f"`--delete-data {stage.prefix}` deletes them"
        )
        return
    say(f"table {stage.prefix}")
    _delete_table(stage, account)
    say(f"{_delete_topics(stage, account)} approvers' topics")


def _settle_running(
    stage: Stage, account: Account, stack: Stack, stop_running: bool, say: Callable[[str], None]
) -> None:
    """Stop the running executions, or refuse: a deleted state machine never answers them."""
    machine = stack.outputs().get("StateMachineArn")
    if machine is None:
        return
    pages = account.stepfunctions.get_paginator("list_executions")
    running = [
        e
        for page in pages.paginate(stateMachineArn=machine, statusFilter="RUNNING")
        for e in page["executions"]
    ]
    if running and not stop_running:
        raise ToolError(
            f"{len(running)} executions still wait for an answer: nothing was deleted. "
            "Let them finish, or give --stop-running"
        )
    for execution in running:
        account.stepfunctions.stop_execution(
            executionArn=execution["executionArn"],
            error="Cancelled",
            cause=f"stage {stage} was destroyed",
        )
    if running:
        say(f"{len(running)} executions stopped")


def _delete_table(stage: Stage, account: Account) -> None:
    try:
        account.dynamodb.delete_table(TableName=stage.prefix)
    except account.dynamodb.exceptions.ResourceNotFoundException:
        return
    account.dynamodb.get_waiter("table_not_exists").wait(TableName=stage.prefix)


def _delete_topics(stage: Stage, account: Account) -> int:
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
    help="The table's name, assent-<stage>: delete it and the approvers' topics as well.",
)
@click.option("--stop-running", is_flag=True, help="Stop executions that still wait for an answer.")
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
    try:
        destroy(
            stage,
            account,
            Chalice(project, environment=account.environment),
            Stack(stage, account.cloudformation, account.dynamodb, say=click.echo),
            delete_data=delete_data,
            stop_running=stop_running,
            say=click.echo,
        )
    except (BotoCoreError, ClientError) as e:
        raise ToolError(f"AWS: {e}") from e


if __name__ == "__main__":
    main()
