"""The endpoint type of a stage's API: Chalice changes it in place.

moto keeps the APIs. It can't import Chalice's Swagger and has no function: those calls end here.
"""

import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from chalice.awsclient import TypedAWSClient
from chalice.config import DeployedResources
from chalice.deploy import models
from chalice.deploy.executor import Executor
from chalice.deploy.planner import PlanStage, RemoteState
from chalice.utils import UI, OSUtils

from tests.aws.clients import an_account, session
from tools.stage_settings import Limits, assent_settings

from ...unit.tools.test_config import OUTPUTS

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:assent-dev"


class Deployments:
    """Runs the part of `chalice deploy` that is about the API."""

    def __init__(self) -> None:
        self.apis: Any = session().client("apigateway")
        self._functions: Any = session().client("lambda")
        self.called: list[str] = []
        for client, *names in (
            (self.apis, "ImportRestApi", "PutRestApi", "CreateDeployment"),
            (self._functions, "GetPolicy", "AddPermission"),
        ):
            for name in names:
                service = client.meta.service_model.service_id.hyphenize()
                events: Any = client.meta.events
                events.register(f"before-call.{service}.{name}", self._answer)

    def deploy(self, endpoint_type: str, record: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Deploy the API and return Chalice's new record, made from the one before."""
        clients = {"apigateway": self.apis, "lambda": self._functions}
        aws: Any = SimpleNamespace(create_client=clients.__getitem__)
        client = TypedAWSClient(aws)
        function: Any = SimpleNamespace(function_name="assent-dev", resource_name="api_handler")
        api = models.RestAPI("rest_api", {}, "4096", "api", endpoint_type, function)
        state = RemoteState(client, DeployedResources({"resources": record}))
        executor = Executor(client, UI())
        executor.variables["api_handler_lambda_arn"] = FUNCTION
        executor.execute(PlanStage(state, OSUtils()).execute([api]))
        made: list[dict[str, Any]] = executor.resource_values
        return made

    def types(self, api_id: str) -> list[str]:
        """Return the endpoint types of an API."""
        found = self.apis.get_rest_api(restApiId=api_id)["endpointConfiguration"]
        types: list[str] = found["types"]
        return types

    def _answer(self, model: Any, params: Any, **_: Any) -> tuple[AWSResponse, dict[str, Any]]:
        self.called.append(model.name)
        answer: dict[str, Any] = {"Policy": json.dumps({"Statement": []})}
        if model.name == "ImportRestApi":
            kind = params["query_string"]["endpointConfigurationTypes"]
            made = self.apis.create_rest_api(name="assent", endpointConfiguration={"types": [kind]})
            answer = {"id": made["id"]}
        return AWSResponse("", 200, HTTPHeaders(), None), answer


@pytest.fixture
def deployments() -> Iterator[Deployments]:
    """Give an account in moto, for Chalice to deploy into."""
    with an_account():
        yield Deployments()


def test_a_stage_that_was_deployed_as_edge_keeps_its_url(deployments: Deployments) -> None:
    """Chalice patches the API of its record: links that were mailed before still lead to it."""
    before = deployments.deploy("EDGE", [])
    (api,) = before
    assert deployments.types(api["rest_api_id"]) == ["EDGE"]
    wanted = assent_settings(OUTPUTS, Limits())["api_gateway_endpoint_type"]
    assert deployments.deploy(wanted, before) == before
    assert deployments.types(api["rest_api_id"]) == [wanted] == ["REGIONAL"]
    assert deployments.deploy(wanted, before) == before
    assert deployments.types(api["rest_api_id"]) == ["REGIONAL"]
    assert deployments.called.count("ImportRestApi") == 1
    (only,) = deployments.apis.get_rest_apis()["items"]
    assert only["id"] == api["rest_api_id"]
    assert only["id"] in api["rest_api_url"]
