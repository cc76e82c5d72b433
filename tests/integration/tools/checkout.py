"""A checkout with its commands, for an account of which the code's part is a `CodeAccount`."""

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from chalice.app import SQSEventConfig

from app import app
from tests.aws.chalice_in_process import ChaliceInProcess
from tests.aws.code_account import PREFIX, REGION, CodeAccount
from tests.unit.tools.conftest import CHECKOUT, DEV
from tests.unit.tools.test_config import OUTPUTS
from tools.account import Account
from tools.deploy import deploy
from tools.destroy import destroy

QUEUES = {
    f"arn:aws:sqs:{REGION}:111122223333:{event.queue}": f"{PREFIX}{DEV.function(event.name)}"
    for event in app.event_sources
    if isinstance(event, SQSEventConfig)
}


class Stack:
    """A stack that is there."""

    name = DEV.prefix

    def deploy(self, body: str, parameters: dict[str, str]) -> dict[str, str]:
        assert "RequestApproval" in body
        assert parameters["ApproverEndpoints"] == "*@example.com"
        return OUTPUTS | {"DeadLetterQueueArn": "arn:queue"}

    def exists(self) -> bool:
        return True

    def outputs(self) -> dict[str, str]:
        return {}

    def delete(self) -> None:
        pass


class NoTable(Exception):
    """DynamoDB's error for a missing table."""


def without_table(**_: Any) -> Any:
    """Stand in for a query of the missing table."""
    raise NoTable


DYNAMODB = SimpleNamespace(
    exceptions=SimpleNamespace(ResourceNotFoundException=NoTable),
    get_paginator=lambda _: SimpleNamespace(paginate=without_table),
)


class NoStateMachine(Exception):
    """Step Functions' error for a missing state machine."""


def without_machine(**_: Any) -> Any:
    """Stand in for the description of the missing state machine."""
    raise NoStateMachine


STEPFUNCTIONS = SimpleNamespace(
    exceptions=SimpleNamespace(StateMachineDoesNotExist=NoStateMachine),
    describe_state_machine=without_machine,
)
IDENTITY = {"Arn": "arn:aws:iam::111122223333:user/ada", "Account": "111122223333"}
STS = SimpleNamespace(get_caller_identity=lambda: IDENTITY)


class Checkout:
    """A checkout of the project with its commands, for an account."""

    def __init__(self, folder: Path, aws: CodeAccount) -> None:
        self.folder = folder
        self.aws = aws
        self.said: list[str] = []
        self.chalice = ChaliceInProcess(folder, aws, app)
        session = SimpleNamespace(region_name=REGION)
        account = {"lambda_": aws, "apigateway": aws, "events": aws, "dynamodb": DYNAMODB}
        account |= {"stepfunctions": STEPFUNCTIONS, "sts": STS}
        self.account = cast("Account", SimpleNamespace(session=session, **account))

    def deploy(self, **options: Any) -> str:
        """Run `make deploy STAGE=dev`."""
        return deploy(
            DEV,
            project=self.folder,
            account=self.account,
            chalice=self.chalice,
            stack=cast("Any", Stack()),
            echo=self.said.append,
            **options,
        )

    def destroy(self) -> None:
        """Run `make destroy STAGE=dev`."""
        destroy(
            DEV,
            account=self.account,
            chalice=self.chalice,
            stack=cast("Any", Stack()),
            echo=self.said.append,
        )


def checked_out(folder: Path) -> Path:
    """Put the files that a deploy reads into a new folder, and return it."""
    (folder / ".chalice").mkdir(parents=True)
    for name in (".chalice/config.json", "infrastructure.yaml", "statemachine.asl.json"):
        shutil.copyfile(CHECKOUT / name, folder / name)
    return folder


def assert_gone(checkout: Checkout) -> None:
    """Nothing of the stage is left, and nothing is recorded."""
    aws = checkout.aws
    assert (aws.functions, aws.mappings, aws.rules, aws.apis) == ({}, {}, {}, {})
    assert checkout.chalice.recorded(DEV) == []
