"""A stage's own state machine, found by its name: the name of its stack may be unknown."""

from tools.account import Account
from tools.stage import Stage


def state_machine_arn(stage: Stage, account: Account) -> str | None:
    """Return the ARN of the stage's state machine, or None if there is none."""
    identity = account.sts.get_caller_identity()
    partition, region = identity["Arn"].split(":")[1], account.session.region_name
    arn = f"arn:{partition}:states:{region}:{identity['Account']}:stateMachine:{stage.prefix}"
    try:
        account.stepfunctions.describe_state_machine(stateMachineArn=arn)
    except account.stepfunctions.exceptions.StateMachineDoesNotExist:
        return None
    return arn


def running_executions(arn: str | None, account: Account) -> list[str]:
    """Return the ARNs of the state machine's running executions."""
    if arn is None:
        return []
    pages = account.stepfunctions.get_paginator("list_executions")
    return [
        e["executionArn"]
        for page in pages.paginate(stateMachineArn=arn, statusFilter="RUNNING")
        for e in page["executions"]
    ]
