"""One sandbox for all tests here, started and ended as `make demo` is.

The Makefile runs them in one process, because all of them share it.
"""

import functools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import boto3
import pytest
from playwright.sync_api import Browser

from examples.deployed import DeployedExample
from examples.deployment import deploy_in_sandbox
from examples.example import Example
from tests.pictures import chromium
from tests.sandbox.announced import Announced
from tests.sandbox.client import Sandbox, press
from tests.sandbox.roles import May
from tools.account import Account
from tools.sandbox.state import SandboxState

HERE = Path(__file__).parent
READY_WITHIN = 180
"""Seconds; generous, for a machine that is busy with other tests. `make bench` measures."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start Chromium, which `make test` installs."""
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="session")
def announced(sandbox: Sandbox) -> Announced:
    """Give a follower of the outcomes, from the first one on."""
    return Announced(sandbox)


@pytest.fixture(scope="session", autouse=True)
def slow(sandbox: Sandbox, announced: Announced) -> dict[str, str]:  # noqa: ARG001 (it must be there first)
    """Start the executions that take minutes first, so that other tests run meanwhile."""
    decided = sandbox.start(subject="Decided at once")
    press(sandbox.link("ada@example.com", "Decided at once"), "a private reason")
    return {
        "decided": decided,
        "expires": sandbox.start(subject="Nobody answers", expiresIn=60),
        "called": sandbox.start(
            subject="Any call at all",
            approvers=["linus@example.com"],
            requestedBy="grace@example.com",
        ),
        "invites": sandbox.start(subject="For a newcomer", approvers=["newcomer@example.com"]),
    }


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder of the sandbox's files."""
    return tmp_path_factory.mktemp("sandbox")


@pytest.fixture(scope="session")
def project(folder: Path) -> Path:
    """Give the copy of the project that is deployed into the sandbox."""
    return folder / "project"


@pytest.fixture(scope="session")
def sandbox(folder: Path) -> Iterator[Sandbox]:
    """Start the sandbox, give it once it is ready, and end it as Ctrl-C does."""
    log = folder / "said.log"
    with log.open("w") as said:
        demo = subprocess.Popen(
            [sys.executable, "-m", "tools.sandbox", "--dir", str(folder)],
            cwd=HERE.parent.parent,
            env=os.environ | {"AWS_EC2_METADATA_DISABLED": "true"},
            stdout=said,
            stderr=subprocess.STDOUT,
        )
    state = folder / "state.json"
    try:
        end = time.monotonic() + READY_WITHIN
        while not state.exists():
            assert demo.poll() is None, f"the sandbox ended:\n{log.read_text()}"
            assert time.monotonic() < end, f"not ready in {READY_WITHIN} s:\n{log.read_text()}"
            time.sleep(0.1)
        yield Sandbox(json.loads(state.read_text()))
    finally:
        demo.send_signal(signal.SIGINT)
        assert demo.wait(30) == 0, log.read_text()
        assert "nothing that this command started is running" in log.read_text()


@pytest.fixture(scope="session")
def example(sandbox: Sandbox, folder: Path) -> Callable[[str], DeployedExample]:
    """Deploy an example by its name beside Assent, once for all tests."""
    state = cast("SandboxState", sandbox.state)
    aws = state["aws"]
    session = boto3.Session(aws["accessKeyId"], aws["secretAccessKey"], region_name=aws["region"])
    account = Account(session, aws["endpointUrl"])

    @functools.cache
    def deployed(name: str) -> DeployedExample:
        return deploy_in_sandbox(Example(name), account, folder / name, assent=state, echo=print)

    return deployed


@pytest.fixture(scope="session")
def readme_output() -> Callable[[str], set[str]]:
    """Return the output that an example's README shows: the lines of its second block."""

    def lines(name: str) -> set[str]:
        block = (Example(name).folder / "README.md").read_text().split("```\n")[3]
        return {line.strip() for line in block.splitlines() if line.strip()}

    return lines


@pytest.fixture(scope="session")
def may(sandbox: Sandbox) -> May:
    """Give what tries a role's permissions."""
    return May(sandbox)
