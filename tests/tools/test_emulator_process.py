import json
from pathlib import Path
from typing import Any

import pytest

from tools.sandbox.emulator_process import mailing, naming_errors, with_sns_keys


def fan_out(*_: object, **__: object) -> None:
    """Stand in for MiniStack's own, which delivers to everything but mail."""


def lines(mail: Path) -> list[Any]:
    """Return the mails in the file."""
    return [json.loads(line) for line in mail.read_text().splitlines()]


def test_a_message_becomes_mail_for_confirmed_addresses_only(tmp_path: Path) -> None:
    """As on AWS: no mail before the approver confirmed, none for subscriptions of other kinds."""
    mail = tmp_path / "mail.jsonl"
    subscriptions = [
        {"protocol": "email", "endpoint": "ada@example.com", "confirmed": True},
        {"protocol": "email", "endpoint": "grace@example.com", "confirmed": False},
        {"protocol": "sqs", "endpoint": "arn:aws:sqs:::queue", "confirmed": True},
    ]
    send = mailing(fan_out, lambda _: {"subscriptions": subscriptions}, mail)
    send("arn", "id", "Hello\nthere", "Subject", "", {})
    send("arn", "id", "No subject", "", "", {}, message_group_id="")
    assert [(m["to"], m["subject"], m["text"]) for m in lines(mail)] == [
        ("ada@example.com", "Subject", "Hello\nthere"),
        ("ada@example.com", "AWS Notification Message", "No subject"),
    ]


def test_a_message_to_nobody_is_no_fault(tmp_path: Path) -> None:
    """The topic may be gone by then."""
    mailing(fan_out, lambda _: None, tmp_path / "mail.jsonl")("arn", "id", "text", "subject")
    assert not (tmp_path / "mail.jsonl").exists()


@pytest.mark.parametrize("given", ["email", ["email"]])
def test_subscribe_is_judged_by_protocol_and_endpoint(given: object) -> None:
    """The condition keys of AWS, for this action alone."""
    context = with_sns_keys(lambda *_: {"aws:tagkeys": None})
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
def test_what_a_function_raised_is_named_by_its_class(message: str, log: str, named: str) -> None:
    """As on AWS, where a state machine catches it by that name."""
    body = {"errorMessage": message, "errorType": "Runtime.HandlerError"}
    execute = naming_errors(lambda *_: {"error": True, "body": dict(body), "log": log})
    assert execute({}, {}, "id")["body"] == body | {"errorType": named}


def test_what_a_function_answers_is_left_alone() -> None:
    """Also if it speaks of errors; and so is the name that MiniStack knows."""
    for found in (
        {"body": {"errorType": "Runtime.HandlerError"}, "log": "NotFound: no"},
        {"error": True, "body": {"errorType": "Sandbox.Timedout"}, "log": "NotFound"},
    ):
        assert naming_errors(lambda *_, found=found: found)({}) == found
