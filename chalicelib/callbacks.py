"""ADAPTER: Step Functions: start and describe executions, answer task tokens."""

from typing import TYPE_CHECKING, Any

import msgspec

from .aws import Expected, faults
from .errors import IdempotencyConflict, NotFound
from .views import iso

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

# A task that isn't waiting any more answers TaskTimedOut on AWS; emulators say one of the others.
_CLOSED = ("TaskTimedOut", "TaskDoesNotExist", "InvalidToken")


class Callbacks:
    """One state machine, and every task token. Raises Unavailable if Step Functions is away."""

    def __init__(self, client: "SFNClient", state_machine_arn: str) -> None:
        self._client = client
        self._state_machine_arn = state_machine_arn

    def succeed(self, task_token: str, output: str) -> bool:
        """Resume the task with this output; return False if it was closed before."""
        try:
            with faults("Step Functions", *_CLOSED):
                self._client.send_task_success(taskToken=task_token, output=output)
        except Expected:
            return False
        return True

    def fail(self, task_token: str, error: str, cause: str) -> bool:
        """Fail the task by name; return False if it was closed before."""
        try:
            with faults("Step Functions", *_CLOSED):
                self._client.send_task_failure(taskToken=task_token, error=error, cause=cause)
        except Expected:
            return False
        return True

    def start(self, name: str, input: str) -> dict[str, Any]:
        """Start the execution of that name and return what `describe` does.

        The same name and input again find the execution that there is, running or ended;
        raises IdempotencyConflict if that one has another input.
        """
        try:
            with faults("Step Functions", "ExecutionAlreadyExists"):
                started = self._client.start_execution(
                    stateMachineArn=self._state_machine_arn, name=name, input=input
                )
        except Expected:
            found = self._describe(name)
            if found["input"] != input:
                raise IdempotencyConflict(
                    f"Idempotency-Key: an execution {name} was started with another body; "
                    "use a new key for a new request",
                    field="Idempotency-Key",
                ) from None
            return _view(found)
        arn = started["executionArn"]
        return {"execution": name, "executionArn": arn, "status": "RUNNING"}

    def describe(self, name: str) -> dict[str, Any]:
        """Return `{"execution", "executionArn", "status"}` with output, or error and cause.

        Raises NotFound if there is no execution of that name.
        """
        return _view(self._describe(name))

    def _describe(self, name: str) -> dict[str, Any]:
        arn = self._state_machine_arn.replace(":stateMachine:", ":execution:") + f":{name}"
        try:
            with faults("Step Functions", "ExecutionDoesNotExist", "InvalidArn"):
                return dict(self._client.describe_execution(executionArn=arn))
        except Expected:
            raise NotFound(f"There is no execution named {name}.") from None


def _view(found: dict[str, Any]) -> dict[str, Any]:
    view = {"execution": found["name"], "executionArn": found["executionArn"]}
    view |= {key: found[key] for key in ("status", "error", "cause") if key in found}
    if "output" in found:
        view["output"] = msgspec.json.decode(found["output"])
    return view | {"startedAt": iso(found["startDate"])}
