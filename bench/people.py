"""What a person waits for, in the sandbox: from a click to the page, from a press to the outcome.

Assent and the bare handler are deployed in one sandbox, and take turns. A deployed function is a
process of its own there, but the emulator's API Gateway, Step Functions and DynamoDB run in one
process and take most of the time: the figures compare, and don't say what AWS takes.
"""

import json
import re
import shutil
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple
from urllib.parse import urlencode

from rich.progress import track

from bench.packages import ROOT, Packages
from bench.report import Cell, Row, Table, spread
from examples.deployment import deploy
from tools.sandbox.project import chalice_for_emulator
from tools.sandbox.system import System, running_system
from tools.stack import Stack
from tools.stage import Stage

CLIENTS = (1, 8, 32)
EACH = 6
"""The approvals that each client decides, one after the other."""
FEWEST = 24
"""The least number of approvals of a row, so that one client has a distribution as well."""
BARE_STAGE = Stage("bench", app="bare")


class Wait(NamedTuple):
    """How long one person waited, in milliseconds."""

    page: float
    outcome: float


class App(NamedTuple):
    """A deployed app: how an approval is started, and where its page is."""

    name: str
    start: Callable[[int], str]
    """Starts the execution of that number, and returns its ARN."""
    page: Callable[[int], str]
    """Waits until the approval of that number is asked for, and returns its page's URL."""


def people(_: Packages) -> list[Table]:
    """Measure waiting and starting with one client and with many."""
    with TemporaryDirectory() as folder, running_system(Path(folder), echo=_silent) as system:
        apps = [_bare(system, Path(folder) / "bare"), _assent(system)]
        rows: list[Row] = []
        started: list[Row] = []
        first = 0
        for clients in track(CLIENTS, "people"):
            approvals = range(first, first := first + max(FEWEST, clients * EACH))
            for app in apps:
                began = time.perf_counter()
                with ThreadPoolExecutor(8) as pool:
                    arns = dict(zip(approvals, pool.map(app.start, approvals), strict=True))
                    pages = dict(zip(approvals, pool.map(app.page, approvals), strict=True))
                rate = len(approvals) / (time.perf_counter() - began)
                started.append((app.name, len(approvals), rate))
                with ThreadPoolExecutor(clients) as pool:
                    decide = _decider(system, arns, pages)
                    waits = list(pool.map(decide, approvals))
                rows.append((f"{app.name}, {clients} at once", *_columns(waits)))
    columns = ("waiting, ms", "page", "page, 95 %", "outcome", "outcome, 95 %")
    return [
        Table("From click to page, from press to resumed execution", columns, rows),
        Table(
            "Starting approvals, 8 at once, until their pages are there",
            ("app", "approvals", "a second"),
            started,
        ),
    ]


def _columns(waits: list[Wait]) -> Iterator[Cell]:
    for measured in zip(*waits, strict=True):
        yield spread(measured)
        yield sorted(measured)[int(len(measured) * 0.95)]


def _decider(system: System, arns: dict[int, str], pages: dict[int, str]) -> Callable[[int], Wait]:
    stepfunctions = system.emulator.account.stepfunctions

    def decide(approval: int) -> Wait:
        clicked = time.perf_counter()
        _open(pages[approval])
        shown = time.perf_counter()
        _open(pages[approval], urlencode({"reason": "fine"}).encode())
        while stepfunctions.describe_execution(executionArn=arns[approval])["status"] == "RUNNING":
            time.sleep(0.01)
        return Wait((shown - clicked) * 1000, (time.perf_counter() - shown) * 1000)

    return decide


def _open(url: str, form: bytes | None = None) -> None:
    with urllib.request.urlopen(url, form, timeout=60) as response:  # noqa: S310 (the sandbox's URL)
        response.read()


def _assent(system: System) -> App:
    approver = system.state["approvers"][0]
    executions = f"{system.state['api']}/executions"

    def start(number: int) -> str:
        body = {"subject": f"Bench {number}.", "approvers": [approver], "details": {"n": number}}
        return str(system.operator.call("POST", executions, body)["executionArn"])

    def page(number: int) -> str:
        subject = f"Bench {number}."
        for _ in range(600):
            for mail in system.mailbox.messages(approver):
                if subject in mail.subject:
                    (link,) = re.findall(r"http\S+/approve/\S+", mail.text)
                    return str(link)
            time.sleep(0.05)
        raise TimeoutError(f"no mail came for {subject}")

    return App("Assent", start, page)


def _bare(system: System, project: Path) -> App:
    account = system.emulator.account
    shutil.copytree(ROOT / "bench" / "bare", project)
    deployed = deploy(
        BARE_STAGE,
        project=project,
        account=account,
        chalice=chalice_for_emulator(project, account),
        stack=Stack(BARE_STAGE, account.cloudformation, account.dynamodb, delay=0.1, echo=_silent),
        echo=_silent,
    )
    machine, table = deployed.outputs["StateMachineArn"], deployed.outputs["Table"]

    def start(number: int) -> str:
        started = account.stepfunctions.start_execution(
            stateMachineArn=machine, input=json.dumps({"key": f"bench-{number}"})
        )
        return started["executionArn"]

    def page(number: int) -> str:
        key: Any = {"pk": {"S": f"bench-{number}"}}
        while "Item" not in account.dynamodb.get_item(TableName=table, Key=key):
            time.sleep(0.05)
        return f"{deployed.api}/approve/bench-{number}"

    return App("bare", start, page)


def _silent(_: str) -> None:
    """Print nothing: the progress bar is in the way."""
