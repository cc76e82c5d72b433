"""CORE: the approval: one request for an answer, and all that came of it, as frozen values.

`rules.py` has what people may do to it, `outbox.py` what has to be done for it; both are pure
functions that take an approval and return it as it is afterwards.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from .request import Request, same_person

Choice = Literal["approve", "reject"]
Outcome = Literal["pending", "approved", "rejected", "expired", "cancelled"]
MailState = Literal["waiting", "sent", "failed"]
Undelivered = Literal["invited", "unconfirmed", "refused"]
"""Why a mail can't be sent: the approver was only just invited, hasn't confirmed, SNS refuses."""
About = Literal["request", "reminder", "escalation", "reassignment", "receipt", "outcome"]
"""Why somebody is mailed: asked first, asked again, asked as nobody answered or somebody left;
the requester told that it was asked; everyone told what came of it."""
Door = Literal["page", "list", "api", "function", "queue", "topic", "tick"]

LEASE = timedelta(seconds=90)
"""How long whoever wrote a promise has for keeping it before a tick may take it over.

Whoever keeps one looks at the clock first, so at no time do two think that it is theirs.
"""
LONGEST_PAUSE = timedelta(minutes=5)
"""The longest pause between two tries to resume a task; for a mail, thrice that."""
WRONG_CODES = 5
"""How many wrong codes lock an approver's links until the next mail."""
LINKS_KEPT = 10
"""How many of an approver's links stay good: as many mails, ever further apart, span a thousand
times the first interval between two."""
LINKS_OF_ONE_MAIL = 3
"""How many tries of one mail keep the links they made; which of them arrived isn't always known."""

EVENTS = 200
"""How many events one approval keeps."""
REASONS_KEPT = 4
"""How many reasons of reminders and extensions one approval keeps: an item has 400 KB."""
ABOUT_MAIL = frozenset({"mailed", "invited", "unconfirmed", "refused", "undelivered"})
_KEPT = frozenset(
    {"requested", "approved", "rejected", "cancelled", "expired", "resumed", "reassigned"}
)
_AGAIN = frozenset({"reminded", "extended"})
"""What an operator may do, and say why, any number of times."""

REQUESTER = "requester"
"""The requester's role; no address is like it."""
SYSTEM = "assent"
"""Who acts when no person does."""


class Decision(Struct, frozen=True, rename="camel"):
    """One approver's answer; final."""

    choice: Choice
    decided_at: datetime
    reason: str = ""


class Approver(Struct, frozen=True, rename="camel"):
    """A person who may decide; `link_hashes` are SHA-256 of the secrets mailed to them."""

    address: str
    link_hashes: tuple[str, ...] = ()
    mail: MailState = "waiting"
    decision: Decision | None = None
    replaced_by: str | None = None
    """Who has been asked instead; this one's links then decide nothing."""
    code_hashes: tuple[str, ...] = ()
    """SHA-256 of link secret and code together: without the mail nobody can try codes out."""
    wrong_codes: int = 0
    """Since the last mail; WRONG_CODES lock the links until the next one."""
    stands_in_for: str | None = None
    """Who was asked first, and is away."""
    note: str = ""
    """What whoever passed it on wrote to this one."""


class Event(Struct, frozen=True, rename="camel"):
    """One line of the record: what happened when, by whom, through which door."""

    at: datetime
    what: str
    who: str
    via: Door
    note: str = ""
    why: str = ""
    """What whoever reminded or gave time said of it."""


class Mail(Struct, frozen=True, tag=True, rename="camel"):
    """A promise to mail `to` about something; the tick keeps it from `due_at` on."""

    to: str
    due_at: datetime
    tries: int = 0
    about: About = "request"
    links: int = 0
    """How many links its tries have made that somebody may have."""

    @property
    def asks(self) -> bool:
        """Whether it asks for a decision; the others tell."""
        return self.about not in ("receipt", "outcome")

    @property
    def role(self) -> str:
        """Under which its secrets are made: who asks and who decides never share one."""
        return REQUESTER if self.about == "receipt" else self.to


