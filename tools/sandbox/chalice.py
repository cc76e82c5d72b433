"""Chalice's command line for the emulator: `python -m tools.sandbox.chalice deploy ...`.

MiniStack lacks two calls of `chalice deploy`, ImportRestApi and PutRestApi. Its CloudFormation
takes the same Swagger: both become a stack that holds the REST API and nothing else. And where
Chalice looks every five seconds whether a function is ready, an emulator's is ready sooner. All
else is Chalice as it is.
"""

import hashlib
import json
import sys
from typing import Any

from botocore.exceptions import ClientError
from chalice import cli
from chalice.awsclient import TypedAWSClient
from chalice.deploy import deployer

_OFTEN = {"Delay": 0.1, "MaxAttempts": 600}


class EmulatorClient(TypedAWSClient):
    """Chalice's client, with the four methods that can't be as they are."""

    def import_rest_api(self, swagger_document: dict[str, Any], endpoint_type: str) -> str:  # noqa: ARG002  # one kind here
        """Make the API of the Swagger document, in the place of one there may be."""
        cloudformation = self._client("cloudformation")
        name = f"{swagger_document['info']['title']}-rest-api"
        self._delete_stack(cloudformation, name)
        # The id is asked for: so it stays when the routes change, as on AWS. MiniStack wants 8 hex.
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
        """Replace the API's routes. It is away until Chalice deploys it, milliseconds later."""
        self.import_rest_api(swagger_document, rest_api_id)

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
    def _wait(client: Any, state: str, **which: str) -> None:
        client.get_waiter(state).wait(**which, WaiterConfig=_OFTEN)


if __name__ == "__main__":
    deployer.TypedAWSClient = EmulatorClient  # type: ignore[attr-defined]  # where Chalice makes its client
    sys.exit(cli.main())
