"""A Step Functions engine for experiments: moto's, which runs ASL in this process."""

import json
import time
from itertools import count
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_stepfunctions import SFNClient

_ROLE = "arn:aws:iam::123456789012:role/states"
_NUMBERS = count()
"""Each engine has its own queue, so that no late token of another test arrives in it."""

_PATIENCE = 10.0
"""Seconds to wait for an execution; most need some hundredths of one."""


class Engine:
    """Starts executions, receives their task tokens, waits for their ends."""

    def __init__(self, stepfunctions: "SFNClient", sqs: "SQSClient") -> None:
        self.client = stepfunctions
        self._sqs = sqs
        self._queue = self._sqs.create_queue(QueueName=f"tokens-{next(_NUMBERS)}")["QueueUrl"]
        self._machines = 0
        self._started: list[str] = []

    def waiting(self, **fields: Any) -> dict[str, Any]:
        """Return a state that sends its task token to the queue and waits for the answer."""
        return {
            "Type": "Task",
            "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
            "Parameters": {"QueueUrl": self._queue, "MessageBody": {"token.$": "$$.Task.Token"}},
        } | (fields or {"End": True})

    def machine(self, **states: dict[str, Any]) -> str:
        """Create a state machine that starts at the first of these states; return its ARN."""
        self._machines += 1
        return self.client.create_state_machine(
            name=f"machine-{self._machines}",
            definition=json.dumps({"StartAt": next(iter(states)), "States": states}),
            roleArn=_ROLE,
        )["stateMachineArn"]

    def start(self, machine: str, name: str = "one", given: str = "{}") -> str:
        """Start an execution and return its ARN, or the error's code if it is refused."""
        try:
            arn = self.client.start_execution(stateMachineArn=machine, name=name, input=given)
        except ClientError as e:
            return e.response["Error"]["Code"]
        self._started.append(arn["executionArn"])
        return arn["executionArn"]

    def token(self) -> str:
        """Return the next task token in the queue."""
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            for message in self._sqs.receive_message(QueueUrl=self._queue).get("Messages", []):
                self._sqs.delete_message(
                    QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"]
                )
                return str(json.loads(message["Body"])["token"])
            time.sleep(0.01)
        raise AssertionError("no state handed out a task token")

    def end(self, execution: str) -> dict[str, Any]:
        """Wait for the end of an execution and return DescribeExecution's answer."""
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            found = self.client.describe_execution(executionArn=execution)
            if found["status"] != "RUNNING":
                return dict(found)
            time.sleep(0.01)
        raise AssertionError(f"{execution} still runs")

    def run(self, machine: str, given: str = "{}", name: str = "one") -> dict[str, Any]:
        """Start an execution and return DescribeExecution's answer at its end."""
        return self.end(self.start(machine, name, given))

    def succeed(self, token: str, output: str = "{}") -> str:
        """Send a success; return "accepted" or the error's code."""
        try:
            self.client.send_task_success(taskToken=token, output=output)
        except ClientError as e:
            return e.response["Error"]["Code"]
        return "accepted"

    def fail(self, token: str, error: str, cause: str = "") -> str:
        """Send a failure; return "accepted" or the error's code."""
        try:
            self.client.send_task_failure(taskToken=token, error=error, cause=cause)
        except ClientError as e:
            return e.response["Error"]["Code"]
        return "accepted"

    def stop(self) -> None:
        """Stop every execution that still waits for an answer.

        A test takes every token that it has handed out, so no thread is at work by then.
        """
        for execution in self._started:
            if self.client.describe_execution(executionArn=execution)["status"] == "RUNNING":
                self.client.stop_execution(executionArn=execution)
