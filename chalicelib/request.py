"""CORE: what may be asked, and the refusal of everything else.

`read_request` turns untrusted JSON into a `Request` or raises InvalidRequest naming the field.
msgspec checks shapes and bounds; what spans fields or needs words is below, one rule a function.
"""

import re
from collections.abc import Iterator
from math import isfinite
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

from .errors import InvalidRequest

DETAILS_BYTES = 16_384
REASON_CHARACTERS = 2_000
REASON_BYTES = 4_002
"""As JSON in UTF-8. 50 such reasons, with all else, stay under DynamoDB's 400 KB an item."""
MOST_APPROVERS = 50
"""How many people one approval ever asks."""
LARGEST_NUMBER = 2**53
"""Beyond it, JSON readers that know only doubles (Step Functions' among them) change a number."""

T = TypeVar("T")
Seconds = int
Detail = str | bool | int | float
Span = Annotated[Seconds, Meta(ge=60, le=31_536_000)]
Address = Annotated[str, Meta(min_length=3, max_length=254)]

_WORD = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"(?=.{{1,64}}@){_WORD}(\.{_WORD})*@{_LABEL}(\.{_LABEL})+")
_EXECUTION_ARN = r"^arn:[a-z-]+:states:[!-9;-~]*:[!-9;-~]*:execution:[A-Za-z0-9_.:-]+\Z"
# C0, DEL, C1, line and paragraph separators, and the marks that reorder text (a mail's subject
# could be made to read backwards). Tab, LF and CR are judged apart: fine in text of many lines.
_CONTROL = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
_CONTROL_OR_BREAK = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_CHOICES = {
    "onReject": "fail, return",
    "reasonRequired": "never, onReject, always",
    "approvalsNeeded": "a number, all",
    "decision": "approve, reject",
    "choice": "approve, reject",
    "confirmed": "yes",
    "outcome": "pending, approved, rejected, expired, cancelled",
}
_PATH = re.compile(r"(?P<what>.*) - at `(?P<key>key in )?\$\.?(?P<path>.*)`", re.DOTALL)
_NAMED = re.compile(r"Object (contains unknown|missing required) field `(?P<name>.*)`", re.DOTALL)


