"""One moto account for each test, and an engine that runs state machines in it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import boto3
import pytest
from moto import mock_aws

from .engine import Engine

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_stepfunctions import SFNClient


@pytest.fixture(scope="session")
def session() -> boto3.Session:
    """Return a session whose credentials open nothing; one for all, as it reads the models once."""
    return boto3.Session("testing", "testing", region_name="us-east-1")


@pytest.fixture
def account(session: boto3.Session, monkeypatch: pytest.MonkeyPatch) -> Iterator[boto3.Session]:
    """Give an empty account in moto; nothing leaves the process."""
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws(
        config={"stepfunctions": {"execute_state_machine": True}, "lambda": {"use_docker": False}}
    ):
        yield session


@pytest.fixture(scope="session")
def clients(session: boto3.Session) -> "tuple[SFNClient, SQSClient]":
    """Return the client of the engines; one serves every account that moto makes."""
    return session.client("stepfunctions"), session.client("sqs")


@pytest.fixture
def engine(
    account: boto3.Session,  # noqa: ARG001  # the account must be there before the engine
    clients: "tuple[SFNClient, SQSClient]",
) -> Iterator[Engine]:
    """Give an engine that runs state machines; stop running executions at the end."""
    engine = Engine(*clients)
    yield engine
    engine.stop()
