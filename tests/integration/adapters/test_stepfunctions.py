"""Executions against Step Functions: what is sent, and what each answer becomes."""

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from botocore.config import Config
from botocore.stub import Stubber

from chalicelib.adapters.stepfunctions import StepFunctionsExecutions
from chalicelib.domain.errors import IdempotencyConflict, NotFound, Unavailable
from tests.aws.clients import session
from tests.aws.closed_port import closed_port
from tests.fakes import TOKEN

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:assent-test"
EXECUTION = "arn:aws:states:us-east-1:123456789012:execution:assent-test:key"
OUTPUT = '{"outcome": "approved"}'
WAIT = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 1, "End": True}}}
PASS = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}
ANSWERS: dict[str, Callable[[StepFunctionsExecutions], bool]] = {
    "send_task_success": lambda executions: executions.succeed_task(TOKEN, OUTPUT),
    "send_task_failure": lambda executions: executions.fail_task(TOKEN, "Rejected", OUTPUT),
}
SENT: dict[str, dict[str, Any]] = {
    "send_task_success": {"taskToken": TOKEN, "output": OUTPUT},
    "send_task_failure": {"taskToken": TOKEN, "error": "Rejected", "cause": OUTPUT},
}


@pytest.fixture
def client(credentials: None) -> "SFNClient":  # noqa: ARG001 (it must be there first)
    """Return a client that checks parameters against botocore's model and tries once."""
    return session().client("stepfunctions", config=Config(retries={"total_max_attempts": 1}))


@pytest.fixture
def stub(client: "SFNClient") -> Iterator[Stubber]:
    """Give Step Functions' part, as the test writes it; every line of it is spoken."""
    with Stubber(client) as stub:
        yield stub
        stub.assert_no_pending_responses()


@pytest.mark.parametrize("action", ANSWERS)
def test_an_answer_is_sent_as_it_is_and_taken(
    client: "SFNClient", stub: Stubber, action: str
) -> None:
    """Token, output, error and cause arrive unchanged; True says that the task was open."""
    stub.add_response(action, {}, SENT[action])
    assert ANSWERS[action](StepFunctionsExecutions(client, MACHINE)) is True


@pytest.mark.parametrize("code", ["TaskTimedOut", "TaskDoesNotExist", "InvalidToken"])
@pytest.mark.parametrize("action", ANSWERS)
def test_a_task_that_is_closed_answers_false(
    client: "SFNClient", stub: Stubber, action: str, code: str
) -> None:
    """AWS and the emulators have different names for it; it is no fault."""
    stub.add_client_error(action, code, http_status_code=400)
    assert ANSWERS[action](StepFunctionsExecutions(client, MACHINE)) is False


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("ThrottlingException", 400),
        ("InternalServerError", 500),
        ("ServiceUnavailable", 503),
        ("AccessDeniedException", 400),
        ("InvalidOutput", 400),
        ("ValidationException", 400),
        ("KmsThrottlingException", 400),
    ],
)
@pytest.mark.parametrize("action", ANSWERS)
def test_any_other_refusal_is_unavailable(
    client: "SFNClient", stub: Stubber, action: str, code: str, status: int
) -> None:
    """The promise to answer stays, whatever was wrong; the message holds no task token."""
    stub.add_client_error(action, code, f"about {TOKEN}", http_status_code=status)
    with pytest.raises(Unavailable, match=f"Step Functions answered {code}") as raised:
        ANSWERS[action](StepFunctionsExecutions(client, MACHINE))
    assert TOKEN not in str(raised.value.as_json())


@pytest.mark.usefixtures("credentials")
@pytest.mark.parametrize("action", ANSWERS)
def test_step_functions_that_is_not_there_is_unavailable(action: str) -> None:
    """A refused connection never counts as an answer to the task."""
    with closed_port() as url:
        client = session().client(
            "stepfunctions", endpoint_url=url, config=Config(retries={"total_max_attempts": 1})
        )
        with pytest.raises(Unavailable, match="EndpointConnectionError") as raised:
            ANSWERS[action](StepFunctionsExecutions(client, MACHINE))
    assert TOKEN not in raised.value.message


def test_the_longest_of_everything_is_within_the_model(client: "SFNClient", stub: Stubber) -> None:
    """2,048 characters of token, 32,768 of cause, 262,144 of output pass the client's checks."""
    stub.add_response("send_task_failure", {})
    stub.add_response("send_task_success", {})
    executions = StepFunctionsExecutions(client, MACHINE)
    assert executions.fail_task("t" * 2_048, "InvalidRequest", "c" * 32_768)
    assert executions.succeed_task("t" * 2_048, "o" * 262_144)


def test_a_start_says_where_the_execution_is(client: "SFNClient", stub: Stubber) -> None:
    """The machine, the name and the input go out; name, ARN and status come back."""
    expected = {"stateMachineArn": MACHINE, "name": "key", "input": "{}"}
    stub.add_response("start_execution", _started(), expected)
    assert StepFunctionsExecutions(client, MACHINE).start("key", "{}") == {
        "execution": "key",
        "executionArn": EXECUTION,
        "status": "RUNNING",
    }


