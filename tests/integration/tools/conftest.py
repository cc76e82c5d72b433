"""An account in the sandbox's emulator.

MiniStack is used because moto's CloudFormation lacks alarms and UsePreviousValue.
"""

import urllib.request
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from tests.aws.code_account import CodeAccount
from tests.integration.tools.checkout import Checkout, checked_out
from tests.unit.tools.conftest import CHECKOUT, DEV, project
from tools.account import Account
from tools.sandbox.emulator import Emulator, free_port
from tools.stack import Stack

__all__ = ["CHECKOUT", "DEV", "account", "emulator", "project", "stack"]


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """Give an emulator that runs until the tests end."""
    with Emulator(free_port(None, "--port"), tmp_path_factory.mktemp("emulator")) as running:
        yield running


@pytest.fixture
def account(emulator: Emulator) -> Account:
    """Give an empty account, in a region that isn't the default one."""
    reset = urllib.request.Request(f"{emulator.endpoint_url}/_ministack/reset", method="POST")
    urllib.request.urlopen(reset, timeout=10).close()
    return Account(boto3.Session("test", "test", region_name="eu-central-1"), emulator.endpoint_url)


@pytest.fixture
def stack(account: Account) -> Stack:
    """Give the stack of stage dev, which doesn't exist yet."""
    return Stack(DEV, account.cloudformation, account.dynamodb, delay=0.01)


@pytest.fixture
def aws() -> CodeAccount:
    """Give an account without any code."""
    return CodeAccount()


@pytest.fixture
def checkout(tmp_path: Path, aws: CodeAccount) -> Checkout:
    """Give a fresh checkout."""
    return Checkout(checked_out(tmp_path / "checkout"), aws)
