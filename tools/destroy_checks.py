"""Checks before a destroy: each raises ToolError for something that would stop it halfway."""

from tools.account import Account
from tools.errors import ToolError
from tools.stage import Stage


def refuse_attached_policy(account: Account, arn: str | None) -> None:
    """Raise ToolError if one of the stack's policies is attached: IAM wouldn't delete it."""
    if arn is None:
        return
    attached: list[str] = []
    try:
        for page in account.iam.get_paginator("list_entities_for_policy").paginate(PolicyArn=arn):
            attached += [f"user {user['UserName']}" for user in page["PolicyUsers"]]
            attached += [f"group {group['GroupName']}" for group in page["PolicyGroups"]]
            attached += [f"role {role['RoleName']}" for role in page["PolicyRoles"]]
    except account.iam.exceptions.NoSuchEntityException:
        return
    if attached:
        raise ToolError(
            f"policy {arn} is attached to {', '.join(attached)}, and IAM deletes no attached "
            "policy: nothing was deleted. Detach it first"
        )


def refuse_staying(stack: str | None, *, code: bool, data: bool) -> None:
    """Raise ToolError if something else deploys the stack, and its data or nothing would go."""
    if stack is None:
        return
    if data:
        raise ToolError(
            f"stack {stack} has the stage's table, state machine and topics, and something else "
            "deploys it: nothing was deleted. Run `make destroy` without DELETE_DATA, delete the "
            "stack where it is deployed, then run this again"
        )
    if not code:
        raise ToolError(
            f"only stack {stack} is left of the stage: delete it where it is deployed. Nothing "
            "was deleted"
        )


def refuse_waiting(stage: Stage, *, running: int, pending: int, table_stays: bool) -> None:
    """Raise ToolError if an execution runs or an approval is pending."""
    if running or pending:
        raise ToolError(
            f"{running} executions of {stage.prefix} are running, and {pending} approvals are "
            "pending, those of other state machines included: nothing was deleted. Have them "
            "decided or cancel them, or give STOP_RUNNING=yes, which stops the executions of "
            f"{stage.prefix} and no others. {consequence_for_others(table_stays)}"
        )


def consequence_for_others(table_stays: bool) -> str:
    """Return what happens to other state machines whose approvals are pending."""
    until = ", or until this stage is deployed again with its table" if table_stays else ""
    return (
        "Executions of other state machines that asked here then wait until they time "
        f"out{until}; the mailed links stop working"
    )
