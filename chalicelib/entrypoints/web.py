"""HTTP without a framework: one request as it was sent, and the answers to it.

`answering.py` makes a Call of each request, and the framework's response of each Reply.
"""

import re
import typing
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol, TypeVar
from urllib.parse import parse_qsl, unquote

from msgspec.structs import fields

from ..domain.decoding import convert, read_json
from ..domain.errors import AssentError, InvalidRequest, TooLarge, UnsupportedType
from ..domain.link_tokens import id_in, is_id
from ..presentation.pages import parts
from ..presentation.pages.fields import FormError
from ..presentation.pages.parts import Page
from ..presentation.pages.problem import problem_page, unavailable_page

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
HTML = "text/html"
BODY_BYTES = 131_072
"""The largest body that is read; a request with every field at its longest is smaller."""
FORM_FIELDS = 80
"""More fields than any page sends."""

SIGNED_CONSOLE_ROUTES = ("/console/sessions", "/console/read-only-sessions")
"""The routes that offer a session, by POST."""

_REFUSED = re.compile(r"q\s*=\s*0(\.0*)?")
"""The weight by which an `Accept` header refuses a media type."""
_PLACE = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ_([a-z0-9-]{1,64}|[!-~]+@[!-~]+))?")
"""Where a page of a list begins: after the approval, approver or policy of that time and name."""

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
    """The parts of a framework's request that are read."""

    method: str
    headers: Any
    uri_params: Any
    query_params: Any
    context: dict[str, Any]

    @property
    def raw_body(self) -> Any:
        """The body, as bytes."""


class Reply(NamedTuple):
    """An answer; `body` is a Page, text, or a value that becomes JSON."""

    body: Any
    status: int
    headers: Headers
    facts: Mapping[str, str] = MappingProxyType({})
    """What the log says beside route, status and ids."""


class Call:
    """One HTTP request; a malformed part raises InvalidRequest or its like when it is read."""

    def __init__(self, sent: Sent) -> None:
        self._sent = sent
        self.method = sent.method
        self.headers: Mapping[str, str] = sent.headers
        self.query: dict[str, str] = dict(sent.query_params or {})

    @property
    def wants_html(self) -> bool:
        """Whether to answer with a page: to a browser, and on a page's route by default."""
        accepted = _accepted(self.headers.get("Accept", ""))
        if HTML in accepted or accepted.get(JSON):
            return accepted.get(HTML, False)
        return self._is_page and self._type != JSON

    @property
    def root(self) -> str:
        """The relative address of the folder of all pages; a copied link may end in a slash."""
        depth = self._route.count("/") - 1 + str(self._sent.context.get("path")).endswith("/")
        return "../" * depth

    @property
    def caller(self) -> str:
        """The IAM principal that signed the request."""
        identity = self._sent.context.get("identity") or {}
        return str(identity.get("userArn") or "operator")

    @property
    def signature(self) -> dict[str, str]:
        """The IAM principal that signed an operator's call, for the log."""
        is_signed = (self._sent.context.get("identity") or {}).get("userArn")
        return {"principal": self.caller} if is_signed else {}

    def cookie(self, name: str) -> str:
        """Return the value of that cookie; "" if none came along."""
        for pair in self.headers.get("Cookie", "").split(";"):
            key, _, value = pair.strip().partition("=")
            if key == name:
                return value
        return ""

    def is_from(self, public_url: str) -> bool:
        """Return whether a page of the stage itself sent this form, as the browser says.

        `Sec-Fetch-Site` decides. If the browser doesn't send it, `Origin` has to be the origin of
        mailed links, or of the address that was called. Without both headers: False.
        """
        site = self.headers.get("Sec-Fetch-Site")
        if site is not None:
            return site == "same-origin"
        origin = self.headers.get("Origin", "")
        own = ("/".join(public_url.split("/", 3)[:3]), f"https://{self.headers.get('Host')}")
        return origin in own

    @property
    def reference(self) -> str:
        """The id of this request in the log."""
        return str(self._sent.context.get("requestId", "-"))

    @property
    def ids(self) -> dict[str, str]:
        """The approval or execution in the path, for the log; never the secret half of a token."""
        found = self._sent.uri_params or {}
        named = found.get("approval_id", "")
        approval_id = named if is_id(named) else id_in(found.get("token", ""))
        ids = {"approvalId": approval_id, "execution": unquote(found.get("name", ""))}
        return {key: value[:80] for key, value in ids.items() if value}

    def check_type(self) -> None:
        """Raise UnsupportedType if an operator's call, by any method, names another type than JSON.

        The routes of pages have forms too, and check the type of what they read.
        """
        if not self._is_page:
            self._check_json()

    def json(self, default: bytes = b"") -> Any:
        """Return the JSON body; `default` stands for an empty one."""
        self._check_json()
        return read_json(self._body or default)

    def form(self, wanted: type[T]) -> T:
        """Return the body of a page, a form or JSON, as a `wanted` (a Struct)."""
        if self._type != FORM:
            return convert(self.json(default=b"{}"), wanted)
        pairs = self.form_fields()
        form: dict[str, Any] = dict(pairs)
        for field in fields(wanted):  # type: ignore[arg-type]  # every `wanted` is a Struct
            if typing.get_origin(field.type) is tuple:
                form[field.name] = [value for name, value in pairs if name == field.name]
        return convert(form, wanted)

    def form_fields(self) -> list[tuple[str, str]]:
        """Return names and values of a form, in order; empty if the body is no form."""
        if self._type != FORM:
            return []
        try:
            return parse_qsl(
                self._body.decode(),
                keep_blank_values=True,
                max_num_fields=FORM_FIELDS,
                errors="strict",
            )
        except ValueError:  # UnicodeDecodeError among them
            wrong = f"body: is not a form in UTF-8, or has more than {FORM_FIELDS} fields"
            raise InvalidRequest(wrong) from None

    def _check_json(self) -> None:
        if self._type not in (JSON, ""):
            raise UnsupportedType(f"The body must be {JSON}, in UTF-8.")

    @property
    def _is_page(self) -> bool:
        """Whether the route is a mailed link's or the console's."""
        return self.is_console or "token" in (self._sent.uri_params or {})

    @property
    def is_console(self) -> bool:
        """Whether the route is a page of the console."""
        is_signed = self.method == "POST" and self._route in SIGNED_CONSOLE_ROUTES
        return self._route.startswith("/console") and not is_signed

    @property
    def _route(self) -> str:
        """The route as it is declared: `/approve/{token}`."""
        return str(self._sent.context.get("resourcePath"))

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


