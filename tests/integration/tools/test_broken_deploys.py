"""A deploy or destroy that broke off after any of its calls can be repeated, and destroyed.

The real Chalice makes the calls; AWS is `tests/aws/code_account.py`.
"""

import json
import tempfile
from pathlib import Path

import pytest

from tests.aws.code_account import PREFIX, REGION, Broken, CodeAccount
from tools.deployed_record import deployed_resources, name
from tools.errors import ToolError

from .checkout import QUEUES, Checkout, assert_gone, checked_out
from .conftest import DEV


def changing_calls() -> tuple[int, int]:
    """Return how many calls of a first deploy, and of a destroy, change something."""
    with tempfile.TemporaryDirectory() as folder:
        checkout = Checkout(checked_out(Path(folder) / "checkout"), CodeAccount())
        checkout.deploy()
        of_a_deploy = len(checkout.aws.changes)
        checkout.destroy()
        return of_a_deploy, len(checkout.aws.changes) - of_a_deploy


CALLS_OF_A_DEPLOY, CALLS_OF_A_DESTROY = changing_calls()
"""Chalice's first run, its second run with the API's URL, and those of tools/; all are broken."""


def other_checkout(checkout: Checkout) -> Checkout:
    """Return another fresh checkout for the same account."""
    return Checkout(checked_out(checkout.folder.with_name("other")), checkout.aws)


def assert_whole(aws: CodeAccount, url: str) -> None:
    """Everything of the stage is there once and in its place."""
    assert aws.functions.keys() == set(DEV.functions)
    found = {m["EventSourceArn"]: m["FunctionArn"] for m in aws.mappings.values()}
    assert found == QUEUES
    assert len(aws.mappings) == len(QUEUES)
    assert aws.rules == {"assent-dev-tick-event": {"1": f"{PREFIX}assent-dev-tick"}}
    ((api_id, api),) = aws.apis.items()
    assert api["stages"]["api"]["/~1approve~1{token}/POST/throttling/rateLimit"] == "50"
    assert url == f"https://{api_id}.execute-api.{REGION}.amazonaws.com/api"
    for function in aws.functions.values():
        assert function["Environment"]["Variables"]["ASSENT_PUBLIC_URL"] == url
    tick = aws.functions["assent-dev-tick"]
    # Of an API that is gone the permission stays, without use.
    assert f":{api_id}/*" in json.dumps(aws.functions["assent-dev"]["policy"])
    assert ":rule/assent-dev-tick-event" in json.dumps(tick["policy"])
    assert tick["on_failure"] == {"OnFailure": {"Destination": "arn:queue"}}


def broken(checkout: Checkout, call: int) -> CodeAccount:
    """Deploy until that call, whose answer never arrives; return what AWS has then."""
    checkout.aws.break_at = call
    with pytest.raises(Broken):
        checkout.deploy()
    checkout.aws.break_at = 0
    return checkout.aws


def test_a_deploy_makes_everything_and_a_destroy_deletes_it(checkout: Checkout) -> None:
    """Each function is made, updated and deleted; so many calls at least are broken below."""
    assert_whole(checkout.aws, checkout.deploy())
    checkout.destroy()
    assert_gone(checkout)
    assert len(QUEUES) >= 2
    assert 6 * len(DEV.functions) < CALLS_OF_A_DEPLOY
    assert len(DEV.functions) < CALLS_OF_A_DESTROY


@pytest.mark.parametrize("call", range(1, CALLS_OF_A_DEPLOY + 1))
def test_a_broken_deploy_is_repeated(checkout: Checkout, call: int) -> None:
    """Mappings and API keep their ids, and there is one of each."""
    aws = broken(checkout, call)
    ids = {*aws.mappings, *aws.apis}
    url = checkout.deploy()
    assert_whole(aws, url)
    assert ids <= {*aws.mappings, *aws.apis}


@pytest.mark.parametrize("call", range(1, CALLS_OF_A_DEPLOY + 1))
def test_a_broken_deploy_is_destroyed_from_any_checkout(checkout: Checkout, call: int) -> None:
    """Nothing is left, although no record names all of it and config.json lacks the stage."""
    broken(checkout, call)
    other = other_checkout(checkout)
    other.destroy()
    assert_gone(other)


def half_destroyed(checkout: Checkout, call: int) -> CodeAccount:
    """Deploy, and destroy until that call; return what AWS has then."""
    checkout.deploy()
    checkout.aws.changes.clear()
    checkout.aws.break_at = call
    with pytest.raises(Broken):
        checkout.destroy()
    checkout.aws.break_at = 0
    return checkout.aws