class Resume(Struct, frozen=True, tag=True, rename="camel"):
    """A promise to answer the task token with the outcome."""

    due_at: datetime
    tries: int = 0


class Announce(Struct, frozen=True, tag=True, rename="camel"):
    """A promise to put the outcome on the event bus; the tick keeps it."""

    due_at: datetime
    tries: int = 0


Promise = Mail | Resume | Announce


class Approval(Struct, frozen=True, rename="camel"):
    """One request for an answer and all that came of it. `version` counts its writes."""

    id: str
    task_token: str
    execution_arn: str
    request: Request
    approvers: tuple[Approver, ...]
    created_at: datetime
    expires_at: datetime
    outcome: Outcome = "pending"
    closed_at: datetime | None = None
    settled_at: datetime | None = None
    events: tuple[Event, ...] = ()
    outbox: tuple[Promise, ...] = ()
    version: int = 0
    requester: Approver | None = None
    """Who asks, if mail may reach them: told at the start and the end, and may withdraw."""
    remind_at: datetime | None = None
    reminders: int = 0
    escalate_at: datetime | None = None
    folded_events: int = 0

    def __repr__(self) -> str:
        """Name the approval without its task token, for whatever prints it."""
        return f"<Approval {self.id} {self.outcome} v{self.version}>"

    @property
    def approvals_needed(self) -> int:
        """How many must approve: k of n."""
        asked = self.request.approvals_needed
        return len(self.request.approvers) if asked == "all" else asked

    @property
    def asked(self) -> tuple[Approver, ...]:
        """The approvers whose answer counts: all but those who were replaced."""
        return tuple(approver for approver in self.approvers if approver.replaced_by is None)

    @property
    def undecided(self) -> tuple[Approver, ...]:
        """Those of them who haven't answered."""
        return tuple(approver for approver in self.asked if approver.decision is None)

    @property
    def waits_for(self) -> tuple[Approver, ...]:
        """Whose answer is wanted: nobody's once it is closed."""
        return self.undecided if self.outcome == "pending" else ()

    @property
    def approvals(self) -> int:
        """How many have approved."""
        return self._count("approve")

    @property
    def rejections(self) -> int:
        """How many have rejected."""
        return self._count("reject")

    def needs_reason(self, choice: Choice) -> bool:
        """Whether that choice has to come with a reason."""
        required = self.request.reason_required
        return required == "always" or (required == "onReject" and choice == "reject")

    @property
    def decisions(self) -> list[tuple[Approver, Decision]]:
        """Who decided what, in the order of the record."""
        votes = ("approved", "rejected")
        order = {e.who: place for place, e in enumerate(self.events) if e.what in votes}
        made = [(a, a.decision) for a in self.approvers if a.decision is not None]
        return sorted(made, key=lambda pair: order.get(pair[0].address, -1))

    @property
    def due_at(self) -> datetime | None:
        """When something has to happen next, or None if nothing will."""
        times = [promise.due_at for promise in self.outbox]
        if self.outcome == "pending":
            later = (self.expires_at, self.remind_at, self.escalate_at)
            times += [time for time in later if time is not None]
        return min(times, default=None)

    def approver(self, address: str) -> Approver:
        """Return the approver with that address; KeyError if there is none."""
        found = among(self.approvers, address)
        if found is None:
            raise KeyError(address)
        return found

    def having(self, changed: Approver) -> "Approval":
        """Return it with this approver changed."""
        approvers = tuple(changed if a.address == changed.address else a for a in self.approvers)
        return replace(self, approvers=approvers)

    def without(self, promise: Promise) -> "Approval":
        """Return it without that promise, whoever claimed it since; itself if it isn't there."""

        def is_it(other: Promise) -> bool:
            if not (isinstance(promise, Mail) and isinstance(other, Mail)):
                return type(promise) is type(other)
            # Of the mails that ask, one stands for all; the news are each their own.
            same = other.asks if promise.asks else other.about == promise.about
            return other.to == promise.to and same

        left = tuple(other for other in self.outbox if not is_it(other))
        return self if len(left) == len(self.outbox) else replace(self, outbox=left)

    def recording(self, event: Event) -> "Approval":
        """Return it with one more event; beyond EVENTS the oldest lesser ones become a count.

        Of reasons that may be given again and again, the newest REASONS_KEPT are kept.
        """
        events, folded = (*_with_fewer_reasons(self.events, event), event), self.folded_events
        if len(events) > EVENTS:
            oldest = next((e for e in events if e.what not in _KEPT), None)
            if oldest is not None:
                place = events.index(oldest)
                events, folded = (*events[:place], *events[place + 1 :]), folded + 1
        return replace(self, events=events, folded_events=folded)

    def closed(self, outcome: Outcome, now: datetime, by: str = "") -> "Approval":
        """Return it with its outcome, promising to resume the task, announce it, and mail others.

        Mailed are the requester and whoever was asked, but not `by`, who knows. Nobody is asked.
        """
        told = [a.address for a in self.asked if a.link_hashes]
        if self.requester is not None:
            told = [self.requester.address, *told]
        whom = {address.lower(): address for address in told if address.lower() != by.lower()}
        mails = tuple(Mail(to, now, about="outcome") for to in whom.values())
        outbox = (Resume(now + LEASE), Announce(now), *mails)
        return replace(self, outcome=outcome, closed_at=now, outbox=outbox)

    def with_link(self, mail: Mail, link_hash: str, code_hash: str) -> "Approval":
        """Return it with a fresh link, and code if one is required, for whom that mail goes to."""
        person = self.addressee(mail)
        # A mail tried so often pushes no link out that somebody has: it replaces its own last one.
        last = -1 if mail.links >= LINKS_OF_ONE_MAIL else None
        links = _bounded((*person.link_hashes[:last], link_hash))
        coded = mail.asks and self.request.code_required
        codes = _bounded((*person.code_hashes[:last], code_hash)) if coded else ()
        fresh = replace(person, link_hashes=links, code_hashes=codes)
        return self.with_addressee(mail, fresh)

    def holds_link(self, mail: Mail) -> bool:
        """Return whether that mail has a link in it: news has, to whoever is asked."""
        return mail.about != "outcome" or among(self.asked, mail.to) is not None

    def addressee(self, mail: Mail) -> Approver:
        """Return whom that mail goes to: the requester, or one of the approvers."""
        told = mail.about == "receipt" or not (mail.asks or among(self.asked, mail.to))
        return self.requester if told and self.requester else self.approver(mail.to)

    def with_addressee(self, mail: Mail, changed: Approver) -> "Approval":
        """Return it with whom that mail goes to changed."""
        if self.addressee(mail) is self.requester:
            return replace(self, requester=changed)
        return self.having(changed)

    def who_has_it(self, approver: Approver) -> str:
        """Return who is asked now in the place of this one, however often it was passed on."""
        while approver.replaced_by is not None:
            approver = self.approver(approver.replaced_by)
        return approver.address

    def _count(self, choice: Choice) -> int:
        return sum(a.decision is not None and a.decision.choice == choice for a in self.approvers)


def among(people: Iterable[Approver], address: str) -> Approver | None:
    """Return the one of these people with that address, however it is written, or None."""
    return next((person for person in people if same_person(person.address, address)), None)


def _with_fewer_reasons(events: tuple[Event, ...], new: Event) -> tuple[Event, ...]:
    """Return the events with room for one more reason that doesn't end anything."""
    given = [e for e in events if e.what in _AGAIN and e.why]
    if not new.why or new.what not in _AGAIN or len(given) < REASONS_KEPT:
        return events
    place = events.index(given[0])
    return (*events[:place], replace(given[0], why=""), *events[place + 1 :])


def _bounded(hashes: tuple[str, ...]) -> tuple[str, ...]:
    """Return the first, which somebody has for longest, and the newest."""
    return hashes if len(hashes) <= LINKS_KEPT else (hashes[0], *hashes[1 - LINKS_KEPT :])
