"""Step Functions: starts and describes executions, answers task tokens."""

from typing import TYPE_CHECKING

import msgspec

from ..domain.errors import IdempotencyConflict, NotFound, Unavailable
from ..domain.timestamps import iso
from .aws_errors import Expected, aws_errors

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient
    from mypy_boto3_stepfunctions.type_defs import DescribeExecutionOutputTypeDef

    from ..application.ports import ExecutionJson
    from ..domain.execution_history import ExecutionHistory

# AWS answers TaskTimedOut for a task that isn't waiting any more; emulators answer the others.
_CLOSED = ("TaskTimedOut", "TaskDoesNotExist", "InvalidToken")


class StepFunctionsExecutions:
    """The approval workflow's executions, and every task token.

    Raises Unavailable if Step Functions doesn't answer.
    """

    def __init__(self, client: "SFNClient", state_machine_arn: str) -> None:
        self._client = client
        self._state_machine_arn = state_machine_arn

    def succeed_task(self, task_token: str, output: str) -> bool | None:
        """Resume the task with this output; return whether it was waiting.

        None if that isn't known: the task is closed, and botocore had to repeat the call. Its first
        try may have resumed the task, or may have been throttled.
        """
        try:
            with aws_errors("Step Functions", *_CLOSED):
                self._client.send_task_success(taskToken=task_token, output=output)
        except Expected as e:
            return None if e.repeated else False
        return True

    def fail_task(self, task_token: str, error: str, cause: str) -> bool | None:
        """Fail the task with this error name; returns what `succeed_task` does."""
        try:
            with aws_errors("Step Functions", *_CLOSED):
                self._client.send_task_failure(taskToken=task_token, error=error, cause=cause)
        except Expected as e:
            return None if e.repeated else False
        return True

    def start(self, name: str, input: str) -> "ExecutionJson":
        """Start the execution of that name.

        The same name and input again return the execution that there is, running or ended. Raises
        IdempotencyConflict if it has another input, and Unavailable if it can't be seen yet:
        DescribeExecution is eventually consistent.
        """
        try:
            with aws_errors("Step Functions", "ExecutionAlreadyExists"):
                started = self._client.start_execution(
                    stateMachineArn=self._state_machine_arn, name=name, input=input
                )
        except Expected:
            try:
                found = self._describe(name)
            except NotFound:
                raise Unavailable(
                    f"Step Functions doesn't show the execution {name} yet; please try again"
                ) from None
            if found["input"] != input:
                raise IdempotencyConflict(
                    f"Idempotency-Key: an execution {name} was started with another body; "
                    "use a new key for a new request",
                    field="Idempotency-Key",
                ) from None
            return _execution(found)
        return {"execution": name, "executionArn": started["executionArn"], "status": "RUNNING"}

    def find(self, name: str, input: str) -> "ExecutionJson | None":
        """Return the execution of that name if it was started with that input, else None."""
        try:
            found = self._describe(name)
        except NotFound:
            return None
        return _execution(found) if found["input"] == input else None

    def describe(self, name: str) -> "ExecutionJson":
        """Return the execution of that name; raise NotFound if there is none."""
        return _execution(self._describe(name))

    def history(self, execution_arn: str) -> "ExecutionHistory":
        """Return the states of an execution of the workflow; NotFound if it isn't kept any more."""
        from .execution_history import read_history  # noqa: PLC0415 (the console's alone)

        return read_history(self._client, execution_arn)

    def _describe(self, name: str) -> "DescribeExecutionOutputTypeDef":
        arn = self._state_machine_arn.replace(":stateMachine:", ":execution:") + f":{name}"
        try:
            with aws_errors("Step Functions", "ExecutionDoesNotExist", "InvalidArn"):
                return self._client.describe_execution(executionArn=arn)
        except Expected:
            raise NotFound(f"There is no execution named {name}.") from None


def _execution(found: "DescribeExecutionOutputTypeDef") -> "ExecutionJson":
    execution: ExecutionJson = {
        "execution": found["name"],
        "executionArn": found["executionArn"],
        "status": found["status"],
        "startedAt": iso(found["startDate"]),
    }
    if "output" in found:
        execution["output"] = msgspec.json.decode(found["output"])
    if "error" in found:
        execution["error"] = found["error"]
    if "cause" in found:
        execution["cause"] = found["cause"]
    return execution
