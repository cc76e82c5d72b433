"""Where an example's story is told: the account it was deployed into, and what was deployed.

On the map: handed to each `story.py` by the harness, and to the tests by theirs.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from tools.account import Account
from tools.errors import ToolError
from tools.sandbox.emulator import ROOT_KEYS
from tools.sandbox.people import Person
from tools.stage import Stage

T = TypeVar("T")
Json = dict[str, Any]


@dataclass(frozen=True)
class Scene:
    """An example that is up in the sandbox.

    `stage` is the example's, `outputs` are its stack's; `api` is the URL of its API, if it has one;
    `assent` is what `state.json` says of the Assent beside it, if the example asks for one.
    """

    account: Account
    stage: Stage
    outputs: Mapping[str, str]
    api: str | None
    assent: Mapping[str, Any] | None

    def client(self, service: str) -> Any:
        """Return a boto3 client of the account, with all rights."""
        make: Any = self.account.session.client
        return make(service, endpoint_url=self.account.endpoint_url)

    def call(self, method: str, path: str) -> Json:
        """Return the JSON answer to root's call of its API; raise ToolError if it isn't 2xx."""
        root = Person("root", *ROOT_KEYS, self.account.session.region_name or "")
        return root.call(method, f"{self.api}{path}")

    def start(self, given: Json) -> str:
        """Start an execution of the example's state machine and return its ARN."""
        arn = self.outputs["StateMachineArn"]
        started = self.client("stepfunctions").start_execution(
            stateMachineArn=arn, input=json.dumps(given)
        )
        return str(started["executionArn"])

    def ended(self, execution: str, within: float = 60) -> Json:
        """Return what DescribeExecution says of an execution that has ended."""
        look = self.client("stepfunctions").describe_execution
        return self.wait(
            lambda: look(executionArn=execution),
            lambda found: found["status"] != "RUNNING",
            f"{execution} to end",
            within,
        )

    def states(self, execution: str) -> list[str]:
        """Return the names of the states that an execution has entered, in their order."""
        client = self.client("stepfunctions")
        pages = client.get_paginator("get_execution_history").paginate(executionArn=execution)
        events = [event for page in pages for event in page["events"]]
        entered = (event.get("stateEnteredEventDetails") for event in events)
        return [details["name"] for details in entered if details]

    def log(self, function: str) -> list[Json]:
        """Return the JSON lines that a function has printed, oldest first."""
        group = f"/aws/lambda/{self.stage.function(function)}"
        pages = self.client("logs").get_paginator("filter_log_events").paginate(logGroupName=group)
        lines = [event["message"] for page in pages for event in page["events"]]
        return [json.loads(line) for line in lines if line.startswith("{")]

    def wait(
        self, look: Callable[[], T], good: Callable[[T], object], what: str, within: float = 60
    ) -> T:
        """Return what `look` sees once it is good; raise ToolError after `within` seconds."""
        end = time.monotonic() + within
        while not good(seen := look()):
            if time.monotonic() > end:
                raise ToolError(f"waited {within:.0f} s for {what}, and still see {seen}")
            time.sleep(0.1)
        return seen
