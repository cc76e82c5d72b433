"""An AWS account and region, with the typed boto3 clients that the commands use.

Every client in `tools/` comes from here. The sandbox passes an endpoint and keys of its own; the
other commands use the profile, environment or role that boto3 finds.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from tools.errors import ToolError

if TYPE_CHECKING:
    from mypy_boto3_apigateway import APIGatewayClient
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_stepfunctions import SFNClient


@dataclass(frozen=True)
class Account:
    """A boto3 session, and the endpoint of an emulator if the account isn't on AWS."""

    session: boto3.Session
    endpoint_url: str | None = None

    @classmethod
    def from_environment(cls) -> "Account":
        """Return the account that boto3 finds.

        Raises ToolError if there is no region, or if AWS refuses the credentials.
        """
        try:
            account = cls(boto3.Session())
        except BotoCoreError as e:
            raise ToolError(f"boto3 can't open a session: {e}") from e
        if account.session.region_name is None:
            raise ToolError("no AWS region: set AWS_DEFAULT_REGION, or run `aws configure`")
        if account.session.get_credentials() is None:
            raise ToolError("no AWS credentials: set AWS_PROFILE, or run `aws configure`")
        try:
            account.sts.get_caller_identity()
        except (BotoCoreError, ClientError) as e:
            raise ToolError(f"AWS refuses the credentials: {e}") from e
        return account

    @property
    def environment(self) -> dict[str, str]:
        """Return the variables with which a child process uses the same account and region."""
        variables = {"AWS_DEFAULT_REGION": self.session.region_name or ""}
        keys = self.session.get_credentials()
        if self.endpoint_url is not None and keys is not None:
            variables |= {
                "AWS_ENDPOINT_URL": self.endpoint_url,
                "AWS_ACCESS_KEY_ID": keys.access_key or "",
                "AWS_SECRET_ACCESS_KEY": keys.secret_key or "",
            }
        return variables

    @cached_property
    def apigateway(self) -> "APIGatewayClient":
        """Return the API Gateway client."""
        return self.session.client("apigateway", endpoint_url=self.endpoint_url)

    @cached_property
    def cloudformation(self) -> "CloudFormationClient":
        """Return the CloudFormation client."""
        return self.session.client("cloudformation", endpoint_url=self.endpoint_url)

    @cached_property
    def dynamodb(self) -> "DynamoDBClient":
        """Return the DynamoDB client."""
        return self.session.client("dynamodb", endpoint_url=self.endpoint_url)

    @cached_property
    def events(self) -> Any:  # its stubs aren't installed, and these commands make one call
        """Return the EventBridge client."""
        return self.session.client("events", endpoint_url=self.endpoint_url)

    @cached_property
    def lambda_(self) -> "LambdaClient":
        """Return the Lambda client."""
        return self.session.client("lambda", endpoint_url=self.endpoint_url)

    @cached_property
    def iam(self) -> Any:  # the IAM stubs are large, and these commands make few calls
        """Return the IAM client."""
        return self.session.client("iam", endpoint_url=self.endpoint_url)

    @cached_property
    def sns(self) -> "SNSClient":
        """Return the SNS client."""
        return self.session.client("sns", endpoint_url=self.endpoint_url)

    @cached_property
    def sts(self) -> Any:  # as EventBridge's
        """Return the STS client."""
        return self.session.client("sts", endpoint_url=self.endpoint_url)

    @cached_property
    def stepfunctions(self) -> "SFNClient":
        """Return the Step Functions client."""
        return self.session.client("stepfunctions", endpoint_url=self.endpoint_url)
