"""Messages: requests, decisions and ended executions, by queue, topic or function call.

A message that is refused for good is put on the dead-letter queue at once; while AWS is
unavailable the error is raised, so that SQS delivers the message again. A dead letter written here
holds no link token, code or reason: it says which message was refused and why.
"""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, NotRequired, TypedDict

from msgspec import Struct

from ..application import asking, deciding, ending
from ..application.ports import DeadLetterJson, Ports
from ..domain.approval import Choice, Outcome
from ..domain.decoding import convert, read_json
from ..domain.errors import AssentError, InvalidRequest
from ..domain.events import Channel
from ..domain.link_tokens import hide_tokens, id_in

Kind = Literal["decision", "request", "ended"]


class DecisionMessage(Struct, frozen=True, forbid_unknown_fields=True):
    """What a program sends to decide: an approver's link token, and the decision."""

    token: str
    decision: Choice
    reason: str = ""
    code: str = ""


class Notification(Struct, frozen=True, rename="pascal"):
    """The envelope in which SNS delivers a message to a queue."""

    type: Literal["Notification"]
    message_id: str
    message: str


class Message(NamedTuple):
    """One message; `id` is the message id that SQS or SNS gave its sender."""

    id: str
    body: str
    via: Channel


class RecordedJson(TypedDict):
    """A recorded decision; `decision` is null if others had decided the same before.

    `resumed` is only there if it is false: the execution waited no longer for this outcome.
    """

    approvalId: str
    outcome: Outcome
    decision: Choice | None
    resumed: NotRequired[bool]


class RequestedJson(TypedDict):
    """A made approval; null if the request was bad and its task was failed."""

    approvalId: str | None


class EndedJson(TypedDict):
    """The approvals that an execution's end closed."""

    approvalIds: list[str]


def open_message(record: Mapping[str, Any]) -> Message:
    """Return the message in an SQS record, out of SNS's envelope if it has one."""
    body: str = record["body"]
    try:
        notification = convert(_read(body), Notification)
    except InvalidRequest:
        return Message(str(record["messageId"]), body, "queue")
    return Message(notification.message_id, notification.message, "topic")


def take(
    ports: Ports, kind: Kind, message: Message
) -> RecordedJson | RequestedJson | EndedJson | AssentError:
    """Record the decision, make the request, or close the approvals of the execution in a message.

    A refused message is put on the dead-letter queue and its error returned. Retryable errors
    (status >= 500) are raised, so that SQS redelivers.
    """
    content: Any = None
    try:
        content = _read(message.body)
        if kind == "decision":
            return decide(ports, content, message.via)
        if kind == "ended":
            return {"approvalIds": ending.end_approvals(ports, content)}
        return request_approval(ports, content, message.via)
    except AssentError as e:
        if e.status >= 500:
            raise
        letter: DeadLetterJson = {
            "refused": {name: hide_tokens(value) for name, value in e.as_json().items()},
            "messageId": message.id,
            "via": message.via,
        }
        letter.update(subject_of(content))
        ports.dead_letters.put(letter)
        return e


def decide(ports: Ports, untrusted: object, via: Channel) -> RecordedJson:
    """Record the decision of a `DecisionMessage`; raises what `deciding.decide` does."""
    message = convert(untrusted, DecisionMessage)
    approval, approver = deciding.decide(
        ports, message.token, message.decision, reason=message.reason, via=via, code=message.code
    )
    recorded: RecordedJson = {
        "approvalId": approval.id,
        "outcome": approval.outcome,
        "decision": approver.decision.choice if approver.decision else None,
    }
    if approval.is_in_vain:
        recorded["resumed"] = False
    return recorded


def request_approval(ports: Ports, untrusted: object, via: Channel) -> RequestedJson:
    """Make the approval of a `TaskRequest`; raises what `asking.request_approval` does."""
    return {"approvalId": asking.request_approval(ports, untrusted, via)}


def subject_of(untrusted: object) -> DeadLetterJson:
    """Return the approval's id from a message's link token; never the secret half."""
    if not isinstance(untrusted, dict):
        return {}
    approval_id = id_in(str(untrusted.get("token", "")))
    return {"approvalId": approval_id} if approval_id else {}


def _read(body: str) -> Any:
    # Half a surrogate pair can't be encoded; let through, it fails as invalid JSON.
    return read_json(body.encode(errors="surrogatepass"))
