"""The timeline of an approval: each event in a line, with what people wrote as quotations."""

from ...domain.approval import Approval
from ...domain.events import ABOUT_MAIL, SYSTEM, Event
from ..pages.markup import NOTHING, Markup
from ..pages.parts import joined, reason
from ..wording import count, when

_WORDS = {
    "requested": "Asked",
    "delegated": "Delegated",
    "wrongCode": "Wrong code typed",
    "mailed": "Mailed",
    "invited": "Invited to confirm the subscription",
    "unconfirmed": "Not mailed, because the subscription is not confirmed:",
    "undelivered": "Not mailed, because SNS did not take it:",
    "refused": "Not mailed, because SNS refuses it:",
    "resumed": "Workflow told",
    "announced": "Event put on the event bus",
    "undecidable": "Can't be approved any more",
    "decidable": "Can be approved again",
}
"""Kind of an event -> its words; the others are words as they are."""
_CHANNELS = {
    "page": "by a page",
    "list": "by the inbox",
    "api": "by the API",
    "console": "in the console",
    "function": "by a function",
    "queue": "by a queue",
    "topic": "by a topic",
    "tick": "by the tick",
}
_QUOTED = frozenset({"cancelled"})
"""Kinds of events whose note a person wrote."""
_ITEM = Markup('<li><span class="fact">{}</span> {}{}</li>\n')


def timeline(approval: Approval) -> Markup:
    """Return the events, oldest first."""
    folded = approval.folded_events
    older = (
        Markup("<li>{} not kept</li>\n").format(count(folded, "older event")) if folded else NOTHING
    )
    items = joined(_item(event) for event in approval.events)
    return Markup('<ol class="timeline">\n{}{}</ol>\n').format(older, items)


def _item(event: Event) -> Markup:
    written = [event.why, event.note if event.what in _QUOTED else ""]
    quotes = joined(reason(text) for text in written if text)
    return _ITEM.format(when(event.at), _said(event), quotes)


def _said(event: Event) -> str:
    what = _WORDS.get(event.what, event.what.capitalize())
    note = f" ({event.note})" if event.note and event.what not in _QUOTED else ""
    if event.who == SYSTEM:
        return f"{what}{note}"
    channel = _CHANNELS.get(event.via, f"by {event.via}")
    if event.what in ABOUT_MAIL:
        return f"{what} {event.who}{note}"
    signed = event.principal and event.principal != event.who
    by = f"{event.who}, signed by {event.principal}" if signed else event.who
    return f"{what}, {channel}, by {by}{note}"
