"""Chalice's command line for the emulator: `python -m tools.sandbox.chalice deploy ...`.

MiniStack lacks two API calls that `chalice deploy` makes, ImportRestApi and PutRestApi, but its
CloudFormation takes the same Swagger: here both calls deploy a stack whose one resource is the REST
API. On AWS an API's stage keeps its settings, such as throttles, when the API is deployed anew;
here they are put back. Functions are polled more often than Chalice's five seconds, because an
emulator's are ready sooner. Everything else is Chalice unchanged.
"""

import hashlib
import json
import sys
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from chalice import cli
from chalice.awsclient import TypedAWSClient
from chalice.deploy import deployer

from tools.limits import throttle

if TYPE_CHECKING:
    from mypy_boto3_apigateway.type_defs import PatchOperationTypeDef

_POLLING = {"Delay": 0.1, "MaxAttempts": 600}


class EmulatorClient(TypedAWSClient):
    """Chalice's AWS client, with five methods replaced for MiniStack."""

    _throttles: "list[PatchOperationTypeDef]" = []  # noqa: RUF012 (replaced, never changed)

    def import_rest_api(self, swagger_document: dict[str, Any], endpoint_type: str) -> str:  # noqa: ARG002  # MiniStack has one endpoint type
        """Make the API of the Swagger document, replacing an existing one; return its id."""
        cloudformation = self._client("cloudformation")
        name = f"{swagger_document['info']['title']}-rest-api"
        self._delete_stack(cloudformation, name)
        # On AWS an API keeps its id when its routes change. Here it does because the id follows
        # from the name. MiniStack takes ids of 8 hexadecimal digits.
        api_id = hashlib.sha256(name.encode()).hexdigest()[:8]
        api = {
            "Type": "AWS::ApiGateway::RestApi",
            "Properties": {
                "Name": swagger_document["info"]["title"],
                "Body": swagger_document,
                "Tags": [{"Key": "ms-custom-id", "Value": api_id}],
            },
        }
        template = json.dumps({"Resources": {"RestApi": api}})
        cloudformation.create_stack(StackName=name, TemplateBody=template)
        self._wait(cloudformation, "stack_create_complete", StackName=name)
        return api_id

    def update_api_from_swagger(self, rest_api_id: str, swagger_document: dict[str, Any]) -> None:
        """Replace the API's routes. It answers again once Chalice has deployed it, right after."""
        stages = self._client("apigateway").get_stages(restApiId=rest_api_id)["item"]
        self._throttles = [
            patch
            for stage in stages
            for method, settings in stage.get("methodSettings", {}).items()
            for patch in throttle(
                *method.rsplit("/", 1),
                rate=settings["throttlingRateLimit"],
                burst=settings["throttlingBurstLimit"],
            )
        ]
        self.import_rest_api(swagger_document, rest_api_id)

    def deploy_rest_api(self, rest_api_id: str, api_gateway_stage: str, xray: bool) -> None:
        """Deploy the API, and put back its throttles."""
        super().deploy_rest_api(rest_api_id, api_gateway_stage, xray)
        if self._throttles:
            self._client("apigateway").update_stage(
                restApiId=rest_api_id, stageName=api_gateway_stage, patchOperations=self._throttles
            )

    def _wait_for_active(self, function_name: str) -> None:
        self._wait(self._client("lambda"), "function_active", FunctionName=function_name)

    def _wait_for_function_update(self, function_name: str) -> None:
        self._wait(self._client("lambda"), "function_updated", FunctionName=function_name)

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
