"""The engine: runs a state machine in moto, whose tasks call functions of this process.

moto has no Lambda runtime without Docker; its backend for that case accepts every call and runs
nothing. Here that backend calls the functions, with the payload that Step Functions sends.
"""

import json
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from chalice.local import LambdaContext
from moto.awslambda_simple.models import LambdaSimpleBackend, lambda_simple_backends
from moto.core.exceptions import ServiceException
from moto.stepfunctions.parser.models import stepfunctions_parser_backends

from tests.aws.clients import session
from tests.definitions import definition

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

ACCOUNT = "123456789012"
REGION = "us-east-1"
PROJECT = Path(__file__).parents[3]
FUNCTIONS = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:"
"""The ARN of a function, up to its name."""
FUNCTION = f"{FUNCTIONS}request_approval"
_ROLE = f"arn:aws:iam::{ACCOUNT}:role/states"
_PATIENCE = 10.0
"""Seconds to wait for an execution; most need some hundredths of one."""

_OUTCOME = ("status", "output", "error", "cause")

Function = Callable[[Any, Any], Any]


class InProcess(LambdaSimpleBackend):
    """Lambda, as far as a task needs it: calls Python functions by name."""

    functions: Mapping[str, Function]

    def invoke(
        self,
        function_name: str,
        qualifier: str | None,  # noqa: ARG002 (moto's signature)
        body: Any,
        headers: Any,  # noqa: ARG002
        response_headers: Any,
    ) -> bytes:
        """Answer as Lambda does: the result, or the error with the header that marks it."""
        function = type(self).functions[function_name.rpartition(":")[2]]
        context = LambdaContext(function_name, memory_size=256, max_runtime_ms=60_000)
        try:
            result = function(json.loads(body), context)
        except Exception as e:  # noqa: BLE001 (Lambda's runtime catches every error of a function)
            response_headers["x-amz-function-error"] = "Unhandled"
            result = {"errorType": type(e).__name__, "errorMessage": str(e)}
        return json.dumps(result).encode()


class Engine:
    """Starts executions of a state machine and returns their results.

    `placeholders` are the values of the definition's `${Names}`; `functions` are called by name.
    """

    def __init__(
        self,
        definition: Mapping[str, Any],
        placeholders: Mapping[str, str],
        functions: Mapping[str, Function],
    ) -> None:
        InProcess.functions = functions
        text = json.dumps(definition)
        for name, value in placeholders.items():
            text = text.replace(f"${{{name}}}", value)
        lambda_simple_backends[ACCOUNT][REGION] = InProcess(REGION, ACCOUNT)
        self.client: SFNClient = session().client("stepfunctions")
        events: Any = self.client.meta.events
        events.register("before-call.sfn.SendTaskSuccess", _once)
        events.register("before-call.sfn.SendTaskFailure", _with_cause)
        self.machine = self.client.create_state_machine(
            name="test", definition=text, roleArn=_ROLE
        )["stateMachineArn"]
        self._started: list[str] = []

    def start(self, request: object, name: str = "release-42", machine: str | None = None) -> str:
        """Start an execution with this input and return its ARN."""
        arn = self.client.start_execution(
            stateMachineArn=machine or self.machine, name=name, input=json.dumps(request)
        )["executionArn"]
        self._started.append(arn)
        return arn

    def end(self, execution: str) -> dict[str, Any]:
        """Wait for the end of an execution and return its status, and output or error and cause."""
        for _ in self._moments():
            found = self.client.describe_execution(executionArn=execution)
            if found["status"] != "RUNNING":
                return {key: found[key] for key in _OUTCOME if key in found}  # type: ignore[literal-required]
        raise AssertionError(f"{execution} still runs")

    def until(self, happened: Callable[[], bool]) -> None:
        """Wait until that function returns True."""
        for _ in self._moments():
            if happened():
                return
        raise AssertionError("it didn't happen")

    def sent(self, execution: str) -> dict[str, Any]:
        """Return the parameters of the latest task, once the execution waits for its task token."""
        self.until(lambda: self.waits(execution))
        tasks = [e for e in self._history(execution) if e["type"] == "TaskScheduled"]
        found: dict[str, Any] = json.loads(tasks[-1]["taskScheduledEventDetails"]["parameters"])
        return found

    def task_token(self, execution: str) -> str:
        """Return the task token in the payload that the function got."""
        return str(self.sent(execution)["Payload"]["taskToken"])

    def states(self, execution: str) -> list[str]:
        """Return the states that the execution has entered, in order."""
        entered = (event.get("stateEnteredEventDetails") for event in self._history(execution))
        return [str(details["name"]) for details in entered if details]

    def attempts(self, execution: str) -> int:
        """Return how often the function has been called."""
        return sum(event["type"] == "TaskScheduled" for event in self._history(execution))

    def waits(self, execution: str) -> bool:
        """Return whether the execution waits for its task token."""
        return any(event["type"] == "TaskSubmitted" for event in self._history(execution))

    def stop(self) -> None:
        """Stop every running execution, so that no thread outlives the test."""
        for execution in self._started:
            if self.client.describe_execution(executionArn=execution)["status"] == "RUNNING":
                self.client.stop_execution(executionArn=execution)
        lambda_simple_backends[ACCOUNT].pop(REGION)

    def _history(self, execution: str) -> list[Any]:
        return list(self.client.get_execution_history(executionArn=execution)["events"])

    def _moments(self) -> Any:
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            yield
            time.sleep(0.01)


