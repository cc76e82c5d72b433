"""Decoding: untrusted bytes and JSON into typed values, and msgspec's errors into our words."""

import re
from typing import Any, TypeVar

import msgspec

from .errors import InvalidRequest
from .texts import CONTROL_OR_BREAK

T = TypeVar("T")

_CHOICES = {
    "onReject": "fail, return",
    "reasonRequired": "never, onReject, always",
    "approvalsNeeded": "a number, all",
    "decision": "approve, reject",
    "choice": "approve, reject",
    "confirmed": "yes",
    "action": "cancel, remind",
    "change": "invite, confirm, delegate, end, remove",
    "end": "yes",
    "check": "yes",
    "dryRun": "yes",
    "breakGlass": "yes",
    "outcome": "pending, approved, rejected, expired, cancelled",
    "status": "SUCCEEDED, FAILED, TIMED_OUT, ABORTED",
}
"""Field -> its allowed values; msgspec's message doesn't name them."""
_FORMS = {
    "taskToken": "must be a task token: letters, digits and signs of ASCII, without blanks",
    "executionArn": "must be the ARN of an execution, arn:<partition>:states:<region>:<account>:"
    "execution:<state machine>:<name>, without blanks",
}
"""Field -> what its text looks like, in place of the regular expression in msgspec's message."""
_PATH = re.compile(r"(?P<what>.*) - at `(?P<key>key in )?\$\.?(?P<path>.*)`", re.DOTALL)
_GOT = re.compile(r"Expected `([^`]*)`, got `([^`]*)`")
_TYPES = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
}
"""msgspec's names of JSON's types -> ours."""
_NAMED = re.compile(r"Object (contains unknown|missing required) field `(?P<name>.*)`", re.DOTALL)


def read_json(body: bytes) -> Any:
    """Return the decoded JSON of a body; raise InvalidRequest if it isn't JSON in UTF-8."""
    if not body:
        raise InvalidRequest("body: is empty, JSON is expected")
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as e:
        raise InvalidRequest(f"body: is not valid JSON in UTF-8 ({e})") from None


def convert(untrusted: object, wanted: type[T], *, strict: bool = True) -> T:
    """Return `untrusted` as a `wanted`; raise InvalidRequest naming the first wrong field.

    A float without a fraction is an integer: Step Functions and JavaScript write `86400.0`.
    `strict=False` takes digits for a number: in a query string every value is text.
    """
    try:
        converted = msgspec.convert(_with_integers(untrusted), wanted, strict=strict)
    except msgspec.ValidationError as e:
        raise _refusal(str(e)) from None
    except UnicodeEncodeError:  # Python's JSON accepts half a surrogate pair; UTF-8 can't hold it.
        raise _half_a_character(untrusted) from None
    if isinstance(untrusted, dict) and not all(map(_is_text, untrusted.values())):
        raise _half_a_character(untrusted)
    return converted


def _with_integers(sent: object, levels: int = 3) -> object:
    """Return the JSON with each float that has no fraction as an int.

    Three levels hold all integers of the wire: a policy, its groups, one of them. `details` is
    shown as it was sent.
    """
    if isinstance(sent, float) and sent.is_integer():
        return int(sent)
    if isinstance(sent, list) and levels:
        return [_with_integers(one, levels - 1) for one in sent]
    if isinstance(sent, dict) and levels:
        return {
            name: value if name == "details" else _with_integers(value, levels - 1)
            for name, value in sent.items()
        }
    return sent


def _refusal(message: str) -> InvalidRequest:
    """Return msgspec's message as an InvalidRequest that names the field as the wire does."""
    at = _PATH.fullmatch(message)
    what, path = (at["what"], at["path"]) if at else (message, "")
    named = _NAMED.fullmatch(what)
    if named:
        path = f"{path}.{named['name']}" if path else named["name"]
        what = "is required" if "missing" in named[1] else "is not a field of this request"
    what = _in_words(what, path)
    what = CONTROL_OR_BREAK.sub("?", what.replace("`", ""))[:200]
    path = CONTROL_OR_BREAK.sub("?", path.replace("[...]", ""))[:100]
    return InvalidRequest(f"{path or 'body'}: {what[0].lower()}{what[1:]}", field=path or None)


def _in_words(what: str, path: str) -> str:
    """Return msgspec's message about a bound or a choice in plain words."""
    if what.startswith("Invalid enum value"):
        return f"must be one of {_CHOICES.get(path, 'the values documented')}"
    if "datetime" in what:
        return "must be a time with an offset from UTC, such as 2026-12-24T09:00:00Z"
    if " matching regex " in what:
        return _FORMS.get(path, "has a character or a form that is not allowed")
    if got := _GOT.fullmatch(what):
        expected = " or ".join(_TYPES.get(one, one) for one in got[1].split(" | "))
        return f"must be {expected}, not {_TYPES.get(got[2], got[2])}"
    bound = re.fullmatch(r"Expected `(str|array|int)`( of length)? ([<>])= (\d+)", what)
    if bound is None:
        return what
    kind, _, sign, number = bound.groups()
    unit = {"str": " characters", "array": " entries", "int": ""}[kind]
    least = "at least" if sign == ">" else "at most"
    return f"must {'be' if kind == 'int' else 'have'} {least} {number}{unit}"


def _half_a_character(untrusted: object) -> InvalidRequest:
    fields = untrusted.items() if isinstance(untrusted, dict) else ()
    found = next((k for k, v in fields if not (_is_text(k) and _is_text(v))), None)
    field = None if found is None else CONTROL_OR_BREAK.sub("?", found)[:100]
    return InvalidRequest(f"{field or 'body'}: has half of a surrogate pair", field=field)


def _is_text(value: object) -> bool:
    return not (isinstance(value, str) and any("\ud800" <= one <= "\udfff" for one in value))
