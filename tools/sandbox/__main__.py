"""`python -m tools.sandbox`: emulator, stage, inbox, approvers, a first approval; then it serves.

On the map: the order of things and what is said about them; everything it does stands elsewhere.
"""

import os
import signal
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import quote

import click

from tools.chalice_cli import Chalice
from tools.deploy import deploy
from tools.errors import ToolError
from tools.sandbox.emulator import HOST, ROOT_KEYS, Emulator, free_port
from tools.sandbox.inbox import Inbox
from tools.sandbox.mailbox import Mailbox
from tools.sandbox.people import APPROVERS, FIRST_REQUEST, NEXT_REQUEST, Person
from tools.sandbox.project import CHECKOUT, copy_project
from tools.sandbox.state import StateFile
from tools.stack import Stack
from tools.stage import API_STAGE, Stage

STAGE = Stage("sandbox")
CHALICE = (sys.executable, "-m", "tools.sandbox.chalice")
ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def start(port: int, inbox_port: int, directory: Path, source: Path, hold: ExitStack) -> Emulator:
    """Bring everything up and say where it is. What has to be ended is entered into `hold`."""
    started = time.monotonic()

    def say(what: str) -> None:
        click.echo(f"{time.monotonic() - started:5.1f} s  {what}")

    directory.mkdir(parents=True, exist_ok=True)
    state = hold.enter_context(StateFile(directory / "state.json"))
    project = directory / "project"
    copy_project(source, project)

    emulator = hold.enter_context(Emulator(port, directory))
    account = emulator.account
    say(f"emulator {emulator.endpoint_url}")
    mailbox = Mailbox(emulator.mail)
    hold.enter_context(Inbox(HOST, inbox_port, mailbox, APPROVERS))
    inbox = f"http://localhost:{inbox_port}"

    stack = Stack(STAGE, account.cloudformation, account.dynamodb, delay=0.1, say=say)
    chalice = Chalice(
        project,
        environment=account.environment,
        command=CHALICE,
        public_url=lambda api: f"http://localhost:{port}/_aws/execute-api/{api}/{API_STAGE}",
        quiet=True,
    )
    api = deploy(STAGE, project, account, chalice, stack, domains="example.com", say=say)
    outputs = stack.outputs()

    operator = Person.new(account, "operator", outputs["OperatorPolicyArn"])
    stranger = Person.new(account, "stranger")
    for approver in APPROVERS:
        operator.call("PUT", f"{api}/approvers/{quote(approver, safe='')}")
    say(f"{len(APPROVERS)} approvers")
    operator.call("POST", f"{api}/executions", FIRST_REQUEST)
    mailbox.await_first()
    say("a first approval, mailed")

    state.write(
        {
            "api": api,
            "inbox": inbox,
            "stage": STAGE.name,
            "aws": {
                "endpointUrl": emulator.endpoint_url,
                "region": operator.region,
                **_keys(*ROOT_KEYS),
            },
            "operator": _keys(operator.key, operator.secret),
            "stranger": _keys(stranger.key, stranger.secret),
            "stateMachineArn": outputs["StateMachineArn"],
            "table": outputs["TableName"],
            "approvers": list(APPROVERS),
            "pid": os.getpid(),
        }
    )
    say(f"ready: {api}")
    click.echo(
        f"\nThe approvers' mail:\n  {inbox}\n\n"
        f"Ask for another approval:\n{operator.curl(f'{api}/executions', NEXT_REQUEST)}\n\n"
        "Whoever is new is invited first, and gets their first mail after two or three minutes.\n"
        "Ctrl-C ends everything."
    )
    return emulator


def _keys(key: str, secret: str) -> dict[str, str]:
    return {"accessKeyId": key, "secretAccessKey": secret}


@click.command()
@click.option(
    "--port", type=click.IntRange(1, 65535), help="The emulator's port; any free one if not given."
)
@click.option(
    "--inbox-port",
    type=click.IntRange(1, 65535),
    help="The inbox's port; any free one if not given.",
)
@click.option(
    "--dir",
    "directory",
    type=click.Path(path_type=Path, file_okay=False, resolve_path=True),
    default=".sandbox",
    help="Where the sandbox keeps its files (.sandbox).",
)
@click.option(
    "--project",
    type=click.Path(path_type=Path, file_okay=False, exists=True, resolve_path=True),
    default=CHECKOUT,
    help="The project to deploy; this checkout if not given.",
)
def main(port: int | None, inbox_port: int | None, directory: Path, project: Path) -> None:
    """Run all of Assent on this machine, with an emulator for AWS and a web page for mail."""
    for ending in ENDINGS:
        signal.signal(ending, _leave)
    _forget_aws()
    with ExitStack() as hold:
        emulator = start(
            free_port(port, "--port"),
            free_port(inbox_port, "--inbox-port"),
            directory,
            project,
            hold,
        )
        emulator.wait()
        raise ToolError(f"the emulator ended by itself, see {directory}/emulator.log")


def _forget_aws() -> None:
    """Take the person's own AWS settings out of our environment, and so of every child's."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ |= dict.fromkeys(("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"), os.devnull)


def _leave(*_: object) -> None:
    """End the program from wherever it is; another signal doesn't interrupt the ending."""
    for ending in ENDINGS:
        signal.signal(ending, signal.SIG_IGN)
    sys.exit(0)


if __name__ == "__main__":
    main()
