"""API Gateway's REST APIs: time-out, methods, authorization, binary bodies."""

import boto3
import pytest
from botocore.exceptions import ClientError

from .witness import argument, plain, values


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
