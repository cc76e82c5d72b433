"""StepFunctionsExecutions in moto's engine: one key is one execution."""

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from chalicelib.adapters.stepfunctions import StepFunctionsExecutions
from chalicelib.domain.errors import IdempotencyConflict, NotFound
from tests.aws.clients import session

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

WAIT = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 1, "End": True}}}
PASS = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}

pytestmark = pytest.mark.usefixtures("account")


def test_one_key_is_one_execution_while_it_runs() -> None:
    """The same input finds it, another is refused."""
    client = session().client("stepfunctions")
    executions = StepFunctionsExecutions(client, _machine(client, WAIT))
    first = executions.start("key", '{"a":1}')
    assert executions.start("key", '{"a":1}') == first
    assert first["status"] == executions.describe("key")["status"] == "RUNNING"
    with pytest.raises(IdempotencyConflict):
        executions.start("key", '{"a":2}')
    _wait_for_end(executions)


def test_one_key_is_one_execution_after_its_end() -> None:
    """A repeated start finds the result instead of running it again."""
    client = session().client("stepfunctions")
    executions = StepFunctionsExecutions(client, _machine(client, PASS))
    arn = executions.start("key", '{"a":1}')["executionArn"]
    _wait_for_end(executions)
    again = executions.start("key", '{"a":1}')
    assert (again["executionArn"], again["status"]) == (arn, "SUCCEEDED")
    assert again["output"] == {"a": 1}
    machine = arn.replace(":execution:", ":stateMachine:").rpartition(":")[0]
    assert len(client.list_executions(stateMachineArn=machine)["executions"]) == 1
    with pytest.raises(IdempotencyConflict):
        executions.start("key", '{"a":2}')


def test_only_its_own_name_finds_an_execution() -> None:
    """Any other text in the URL, well formed or not, is NotFound."""
    client = session().client("stepfunctions")
    executions = StepFunctionsExecutions(client, _machine(client, PASS))
    executions.start("key", "{}")
    _wait_for_end(executions)
    for name in ("never", "a b", "é", "a:b", "n" * 200, "*"):
        with pytest.raises(NotFound):
            executions.describe(name)


def _wait_for_end(executions: StepFunctionsExecutions) -> None:
    while executions.describe("key")["status"] == "RUNNING":
        time.sleep(0.01)


def _machine(client: "SFNClient", definition: dict[str, Any]) -> str:
    made = client.create_state_machine(
        name="assent-test",
        definition=json.dumps(definition),
        roleArn="arn:aws:iam::123456789012:role/states",
    )
    return made["stateMachineArn"]
