"""ADAPTER: Step Functions: start an execution, answer the task that waits for a scan."""

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient


class Callbacks:
    """One state machine, and every task token."""

    def __init__(self, client: "SFNClient", state_machine_arn: str) -> None:
        self._client = client
        self._state_machine_arn = state_machine_arn

    def start(self, name: str, given: Any) -> bool:
        """Start the execution of that name; return False if it was started before."""
        try:
            self._client.start_execution(
                stateMachineArn=self._state_machine_arn, name=name, input=json.dumps(given)
            )
        except self._client.exceptions.ExecutionAlreadyExists:
            return False
        return True

    def succeed(self, task_token: str, output: Any) -> bool:
        """Resume the task with this output; return False if it doesn't wait any more."""
        try:
            self._client.send_task_success(taskToken=task_token, output=json.dumps(output))
        except self._closed:
            return False
        return True

    def fail(self, task_token: str, error: str, cause: str) -> bool:
        """Fail the task by name; return False if it doesn't wait any more."""
        try:
            self._client.send_task_failure(taskToken=task_token, error=error, cause=cause)
        except self._closed:
            return False
        return True

    @property
    def _closed(self) -> tuple[type[Exception], ...]:
        # AWS says TaskTimedOut of a task that was answered; emulators say one of the others.
        errors = self._client.exceptions
        return errors.TaskTimedOut, errors.TaskDoesNotExist, errors.InvalidToken
