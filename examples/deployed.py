"""An example that is deployed in the sandbox: what its demo and its tests call."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from examples.polling import poll
from tools.account import Account
from tools.sandbox.emulator import ROOT_KEYS
from tools.sandbox.state import SandboxState
from tools.sandbox.users import IamUser
from tools.stage import Stage

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions.type_defs import DescribeExecutionOutputTypeDef

Json = dict[str, Any]


@dataclass(frozen=True)
class DeployedExample:
    """A deployed stage of an example.

    `outputs` are its stack's; `api` is the URL of its API, if it has one; `assent` is the
    `state.json` of the Assent beside it, if there is one.
    """

    account: Account
    stage: Stage
    outputs: Mapping[str, str]
    api: str | None
    assent: SandboxState | None

    def client(self, service: str) -> Any:
        """Return a boto3 client with the root user's keys."""
        make: Any = self.account.session.client
        return make(service, endpoint_url=self.account.endpoint_url)

    def call_api(self, method: str, path: str) -> Json:
        """Return the JSON answer to the root user's call; raise ToolError if it isn't 2xx."""
        root = IamUser("root", *ROOT_KEYS, self.account.session.region_name or "")
        return root.call(method, f"{self.api}{path}")

    def start_execution(self, execution_input: Json) -> str:
        """Start an execution of the example's state machine and return its ARN."""
        started = self.account.stepfunctions.start_execution(
            stateMachineArn=self.outputs["StateMachineArn"], input=json.dumps(execution_input)
        )
        return started["executionArn"]

    def wait_for_end(
        self, execution_arn: str, timeout: float = 60
    ) -> "DescribeExecutionOutputTypeDef":
        """Wait until an execution has ended and return its description."""
        client = self.account.stepfunctions
        return poll(
            lambda: client.describe_execution(executionArn=execution_arn),
            until=lambda execution: execution["status"] != "RUNNING",
            waiting_for=f"end of {execution_arn}",
            timeout=timeout,
        )

    def entered_states(self, execution_arn: str) -> list[str]:
        """Return the names of the states that an execution has entered, in order."""
        history = self.account.stepfunctions.get_paginator("get_execution_history")
        pages = history.paginate(executionArn=execution_arn)
        events = [event for page in pages for event in page["events"]]
        entered = (event.get("stateEnteredEventDetails") for event in events)
        return [details["name"] for details in entered if details]

    def log_lines(self, function: str) -> list[Json]:
        """Return the JSON lines that a function has logged, oldest first."""
        group = f"/aws/lambda/{self.stage.function(function)}"
        pages = self.client("logs").get_paginator("filter_log_events").paginate(logGroupName=group)
        lines = [event["message"] for page in pages for event in page["events"]]
        return [json.loads(line) for line in lines if line.startswith("{")]
