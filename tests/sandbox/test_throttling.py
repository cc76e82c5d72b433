"""The limits of the public routes, in an API Gateway that enforces them."""

import urllib.parse
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import boto3
import pytest

from tests.sandbox.client import PROGRAM, Sandbox, http
from tools.account import Account
from tools.limits import throttle_public_methods
from tools.stage_settings import Limits


@pytest.fixture
def account(sandbox: Sandbox) -> Account:
    """Give the sandbox's account."""
    aws = sandbox.state["aws"]
    session = boto3.Session(aws["accessKeyId"], aws["secretAccessKey"], region_name=aws["region"])
    return Account(session, aws["endpointUrl"])


@pytest.fixture
def api_id(sandbox: Sandbox) -> str:
    """Give the API's id, from its URL."""
    return urllib.parse.urlsplit(sandbox.state["api"]).path.split("/")[-2]


@pytest.fixture
def few(account: Account, api_id: str) -> Iterator[Limits]:
    """Let through one call a second and three at once, until the test ends."""
    limits = Limits(rate=1, burst=3)
    throttle_public_methods(account, api_id, limits)
    yield limits
    throttle_public_methods(account, api_id, Limits())


def test_a_deployed_stage_limits_the_public_methods_and_the_function(
    account: Account, api_id: str
) -> None:
    """With the defaults, and nothing for the operators' routes."""
    settings = account.apigateway.get_stage(restApiId=api_id, stageName="api")["methodSettings"]
    approve = settings["/approve/{token}/POST"]
    assert (approve["throttlingRateLimit"], approve["throttlingBurstLimit"]) == (50, 100)
    assert not [method for method in settings if method.startswith("/approvals")]
    cap = account.lambda_.get_function_concurrency(FunctionName="assent-sandbox")
    assert cap["ReservedConcurrentExecutions"] == 50


def test_a_flood_of_random_tokens_is_refused_and_operators_get_through(
    sandbox: Sandbox, few: Limits
) -> None:
    """API Gateway answers 429 itself; a signed route answers meanwhile."""
    name = sandbox.start(subject="In a flood")
    random = f"{sandbox.state['api']}/approve/0123456789abcdef01234567.{'a' * 32}"
    with ThreadPoolExecutor(10) as threads:
        flood = threads.map(lambda _: http("GET", random, headers=PROGRAM), range(60))
        during = [sandbox.call("GET", f"/executions/{name}").status for _ in range(5)]
        seen = Counter(answer.status for answer in flood)
    assert set(seen) == {404, 429}
    assert seen[404] < 30
    assert seen[404] >= few.burst
    assert during == [200] * 5
