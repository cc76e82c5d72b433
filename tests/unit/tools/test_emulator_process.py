import json
from pathlib import Path
from typing import Any

import pytest

from tools.sandbox.emulator_process import (
    as_tls,
    with_error_types,
    with_mail,
    with_metric_math,
    with_sns_condition_keys,
)


def fan_out(*_: object, **__: object) -> None:
    """Stand in for MiniStack's fan-out, which delivers to every protocol but e-mail."""


def lines(mail: Path) -> list[Any]:
    """Return the mails in the file."""
    return [json.loads(line) for line in mail.read_text().splitlines()]


def test_a_message_becomes_mail_for_confirmed_addresses_only(tmp_path: Path) -> None:
    """As on AWS: no mail to unconfirmed addresses, and none for other protocols."""
    mail = tmp_path / "mail.jsonl"
    subscriptions = [
        {"protocol": "email", "endpoint": "ada@example.com", "confirmed": True},
        {"protocol": "email", "endpoint": "grace@example.com", "confirmed": False},
        {"protocol": "sqs", "endpoint": "arn:aws:sqs:::queue", "confirmed": True},
    ]
    send = with_mail(fan_out, lambda _: {"subscriptions": subscriptions}, mail)
    send("arn", "id", "Hello\nthere", "Subject", "", {})
    send("arn", "id", "No subject", "", "", {}, message_group_id="")
    assert [(m["to"], m["subject"], m["text"]) for m in lines(mail)] == [
        ("ada@example.com", "Subject", "Hello\nthere"),
        ("ada@example.com", "AWS Notification Message", "No subject"),
    ]


def test_a_message_to_a_missing_topic_is_ignored(tmp_path: Path) -> None:
    """The topic may have been deleted meanwhile."""
    with_mail(fan_out, lambda _: None, tmp_path / "mail.jsonl")("arn", "id", "text", "subject")
    assert not (tmp_path / "mail.jsonl").exists()


@pytest.mark.parametrize("given", ["email", ["email"]])
def test_subscribe_has_the_condition_keys_of_aws(given: object) -> None:
    """`sns:Protocol` and `sns:Endpoint`, for this action alone."""
    context = with_sns_condition_keys(lambda *_: {"aws:tagkeys": None})
    asked = {"Protocol": given, "Endpoint": ["ada@example.com"]}
    assert context("sns", "sns:Subscribe", b"", asked) == {
        "aws:tagkeys": None,
        "sns:Protocol": "email",
        "sns:Endpoint": "ada@example.com",
    }
    assert context("sns", "sns:Publish", b"", asked) == {"aws:tagkeys": None}


@pytest.mark.parametrize(
    ("message", "log", "named"),
    [
        ("no", "{}\nTraceback:\n  raise\nchalicelib.errors.NotFound: no", "NotFound"),
        ("", "Traceback:\n  raise\nZeroDivisionError", "ZeroDivisionError"),
        ("a\nb", "KeyError: 1\n\nDuring\nValueError: a\nb", "ValueError"),
        ("killed", "nothing", "Runtime.HandlerError"),
    ],
)
def test_an_error_has_the_name_of_its_exceptions_class(message: str, log: str, named: str) -> None:
    """As on AWS, where state machines catch errors by that name."""
    body = {"errorMessage": message, "errorType": "Runtime.HandlerError"}
    execute = with_error_types(lambda *_: {"error": True, "body": dict(body), "log": log})
    assert execute({}, {}, "id")["body"] == body | {"errorType": named}


def test_every_request_counts_as_tls() -> None:
    """The caller's address stays."""
    pinned: list[tuple[str, bool]] = []
    as_tls(lambda address, secure: pinned.append((address, secure)))("127.0.0.1", False)
    assert pinned == [("127.0.0.1", True)]


def test_an_alarm_of_an_expression_watches_its_first_metric() -> None:
    """Which has all that MiniStack asks of an alarm."""
    made = with_metric_math(lambda name, properties: (name, properties))
    metric = {"Namespace": "AWS/Lambda", "MetricName": "Errors"}
    summed = {"Id": "errors", "MetricStat": {"Metric": metric, "Stat": "Sum", "Period": 300}}
    metrics = [{"Id": "failures", "Expression": "errors * 2"}, summed]
    expected = {"Metrics": [], "Threshold": 0, **metric, "Statistic": "Sum", "Period": 300}
    assert made("x", {"Metrics": metrics, "Threshold": 0}) == ("x", expected)
    assert made("x", metric) == ("x", metric)


def test_results_and_other_error_types_stay() -> None:
    """Also a result that looks like an error, and the error types that MiniStack sets itself."""
    for found in (
        {"body": {"errorType": "Runtime.HandlerError"}, "log": "NotFound: no"},
        {"error": True, "body": {"errorType": "Sandbox.Timedout"}, "log": "NotFound"},
    ):
        assert with_error_types(lambda *_, found=found: found)({}) == found
