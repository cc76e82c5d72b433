"""Step Functions: starts the example's executions and answers their tasks."""

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient


class Callbacks:
    """One state machine, and its tasks by their tokens."""

    def __init__(self, client: "SFNClient", state_machine_arn: str) -> None:
        self._client = client
        self._state_machine_arn = state_machine_arn

    def start(self, name: str, execution_input: Any) -> bool:
        """Start an execution with this name; return False if there was one before."""
        try:
            self._client.start_execution(
                stateMachineArn=self._state_machine_arn,
                name=name,
                input=json.dumps(execution_input),
            )
        except self._client.exceptions.ExecutionAlreadyExists:
            return False
        return True

    def succeed(self, task_token: str, output: Any) -> bool:
        """Complete the task with this output; return False if the task is closed."""
        try:
            self._client.send_task_success(taskToken=task_token, output=json.dumps(output))
        except self._task_closed:
            return False
        return True

    def fail(self, task_token: str, error: str, cause: str) -> bool:
        """Fail the task with this error name; return False if the task is closed."""
        try:
            self._client.send_task_failure(taskToken=task_token, error=error, cause=cause)
        except self._task_closed:
            return False
        return True

    @property
    def _task_closed(self) -> tuple[type[Exception], ...]:
        # AWS raises TaskTimedOut for an answered task too; emulators raise one of the others.
        errors = self._client.exceptions
        return errors.TaskTimedOut, errors.TaskDoesNotExist, errors.InvalidToken