@pytest.mark.parametrize("call", range(1, CALLS_OF_A_DESTROY + 1))
def test_a_broken_destroy_is_repeated(checkout: Checkout, call: int) -> None:
    """Although the record still names what is gone."""
    half_destroyed(checkout, call)
    checkout.destroy()
    assert_gone(checkout)


@pytest.mark.parametrize("call", range(1, CALLS_OF_A_DESTROY + 1))
def test_after_a_broken_destroy_the_stage_is_deployed_again(checkout: Checkout, call: int) -> None:
    """What is left is taken up, and what is gone is made."""
    aws = half_destroyed(checkout, call)
    assert_whole(aws, checkout.deploy())


def test_another_checkout_deploys_the_same_stage(checkout: Checkout) -> None:
    """It takes up functions and API, keeps their ids, and says so."""
    url = checkout.deploy()
    other = other_checkout(checkout)
    assert other.deploy() == url
    assert_whole(checkout.aws, url)
    (said,) = (line for line in other.said if "taking up" in line)
    for taken in (*DEV.functions, "assent-dev-tick-event", *checkout.aws.apis):
        assert taken in said
    assert other.chalice.recorded(DEV) == checkout.chalice.recorded(DEV)
    other.said.clear()
    other.deploy()
    assert not any("taking up" in line for line in other.said)


def test_what_lambda_goes_on_changing_is_named(checkout: Checkout) -> None:
    """Chalice would fail halfway: with that function, or with the mapping that is there still."""
    checkout.deploy()
    function = checkout.aws.functions["assent-dev-tick"]
    mapping = next(iter(checkout.aws.mappings.values()))
    for one, changing, still in (
        (function, {"LastUpdateStatus": "InProgress"}, "assent-dev-tick"),
        (mapping, {"State": "Deleting"}, "an event source mapping of assent-dev-"),
    ):
        before, waited = dict(one), list[float]()
        one.update(changing)
        with pytest.raises(ToolError, match=f"still changing {still}.* Try again"):
            deployed_resources(DEV, DEV.code, checkout.account, [], pause=waited.append)
        assert sum(waited) == 120
        one.clear()
        one.update(before)


@pytest.mark.parametrize(
    "record",
    [
        "",
        '{"resources": [{"na',
        "[]",
        "null",
        '{"resources": null}',
        '{"resources": ["x"]}',
        '{"resources": [{"resource_type": "lambda_function", "name": "tick"},'
        ' {"resource_type": "sqs_event", "name": "decision_from_queue-sqs-event-source"}]}',
    ],
)
def test_a_damaged_record_is_made_anew(checkout: Checkout, record: str) -> None:
    """A lost record is no loss."""
    url = checkout.deploy()
    whole = checkout.chalice.recorded(DEV)
    (checkout.folder / ".chalice" / "deployed" / "dev.json").write_text(record)
    assert checkout.deploy() == url
    assert checkout.chalice.recorded(DEV) == whole


def test_a_record_of_another_account_is_replaced(checkout: Checkout) -> None:
    """What it names isn't here: all is made anew."""
    checkout.deploy()
    here = Checkout(checkout.folder, CodeAccount())
    assert_whole(here.aws, here.deploy())


def test_a_mapping_that_is_being_deleted_is_waited_for(checkout: Checkout) -> None:
    """Lambda deletes it in the background, and refuses a new one until then."""
    checkout.deploy()
    aws = checkout.aws
    leaving = next(iter(aws.mappings.values()))
    leaving["State"] = "Deleting"
    waited: list[float] = []

    def pause(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 2:
            del aws.mappings[leaving["UUID"]]

    found = deployed_resources(DEV, DEV.code, checkout.account, [], pause=pause)
    assert waited == [5.0, 5.0]
    assert leaving["UUID"] not in [one.get("event_uuid") for one in found]


def test_a_function_that_is_changing_is_waited_for(checkout: Checkout) -> None:
    """Lambda refuses a second change until the first one, of the broken deploy, is done."""
    checkout.deploy()
    before = checkout.chalice.recorded(DEV)
    changing = checkout.aws.functions["assent-dev-tick"]
    new = checkout.aws.functions["assent-dev"]
    changing["LastUpdateStatus"] = "InProgress"
    new["State"] = "Pending"
    waited: list[float] = []

    def pause(seconds: float) -> None:
        waited.append(seconds)
        (new if len(waited) == 1 else changing).update(
            State="Active", LastUpdateStatus="Successful"
        )

    found = deployed_resources(DEV, DEV.code, checkout.account, [], pause=pause)
    assert waited == [5.0, 5.0]
    assert sorted(map(name, found)) == sorted(map(name, before))
