"""The whole of Assent in an emulator: a stage of it, the inbox, and people.

On the map: used by `__main__`, and by examples that ask Assent. What is said and when it ends is
theirs.
"""

import os
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tools.deploy import deploy
from tools.sandbox.emulator import HOST, Emulator, free_port
from tools.sandbox.inbox import Inbox
from tools.sandbox.mailbox import Mailbox
from tools.sandbox.people import APPROVERS, Person
from tools.sandbox.project import CHECKOUT, chalice_of, copy_project
from tools.stack import Stack
from tools.stage import Stage

STAGE = Stage("sandbox")


@dataclass(frozen=True)
class System:
    """What was started; `state` is what `state.json` says of it."""

    emulator: Emulator
    mailbox: Mailbox
    operator: Person
    state: dict[str, Any]


def start(
    directory: Path,
    hold: ExitStack,
    say: Callable[[str], None],
    *,
    port: int | None = None,
    inbox_port: int | None = None,
    source: Path = CHECKOUT,
) -> System:
    """Bring everything up and return it. What has to be ended is entered into `hold`."""
    port = free_port(port, "--port")
    inbox_port = free_port(inbox_port, "--inbox-port")
    project = directory / "project"
    copy_project(source, project)

    emulator = hold.enter_context(Emulator(port, directory))
    account = emulator.account
    say(f"emulator {emulator.endpoint_url}")
    mailbox = Mailbox(emulator.mail)
    hold.enter_context(Inbox(HOST, inbox_port, mailbox, APPROVERS))

    stack = Stack(STAGE, account.cloudformation, account.dynamodb, delay=0.1, say=say)
    chalice = chalice_of(project, account)
    api = deploy(STAGE, project, account, chalice, stack, domains="example.com", say=say)
    outputs = stack.outputs()

    operator = Person.new(account, "operator", outputs["OperatorPolicyArn"])
    stranger = Person.new(account, "stranger")
    for approver in APPROVERS:
        operator.call("PUT", f"{api}/approvers/{quote(approver, safe='')}")
    say(f"{len(APPROVERS)} approvers")
    state = {
        "api": api,
        "inbox": f"http://localhost:{inbox_port}",
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


def _keys(person: Person) -> dict[str, str]:
    return {"accessKeyId": person.key, "secretAccessKey": person.secret}
