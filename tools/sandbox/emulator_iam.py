"""What a call of AWS is to IAM: corrects MiniStack where it names another action or resource.

`emulator_process.py` wraps MiniStack's functions with these. Without them a policy for AWS would be
refused in the sandbox, or one for the sandbox on AWS.
"""

import json
import re
import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import botocore.loaders

_INVOKE = ("Invoke", "InvokeAsync", "InvokeWithResponseStream")
_NAMED_IN_BODY = {
    "lambda:CreateFunction": ("FunctionName", "arn:aws:lambda:{}:{}:function:{}"),
    "events:PutTargets": ("Rule", "arn:aws:events:{}:{}:rule/{}"),
    "events:ListTargetsByRule": ("Rule", "arn:aws:events:{}:{}:rule/{}"),
    "events:RemoveTargets": ("Rule", "arn:aws:events:{}:{}:rule/{}"),
}
"""Action -> the field of the body that names the resource, and the ARN of that resource."""


def with_lambda_actions(action_of: Callable[..., str | None]) -> Callable[..., str | None]:
    """Wrap MiniStack's name of a call: those of Lambda are named as in botocore's model."""

    def lambda_action(service: str, method: str, path: str, *rest: Any, **more: Any) -> str | None:
        if service == "lambda":
            for operation, verb, pattern in _lambda_routes():
                if verb == method and pattern.fullmatch(path):
                    return f"lambda:{'InvokeFunction' if operation in _INVOKE else operation}"
        return action_of(service, method, path, *rest, **more)

    return lambda_action


def with_resources(
    resource_of: Callable[..., str], action_of: Callable[..., str | None]
) -> Callable[..., str]:
    """Wrap MiniStack's ARN of a call: a new function's, and that of a rule of the default bus."""

    def resource(
        service: str,
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes,
        query: dict[str, Any],
        region: str,
        account: str,
    ) -> str:
        action = action_of(service, method, path, headers, body, query)
        field, arn = _NAMED_IN_BODY.get(action or "", ("", ""))
        if field:
            return arn.format(region, account, json.loads(body)[field])
        found = resource_of(service, method, path, headers, body, query, region, account)
        return found.replace(":rule/default/", ":rule/")

    return resource


def with_record(enforce: Callable[..., Any], calls: Path) -> Callable[..., Any]:
    """Wrap MiniStack's check of a call: each of an IAM user becomes a line in `calls`."""
    lock = threading.Lock()

    def enforce_and_record(
        key: str, action: str, *rest: Any, resource_arn: str = "*", **more: Any
    ) -> Any:
        if key.startswith("AKIA"):  # the keys of roles begin with ASIA
            line = {"key": key, "action": action, "resource": resource_arn}
            with lock, calls.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
        return enforce(key, action, *rest, resource_arn=resource_arn, **more)

    return enforce_and_record


@cache
def _lambda_routes() -> list[tuple[str, str, re.Pattern[str]]]:
    """Return each operation of Lambda with its HTTP method and the pattern of its path."""
    operations = botocore.loaders.Loader().load_service_model("lambda", "service-2")["operations"]
    return [
        (name, found["http"]["method"], _pattern(found["http"]["requestUri"]))
        for name, found in operations.items()
    ]


def _pattern(uri: str) -> re.Pattern[str]:
    path, *_ = uri.split("?")
    return re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path.rstrip("/"))) + "/?")