@pytest.mark.parametrize("status", ["SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED", "RUNNING"])
def test_a_start_repeated_after_the_end_finds_the_execution(
    client: "SFNClient", stub: Stubber, status: str
) -> None:
    """The same key and input are the same execution, whatever came of it."""
    stub.add_client_error("start_execution", "ExecutionAlreadyExists", http_status_code=400)
    found = _described(status=status, input='{"a":1}')
    stub.add_response("describe_execution", found, {"executionArn": EXECUTION})
    started = StepFunctionsExecutions(client, MACHINE).start("key", '{"a":1}')
    assert (started["execution"], started["executionArn"]) == ("key", EXECUTION)
    assert started["status"] == status


def test_a_start_with_another_input_is_a_conflict(client: "SFNClient", stub: Stubber) -> None:
    """A key stands for one body; the refusal names the header."""
    stub.add_client_error("start_execution", "ExecutionAlreadyExists", http_status_code=400)
    stub.add_response("describe_execution", _described(input='{"a":1}'))
    with pytest.raises(IdempotencyConflict) as raised:
        StepFunctionsExecutions(client, MACHINE).start("key", '{"a":2}')
    assert raised.value.field == "Idempotency-Key"


@pytest.mark.parametrize("code", ["ExecutionDoesNotExist", "InvalidArn"])
def test_an_execution_that_is_not_there_is_not_found(
    client: "SFNClient", stub: Stubber, code: str
) -> None:
    """A name that never ran and one that can't be are the same to who asks."""
    stub.add_client_error("describe_execution", code, http_status_code=400)
    with pytest.raises(NotFound, match="key"):
        StepFunctionsExecutions(client, MACHINE).describe("key")


def test_a_description_holds_what_came_of_it(client: "SFNClient", stub: Stubber) -> None:
    """Output, or error and cause; never the input, which the approval holds."""
    failed = {"status": "FAILED", "error": "Rejected", "cause": "{}"}
    stub.add_response("describe_execution", _described(**failed, input="{}"))
    assert StepFunctionsExecutions(client, MACHINE).describe("key") == failed | {
        "execution": "key",
        "executionArn": EXECUTION,
        "startedAt": "2026-11-22T09:00:00Z",
    }


@pytest.mark.parametrize("operation", ["start_execution", "describe_execution"])
def test_a_fault_of_start_or_describe_is_unavailable(
    client: "SFNClient", stub: Stubber, operation: str
) -> None:
    """Throttled is throttled, whatever was asked."""
    stub.add_client_error(operation, "ThrottlingException", http_status_code=400)
    executions = StepFunctionsExecutions(client, MACHINE)
    with pytest.raises(Unavailable):
        executions.start("key", "{}") if "start" in operation else executions.describe("key")


@pytest.mark.usefixtures("account")
def test_one_key_is_one_execution_while_it_runs() -> None:
    """In an engine: the same input finds it, another is refused."""
    client = session().client("stepfunctions")
    executions = StepFunctionsExecutions(client, _machine(client, WAIT))
    first = executions.start("key", '{"a":1}')
    assert executions.start("key", '{"a":1}') == first
    assert first["status"] == executions.describe("key")["status"] == "RUNNING"
    with pytest.raises(IdempotencyConflict):
        executions.start("key", '{"a":2}')
    _end(executions)


@pytest.mark.usefixtures("account")
def test_one_key_is_one_execution_after_its_end() -> None:
    """In an engine: a repetition finds what came of it instead of running it again."""
    client = session().client("stepfunctions")
    executions = StepFunctionsExecutions(client, _machine(client, PASS))
    arn = executions.start("key", '{"a":1}')["executionArn"]
    _end(executions)
    again = executions.start("key", '{"a":1}')
    assert (again["executionArn"], again["status"]) == (arn, "SUCCEEDED")
    assert again["output"] == {"a": 1}
    assert len(client.list_executions(stateMachineArn=_arn(arn))["executions"]) == 1
    with pytest.raises(IdempotencyConflict):
        executions.start("key", '{"a":2}')


@pytest.mark.usefixtures("account")
@pytest.mark.parametrize("name", ["never", "a b", "é", "a:b", "n" * 200, "*"])
def test_no_name_but_an_executions_own_finds_it(name: str) -> None:
    """In an engine: whatever stands in the URL, it is found or it is not."""
    client = session().client("stepfunctions")
    executions = StepFunctionsExecutions(client, _machine(client, PASS))
    executions.start("key", "{}")
    _end(executions)
    with pytest.raises(NotFound):
        executions.describe(name)


def _end(executions: StepFunctionsExecutions) -> None:
    while executions.describe("key")["status"] == "RUNNING":
        time.sleep(0.01)


def _machine(client: "SFNClient", definition: dict[str, Any]) -> str:
    made = client.create_state_machine(
        name="assent-test",
        definition=json.dumps(definition),
        roleArn="arn:aws:iam::123456789012:role/states",
    )
    return made["stateMachineArn"]


def _arn(execution: str) -> str:
    return execution.replace(":execution:", ":stateMachine:").rpartition(":")[0]


def _started() -> dict[str, Any]:
    return {"executionArn": EXECUTION, "startDate": datetime(2026, 11, 22, 9, tzinfo=UTC)}


def _described(**fields: Any) -> dict[str, Any]:
    return {
        "executionArn": EXECUTION,
        "stateMachineArn": MACHINE,
        "name": "key",
        "status": "RUNNING",
        "startDate": datetime(2026, 11, 22, 9, tzinfo=UTC),
    } | fields
