"""A finding, and how an error of AWS becomes one."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError

from ..errors import Refused, Unreachable

FORBIDDEN = ("AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation")
"""AWS's names for a call that IAM doesn't permit."""


class Finding(NamedTuple):
    """What one check found; `todo` says what to do about something wrong or unknown."""

    part: str
    state: Literal["ok", "wrong", "unknown"]
    said: str
    todo: str = ""


def ok(part: str, said: str) -> Finding:
    """Return that a part is as it should be."""
    return Finding(part, "ok", said)


def wrong(part: str, said: str, todo: str) -> Finding:
    """Return that a part needs something done."""
    return Finding(part, "wrong", said, todo)


def verdict(part: str, bad: Sequence[str], todo: str, good: str) -> Iterator[Finding]:
    """Yield each thing that is wrong, with what to do; or, if there is none, that all is good."""
    yield from (wrong(part, said, todo) for said in bad)
    if not bad:
        yield ok(part, good)


def looked_at(part: str, found: Iterable[Finding], todo: str) -> Iterator[Finding]:
    """Yield what a check finds; a refusal of AWS is a finding too, and `todo` what to do then.

    A call that IAM forbids is unknown, not wrong. Raises Unreachable if AWS doesn't answer.
    """
    try:
        yield from found
    except Refused as e:
        yield wrong(part, f"the API refuses: {e.message} ({e.code})", todo)
    except ClientError as e:
        error: Any = e.response.get("Error", {})
        code, call = str(error.get("Code", "")), e.operation_name
        if code in FORBIDDEN:
            need = "docs/doctor-policy.json has all that doctor reads"
            yield Finding(part, "unknown", f"IAM doesn't permit {call}", need)
        else:
            yield wrong(part, f"{call}: {error.get('Message') or code}", todo)
    except EndpointConnectionError as e:
        raise Unreachable(str(e)) from None
    except BotoCoreError as e:
        raise Unreachable(f"AWS can't be asked: {e}") from None
