"""Outbox entries: the effects that a transition promised and that are still to be delivered.

They are written with the transition, in one conditional write, so that a crash loses none.
"""

from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct

LEASE = timedelta(seconds=90)
"""Lease on an outbox entry: its writer has this long to deliver it before a tick may lease it.

The writer stops well before that (`outbox_relay.TIME_LIMIT`), so no two processes deliver at the
same time.
"""

AT_ONCE = timedelta(0)
"""No lease: the tick delivers the entry."""

MailKind = Literal["request", "reminder", "escalation", "reassignment", "receipt", "outcome"]
"""The first four ask an approver to decide; `receipt` tells the requester that the request was
sent, `outcome` tells everybody concerned how it ended."""

REQUESTER = "requester"
"""The key of the requester's secrets; no e-mail address equals it."""


def lease_after(tries: int, longest: timedelta) -> timedelta:
    """Return the lease of a try after so many others: twice the one before, up to `longest`."""
    lease: timedelta = min(LEASE * 2 ** min(tries, 10), longest)
    return lease


class Mail(Struct, frozen=True, tag=True, omit_defaults=True, rename="camel"):
    """Mail `to`. At `due_at` the last writer's lease is over, and a tick may lease the entry."""

    to: str
    due_at: datetime
    tries: int = 0
    about: MailKind = "request"
    links: int = 0
    """How many links its tries have made that may have reached the reader."""
    extended: bool = False
    """Whether the mail is sent because the deadline was moved: a reminder or a receipt."""

    @property
    def asks(self) -> bool:
        """Whether it asks for a decision; otherwise it is a notification."""
        return self.about not in ("receipt", "outcome")

    @property
    def secrets_key(self) -> str:
        """The key of its secrets: the requester and an approver never share one."""
        return REQUESTER if self.about == "receipt" else self.to


class Resume(Struct, frozen=True, tag=True, omit_defaults=True, rename="camel"):
    """Answer the task token with the outcome."""

    due_at: datetime
    tries: int = 0


class Announce(Struct, frozen=True, tag=True, omit_defaults=True, rename="camel"):
    """Put the outcome on the event bus; the tick delivers it."""

    due_at: datetime
    tries: int = 0
    undecidable: bool = False
    """Whether it tells that the request, still pending, can't be approved any more."""


OutboxEntry = Mail | Resume | Announce


def same_entry(one: OutboxEntry, other: OutboxEntry) -> bool:
    """Return whether both are one effect, however often a tick has leased it since.

    All mails that ask one person are one effect; each notification is its own.
    """
    if isinstance(one, Announce) and isinstance(other, Announce):
        return one.undecidable == other.undecidable
    if not (isinstance(one, Mail) and isinstance(other, Mail)):
        return type(one) is type(other)
    same_kind = other.asks if one.asks else other.about == one.about
    return other.to == one.to and same_kind
