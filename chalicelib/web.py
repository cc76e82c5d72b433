"""EDGE: one HTTP request as it was sent, and the answers to it; no framework, no AWS.

`app.py` makes a Call of each request and a framework's response of each Reply.
"""

import re
import typing
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol, TypeVar
from urllib.parse import parse_qsl

from msgspec.structs import fields

from . import pages
from .errors import AssentError, InvalidRequest, TooLarge, Unavailable, UnsupportedType
from .links import is_id
from .request import read_json, shape

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
BODY_BYTES = 131_072
"""The largest body read: a request's every field at its longest is smaller."""
FORM_FIELDS = 80
"""More than any page of ours sends."""

_PLACE = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ_[a-z2-7]{26})?")
"""Where a page of a list begins: behind the approval with that time and id."""

T = TypeVar("T")
Headers = dict[str, str | list[str]]

HEADERS: Headers = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow",
    "Strict-Transport-Security": "max-age=31536000",
}


class Sent(Protocol):
    """What is read of a framework's request."""

    method: str
    headers: Any
    uri_params: Any
    query_params: Any
    context: dict[str, Any]

    @property
    def raw_body(self) -> Any:
        """The body, as bytes."""


class Reply(NamedTuple):
    """What is answered: a page or text, or what becomes JSON."""

    body: Any
    status: int
    headers: Headers


class Call:
    """One HTTP request; what is wrong with it raises InvalidRequest and its like when read."""

    def __init__(self, sent: Sent) -> None:
        self._sent = sent
        self.method = sent.method
        self.headers: Mapping[str, str] = sent.headers
        self.query: dict[str, str] = dict(sent.query_params or {})

    @property
    def wants_html(self) -> bool:
        """Whether the reader is a browser; on a mailed link also whoever doesn't say JSON."""
        accept = self.headers.get("Accept", "*/*").lower()
        if "text/html" in accept or JSON in accept:
            return "text/html" in accept
        return "token" in (self._sent.uri_params or {}) and self._type != JSON

    @property
    def caller(self) -> str:
        """Who signed it: an IAM principal."""
        identity = self._sent.context.get("identity") or {}
        return str(identity.get("userArn") or "operator")

    @property
    def reference(self) -> str:
        """The id under which this request stands in the log."""
        return str(self._sent.context.get("requestId", "-"))

    @property
    def ids(self) -> dict[str, str]:
        """What it is about, for the log: never the secret half of a token."""
        found = self._sent.uri_params or {}
        named = found.get("approval_id", found.get("token", "").partition(".")[0])
        ids = {"approvalId": named if is_id(named) else "", "execution": found.get("name", "")}
        return {key: value[:80] for key, value in ids.items() if value}

    def json(self, default: bytes = b"") -> Any:
        """Return the body, which has to be JSON; `default` stands for an empty one."""
        if self._type not in (JSON, ""):
            raise UnsupportedType(f"The body must be {JSON}, in UTF-8.")
        return read_json(self._body or default)

    def sent(self, wanted: type[T]) -> T:
        """Return what a page sent, as a form or as JSON."""
        if self._type != FORM:
            return shape(self.json(default=b"{}"), wanted)
        try:
            pairs = parse_qsl(
                self._body.decode(),
                keep_blank_values=True,
                max_num_fields=FORM_FIELDS,
                errors="strict",
            )
        except ValueError:  # UnicodeDecodeError among them
            wrong = f"body: is not a form in UTF-8, or has more than {FORM_FIELDS} fields"
            raise InvalidRequest(wrong) from None
        form: dict[str, Any] = dict(pairs)
        for field in fields(wanted):  # type: ignore[arg-type]  # every `wanted` is a Struct
            if typing.get_origin(field.type) is tuple:
                form[field.name] = [value for name, value in pairs if name == field.name]
        return shape(form, wanted)

    @property
    def _type(self) -> str:
        """The body's media type in lower case, without its parameters."""
        header: str = self.headers.get("Content-Type", "")
        return header.partition(";")[0].strip().lower()

    @property
    def _body(self) -> bytes:
        body: bytes = self._sent.raw_body
        if len(body) > BODY_BYTES:
            raise TooLarge(f"The body is larger than {BODY_BYTES} bytes.")
        return body


def check_place(place: str, field: str) -> None:
    """Raise InvalidRequest if that can't be where a page of a list begins."""
    if not _PLACE.fullmatch(place):
        raise InvalidRequest(f"{field}: is no place in this list; begin without it", field=field)


def json(body: dict[str, Any], status: int = 200, more: Headers | None = None) -> Reply:
    """Return an answer for programs."""
    return Reply(body, status, HEADERS | {"Content-Type": JSON} | (more or {}))


def html(page: str, status: int = 200, more: Headers | None = None) -> Reply:
    """Return a page."""
    return Reply(page, status, HEADERS | pages.HEADERS | (more or {}))


def text(plain: str) -> Reply:
    """Return text to read."""
    return Reply(plain, 200, HEADERS | {"Content-Type": "text/plain; charset=utf-8"})


def error(call: Call, error: AssentError) -> Reply:
    """Return what the reader needs to know of an error, as a page or as JSON."""
    if error.status >= 500:
        # What exactly is in the log, under the reference; a reader can't do anything with it.
        error.message = "We can't do that just now. What was recorded is kept; please try again."
    headers: Headers = (
        {"Retry-After": str(error.retry_after)} if isinstance(error, Unavailable) else {}
    )
    if call.wants_html:
        return html(pages.problem(error, call.reference), error.status, headers)
    reference = {"reference": call.reference} if error.status >= 500 else {}
    return json(error.as_json() | reference, error.status, headers)