class Escalation(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Whom to ask too, if nothing is decided `after` seconds."""

    after: Annotated[Seconds, Meta(ge=60, le=31_536_000)]
    approvers: Annotated[tuple[Address, ...], Meta(min_length=1, max_length=MOST_APPROVERS)]


class Request(Struct, frozen=True, kw_only=True, rename="camel"):
    """One request for an answer, as asked; the table in README.md explains each field."""

    subject: Annotated[str, Meta(min_length=1, max_length=200)]
    details: dict[str, Detail] | str = ""
    approvers: Annotated[tuple[Address, ...], Meta(min_length=1, max_length=MOST_APPROVERS)]
    approvals_needed: Annotated[int, Meta(ge=1, le=50)] | Literal["all"] = 1
    rejections_needed: Annotated[int, Meta(ge=1, le=50)] = 1
    requested_by: Address | None = None
    expires_in: Span = 604_800
    remind_every: Annotated[Seconds, Meta(ge=300, le=31_536_000)] | None = None
    escalation: Escalation | None = None
    reason_required: Literal["never", "onReject", "always"] = "onReject"
    code_required: bool = False
    allow_self_approval: bool = False
    on_reject: Literal["fail", "return"] = "fail"


class Question(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """What a state machine sends to have something asked: a request and where to answer it.

    A task token has 1 to 2,048 characters (botocore's model of `SendTaskSuccess`).
    """

    task_token: Annotated[str, Meta(min_length=1, max_length=2_048, pattern=r"^[!-~]+\Z")]
    execution_arn: Annotated[str, Meta(max_length=1_024, pattern=_EXECUTION_ARN)]
    request: Any


class Answer(Struct, frozen=True, forbid_unknown_fields=True):
    """What an approver sends with a decision."""

    reason: str = ""
    code: str = ""


class Withdrawal(Struct, frozen=True, forbid_unknown_fields=True):
    """What a requester sends to take a request back."""

    reason: str = ""


class Confirmation(Struct, frozen=True, forbid_unknown_fields=True):
    """What an operator sends to confirm an approver: the address of SNS's confirmation link."""

    url: Annotated[str, Meta(max_length=2_048)]


class Passing(Struct, frozen=True, forbid_unknown_fields=True):
    """What an approver sends to have somebody else asked."""

    to: str = ""
    note: str = ""
    code: str = ""


class Listing(Struct, frozen=True, forbid_unknown_fields=True):
    """What an operator's list is asked for; `next` is from the page before."""

    outcome: Literal["pending", "approved", "rejected", "expired", "cancelled"] = "pending"
    limit: Annotated[int, Meta(ge=1, le=100)] = 50
    next: str = ""


class Choosing(Struct, frozen=True, forbid_unknown_fields=True):
    """What an approver sends to decide several at once; only a confirmed one decides."""

    choice: Literal["approve", "reject"]
    chosen: tuple[str, ...] = ()
    reason: str = ""
    confirmed: Literal["", "yes"] = ""


class _Untrusted(Request, frozen=True, forbid_unknown_fields=True):
    """A request at the door: a field we don't know may be one whose effect somebody counts on.

    What is stored is read back as `Request`, so that code rolled back reads newer items.
    """

    started_by: Any = msgspec.field(default=None, name="AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID")
    """What a parent puts into its child's input so that Step Functions' console links the two."""


def read_request(untrusted: object, domains: tuple[str, ...]) -> Request:
    """Return the request that `untrusted` (decoded JSON) asks for.

    `domains` are the mail domains whose people may be asked; `("*",)` allows any.
    Raises InvalidRequest, naming the first field that is wrong.
    """
    fields = msgspec.structs.asdict(shape(untrusted, _Untrusted))
    del fields["started_by"]
    fields["subject"] = fields["subject"].strip()
    fields["details"] = _details(fields["details"])
    fields["approvers"] = _approvers(fields["approvers"], "approvers", domains)
    fields["escalation"] = _escalation(fields["escalation"], len(fields["approvers"]), domains)
    asked = Request(**fields)
    if not asked.subject:
        raise InvalidRequest("subject: must not be blank", field="subject")
    one_line(asked.subject, "subject")
    _check_requester(asked)
    most = len(asked.approvers)
    for field, number in (
        ("approvalsNeeded", asked.approvals_needed),
        ("rejectionsNeeded", asked.rejections_needed),
    ):
        if number != "all" and number > most:
            raise InvalidRequest(
                f"{field}: {number} is more than the {most} approvers asked", field=field
            )
    return asked


def read_json(body: bytes) -> Any:
    """Return the decoded JSON of a body; raise InvalidRequest if it is none."""
    if not body:
        raise InvalidRequest("body: is empty, JSON is expected")
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as e:
        raise InvalidRequest(f"body: is not valid JSON in UTF-8 ({e})") from None


def shape(untrusted: object, wanted: type[T], *, strict: bool = True) -> T:
    """Return `untrusted` as `wanted`; raise InvalidRequest naming the field that doesn't fit.

    Where all is text, as in a query, `strict=False` takes digits for a number.
    """
    try:
        return msgspec.convert(untrusted, wanted, strict=strict)
    except msgspec.ValidationError as e:
        raise _refusal(str(e)) from None
    except UnicodeEncodeError:  # Half a surrogate pair: Python's JSON lets it in, no text has it.
        raise _half_a_character(untrusted) from None


def check_address(address: str, field: str, domains: tuple[str, ...]) -> str:
    """Return the address, its domain in lower case; raise InvalidRequest if it isn't allowed.

    Lower case because the roles' condition on `sns:Endpoint` compares letter by letter.
    """
    if len(address) > 254 or not _ADDRESS.fullmatch(address):
        raise InvalidRequest(f"{field}: is not an e-mail address", field=field)
    local, _, domain = address.rpartition("@")
    domain = domain.lower()
    if "*" not in domains and domain not in domains:
        raise InvalidRequest(
            f"{field}: addresses at {domain} may not be asked; allowed are {', '.join(domains)}",
            field=field,
        )
    return f"{local}@{domain}"


def confirmation_token(url: str, topic_arn: str) -> str:
    """Return the token in the link of SNS's invitation to that topic, or raise InvalidRequest.

    The link looks like `https://sns.<region>.amazonaws.com/...?TopicArn=...&Token=...`.
    """
    if not re.match(r"https://sns\.[a-z0-9-]+\.amazonaws\.com(\.cn)?/", url):
        raise InvalidRequest("url: is not the address of a confirmation link of SNS", field="url")
    query = dict(re.findall(r"[?&](TopicArn|Token)=([^&#]*)", url))
    if query.get("TopicArn", "").replace("%3A", ":") != topic_arn:
        raise InvalidRequest("url: confirms somebody else's subscription", field="url")
    token: str = query.get("Token", "")
    if not re.fullmatch(r"[0-9a-f]{16,1024}", token):
        raise InvalidRequest("url: has no token; copy the address of the link, whole", field="url")
    return token


def check_reason(reason: str, field: str = "reason") -> str:
    """Return the reason with plain line ends; raise InvalidRequest if it is too long or unfit."""
    reason = many_lines(reason, field).strip()
    if len(reason) > REASON_CHARACTERS:
        raise InvalidRequest(f"{field}: has more than {REASON_CHARACTERS} characters", field=field)
    if len(msgspec.json.encode(reason)) > REASON_BYTES:
        raise InvalidRequest(f"{field}: is too long in bytes, please shorten it", field=field)
    return reason


def one_line(text: str, field: str) -> str:
    """Return the text; raise InvalidRequest if it has a control character or line break."""
    return _without(_CONTROL_OR_BREAK, text, field)


def many_lines(text: str, field: str) -> str:
    """Return the text with LF line ends; raise InvalidRequest for other control characters."""
    return _without(_CONTROL, text.replace("\r\n", "\n").replace("\r", "\n"), field)


def same_person(one: str, other: str) -> bool:
    """Return whether two addresses are one person's: case makes no difference."""
    return one.lower() == other.lower()


def _without(unfit: re.Pattern[str], text: str, field: str) -> str:
    found = unfit.search(text)
    if found:
        raise InvalidRequest(
            f"{field}: has the control character U+{ord(found[0]):04X} at position {found.start()}",
            field=field,
        )
    return text


def _details(details: dict[str, Detail] | str) -> dict[str, Detail] | str:
    field = "details"
    if isinstance(details, str):
        checked: dict[str, Detail] | str = many_lines(details, field).strip()
    else:
        checked = dict(_labelled(details))
    if len(msgspec.json.encode(checked)) > DETAILS_BYTES:
        raise InvalidRequest(f"{field}: is larger than {DETAILS_BYTES} bytes", field=field)
    return checked


def _labelled(details: dict[str, Detail]) -> Iterator[tuple[str, Detail]]:
    for label, value in details.items():
        shown = label.strip()[:100]
        field = f"details.{shown}"
        if not shown or len(label) > 100:
            raise InvalidRequest("details: a label has 1 to 100 characters", field="details")
        one_line(label, "details")
        if isinstance(value, int) and abs(value) > LARGEST_NUMBER:
            raise InvalidRequest(f"{field}: send so large a number as text", field=field)
        if isinstance(value, float) and not isfinite(value):
            raise InvalidRequest(f"{field}: is not a number that JSON has", field=field)
        yield label, many_lines(value, field) if isinstance(value, str) else value


def _escalation(
    asked: Escalation | None, approvers: int, domains: tuple[str, ...]
) -> Escalation | None:
    if asked is None:
        return None
    field = "escalation.approvers"
    people = _approvers(asked.approvers, field, domains)
    if approvers + len(people) > MOST_APPROVERS:
        raise InvalidRequest(
            f"{field}: with approvers, more than {MOST_APPROVERS} people", field=field
        )
    return Escalation(asked.after, people)


def _approvers(addresses: tuple[str, ...], named: str, domains: tuple[str, ...]) -> tuple[str, ...]:
    checked: dict[str, str] = {}
    for position, address in enumerate(addresses):
        field = f"{named}[{position}]"
        one = check_address(address, field, domains)
        if one.lower() in checked:
            raise InvalidRequest(f"{field}: {address} is named twice", field=field)
        checked[one.lower()] = one
    return tuple(checked.values())


def _check_requester(asked: Request) -> None:
    if asked.requested_by is None:
        return
    check_address(asked.requested_by, "requestedBy", ("*",))
    fallback = () if asked.escalation is None else asked.escalation.approvers
    for named, people in (("approvers", asked.approvers), ("escalation.approvers", fallback)):
        for position, address in enumerate(people):
            if same_person(address, asked.requested_by) and not asked.allow_self_approval:
                field = f"{named}[{position}]"
                raise InvalidRequest(
                    f"{field}: {address} asks, and may not approve their own request "
                    "(allowSelfApproval permits it)",
                    field=field,
                )


def _in_words(what: str, path: str) -> str:
    """Return msgspec's words about a bound or a choice as a person would say them."""
    if what.startswith("Invalid enum value"):
        return f"must be one of {_CHOICES.get(path, 'the values documented')}"
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
    field = None if found is None else _CONTROL_OR_BREAK.sub("?", found)[:100]
    return InvalidRequest(f"{field or 'body'}: has half of a surrogate pair", field=field)


def _is_text(value: object) -> bool:
    return not (isinstance(value, str) and any("\ud800" <= one <= "\udfff" for one in value))


def _refusal(message: str) -> InvalidRequest:
    """Return msgspec's message as ours: the field apart, as the wire writes it."""
    at = _PATH.fullmatch(message)
    what, path = (at["what"], at["path"]) if at else (message, "")
    named = _NAMED.fullmatch(what)
    if named:
        path = f"{path}.{named['name']}" if path else named["name"]
        what = "is required" if "missing" in named[1] else "is not a field of this request"
    what = _in_words(what, path)
    what = _CONTROL_OR_BREAK.sub("?", what.replace("`", ""))[:200]
    path = _CONTROL_OR_BREAK.sub("?", path.replace("[...]", ""))[:100]
    return InvalidRequest(f"{path or 'body'}: {what[0].lower()}{what[1:]}", field=path or None)
