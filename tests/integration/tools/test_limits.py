"""The limits of public routes and of the API's function, as a deploy sets and keeps them."""

import json

import pytest

from app import app
from tests.aws.code_account import CodeAccount
from tools.errors import ToolError
from tools.limits import GivenLimits, throttle_public_methods
from tools.stage_settings import Limits

from .checkout import Checkout
from .conftest import DEV


def throttles(aws: CodeAccount, limit: str) -> dict[str, str]:
    """Return a limit of each method on the stage that has one, by path and verb."""
    ((_, api),) = aws.apis.items()
    end = f"/throttling/{limit}Limit"
    return {
        path.removesuffix(end)[1:].replace("~1", "/"): value
        for path, value in api["stages"]["api"].items()
        if path.endswith(end)
    }


def cap(aws: CodeAccount) -> int | None:
    """Return the cap of the API's function."""
    found: int | None = aws.functions["assent-dev"].get("reserved")
    return found


def test_every_public_method_is_throttled_and_no_signed_one(checkout: Checkout) -> None:
    """A flood of random tokens leaves the operators' routes usable."""
    checkout.deploy()
    public = {
        f"{route.uri_pattern}/{verb}"
        for methods in app.routes.values()
        for verb, route in methods.items()
        if route.authorizer is None
    }
    assert "/approve/{token}/POST" in public
    assert throttles(checkout.aws, "rate") == dict.fromkeys(public, "50")
    assert throttles(checkout.aws, "burst") == dict.fromkeys(public, "100")
    assert cap(checkout.aws) == 50
    assert [name for name, f in checkout.aws.functions.items() if "reserved" in f] == ["assent-dev"]


def test_an_api_with_many_public_methods_is_throttled_in_several_calls(
    checkout: Checkout,
) -> None:
    """API Gateway takes 80 changes of a stage in one call, and each method has two."""
    integration = {"x-amazon-apigateway-integration": {"uri": "arn"}}
    paths = {f"/page{number}": {"get": integration, "post": integration} for number in range(41)}
    aws = checkout.aws
    api_id = aws.put_api({"info": {"title": "many"}, "paths": paths})["id"]
    aws.create_deployment(restApiId=api_id, stageName="api", tracingEnabled=False)
    throttle_public_methods(checkout.account, api_id, Limits(rate=1, burst=2))
    assert len(throttles(aws, "rate")) == len(throttles(aws, "burst")) == 82


def test_given_limits_are_kept_by_the_next_deploys(checkout: Checkout) -> None:
    """They are recorded in config.json, also that there is no cap."""
    checkout.deploy(given_limits=GivenLimits(rate="5", burst="7", api_concurrency="20"))
    checkout.deploy()
    assert set(throttles(checkout.aws, "rate").values()) == {"5"}
    assert set(throttles(checkout.aws, "burst").values()) == {"7"}
    assert cap(checkout.aws) == 20
    checkout.deploy(given_limits=GivenLimits(burst="9", api_concurrency="none"))
    checkout.deploy()
    assert set(throttles(checkout.aws, "rate").values()) == {"5"}
    assert set(throttles(checkout.aws, "burst").values()) == {"9"}
    assert cap(checkout.aws) is None


def test_chalice_alone_keeps_the_limits(checkout: Checkout) -> None:
    """The cap is in config.json, where Chalice reads it; the stage keeps its throttles."""
    checkout.deploy(given_limits=GivenLimits(rate="5", api_concurrency="20"))
    checkout.chalice.deploy(DEV)
    assert set(throttles(checkout.aws, "rate").values()) == {"5"}
    assert cap(checkout.aws) == 20


def test_a_new_account_gets_no_cap_until_it_can_afford_one(checkout: Checkout) -> None:
    """Lambda leaves 100 unreserved; a new account may have 10 in all. The first deploy says so."""
    checkout.aws.concurrency = 10
    checkout.deploy()
    assert cap(checkout.aws) is None
    (said,) = (line for line in checkout.said if line.startswith("no cap"))
    assert "a cap of 50 concurrent executions for assent-dev" in said
    checkout.aws.concurrency = 150
    checkout.deploy()
    assert cap(checkout.aws) == 50


def test_the_functions_own_cap_counts_as_free(checkout: Checkout) -> None:
    """Otherwise a deploy that changes nothing would be refused."""
    checkout.aws.concurrency = 150
    checkout.deploy()
    checkout.deploy()
    checkout.deploy(given_limits=GivenLimits(api_concurrency="50"))
    assert cap(checkout.aws) == 50


def test_a_cap_that_was_asked_for_and_is_too_much_is_refused_first(checkout: Checkout) -> None:
    """Given or recorded: nothing is deployed, and the message has the way out."""
    checkout.aws.concurrency = 150
    with pytest.raises(ToolError, match=r"a cap of 51 .* lower API_CONCURRENCY, or none,"):
        checkout.deploy(given_limits=GivenLimits(api_concurrency="51"))
    assert checkout.aws.changes == []
    checkout.deploy()
    checkout.aws.concurrency = 149
    checkout.aws.changes.clear()
    with pytest.raises(ToolError, match="nothing was deployed"):
        checkout.deploy()
    assert checkout.aws.changes == []


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (GivenLimits(rate="0"), "RATE is 0"),
        (GivenLimits(rate="ten"), "RATE is ten"),
        (GivenLimits(burst="-1"), "BURST is -1"),
        (GivenLimits(burst="1.5"), "BURST is 1.5"),
        (GivenLimits(api_concurrency="0"), "API_CONCURRENCY is 0"),
        (GivenLimits(api_concurrency="-1"), "API_CONCURRENCY is -1"),
        (GivenLimits(api_concurrency="all"), "API_CONCURRENCY is all"),
    ],
)
def test_nonsense_is_refused_first(checkout: Checkout, given: GivenLimits, said: str) -> None:
    """By the option's name in `make deploy`. A cap of 0 would switch the API off."""
    none = ", or none" if "API" in said else ""
    with pytest.raises(ToolError, match=f"{said}: it has to be a whole number, 1 or more{none}\\."):
        checkout.deploy(given_limits=given)
    assert checkout.aws.changes == []


def test_nonsense_in_the_config_file_is_refused_too(checkout: Checkout) -> None:
    """It may be edited by hand."""
    checkout.deploy()
    path = checkout.folder / ".chalice" / "config.json"
    path.write_text(path.read_text().replace('"public_rate": 50', '"public_rate": "fast"'))
    with pytest.raises(ToolError, match=r"RATE is fast in .chalice/config.json"):
        checkout.deploy()


def test_a_stage_of_the_release_before_gets_the_defaults(checkout: Checkout) -> None:
    """Its config.json names no limits, and its API keeps id and URL."""
    url = checkout.deploy()
    path = checkout.folder / ".chalice" / "config.json"
    config = json.loads(path.read_text())
    del config["manage_iam_role"]
    stage = config["stages"]["dev"]
    del stage["public_rate"], stage["public_burst"], stage["lambda_functions"]["api_handler"]
    path.write_text(json.dumps(config))
    ((_, api),) = checkout.aws.apis.items()
    api["stages"]["api"].clear()
    del checkout.aws.functions["assent-dev"]["reserved"]
    assert checkout.deploy() == url
    assert set(throttles(checkout.aws, "rate").values()) == {"50"}
    assert cap(checkout.aws) == 50
    assert json.loads(path.read_text())["manage_iam_role"] is False
