"""A deploy and a destroy take a stage's functions, mappings, rules and APIs, and no others."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from chalice.app import ScheduledEventConfig, SQSEventConfig

from app import app
from tests.aws.code_account import PREFIX, REGION, Broken
from tools.deployed_record import RecordedResource, deployed_resources
from tools.errors import ToolError

from .checkout import QUEUES, Checkout, assert_gone
from .conftest import DEV


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
