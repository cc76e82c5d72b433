"""What commands are given: where the API is, durations, details, files."""

import json
import re
from pathlib import Path
from typing import Any

import botocore.session
import click
import yaml
from botocore.exceptions import BotoCoreError, ClientError

from ..client import region_of

DEEPEST = 20
"""A request has four levels."""
_MOMENT = r"\d{4}(-\d\d(-\d\d(T\d\d(:\d\d(:\d\dZ?)?)?)?)?)?"
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}


class Duration(click.ParamType[int]):
    """A duration such as `3d`, `12h`, `30m`, `90s`, or a number of seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the seconds."""
        found = re.fullmatch(r"([0-9]{1,9})([smhdw]?)", str(value))
        if found is None:
            self.fail(f"{value!r} is no duration: 3d, 12h, 30m or a number of seconds", param, ctx)
        return int(found[1]) * _SECONDS[found[2] or "s"]


class Moment(click.ParamType[str]):
    """A day or a time in UTC, as the beginning of an ISO 8601 time: `2026-11`, `2026-11-26T09`."""

    name = "day or time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return it as it is."""
        if not re.fullmatch(_MOMENT, str(value), re.ASCII):
            self.fail(f"{value!r} is no day or time in UTC: 2026-11-26", param, ctx)
        return str(value)


class Detail(click.ParamType[tuple[str, str]]):
    """A row of the details: `LABEL=VALUE`."""

    name = "LABEL=VALUE"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        """Return label and value."""
        if isinstance(value, tuple):
            return value
        label, equals, text = str(value).partition("=")
        if not label or not equals:
            self.fail(f"{value!r} has no label and value: --detail Version=4.2.0", param, ctx)
        return label, text


def api_url(url: str | None, stage: str | None, session: botocore.session.Session) -> str:
    """Return the API's URL: the given one; or the stage's, of this checkout or of its stack."""
    if url and "@" in url:
        raise click.UsageError("the URL must hold no user or password: calls are signed")
    if url:
        return url
    if not stage:
        raise click.UsageError(
            "which API? Give --url https://.../api, set ASSENT_URL, or give --stage"
        )
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,20}", stage):
        raise click.UsageError("--stage: is no name of a stage")
    return _recorded(stage) or _of_stack(stage, session)


def _recorded(stage: str) -> str | None:
    """Return the URL in Chalice's record of a stage; None if this isn't the checkout with it."""
    record = Path(".chalice") / "deployed" / f"{stage}.json"
    try:
        resources = json.loads(record.read_text("utf-8"))["resources"]
        urls = [one["rest_api_url"] for one in resources if one["resource_type"] == "rest_api"]
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as e:
        said = f"{record} can't be read ({type(e).__name__}): run `make deploy`, or give --url"
        raise click.UsageError(said) from None
    return str(urls[0]) if urls else None


def _of_stack(stage: str, session: botocore.session.Session) -> str:
    """Return the URL in the output `ApiUrl` of the stack assent-<stage>."""
    stack = f"assent-{stage}"
    try:
        cloudformation: Any = session.create_client(
            "cloudformation", region_name=region_of(session)
        )
        outputs = cloudformation.describe_stacks(StackName=stack)["Stacks"][0].get("Outputs", [])
    except (BotoCoreError, ClientError) as e:
        said = f"no record of stage {stage} is here, and CloudFormation doesn't say: {e}"
        raise click.UsageError(f"{said}; give --url") from None
    for one in outputs:
        # Until Chalice has made the API, the stack doesn't know its id.
        if one["OutputKey"] == "ApiUrl" and "//unknown." not in one["OutputValue"]:
            return str(one["OutputValue"])
    raise click.UsageError(f"stack {stack} names no API yet: run `make deploy STAGE={stage}`")


class _Strict(yaml.SafeLoader):  # type: ignore[misc]  # yaml has no types
    """Reads YAML whose reader sees all of it: no part refers to another, and no key is there twice.

    With references a few lines could stand for gigabytes, and of two equal keys the last would win.
    """

    depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Return a node, or raise YAMLError for an alias, or if it is nested too deeply."""
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases (*name) are not read")
        if self.depth == DEEPEST:
            raise yaml.YAMLError(f"it is nested too deeply, over {DEEPEST} levels")
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        """Return a mapping, or raise YAMLError for a key that is there twice."""
        seen = set[str]()
        for key, _ in node.value:
            name, line = str(key.value), key.start_mark.line + 1
            if name in seen:
                raise yaml.YAMLError(f"the field {name} is there twice, again in line {line}")
            seen.add(name)
        return super().construct_mapping(node, deep)


def request_in(text: str) -> dict[str, Any]:
    """Return the request in JSON or YAML text; JSON is YAML too."""
    return document_in(text, "--file", "request")


def document_in(text: str, where: str, what: str) -> dict[str, Any]:
    """Return the object in JSON or YAML text, as JSON would carry it.

    Raises UsageError, one line that begins with `where`; `what` is the thing that it should hold.
    """
    try:
        found = json.loads(json.dumps(yaml.load(text, _Strict), allow_nan=False))  # noqa: S506 (it is a SafeLoader)
    except yaml.YAMLError as e:
        said = " ".join(f"is neither JSON nor YAML as a {what} has it: {e}".split())
        starred = getattr(e, "context", "") == "while scanning an alias"
        todo = ": put a value that begins with * in quotes" if starred else ""
        raise click.UsageError(f"{where}: {said}{todo}") from None
    except TypeError as e:
        raise click.UsageError(f"{where}: {e}: put a date or time in quotes") from None
    except (ValueError, LookupError, AttributeError) as e:
        raise click.UsageError(f"{where}: a value can't be read: {e}") from None
    if not isinstance(found, dict):
        raise click.UsageError(f"{where}: holds no object with the fields of a {what}")
    return found
