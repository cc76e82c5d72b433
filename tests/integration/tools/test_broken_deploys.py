"""A deploy or destroy that broke off after any of its calls can be repeated, and destroyed.

The real Chalice makes the calls; AWS is `tests/aws/code_account.py`.
"""

import json
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from chalice.app import ScheduledEventConfig, SQSEventConfig

from app import app
from tests.aws.code_account import PREFIX, REGION, Broken, CodeAccount
from tools.deployed_record import RecordedResource, deployed_resources, name
from tools.errors import ToolError

from .checkout import Checkout, checked_out
from .conftest import DEV

QUEUES = {
    f"arn:aws:sqs:{REGION}:111122223333:{event.queue}": f"{PREFIX}{DEV.function(event.name)}"
    for event in app.event_sources
    if isinstance(event, SQSEventConfig)
}


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


def assert_gone(checkout: Checkout) -> None:
    """Nothing of the stage is left, and nothing is recorded."""
    aws = checkout.aws
    assert (aws.functions, aws.mappings, aws.rules, aws.apis) == ({}, {}, {}, {})
    assert checkout.chalice.recorded(DEV) == []


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


def test_a_trigger_that_you_added_is_deleted_with_its_stage(checkout: Checkout) -> None:
    """The record names it, which knows more than the names of Assent's own queues."""
    checkout.deploy()
    queue = f"arn:aws:sqs:{REGION}:111122223333:extra"
    mapping = checkout.aws.put_mapping(queue, f"{PREFIX}assent-dev-decision_from_queue")
    added: RecordedResource = {
        "name": "extra-sqs-event-source",
        "resource_type": "sqs_event",
        "event_uuid": mapping["UUID"],
        "queue": "extra",
        "queue_arn": queue,
        "lambda_arn": mapping["FunctionArn"],
    }
    checkout.chalice.record(DEV, [*checkout.chalice.recorded(DEV), added])
    checkout.destroy()
    assert checkout.aws.mappings == {}


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


def test_two_apis_of_a_stage_are_refused_by_name_and_destroyed_together(checkout: Checkout) -> None:
    """An answer to ImportRestApi that got lost, and botocore's second try, can make two."""
    checkout.deploy()
    aws = checkout.aws
    (api,) = aws.apis.values()
    aws.put_api(api["swagger"])
    aws.changes.clear()
    with pytest.raises(ToolError, match=f"has 2 REST APIs, {', '.join(aws.apis)}: nothing was"):
        checkout.deploy()
    assert aws.changes == []
    checkout.destroy()
    assert_gone(checkout)


def test_the_api_of_another_stage_is_left_alone(checkout: Checkout) -> None:
    """It has the same name, and calls another function."""
    uri = f"arn:aws:apigateway:{REGION}:lambda:path/functions/{PREFIX}assent-dev-2/invocations"
    paths = {"/": {"get": {"x-amazon-apigateway-integration": {"uri": uri}}}}
    other = checkout.aws.put_api({"info": {"title": "assent"}, "paths": paths})["id"]
    checkout.deploy()
    checkout.destroy()
    assert checkout.aws.apis.keys() == {other}


def test_an_api_of_another_name_is_somebody_elses(checkout: Checkout) -> None:
    """Also if it calls the stage's API function: neither overwritten nor deleted."""
    checkout.deploy()
    (ours,) = checkout.aws.apis.values()
    swagger = {**ours["swagger"], "info": {"title": "theirs"}}
    theirs = checkout.aws.put_api(swagger)["id"]
    checkout.deploy()
    assert checkout.aws.apis[theirs]["swagger"] == swagger
    checkout.destroy()
    assert checkout.aws.apis.keys() == {theirs}


def test_the_url_of_an_api_has_the_domain_of_its_partition(checkout: Checkout) -> None:
    """China's is another one."""
    checkout.deploy()
    china = SimpleNamespace(region_name="cn-north-1")
    account = SimpleNamespace(
        session=china, lambda_=checkout.aws, events=checkout.aws, apigateway=checkout.aws
    )
    found = deployed_resources(DEV, DEV.code, cast("Any", account), [])
    (url,) = (one["rest_api_url"] for one in found if one["resource_type"] == "rest_api")
    assert url.endswith(".execute-api.cn-north-1.amazonaws.com.cn/api/")


def test_of_two_mappings_of_a_queue_one_stays(checkout: Checkout) -> None:
    """AWS makes no second one; a restored backup or an emulator might have it."""
    checkout.deploy()
    before = dict(checkout.aws.mappings)
    for queue, function in QUEUES.items():
        checkout.aws.put_mapping(queue, function)
    checkout.deploy()
    assert checkout.aws.mappings == before


@pytest.mark.parametrize(
    "queue", ["theirs", "assent-dev-requests-of-billing", "assent-dev-2-ended"]
)
def test_a_mapping_of_somebody_elses_queue_is_left_alone(checkout: Checkout, queue: str) -> None:
    """Chalice neither made it nor should delete it, also if its name begins with the stage's."""
    checkout.deploy()
    theirs = f"arn:aws:sqs:{REGION}:111122223333:{queue}"
    mapping = checkout.aws.put_mapping(theirs, f"{PREFIX}assent-dev-decision_from_queue")
    checkout.deploy()
    assert mapping["UUID"] in checkout.aws.mappings
    checkout.destroy()
    assert [*checkout.aws.mappings] == [mapping["UUID"]]


