"""API Gateway's REST APIs: time-out, methods, authorization, binary bodies."""

import boto3
import pytest
from botocore.exceptions import ClientError

from tools.limits import throttle

from .witness import answer, argument, operation, plain, values


def test_an_integration_answers_within_29_seconds() -> None:
    """Regional and private APIs can have a longer time-out on request."""
    text = plain(argument("apigateway", "PutIntegration", "timeoutInMillis").documentation)
    assert "between 50 and 29,000 milliseconds" in text
    assert "Regional or private APIs only" in text


def test_head_is_a_method_of_its_own(account: boto3.Session) -> None:
    """A resource that defines GET alone doesn't answer HEAD."""
    client = account.client("apigateway")
    api = client.create_rest_api(name="assent")["id"]
    root = client.get_resources(restApiId=api)["items"][0]["id"]
    client.put_method(restApiId=api, resourceId=root, httpMethod="GET", authorizationType="NONE")
    with pytest.raises(ClientError, match="NotFoundException"):
        client.get_method(restApiId=api, resourceId=root, httpMethod="HEAD")
    client.put_method(restApiId=api, resourceId=root, httpMethod="HEAD", authorizationType="NONE")
    assert set(client.get_resource(restApiId=api, resourceId=root)["resourceMethods"]) == {
        "GET",
        "HEAD",
    }


def test_a_method_can_be_authorized_by_iam() -> None:
    """By `AWS_IAM`; `NONE` is open to everybody."""
    text = plain(argument("apigateway", "PutMethod", "authorizationType").documentation)
    assert "AWS_IAM for using AWS IAM permissions" in text
    assert "NONE for open access" in text


def test_the_gateway_answers_unsigned_calls_and_unknown_routes_itself() -> None:
    """The function is not called for them."""
    assert {"MISSING_AUTHENTICATION_TOKEN", "ACCESS_DENIED", "INTEGRATION_TIMEOUT"} <= set(
        values("apigateway", "GatewayResponseType")
    )


def test_bodies_are_text_unless_their_type_is_listed() -> None:
    """Assent's pages and JSON are UTF-8 text, so it lists no type."""
    text = plain(argument("apigateway", "CreateRestApi", "binaryMediaTypes").documentation)
    assert "By default, the RestApi supports only UTF-8-encoded text payloads" in text


def test_a_deployment_has_no_method_settings_and_moto_loses_the_stages(
    account: boto3.Session,
) -> None:
    """CreateDeployment points the stage to what is deployed; moto makes the stage anew."""
    shape = operation("apigateway", "CreateDeployment").input_shape
    assert shape is not None
    assert "methodSettings" not in shape.members
    client = account.client("apigateway")
    api = client.create_rest_api(name="assent")["id"]
    root = client.get_resources(restApiId=api)["items"][0]["id"]
    client.put_method(restApiId=api, resourceId=root, httpMethod="GET", authorizationType="NONE")
    client.put_integration(
        restApiId=api,
        resourceId=root,
        httpMethod="GET",
        type="HTTP",
        uri="https://example.com",
        integrationHttpMethod="GET",
    )
    client.create_deployment(restApiId=api, stageName="api")
    (limit, _) = throttle("/", "GET", rate=5, burst=7)
    client.update_stage(restApiId=api, stageName="api", patchOperations=[limit])
    assert client.get_stage(restApiId=api, stageName="api").get("methodSettings")
    client.create_deployment(restApiId=api, stageName="api")
    kept = client.get_stage(restApiId=api, stageName="api").get("methodSettings")
    assert not kept, "moto has been corrected: simplify A11"


def test_a_method_has_limits_of_its_own_on_a_stage() -> None:
    """By its path and verb; the gateway answers for itself above them."""
    settings = answer("apigateway", "GetStage")["methodSettings"]
    assert "{resource_path}/{http_method} for an individual method" in plain(settings.documentation)
    assert "THROTTLED" in values("apigateway", "GatewayResponseType")


def test_resources_come_with_their_methods_integrations() -> None:
    """In one call for each page of resources."""
    text = plain(argument("apigateway", "GetResources", "embed").documentation)
    assert "retrieval of the embedded Method resources" in text
    assert {"authorizationType", "methodIntegration"} <= answer("apigateway", "GetMethod").keys()
    assert "uri" in answer("apigateway", "GetIntegration")
