"""Alarms and their metrics: each filter matches the line that the code logs, and each alarm rings.

A misspelt name would make an alarm that never rings; CloudWatch reports no error.
"""

import re
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from chalicelib.adapters.dynamodb_items import approval_item, waiting_changes
from chalicelib.application.tick import tick
from tests.builders import an_approval, cancelled
from tests.fakes import FakePorts
from tools.stage import Stage
from tools.template import load_template

from .conftest import CHECKOUT

RESOURCES = load_template(CHECKOUT / "infrastructure.yaml")["Resources"]
FILTERS: dict[str, Any] = {
    name: found["Properties"]
    for name, found in RESOURCES.items()
    if found["Type"] == "AWS::Logs::MetricFilter"
}
ALARMS: dict[str, Any] = {
    name: found["Properties"]
    for name, found in RESOURCES.items()
    if found["Type"] == "AWS::CloudWatch::Alarm"
}
METRICS: list[dict[str, Any]] = [
    metric
    for found in ALARMS.values()
    for metric in (
        [m["MetricStat"]["Metric"] for m in found["Metrics"] if "MetricStat" in m]
        if "Metrics" in found
        else [found]
    )
]
"""What the alarms watch; an alarm of one metric names it itself."""


@pytest.mark.parametrize(
    ("name", "count"), [("OverdueFilter", "overdue"), ("UnreachedFilter", "unreached")]
)
def test_a_filter_of_the_tick_reads_a_count_of_its_log_line(name: str, count: str) -> None:
    """The pattern matches the event's name, and the value is a number in that event."""
    ports = FakePorts()
    tick(ports, until=ports.now() + timedelta(minutes=4))
    (line,) = ports.logged
    (metric,) = FILTERS[name]["MetricTransformations"]
    pattern = re.fullmatch(r'{ \$\.event = "(\w+)" }', FILTERS[name]["FilterPattern"])
    assert pattern is not None
    assert pattern[1] == line["event"]
    assert metric["MetricValue"] == f"$.{count}"
    assert line[count] == 0
    assert FILTERS[name]["LogGroupName"] == {"Ref": "TickLogs"}


@pytest.mark.parametrize(
    ("name", "log"),
    [("ServerErrorsFilter", "ApiLogs"), ("RecordDecisionFaultsFilter", "RecordDecisionLogs")],
)
def test_every_answer_of_5xx_counts_as_a_server_error(name: str, log: str) -> None:
    """`status` is in the log line of each route and function (entrypoints/answering.py)."""
    assert FILTERS[name]["FilterPattern"] == "{ $.status >= 500 }"
    assert FILTERS[name]["LogGroupName"] == {"Ref": log}
    (metric,) = FILTERS[name]["MetricTransformations"]
    assert (metric["MetricName"], metric["MetricValue"]) == ("ServerErrors", "1")


def test_every_metric_of_a_filter_has_an_alarm() -> None:
    """By namespace and name."""
    metrics = {
        (metric["MetricNamespace"]["Fn::Sub"], metric["MetricName"])
        for found in FILTERS.values()
        for metric in found["MetricTransformations"]
    }
    alarms = {
        (found["Namespace"]["Fn::Sub"], found["MetricName"])
        for found in METRICS
        if isinstance(found["Namespace"], dict)
    }
    assert alarms == metrics


def test_every_function_has_an_alarm_of_its_errors() -> None:
    """By the function's name."""
    watched = [
        found["Dimensions"][0]["Value"]["Fn::Sub"].replace("${Stage}", "dev")
        for found in METRICS
        if found["Namespace"] == "AWS/Lambda"
    ]
    assert sorted(watched) == sorted(Stage("dev").functions)


def test_a_refusal_of_record_decision_is_no_failure_of_it() -> None:
    """It is raised for the caller, so Lambda counts an error; its log line takes it off again."""
    failures, *counted = ALARMS["RecordDecisionErrorsAlarm"]["Metrics"]
    assert failures["Expression"] == "errors - FILL(refusals, 0)"
    assert [metric["Id"] for metric in counted] == ["errors", "refusals"]
    assert all(metric["MetricStat"]["Stat"] == "Sum" for metric in counted)
    assert all(metric["ReturnData"] is False for metric in counted), "they are no alarms"
    refusals = FILTERS["RecordDecisionRefusalsFilter"]
    assert refusals["FilterPattern"] == "{ $.status >= 400 && $.status < 500 }"
    assert refusals["LogGroupName"] == {"Ref": "RecordDecisionLogs"}
    (metric,) = refusals["MetricTransformations"]
    assert (metric["MetricName"], metric["MetricValue"]) == ("Refusals", "1")


@pytest.mark.parametrize("name", ALARMS)
def test_one_is_enough_to_ring(name: str) -> None:
    """One error, one dead letter, one overdue approval or unreached approver."""
    alarm = ALARMS[name]
    assert alarm["Threshold"] == 0
    assert alarm["ComparisonOperator"] == "GreaterThanThreshold"
    assert alarm.get("Statistic", "Sum") in ("Maximum", "Sum")


def test_every_alarm_notifies_the_topic() -> None:
    """When it begins and when it ends, if the stage has an alarm topic."""
    assert len(ALARMS) == 15
    for alarm in ALARMS.values():
        for actions in (alarm["AlarmActions"], alarm["OKActions"]):
            assert actions["Fn::If"][:2] == ["AlarmsAreHeard", [{"Ref": "AlarmTopicArn"}]]


def test_a_tick_that_does_not_run_rings() -> None:
    """It yields no data, which counts as overdue; so the filter may have no default value."""
    assert ALARMS["OverdueAlarm"]["TreatMissingData"] == "breaching"
    (overdue,) = FILTERS["OverdueFilter"]["MetricTransformations"]
    assert "DefaultValue" not in overdue


def test_a_decision_that_the_topic_cannot_deliver_is_a_dead_letter() -> None:
    """SNS puts it on the queue that operators read."""
    subscription = RESOURCES["DecisionsFromTopic"]["Properties"]
    assert subscription["RedrivePolicy"] == {
        "deadLetterTargetArn": {"Fn::GetAtt": ["DeadLetters", "Arn"]}
    }


def test_the_time_to_live_removes_what_is_over_alone() -> None:
    """The adapter gives its attribute to waiting entries, and after a retention to approvals."""
    time_to_live = RESOURCES["Table"]["Properties"]["TimeToLiveSpecification"]
    pending = an_approval()
    (entry,) = waiting_changes(pending, cancelled(pending))
    assert time_to_live["Enabled"] is True
    assert time_to_live["AttributeName"] in entry.keys() - {"pk"}
    (new,) = waiting_changes(None, pending)
    assert time_to_live["AttributeName"] not in new
    settled = replace(cancelled(pending), outbox=())
    assert time_to_live["AttributeName"] in approval_item(settled, timedelta(days=1))
    for kept in (approval_item(settled), approval_item(pending, timedelta(days=1))):
        assert time_to_live["AttributeName"] not in kept
