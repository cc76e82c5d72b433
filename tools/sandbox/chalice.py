"""Chalice's command line for the emulator: `python -m tools.sandbox.chalice deploy ...`.

MiniStack lacks two API calls that `chalice deploy` makes, ImportRestApi and PutRestApi, but its
CloudFormation takes the same Swagger: here both calls deploy a stack whose one resource is the REST
API. That stack is root's, and IAM is asked about both calls: a deploy needs the permissions that it
needs on AWS, and no more. On AWS an API's stage keeps its settings, such as throttles, when the API
is deployed anew; here they are put back. Functions are polled more often than Chalice's five
seconds, because an emulator's are ready sooner. Everything else is Chalice unchanged.
"""

import hashlib
import json
import re
import sys
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from chalice import cli
from chalice.awsclient import TypedAWSClient
from chalice.deploy import deployer

from tools.limits import throttle
from tools.sandbox.emulator import ROOT_KEYS

if TYPE_CHECKING:
    from mypy_boto3_apigateway.type_defs import PatchOperationTypeDef

_POLLING = {"Delay": 0.1, "MaxAttempts": 600}


class EmulatorClient(TypedAWSClient):
    """Chalice's AWS client, with five methods replaced for MiniStack."""

    _throttles: "list[PatchOperationTypeDef]" = []  # noqa: RUF012 (replaced, never changed)

    def import_rest_api(self, swagger_document: dict[str, Any], endpoint_type: str) -> str:
        """Make the API of the Swagger document, replacing an existing one; return its id."""
        # MiniStack makes an empty API of it. The call is made because IAM has to allow it.
        empty = super().import_rest_api(swagger_document, endpoint_type)
        self._root("apigateway").delete_rest_api(restApiId=empty)
        function = re.search(r":function:([^/]+)/", json.dumps(swagger_document))
        names = function[1] if function else swagger_document["info"]["title"]
        # MiniStack takes ids of 8 hexadecimal digits.
        return self._make_api(hashlib.sha256(names.encode()).hexdigest()[:8], swagger_document)

    def update_api_from_swagger(self, rest_api_id: str, swagger_document: dict[str, Any]) -> None:
        """Replace the API's routes. It answers again once Chalice has deployed it, right after."""
        self._throttles = self._throttles_of(rest_api_id)
        try:
            super().update_api_from_swagger(rest_api_id, swagger_document)
        except ClientError as e:
            # MiniStack doesn't know the call, and says so once IAM has allowed it.
            if e.response["Error"]["Code"] != "NotFoundException":
                raise
        self._make_api(rest_api_id, swagger_document)

    def _make_api(self, api_id: str, swagger_document: dict[str, Any]) -> str:
        cloudformation = self._root("cloudformation")
        name = f"rest-api-{api_id}"
        self._delete_stack(cloudformation, name)
        api = {
            "Type": "AWS::ApiGateway::RestApi",
            "Properties": {
                "Name": swagger_document["info"]["title"],
                "Body": swagger_document,
                "Tags": [{"Key": "ms-custom-id", "Value": api_id}],
            },
        }
        # A template that is sent along has 51,200 bytes at most.
        s3 = self._root("s3")
        s3.create_bucket(Bucket=name)
        s3.put_object(Bucket=name, Key="api", Body=json.dumps({"Resources": {"RestApi": api}}))
        where = f"{s3.meta.endpoint_url}/{name}/api"
        cloudformation.create_stack(StackName=name, TemplateURL=where)
        self._wait(cloudformation, "stack_create_complete", StackName=name)
        return api_id

    def deploy_rest_api(self, rest_api_id: str, api_gateway_stage: str, xray: bool) -> None:
        """Deploy the API, and put back its throttles."""
        super().deploy_rest_api(rest_api_id, api_gateway_stage, xray)
        if self._throttles:
            self._root("apigateway").update_stage(
                restApiId=rest_api_id, stageName=api_gateway_stage, patchOperations=self._throttles
            )

    def _throttles_of(self, rest_api_id: str) -> "list[PatchOperationTypeDef]":
        return [
            patch
            for stage in self._root("apigateway").get_stages(restApiId=rest_api_id)["item"]
            for method, settings in stage.get("methodSettings", {}).items()
            for patch in throttle(
                *method.rsplit("/", 1),
                rate=settings["throttlingRateLimit"],
                burst=settings["throttlingBurstLimit"],
            )
        ]

    def _wait_for_active(self, function_name: str) -> None:
        self._wait(self._client("lambda"), "function_active", FunctionName=function_name)

    def _wait_for_function_update(self, function_name: str) -> None:
        self._wait(self._client("lambda"), "function_updated", FunctionName=function_name)

    def _root(self, service: str) -> Any:
        key, secret = ROOT_KEYS
        return self._session.create_client(
            service, aws_access_key_id=key, aws_secret_access_key=secret
        )

    def _delete_stack(self, cloudformation: Any, name: str) -> None:
        try:
            cloudformation.describe_stacks(StackName=name)
        except ClientError:
            return
        cloudformation.delete_stack(StackName=name)
        self._wait(cloudformation, "stack_delete_complete", StackName=name)

    @staticmethod
    def _wait(client: Any, waiter: str, **resource: str) -> None:
        client.get_waiter(waiter).wait(**resource, WaiterConfig=_POLLING)


if __name__ == "__main__":
    deployer.TypedAWSClient = EmulatorClient  # type: ignore[attr-defined]  # Chalice makes its client by this name
    sys.exit(cli.main())
