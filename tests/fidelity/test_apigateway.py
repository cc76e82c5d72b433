"""API Gateway's REST APIs: time-out, methods, who may call, binary bodies."""

import boto3
import pytest
from botocore.exceptions import ClientError

from .witness import argument, plain, values


def test_an_integration_answers_within_29_seconds() -> None:
    """Longer is to be had for regional and private APIs only, and on request."""
    text = plain(argument("apigateway", "PutIntegration", "timeoutInMillis").documentation)
    assert "between 50 and 29,000 milliseconds" in text
    assert "Regional or private APIs only" in text


def test_head_is_a_method_of_its_own(account: boto3.Session) -> None:
    """A resource with GET alone has no HEAD: whoever wants it must define it."""
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


def test_a_method_can_be_left_to_iam() -> None:
    """AWS_IAM is the word; NONE is open to everybody."""
    text = plain(argument("apigateway", "PutMethod", "authorizationType").documentation)
    assert "AWS_IAM for using AWS IAM permissions" in text
    assert "NONE for open access" in text


def test_an_unsigned_call_and_an_unknown_route_have_an_answer_of_the_gateway() -> None:
    """The gateway itself answers these; the function never sees them."""
    assert {"MISSING_AUTHENTICATION_TOKEN", "ACCESS_DENIED", "INTEGRATION_TIMEOUT"} <= set(
        values("apigateway", "GatewayResponseType")
    )


def test_bodies_are_text_unless_their_type_is_listed() -> None:
    """The pages and JSON of Assent are UTF-8 text; nothing binary may be sent unlisted."""
    text = plain(argument("apigateway", "CreateRestApi", "binaryMediaTypes").documentation)
    assert "By default, the RestApi supports only UTF-8-encoded text payloads" in text
