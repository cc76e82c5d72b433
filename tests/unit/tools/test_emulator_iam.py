import json
from pathlib import Path
from typing import Any

import pytest

from tools.sandbox.emulator_iam import with_lambda_actions, with_record, with_resources

FUNCTION = "/2015-03-31/functions/assent-dev"


def ministack(*_: object) -> str:
    """Stand in for MiniStack's own answer."""
    return "its own"


@pytest.mark.parametrize(
    ("service", "method", "path", "action"),
    [
        ("lambda", "DELETE", "/2017-10-31/functions/f/concurrency", "DeleteFunctionConcurrency"),
        ("lambda", "DELETE", "/2015-03-31/event-source-mappings/1-2", "DeleteEventSourceMapping"),
        ("lambda", "GET", "/2015-03-31/event-source-mappings/", "ListEventSourceMappings"),
        ("lambda", "PUT", "/2019-09-25/functions/f/event-invoke-config", "PutFunction"),
        ("lambda", "POST", f"{FUNCTION}/invocations", "InvokeFunction"),
    ],
)
def test_a_call_of_lambda_is_named_as_on_aws(
    service: str, method: str, path: str, action: str
) -> None:
    """By its method and path, which botocore's model has."""
    named = with_lambda_actions(ministack)(service, method, path, {}, b"", {})
    assert (named or "").startswith(f"lambda:{action}")


@pytest.mark.parametrize(("service", "path"), [("sqs", FUNCTION), ("lambda", "/unknown")])
def test_other_calls_keep_their_names(service: str, path: str) -> None:
    """MiniStack knows them better."""
    assert with_lambda_actions(ministack)(service, "GET", path, {}, b"", {}) == "its own"


@pytest.mark.parametrize(
    ("action", "body", "arn"),
    [
        ("lambda:CreateFunction", {"FunctionName": "f"}, "arn:aws:lambda:r:1:function:f"),
        ("events:PutTargets", {"Rule": "x"}, "arn:aws:events:r:1:rule/x"),
        ("events:ListTargetsByRule", {"Rule": "x"}, "arn:aws:events:r:1:rule/x"),
        ("events:PutRule", {"Name": "x"}, "arn:aws:events:r:1:rule/x"),
        ("events:PutRule", {"Name": "x", "EventBusName": "b"}, "arn:aws:events:r:1:rule/b/x"),
    ],
)
def test_a_resource_has_the_arn_that_it_has_on_aws(
    action: str, body: dict[str, str], arn: str
) -> None:
    """A rule of the default bus doesn't name the bus."""

    def resource_of(*_: object) -> str:
        return f"arn:aws:events:r:1:rule/{body.get('EventBusName', 'default')}/x"

    resource = with_resources(resource_of, lambda *_: action)
    assert resource("s", "POST", "/", {}, json.dumps(body).encode(), {}, "r", "1") == arn


def test_the_calls_of_users_are_recorded(tmp_path: Path) -> None:
    """Those of roles and of root aren't; MiniStack's verdict stays."""
    calls = tmp_path / "calls.jsonl"

    def enforce(*_: object, **__: Any) -> str:
        return "its verdict"

    check = with_record(enforce, calls)
    for key in ("AKIA1", "ASIA1", "test"):
        assert check(key, "sqs:SendMessage", "sqs", "r", resource_arn="arn") == "its verdict"
    (line,) = calls.read_text().splitlines()
    assert json.loads(line) == {"key": "AKIA1", "action": "sqs:SendMessage", "resource": "arn"}
