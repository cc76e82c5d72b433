"""The events of an approval: its audit trail, bounded so that one item can hold it."""

from datetime import datetime
from typing import TYPE_CHECKING, Literal

from msgspec import Struct
from msgspec.structs import replace

Channel = Literal["page", "list", "api", "console", "function", "queue", "topic", "tick"]
"""By which entrypoint something came; on the wire `via`. The inbox page is `list` there."""

OPERATORS: frozenset[Channel] = frozenset({"api", "console"})
"""The channels of operators."""

MailFailure = Literal["invited", "unconfirmed", "refused"]
"""Why a mail wasn't sent: SNS invited the approver just now, the approver hasn't confirmed the
subscription, or SNS refuses the address."""

EventKind = (
    Literal[
        "requested", "delegated", "approved", "rejected", "wrongCode",
        "cancelled", "reminded", "extended", "reassigned", "escalated", "expired",
        "mailed", "undelivered", "resumed", "announced", "erased", "undecidable", "decidable",
    ]
    | MailFailure
)  # fmt: skip
if TYPE_CHECKING:
    StoredKind = EventKind
else:
    StoredKind = str  # After a rollback, older code still reads events of kinds it doesn't know.

EVENTS_KEPT = 180
"""The most events that one approval keeps; older ones of lesser kinds are counted."""
PRINCIPALS_KEPT = 4_000
"""So many characters of IAM principals in events of lesser kinds: some forty events."""
REASONS_KEPT = 4
"""The most reasons of reminders and extensions that one approval keeps: an item has 400 KB."""

ABOUT_MAIL = frozenset({"mailed", "invited", "unconfirmed", "refused", "undelivered"})
NEVER_FOLDED = frozenset(
    {
        *("requested", "approved", "rejected", "cancelled", "expired", "resumed", "reassigned"),
        "erased",
    }
)
_REPEATABLE = frozenset({"reminded", "extended"})
"""Commands that an operator may send any number of times, each with a reason."""

SYSTEM = "assent"
"""The actor of an event that no person caused."""


class Event(Struct, frozen=True, omit_defaults=True, rename="camel"):
    """One line of the audit trail: what happened, when, by whom, through which channel."""

    at: datetime
    what: StoredKind
    who: str
    via: Channel
    note: str = ""
    why: str = ""
    """The operator's reason for a reminder or an extension."""
    principal: str = ""
    """The IAM principal that signed an operator's call; another `who` is what the operator claims
    to be."""


def append(events: tuple[Event, ...], event: Event) -> tuple[tuple[Event, ...], int]:
    """Return the events with one more, and how many were folded into a count.

    Beyond EVENTS_KEPT the oldest event of a lesser kind is folded, and beyond PRINCIPALS_KEPT the
    oldest ones of those with a principal; beyond REASONS_KEPT the oldest reason of a repeatable
    command is emptied.
    """
    kept = [*_with_room_for_reason(events, event), event]
    before = len(kept)
    signed = [e for e in kept if e.principal and e.what not in NEVER_FOLDED]
    while sum(len(e.principal) for e in signed) > PRINCIPALS_KEPT:
        kept.remove(signed.pop(0))
    oldest = next((i for i, e in enumerate(kept) if e.what not in NEVER_FOLDED), None)
    if len(kept) > EVENTS_KEPT and oldest is not None:
        del kept[oldest]
    return tuple(kept), before - len(kept)


def _with_room_for_reason(events: tuple[Event, ...], new: Event) -> tuple[Event, ...]:
    reasoned = [i for i, e in enumerate(events) if e.what in _REPEATABLE and e.why]
    if not new.why or new.what not in _REPEATABLE or len(reasoned) < REASONS_KEPT:
        return events
    oldest = reasoned[0]
    return (*events[:oldest], replace(events[oldest], why=""), *events[oldest + 1 :])
