"""DOORS: what comes as a message, from a queue or through a topic, and decisions that code sends.

A message that is refused for good becomes a dead letter at once; what AWS keeps us from doing is
raised, so that SQS delivers the message again. No dead letter that is written here holds a link
token, a code or a reason: it says which message was refused and why.
"""

from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

from msgspec import Struct

from . import links, workflow
from .approval import Choice, Door
from .errors import AlreadyDecided, AssentError, InvalidRequest
from .ports import Ports
from .request import read_json, shape

Does = Callable[[Ports, Any, Door], Mapping[str, str | None]]
"""Does what a message says, and returns what came of it."""


class Vote(Struct, frozen=True, forbid_unknown_fields=True):
    """What a program sends to decide: an approver's link token, and what they say."""

    token: str
    decision: Choice
    reason: str = ""
    code: str = ""


class Notification(Struct, frozen=True, rename="pascal"):
    """A message as SNS delivers it to a queue: in an envelope of its own."""

    type: Literal["Notification"]
    message_id: str
    message: str


class Message(NamedTuple):
    """One message; `id` is what its sender was told, by SQS or by SNS."""

    id: str
    body: str
    via: Door


def opened(record: Mapping[str, Any]) -> Message:
    """Return the message in a record of SQS, out of SNS's envelope if it has one."""
    body: str = record["body"]
    try:
        sent = shape(_read(body), Notification)
    except InvalidRequest:
        return Message(str(record["messageId"]), body, "queue")
    return Message(sent.message_id, sent.message, "topic")


def take(ports: Ports, message: Message, does: Does) -> Mapping[str, str | None] | AssentError:
    """Do what a message says and return what came of it, or why it is refused for good.

    A refused one has become a dead letter. Raises what may be otherwise when it is delivered
    again: an error whose status is 500 or more.
    """
    said: Any = None
    try:
        said = _read(message.body)
        return does(ports, said, message.via)
    except AssentError as e:
        if e.status >= 500:
            raise
        where = {"messageId": message.id, "via": message.via} | about(said)
        refused = {name: links.hidden(value) for name, value in e.as_json().items()}
        ports.dead_letters.put({"refused": refused} | where)
        return e


def decide(ports: Ports, untrusted: object, via: Door) -> Mapping[str, str | None]:
    """Record the decision of a `Vote`; the same one again is fine.

    Returns `{"approvalId", "outcome", "decision"}`, the last of which is null if others had
    decided it the same way before. Raises what `workflow.decide` does.
    """
    vote = shape(untrusted, Vote)
    try:
        approval, approver = workflow.decide(
            ports, vote.token, vote.decision, vote.reason, via, vote.code
        )
    except AlreadyDecided as e:
        if e.status != 200:
            raise
        approval, approver = workflow.show(ports, vote.token)
    own = approver.decision.choice if approver.decision else None
    return {"approvalId": approval.id, "outcome": approval.outcome, "decision": own}


def ask(ports: Ports, untrusted: object, via: Door) -> Mapping[str, str | None]:
    """Ask a `request.Question` and return `{"approvalId"}`; null if its task was failed for it."""
    return {"approvalId": workflow.request(ports, untrusted, via)}


def about(untrusted: object) -> dict[str, str]:
    """Return what a message is about, if it says so: never the secret half of a link token."""
    if not isinstance(untrusted, dict):
        return {}
    named = str(untrusted.get("token", "")).partition(".")[0]
    return {"approvalId": named} if links.is_id(named) else {}


def why_not(e: AssentError) -> dict[str, Any]:
    """Return what a log says of an error: what kind, where, and why."""
    where = {} if e.field is None else {"field": links.hidden(e.field)}
    return {"status": e.status, "code": e.code} | where | {"why": links.hidden(e.message)}


def _read(body: str) -> Any:
    # Half a surrogate pair can't be encoded: let it through, and no JSON has it.
    return read_json(body.encode(errors="surrogatepass"))
