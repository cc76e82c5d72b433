"""Starts all of Assent in the emulator: a deployed stage, the inbox, approvers and IAM users."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from tools.deploy import deploy
from tools.echo import Echo
from tools.sandbox.emulator import HOST, Emulator, free_port
from tools.sandbox.inbox import Inbox
from tools.sandbox.mailbox import Mailbox
from tools.sandbox.project import CHECKOUT, chalice_for_emulator, copy_project
from tools.sandbox.samples import APPROVERS
from tools.sandbox.state import KeyState, SandboxState
from tools.sandbox.users import IamUser
from tools.stack import Stack
from tools.stage import Stage

STAGE = Stage("sandbox")


@dataclass(frozen=True)
class System:
    """A running sandbox; `state` is the content of its `state.json`."""

    emulator: Emulator
    mailbox: Mailbox
    operator: IamUser
    state: SandboxState


@contextmanager
def running_system(
    directory: Path,
    *,
    port: int | None = None,
    inbox_port: int | None = None,
    source: Path = CHECKOUT,
    echo: Echo,
) -> Iterator[System]:
    """Start everything and yield it; stop everything at the end.

    `directory` is for the sandbox's files, `source` is the project to deploy. Without ports, free
    ones are used.
    """
    port = free_port(port, "PORT=")
    inbox_port = free_port(inbox_port, "INBOX_PORT=")
    copy_project(source, directory / "project")
    with Emulator(port, directory) as emulator:
        echo(f"emulator {emulator.endpoint_url}")
        mailbox = Mailbox(emulator.mail)
        with Inbox(HOST, inbox_port, mailbox, APPROVERS):
            inbox_url = f"http://localhost:{inbox_port}"
            yield _deploy_system(directory / "project", emulator, mailbox, inbox_url, echo)


def _deploy_system(
    project: Path, emulator: Emulator, mailbox: Mailbox, inbox_url: str, echo: Echo
) -> System:
    account = emulator.account
    stack = Stack(STAGE, account.cloudformation, account.dynamodb, delay=0.1, echo=echo)
    api = deploy(
        STAGE,
        project=project,
        account=account,
        chalice=chalice_for_emulator(project, account),
        stack=stack,
        domains="example.com",
        echo=echo,
    )
    outputs = stack.outputs()
    # MiniStack doesn't turn on what a table's template says of recovery.
    account.dynamodb.update_continuous_backups(
        TableName=outputs["TableName"],
        PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
    )
    operator = IamUser.create(account, "operator", outputs["OperatorPolicyArn"])
    stranger = IamUser.create(account, "stranger")
    for approver in APPROVERS:
        operator.call("PUT", f"{api}/approvers/{quote(approver, safe='')}")
    echo(f"{len(APPROVERS)} approvers")
    state: SandboxState = {
        "api": api,
        "inbox": inbox_url,
        "stage": STAGE.name,
        "aws": emulator.state,
        "operator": _keys(operator),
        "stranger": _keys(stranger),
        "stateMachineArn": outputs["StateMachineArn"],
        "table": outputs["TableName"],
        "approvers": list(APPROVERS),
        "pid": os.getpid(),
    }
    return System(emulator, mailbox, operator, state)


def _keys(user: IamUser) -> KeyState:
    return {"accessKeyId": user.key, "secretAccessKey": user.secret}
