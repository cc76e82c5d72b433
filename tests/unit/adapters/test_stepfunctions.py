"""StepFunctionsExecutions against a stub: what is sent, and what each answer becomes."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from botocore.stub import Stubber

from chalicelib.adapters.stepfunctions import StepFunctionsExecutions
from chalicelib.domain.errors import IdempotencyConflict, NotFound, Unavailable
from tests.aws.stubs import strict_client, stubbed
from tests.aws.task_tokens import TASK_TOKENS
from tests.fakes import TOKEN

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:assent-test"
EXECUTION = "arn:aws:states:us-east-1:123456789012:execution:assent-test:key"
OUTPUT = '{"outcome": "approved"}'
ANSWERS: dict[str, Callable[[StepFunctionsExecutions], bool | None]] = {
    "send_task_success": lambda executions: executions.succeed_task(TOKEN, OUTPUT),
    "send_task_failure": lambda executions: executions.fail_task(TOKEN, "Rejected", OUTPUT),
}
SENT: dict[str, dict[str, Any]] = {
    "send_task_success": {"taskToken": TOKEN, "output": OUTPUT},
    "send_task_failure": {"taskToken": TOKEN, "error": "Rejected", "cause": OUTPUT},
}


@pytest.fixture
def client() -> "SFNClient":
    """Return a client without AWS."""
    client: SFNClient = strict_client("stepfunctions")
    return client


@pytest.fixture
def stub(client: "SFNClient") -> Iterator[Stubber]:
    """Give the stub that answers for Step Functions."""
    with stubbed(client) as stub:
        yield stub


@pytest.fixture
def executions(client: "SFNClient") -> StepFunctionsExecutions:
    """Return the adapter."""
    return StepFunctionsExecutions(client, MACHINE)


@pytest.mark.parametrize("action", ANSWERS)
def test_an_answer_is_sent_unchanged(
    executions: StepFunctionsExecutions, stub: Stubber, action: str
) -> None:
    """Token, output, error and cause arrive as they are; True says that the task was waiting."""
    stub.add_response(action, {}, SENT[action])
    assert ANSWERS[action](executions) is True


def test_a_task_token_is_sent_unchanged_in_the_body(client: "SFNClient") -> None:
    """Whatever characters it has: the body is JSON that holds the same token."""
    sent: list[str] = []

    def record(params: dict[str, Any], **_: Any) -> None:
        sent.append(json.loads(params["body"])["taskToken"])
        raise NotSentError

    client.meta.events.register("before-call.sfn", record)
    executions = StepFunctionsExecutions(client, MACHINE)
    for token in TASK_TOKENS:
        with pytest.raises(NotSentError):
            executions.succeed_task(token, "{}")
        with pytest.raises(NotSentError):
            executions.fail_task(token, "Rejected", "{}")
    assert sent == [token for token in TASK_TOKENS for _ in range(2)]


class NotSentError(Exception):
    """Raised instead of a network call."""


@pytest.mark.parametrize("code", ["TaskTimedOut", "TaskDoesNotExist", "InvalidToken"])
@pytest.mark.parametrize("action", ANSWERS)
def test_a_closed_task_answers_false(
    executions: StepFunctionsExecutions, stub: Stubber, action: str, code: str
) -> None:
    """AWS and the emulators have different codes for it; none is a fault."""
    stub.add_client_error(action, code, http_status_code=400)
    assert ANSWERS[action](executions) is False


@pytest.mark.parametrize("action", ANSWERS)
def test_a_closed_task_after_a_repeated_call_tells_nothing(
    executions: StepFunctionsExecutions, stub: Stubber, action: str
) -> None:
    """The first try may have resumed it; or it was throttled, and the task was closed before."""
    stub.add_client_error(action, "TaskTimedOut", response_meta={"RetryAttempts": 1})
    assert ANSWERS[action](executions) is None


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
def test_any_other_refusal_of_an_answer_is_unavailable(
    executions: StepFunctionsExecutions, stub: Stubber, action: str, code: str, status: int
) -> None:
    """The outbox entry stays, whatever was wrong; the message holds no task token."""
    stub.add_client_error(action, code, f"about {TOKEN}", http_status_code=status)
    with pytest.raises(Unavailable, match=f"Step Functions answered {code}") as raised:
        ANSWERS[action](executions)
    assert TOKEN not in str(raised.value.as_json())


def test_the_longest_answer_is_within_the_model(
    executions: StepFunctionsExecutions, stub: Stubber
) -> None:
    """2,048 characters of token, 32,768 of cause, 262,144 of output pass the client's checks."""
    stub.add_response("send_task_failure", {})
    stub.add_response("send_task_success", {})
    assert executions.fail_task("t" * 2_048, "InvalidRequest", "c" * 32_768)
    assert executions.succeed_task("t" * 2_048, "o" * 262_144)