@pytest.mark.parametrize(
    "arn", [None, f"arn:aws:sns:{REGION}:111122223333:theirs", f"{PREFIX}assent-dev"]
)
def test_a_rule_that_chalice_has_not_made_is_left_alone(
    checkout: Checkout, arn: str | None
) -> None:
    """Its name is like a rule's of a function that has no schedule, and it may call that one."""
    theirs = {"assent-dev-event": {"1": arn} if arn else {}}
    checkout.aws.rules |= theirs
    checkout.deploy()
    checkout.deploy()
    assert checkout.aws.rules.keys() == {*theirs, "assent-dev-tick-event"}
    checkout.destroy()
    assert checkout.aws.rules == theirs


def test_a_foreign_rule_in_the_place_of_ours_stops_a_deploy(checkout: Checkout) -> None:
    """Chalice would overwrite its schedule and its target. A destroy doesn't touch it."""
    theirs = {"assent-dev-tick-event": {"1": f"{PREFIX}payroll"}}
    checkout.aws.rules |= theirs
    with pytest.raises(ToolError, match=f"assent-dev-tick, but {PREFIX}payroll, .* was deployed"):
        checkout.deploy()
    assert checkout.aws.changes == []
    checkout.aws.put_mapping(next(iter(QUEUES)), QUEUES[next(iter(QUEUES))])
    checkout.destroy()
    assert (checkout.aws.rules, checkout.aws.mappings) == (theirs, {})


def test_a_target_that_somebody_added_to_our_rule_is_named_before_a_destroy(
    checkout: Checkout,
) -> None:
    """EventBridge would refuse to delete the rule, halfway. Deploys leave the target alone."""
    checkout.deploy()
    rule = checkout.aws.rules["assent-dev-tick-event"]
    rule["heartbeat"] = f"arn:aws:sns:{REGION}:111122223333:heartbeat"
    checkout.deploy()
    assert len(rule) == 2
    checkout.aws.changes.clear()
    with pytest.raises(ToolError, match=r"nothing was deleted.* --ids heartbeat`"):
        checkout.destroy()
    assert checkout.aws.changes == []
    del rule["heartbeat"]
    checkout.destroy()
    assert_gone(checkout)


def test_a_destroy_says_what_it_deletes_before_it_does(checkout: Checkout) -> None:
    """A second API named like ours, in front of our function, is among it."""
    checkout.deploy()
    aws = checkout.aws
    (api,) = aws.apis.values()
    aws.put_api(api["swagger"])
    all_of_it = {*aws.functions, *aws.mappings, *aws.rules, *aws.apis}
    aws.changes.clear()
    aws.break_at = 1
    with pytest.raises(Broken):
        checkout.destroy()
    (said,) = (line for line in checkout.said if line.startswith("functions and API: deleting "))
    assert set(said.removeprefix("functions and API: deleting ").split(", ")) == all_of_it


def test_the_stages_names_are_those_of_the_app() -> None:
    """A queue or schedule of `app.py` that is missing here would be left behind."""
    queues = [e.queue for e in app.event_sources if isinstance(e, SQSEventConfig)]
    assert list(DEV.code.queues) == queues
    scheduled = [e.name for e in app.event_sources if isinstance(e, ScheduledEventConfig)]
    assert list(DEV.code.scheduled) == [DEV.function(name) for name in scheduled]


def test_a_record_cannot_name_a_function_of_another_program(checkout: Checkout) -> None:
    """A record that was copied or edited has no hold on what isn't called after the stage."""
    checkout.deploy()
    payroll = checkout.aws.create_function(FunctionName="payroll", Environment={}, Tags={})
    checkout.aws.rules["payroll-event"] = {}
    theirs: list[RecordedResource] = [
        {
            "name": "payroll",
            "resource_type": "lambda_function",
            "lambda_arn": payroll["FunctionArn"],
        },
        {
            "name": "payroll-event",
            "resource_type": "cloudwatch_event",
            "rule_name": "payroll-event",
        },
    ]
    checkout.chalice.record(DEV, [*checkout.chalice.recorded(DEV), *theirs])
    checkout.destroy()
    assert (set(checkout.aws.functions), checkout.aws.rules) == (
        {"payroll"},
        {"payroll-event": {}},
    )


def test_a_function_of_your_own_stays_in_the_record_until_it_is_gone(checkout: Checkout) -> None:
    """You may have added one to app.py; the record is where its name comes from."""
    checkout.deploy()
    mine = checkout.aws.create_function(FunctionName="assent-dev-report", Environment={}, Tags={})
    entry: RecordedResource = {
        "name": "report",
        "resource_type": "lambda_function",
        "lambda_arn": mine["FunctionArn"],
    }
    bucket: RecordedResource = {"name": "report-s3event", "resource_type": "s3_event"}
    recorded = [*checkout.chalice.recorded(DEV), entry, bucket]
    found = deployed_resources(DEV, DEV.code, checkout.account, recorded)
    assert [one for one in found if one not in checkout.chalice.recorded(DEV)] == [entry, bucket]
    del checkout.aws.functions["assent-dev-report"]
    found = deployed_resources(DEV, DEV.code, checkout.account, recorded)
    assert entry not in found


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
