"""`python -m tools.destroy --stage dev`: the code, then the stack. Table and approvers stay.

On the map: the mirror of `deploy`. `--delete-data assent-dev` takes the table and the approvers'
topics too; it has to be said by the table's name. Whatever could leave half of it behind is
looked for first.
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
from tools.table import Table


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
    another name; if there is nothing, or something that would stay behind; or if somebody still
    waits and `stop_running` isn't set.
    """
    if delete_data is not None and delete_data != stage.prefix:
        raise ToolError(
            f"the table of stage {stage} is {stage.prefix}, not {delete_data}: nothing was deleted"
        )
    _refuse_unrecorded_functions(stage, account, chalice)
    there = stack.exists()
    if not there and delete_data is None and chalice.api(stage) is None:
        raise ToolError(
            f"there is no stack {stage.prefix} in this account and region: nothing was deleted"
        )
    outputs = stack.outputs() if there else {}
    _refuse_attached_policy(account, outputs.get("OperatorPolicyArn"))
    table = Table(account.dynamodb, stage.prefix)
    running = _running(account, outputs.get("StateMachineArn"))
    pending = table.pending()
    if not stop_running:
        _refuse_waiting(stage, len(running), pending, delete_data is None)
    _stop(stage, account, running, say)
    if pending:
        say(f"{pending} approvals stay without an answer. {_fate(delete_data is None)}")

    say("functions and API")
    chalice.delete(stage)
    if there:
        say(f"stack {stage.prefix}")
        stack.delete()
    if delete_data is None:
        say(
            f"table {stage.prefix} and the approvers' topics stay; "
            f"`--delete-data {stage.prefix}` deletes them"
        )
        return
    say(f"table {stage.prefix}")
    table.delete()
    say(f"{_delete_topics(stage, account)} approvers' topics")


def _refuse_unrecorded_functions(stage: Stage, account: Account, chalice: Chalice) -> None:
    """Raise ToolError if there are functions that Chalice has no record of, and wouldn't delete.

    They, the API and the tick's rule would go on without roles and table.
    """
    recorded = chalice.functions(stage)
    unknown = []
    for name in stage.functions:
        try:
            found = account.functions.get_function_configuration(FunctionName=name)
        except account.functions.exceptions.ResourceNotFoundException:
            continue
        if found["FunctionArn"] not in recorded:
            unknown.append(name)
    if unknown:
        raise ToolError(
            f"Chalice's record here, .chalice/deployed/{stage}.json, doesn't know "
            f"{', '.join(unknown)}: nothing was deleted. Destroy from the checkout that stage "
            f"{stage} was deployed from, or copy that file of it here. If a first deploy broke "
            "off, finish it first. If the record is lost, delete functions, REST API and rule by "
            "hand (docs/operating.md), then come back"
        )


def _refuse_attached_policy(account: Account, arn: str | None) -> None:
    """Raise ToolError if somebody has the operator policy: the stack couldn't be deleted."""
    if arn is None:
        return
    holders: list[str] = []
    try:
        for page in account.iam.get_paginator("list_entities_for_policy").paginate(PolicyArn=arn):
            holders += [f"user {user['UserName']}" for user in page["PolicyUsers"]]
            holders += [f"group {group['GroupName']}" for group in page["PolicyGroups"]]
            holders += [f"role {role['RoleName']}" for role in page["PolicyRoles"]]
    except account.iam.exceptions.NoSuchEntityException:
        return
    if holders:
        raise ToolError(
            f"policy {arn} is attached to {', '.join(holders)}, and IAM deletes no attached "
            "policy: nothing was deleted. Detach it from them first"
        )


def _running(account: Account, machine: str | None) -> list[str]:
    """Return the ARNs of the running executions of our own state machine, if there is one."""
    if machine is None:
        return []
    pages = account.stepfunctions.get_paginator("list_executions")
    return [
        e["executionArn"]
        for page in pages.paginate(stateMachineArn=machine, statusFilter="RUNNING")
        for e in page["executions"]
    ]


def _refuse_waiting(stage: Stage, running: int, pending: int, table_stays: bool) -> None:
    """Raise ToolError if an execution or an approval waits; other state machines ask, too."""
    if running or pending:
        raise ToolError(
            f"{running} executions of {stage.prefix} still wait for an answer, and {pending} "
            "approvals are pending, those that other state machines asked for among them: nothing "
            "was deleted. Let them be answered, or withdraw them; or give --stop-running, which "
            f"stops the executions of {stage.prefix} and no others. {_fate(table_stays)}"
        )


def _fate(table_stays: bool) -> str:
    """Return what becomes of those who asked from other state machines."""
    until = ", or until this stage is deployed again with its table" if table_stays else ""
    return (
        "Executions of other state machines that asked here then wait until they time "
        f"out{until}; the links that were mailed lead nowhere"
    )


def _stop(stage: Stage, account: Account, running: list[str], say: Callable[[str], None]) -> None:
    for arn in running:
        account.stepfunctions.stop_execution(
            executionArn=arn, error="Cancelled", cause=f"stage {stage} was destroyed"
        )
    if running:
        say(f"{len(running)} executions stopped")


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
@click.option(
    "--stop-running", is_flag=True, help="Stop our executions that still wait; others wait on."
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
