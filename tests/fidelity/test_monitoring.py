"""CloudWatch and EventBridge: the tick's schedule, its counts in the log, its alarm."""

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.model import ListShape, StructureShape

from .witness import argument, bounds, lint_codes, operation, plain

TRANSFORMATION: dict[str, Any] = {
    "MetricName": "Overdue",
    "MetricNamespace": "Assent/dev",
    "MetricValue": "$.overdue",
}


def _filter(**transformation: Any) -> dict[str, Any]:
    return {
        "Type": "AWS::Logs::MetricFilter",
        "Properties": {
            "LogGroupName": "/aws/lambda/assent-dev-tick",
            "FilterPattern": '{ $.event = "tick" }',
            "MetricTransformations": [transformation],
        },
    }


def _alarm(missing: str) -> dict[str, Any]:
    return {
        "Type": "AWS::CloudWatch::Alarm",
        "Properties": {
            "Namespace": "Assent/dev",
            "MetricName": "Overdue",
            "Statistic": "Maximum",
            "Period": 60,
            "EvaluationPeriods": 5,
            "Threshold": 0,
            "ComparisonOperator": "GreaterThanThreshold",
            "TreatMissingData": missing,
        },
    }


def _rule(schedule: str) -> dict[str, Any]:
    return {"Type": "AWS::Events::Rule", "Properties": {"ScheduleExpression": schedule}}


def test_a_metric_filter_reads_its_value_from_the_log_line(account: boto3.Session) -> None:
    """A JSON pattern selects the line, and `$.overdue` is the value of the metric."""
    whole, bare = _filter(**TRANSFORMATION), _filter(MetricName="Overdue")
    assert lint_codes({"Whole": whole, "Bare": bare}) == {"Whole": set(), "Bare": {"E3003"}}
    logs = account.client("logs")
    logs.create_log_group(logGroupName="tick")
    logs.put_metric_filter(
        logGroupName="tick",
        filterName="overdue",
        filterPattern='{ $.event = "tick" }',
        metricTransformations=[
            {
                "metricName": "Overdue",
                "metricNamespace": "Assent/dev",
                "metricValue": "$.overdue",
            }
        ],
    )
    (found,) = logs.describe_metric_filters(logGroupName="tick")["metricFilters"]
    assert found["filterPattern"] == '{ $.event = "tick" }'
    assert found["metricTransformations"][0]["metricValue"] == "$.overdue"


def test_a_log_event_is_one_json_line_of_at_most_a_megabyte() -> None:
    """A filter pattern has 1,024 characters, an event 1 MB."""
    events = argument("logs", "PutLogEvents", "logEvents")
    assert isinstance(events, ListShape)
    assert isinstance(events.member, StructureShape)
    message = events.member.members["message"]
    assert bounds(argument("logs", "PutMetricFilter", "filterPattern")) == (0, 1_024)
    assert "no larger than 1 MB" in plain(message.documentation)


def test_missing_data_can_be_an_alarm() -> None:
    """With `breaching`, a tick that logs nothing rings like one that is late."""
    alarms = {"Right": _alarm("breaching"), "Wrong": _alarm("bad")}
    assert lint_codes(alarms) == {"Right": set(), "Wrong": {"E3030"}}
    text = plain(argument("cloudwatch", "PutMetricAlarm", "TreatMissingData").documentation)
    assert "breaching | notBreaching | ignore | missing" in text


def test_an_alarm_may_watch_an_expression() -> None:
    """Of several metrics, whose own values then aren't watched."""
    text = plain(argument("cloudwatch", "PutMetricAlarm", "Metrics").documentation)
    assert "create an alarm based on the result of a metric math expression" in text
    assert "One item in the Metrics array is the expression that the alarm watches" in text


def test_a_minute_is_the_shortest_rate(account: boto3.Session) -> None:
    """`rate(1 minute)`, in the singular, is the shortest rate."""
    rules = {
        "Minute": _rule("rate(1 minute)"),
        "Minutes": _rule("rate(1 minutes)"),
        "Seconds": _rule("rate(30 seconds)"),
    }
    assert lint_codes(rules) == {"Minute": set(), "Minutes": {"E3027"}, "Seconds": {"E3027"}}
    events = account.client("events")
    assert events.put_rule(Name="tick", ScheduleExpression="rate(1 minute)")["RuleArn"]
    with pytest.raises(ClientError, match="ValidationException"):
        events.put_rule(Name="tick", ScheduleExpression="rate(30 seconds)")


def test_putting_a_rule_again_enables_it(account: boto3.Session) -> None:
    """What is omitted isn't kept: a rule that was disabled by hand runs after the next deploy."""
    text = plain(operation("events", "PutRule").documentation)
    assert "Rules are enabled by default" in text
    assert "the old values for those arguments are not kept" in text
    client = account.client("events")
    client.put_rule(Name="tick", ScheduleExpression="rate(1 minute)", State="DISABLED")
    client.put_rule(Name="tick", ScheduleExpression="rate(1 minute)")
    assert client.describe_rule(Name="tick")["State"] == "ENABLED"


def test_a_rule_with_targets_is_not_deleted(account: boto3.Session) -> None:
    """By the model, and by moto."""
    said = plain(operation("events", "DeleteRule").documentation)
    assert "Before you can delete the rule, you must remove all targets" in said
    client = account.client("events")
    client.put_rule(Name="tick", ScheduleExpression="rate(1 minute)")
    client.put_targets(Rule="tick", Targets=[{"Id": "1", "Arn": "arn:aws:sqs:us-east-1:1:q"}])
    with pytest.raises(ClientError, match="has targets"):
        client.delete_rule(Name="tick")
    client.remove_targets(Rule="tick", Ids=["1"])
    client.delete_rule(Name="tick")


def test_dashboards_are_global() -> None:
    """Two regions would overwrite each other's."""
    text = plain(operation("cloudwatch", "PutDashboard").documentation)
    assert "All dashboards in your account are global, not region-specific" in text
