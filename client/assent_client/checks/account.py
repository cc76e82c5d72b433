"""What a stage has in its AWS account, by the names that `make deploy` gives."""

from functools import cached_property
from typing import Any

import botocore.session
from botocore.exceptions import ClientError

FUNCTIONS = {
    "": "ApiRoleArn",
    "-request_approval": "RequestApprovalRoleArn",
    "-record_decision": "RecordDecisionRoleArn",
    "-decision_from_queue": "DecisionFromQueueRoleArn",
    "-request_from_queue": "RequestFromQueueRoleArn",
    "-execution_ended": "ExecutionEndedRoleArn",
    "-tick": "TickRoleArn",
}
"""What follows `assent-<stage>` in a function's name -> the stack's output with its role."""


class Account:
    """The account of a stage; `stack` is the name of its CloudFormation stack.

    Raises what botocore does; `finding.looked_at` makes findings of that.
    """

    def __init__(
        self, session: botocore.session.Session, region: str | None, stage: str, stack: str
    ) -> None:
        self._session = session
        self._region = region
        self.stage = stage
        self.stack = stack
        self.name = f"assent-{stage}"

    @property
    def deploy(self) -> str:
        """The command that makes a stage whole again."""
        return f"make deploy STAGE={self.stage}"

    def client(self, service: str) -> Any:
        """Return a client of that service."""
        return self._session.create_client(service, region_name=self._region)

    @cached_property
    def described_stack(self) -> Any:
        """The stack, as CloudFormation describes it."""
        found = self.client("cloudformation").describe_stacks(StackName=self.stack)
        return found["Stacks"][0]

    @property
    def outputs(self) -> dict[str, str]:
        """The stack's outputs."""
        outputs = self.described_stack.get("Outputs", [])
        return {one["OutputKey"]: one["OutputValue"] for one in outputs}

    @cached_property
    def functions(self) -> dict[str, Any]:
        """The configurations of the functions that exist, by what follows the stage's name."""
        lambda_, found = self.client("lambda"), {}
        for suffix in FUNCTIONS:
            try:
                name = self.name + suffix
                found[suffix] = lambda_.get_function_configuration(FunctionName=name)
            except ClientError as e:
                if e.response.get("Error", {}).get("Code") != "ResourceNotFoundException":
                    raise
        return found