def asking(function: Function, **changed_retry: Any) -> Engine:
    """Return an engine of Assent's own state machine; `changed_retry` makes its retries quicker."""
    asl = definition(PROJECT)
    asl["States"]["RequestApproval"]["Retry"][0] |= changed_retry
    return Engine(asl, {"RequestApprovalFunction": FUNCTION}, {"request_approval": function})


def _once(params: dict[str, Any], **_: Any) -> tuple[AWSResponse, dict[str, Any]] | None:
    """Refuse the second answer to a task, as AWS does.

    moto accepts it until the execution has gone on, and a failure even after its end (5.2.5).
    """
    token = json.loads(params["body"])["taskToken"]
    for execution in stepfunctions_parser_backends[ACCOUNT][REGION]._get_executions():
        task = execution.exec_worker.env.callback_pool_manager.get(token)
        if task is not None and task.get_outcome() is not None:
            return _refusal("TaskTimedOut")
    return None


def to_api(_: object, parameters: dict[str, Any], **__: Any) -> None:
    """Spell a task's parameters as Step Functions' API does; moto 5.2.5 doesn't."""
    given = parameters.get("Input", {})
    parameters["Input"] = given if isinstance(given, str) else json.dumps(given)
    for name in list(parameters):
        parameters[name[0].lower() + name[1:]] = parameters.pop(name)


def from_api(_: object, response: dict[str, Any], **__: Any) -> None:
    """Spell the API's answer as states do; times are in milliseconds."""
    for name in list(response):
        value = response.pop(name)
        value = round(value.timestamp() * 1000) if isinstance(value, datetime) else value
        response[name[0].upper() + name[1:]] = value


def _with_cause(params: dict[str, Any], **_: Any) -> tuple[AWSResponse, dict[str, Any]]:
    """Give moto's engine the whole failure: its own handler drops the cause (5.2.5)."""
    if refusal := _once(params):
        return refusal
    sent = json.loads(params["body"])
    backend = stepfunctions_parser_backends[ACCOUNT][REGION]
    try:
        backend.send_task_failure(sent["taskToken"], sent["error"], sent.get("cause"))
    except ServiceException as e:
        return _refusal(e.code)
    return _answer(200), {}


def _refusal(code: str) -> tuple[AWSResponse, dict[str, Any]]:
    return _answer(400), {"Error": {"Code": code, "Message": code}}


def _answer(status: int) -> AWSResponse:
    return AWSResponse("https://states.example", status, HTTPHeaders(), None)