def _accepted(header: str) -> dict[str, bool]:
    """Return the media types that an `Accept` header names, and whether it accepts each."""
    named = {}
    for one in header.lower().split(","):
        media_type, *parameters = (part.strip() for part in one.split(";"))
        named[media_type] = not any(_REFUSED.fullmatch(part) for part in parameters)
    return named


def check_place(place: str, field: str) -> None:
    """Raise InvalidRequest if that isn't the `next` of an earlier page."""
    if not _PLACE.fullmatch(place):
        raise InvalidRequest(f"{field}: is no place in this list; begin without it", field=field)


def json(body: Mapping[str, object], status: int = 200, more: Headers | None = None) -> Reply:
    """Return JSON, for programs."""
    return Reply(body, status, HEADERS | {"Content-Type": JSON} | (more or {}))


def html(page: Page, status: int = 200, more: Headers | None = None) -> Reply:
    """Return a page."""
    return Reply(page, status, HEADERS | parts.HEADERS | (more or {}))


def text(plain: str) -> Reply:
    """Return plain text."""
    return Reply(plain, 200, HEADERS | {"Content-Type": "text/plain; charset=utf-8"})


def with_error(reply: Reply, error: AssentError | None) -> Reply:
    """Return the reply with the status of the error, and for programs its code and message."""
    if error is None:
        return reply
    body = reply.body if isinstance(reply.body, Page) else {**error.as_json(), **reply.body}
    return reply._replace(body=body, status=error.status, facts={"code": error.code})


def error(call: Call, error: AssentError, route: str) -> Reply:
    """Return the answer to an error, as a page or as JSON; `route` names what was called."""
    if error.status >= 500:
        # The log has the message, under the reference; a reader can't act on it.
        error.message = "We can't do that just now. What was recorded is kept; please try again."
    headers = retry_after(error)
    if call.wants_html and error.status < 500 and call.is_console:
        from ..presentation.console.frame import HEADERS as CONSOLE  # noqa: PLC0415 (cold start)
        from ..presentation.console.problem import console_problem  # noqa: PLC0415 (cold start)

        page = console_problem(error, call.root, call.reference)
        return html(page, error.status, {**CONSOLE, **headers})
    if call.wants_html:
        pressed = _pressed(call) if error.status >= 500 else []
        page = (
            unavailable_page(route, pressed, call.reference, counts_once=not call.is_console)
            if pressed
            else problem_page(error, call.reference)
        )
        # A form of a page with `no-referrer` is sent with the origin `null`.
        own = {"Referrer-Policy": "same-origin"} if call.is_console else {}
        return html(page, error.status, {**own, **headers})
    reference = {"reference": call.reference} if error.status >= 500 else {}
    return json(error.as_json() | reference, error.status, headers)


def _pressed(call: Call) -> list[tuple[str, str]]:
    """Return the fields of a button that was pressed; empty if the body can't be read."""
    try:
        return call.form_fields() if call.method == "POST" else []
    except AssentError:
        return []


def form_error(
    error: AssentError | None, heading: str = "There is a problem", typed: str = ""
) -> FormError | None:
    """Return what a page says of an error, without the field's name in its words.

    `heading` says what the press didn't do, `typed` what was typed and has no field on the page.
    """
    if error is None:
        return None
    said = error.message.removeprefix(f"{error.field}: ")
    return FormError(said, error.field or "", heading, typed)


def retry_after(error: AssentError | None) -> Headers:
    """Return the header that says when to try again, where that is known."""
    if error is None or error.retry_after is None:
        return {}
    return {"Retry-After": str(error.retry_after)}