def test_a_start_returns_the_new_execution(
    executions: StepFunctionsExecutions, stub: Stubber
) -> None:
    """Machine, name and input are sent; name, ARN and status are returned."""
    started = {"executionArn": EXECUTION, "startDate": datetime(2026, 11, 22, 9, tzinfo=UTC)}
    expected = {"stateMachineArn": MACHINE, "name": "key", "input": "{}"}
    stub.add_response("start_execution", started, expected)
    assert executions.start("key", "{}") == {
        "execution": "key",
        "executionArn": EXECUTION,
        "status": "RUNNING",
    }


@pytest.mark.parametrize("status", ["SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED", "RUNNING"])
def test_a_repeated_start_returns_the_same_execution(
    executions: StepFunctionsExecutions, stub: Stubber, status: str
) -> None:
    """The same key and input are the same execution, running or ended."""
    stub.add_client_error("start_execution", "ExecutionAlreadyExists", http_status_code=400)
    found = _described(status=status, input='{"a":1}')
    stub.add_response("describe_execution", found, {"executionArn": EXECUTION})
    started = executions.start("key", '{"a":1}')
    assert (started["execution"], started["executionArn"]) == ("key", EXECUTION)
    assert started["status"] == status


def test_a_start_with_another_input_is_a_conflict(
    executions: StepFunctionsExecutions, stub: Stubber
) -> None:
    """A key belongs to one body; the refusal names the header."""
    stub.add_client_error("start_execution", "ExecutionAlreadyExists", http_status_code=400)
    stub.add_response("describe_execution", _described(input='{"a":1}'))
    with pytest.raises(IdempotencyConflict) as raised:
        executions.start("key", '{"a":2}')
    assert raised.value.field == "Idempotency-Key"


def test_an_execution_that_exists_and_can_not_be_seen_yet_is_unavailable(
    executions: StepFunctionsExecutions, stub: Stubber
) -> None:
    """DescribeExecution is eventually consistent: the caller tries again, and isn't told 404."""
    stub.add_client_error("start_execution", "ExecutionAlreadyExists", http_status_code=400)
    stub.add_client_error("describe_execution", "ExecutionDoesNotExist", http_status_code=400)
    with pytest.raises(Unavailable, match="try again"):
        executions.start("key", "{}")


@pytest.mark.parametrize("code", ["ExecutionDoesNotExist", "InvalidArn"])
def test_an_unknown_execution_is_not_found(
    executions: StepFunctionsExecutions, stub: Stubber, code: str
) -> None:
    """A name that never ran and one that can't be a name get the same error."""
    stub.add_client_error("describe_execution", code, http_status_code=400)
    with pytest.raises(NotFound, match="key"):
        executions.describe("key")


def test_a_description_holds_the_result(executions: StepFunctionsExecutions, stub: Stubber) -> None:
    """Output, or error and cause; never the input, which the approval holds."""
    failed = {"status": "FAILED", "error": "Rejected", "cause": "{}"}
    stub.add_response("describe_execution", _described(**failed, input="{}"))
    assert executions.describe("key") == failed | {
        "execution": "key",
        "executionArn": EXECUTION,
        "startedAt": "2026-11-22T09:00:00Z",
    }


@pytest.mark.parametrize(("body", "found"), [("{}", True), ('{"a": 1}', False)])
def test_a_started_execution_is_found_by_its_name_and_input(
    executions: StepFunctionsExecutions, stub: Stubber, body: str, *, found: bool
) -> None:
    """With another input it is another request's."""
    stub.add_response("describe_execution", _described(input="{}"), {"executionArn": EXECUTION})
    assert (executions.find("key", body) is not None) == found


def test_a_name_that_no_execution_has_is_not_found(
    stub: Stubber, executions: StepFunctionsExecutions
) -> None:
    stub.add_client_error("describe_execution", "ExecutionDoesNotExist")
    assert executions.find("key", "{}") is None


@pytest.mark.parametrize("operation", ["start_execution", "describe_execution"])
def test_a_throttled_start_or_describe_is_unavailable(
    executions: StepFunctionsExecutions, stub: Stubber, operation: str
) -> None:
    """Neither says that there is no execution."""
    stub.add_client_error(operation, "ThrottlingException", http_status_code=400)
    with pytest.raises(Unavailable):
        executions.start("key", "{}") if "start" in operation else executions.describe("key")


def _described(**fields: Any) -> dict[str, Any]:
    return {
        "executionArn": EXECUTION,
        "stateMachineArn": MACHINE,
        "name": "key",
        "status": "RUNNING",
        "startDate": datetime(2026, 11, 22, 9, tzinfo=UTC),
    } | fields
