"""The AWS account that a command works in, and its typed clients.

On the map: the only maker of clients in `tools/`. The sandbox hands in an endpoint and keys of its
own; everybody else uses what boto3 finds (profile, environment, role).
"""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from tools.errors import ToolError

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_stepfunctions import SFNClient


@dataclass(frozen=True)
class Account:
    """One account and region: a session, and an endpoint if it isn't AWS's own."""

    session: boto3.Session
    endpoint_url: str | None = None

    @classmethod
    def from_environment(cls) -> "Account":
        """Return the account boto3 finds; raise ToolError if region or usable keys are missing."""
        try:
            account = cls(boto3.Session())
        except BotoCoreError as e:
            raise ToolError(f"AWS can't be used: {e}") from e
        if account.session.region_name is None:
            raise ToolError("no AWS region: set AWS_DEFAULT_REGION, or run `aws configure`")
        if account.session.get_credentials() is None:
            raise ToolError("no AWS credentials: set AWS_PROFILE, or run `aws configure`")
        try:
            account.session.client("sts").get_caller_identity()
        except (BotoCoreError, ClientError) as e:
            raise ToolError(f"AWS doesn't accept the credentials: {e}") from e
        return account

    @property
    def environment(self) -> dict[str, str]:
        """Return the variables that have a child process work in the same account and region."""
        found = {"AWS_DEFAULT_REGION": self.session.region_name or ""}
        keys = self.session.get_credentials()
        if self.endpoint_url is not None and keys is not None:
            found |= {
                "AWS_ENDPOINT_URL": self.endpoint_url,
                "AWS_ACCESS_KEY_ID": keys.access_key or "",
                "AWS_SECRET_ACCESS_KEY": keys.secret_key or "",
            }
        return found

    @cached_property
    def cloudformation(self) -> "CloudFormationClient":
        """Return the client that makes stacks."""
        return self.session.client("cloudformation", endpoint_url=self.endpoint_url)

    @cached_property
    def dynamodb(self) -> "DynamoDBClient":
        """Return the client that looks into a table, and deletes it."""
        return self.session.client("dynamodb", endpoint_url=self.endpoint_url)

    @cached_property
    def functions(self) -> "LambdaClient":
        """Return the client of Lambda."""
        return self.session.client("lambda", endpoint_url=self.endpoint_url)

    @cached_property
    def iam(self) -> Any:  # its stubs are large, and one call is made
        """Return the client that says who has the operator policy."""
        return self.session.client("iam", endpoint_url=self.endpoint_url)

    @cached_property
    def sns(self) -> "SNSClient":
        """Return the client that deletes the approvers' topics."""
        return self.session.client("sns", endpoint_url=self.endpoint_url)

    @cached_property
    def stepfunctions(self) -> "SFNClient":
        """Return the client that finds and stops executions."""
        return self.session.client("stepfunctions", endpoint_url=self.endpoint_url)
