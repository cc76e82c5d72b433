"""CORE: what has to be done for an approval, and when: its outbox, deadline, reminders, escalation.

`advance` takes on what is due; the others record what came of it. Pure, like rules.py.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from msgspec.structs import replace

from .approval import (
    LEASE,
    LINKS_OF_ONE_MAIL,
    LONGEST_PAUSE,
    SYSTEM,
    Announce,
    Approval,
    Approver,
    Door,
    Event,
    Mail,
    MailState,
    Promise,
    Resume,
    Undelivered,
)
from .request import MOST_APPROVERS
from .rules import add, promise_reminders

FIRST_PAUSE_OF_INVITATIONS = timedelta(hours=1)
TELLING_TRIES = 20
"""How often news is tried to be mailed: for about four hours."""


def advance(
    approval: Approval,
    link_hash: Mapping[str, str],
    now: datetime,
    code_hash: Mapping[str, str] | None = None,
) -> Approval:
    """Return the approval with what is due at `now` taken on.

    That is: expired, or escalated and reminded, and promises claimed.
    A claimed promise is due again only after a pause that doubles with each try, so that of two
    ticks at once one keeps it, and one that always fails is not in the others' way. Each mail
    claimed gets its approver a fresh link (the first one's secret died with whoever made it).
    """
    if approval.outcome == "pending" and now >= approval.expires_at:
        expired = Event(now, "expired", SYSTEM, "tick")
        approval = approval.recording(expired).closed("expired", now)
    elif approval.outcome == "pending":
        approval = _reminded(_escalated(approval, now), now)
    approval = _given_up(approval, now)
    claimed = {p: _claim(p, now) for p in approval.outbox if p.due_at <= now}
    for promise in claimed:
        if isinstance(promise, Mail) and approval.holds_link(promise):
            code = "" if code_hash is None else code_hash[promise.role]
            approval = approval.with_link(promise, link_hash[promise.role], code)
    return replace(approval, outbox=tuple(claimed.get(p, p) for p in approval.outbox))


def _given_up(approval: Approval, now: datetime) -> Approval:
    """Return the approval without the news that couldn't be told so often that it is old."""
    for promise in approval.outbox:
        if isinstance(promise, Mail) and not promise.asks and promise.tries >= TELLING_TRIES:
            note = f"{promise.about}: not told after {promise.tries} tries"
            approval = approval.without(promise)
            approval = approval.recording(Event(now, "undelivered", promise.to, "tick", note))
    return approval


def _escalated(approval: Approval, now: datetime) -> Approval:
    """Return the approval with the fallback approvers asked, if it is time; once."""
    escalation = approval.request.escalation
    if escalation is None or approval.escalate_at is None or approval.escalate_at > now:
        return approval
    known = {approver.address.lower() for approver in approval.approvers}
    room = MOST_APPROVERS - len(known)
    new = [address for address in escalation.approvers if address.lower() not in known][:room]
    note = ", ".join(new) if new else "nobody new to add"
    approval = replace(approval, escalate_at=None)
    approval = approval.recording(Event(now, "escalated", SYSTEM, "tick", note))
    return add(approval, tuple(map(Approver, new)), "escalation", now)


def _reminded(approval: Approval, now: datetime) -> Approval:
    """Return the approval with a reminder promised, if it is time; the next is twice as far."""
    every = approval.request.remind_every
    if every is None or approval.remind_at is None or approval.remind_at > now:
        return approval
    number = approval.reminders + 1
    next_one = now + timedelta(seconds=every * 2**number)
    approval = replace(approval, reminders=number, remind_at=next_one)
    approval = approval.recording(Event(now, "reminded", SYSTEM, "tick"))
    return promise_reminders(approval, now)


def mailed(approval: Approval, promise: Mail, now: datetime, via: Door) -> Approval:
    """Return the approval with this mail sent; unchanged if that was known."""
    kept = approval.without(promise)
    if kept is approval and approval.addressee(promise).mail == "sent":
        return approval
    if promise.about != "outcome":
        # A new mail unlocks: its reader has a new code.
        reached = replace(kept.addressee(promise), mail="sent", wrong_codes=0)
        kept = kept.with_addressee(promise, reached)
    note = "" if promise.about == "request" else promise.about
    return kept.recording(Event(now, "mailed", promise.to, via, note))


def deferred(
    approval: Approval, promise: Mail, unsent_hash: str, why: Undelivered, now: datetime, via: Door
) -> Approval:
    """Return the approval with it on record why this mail couldn't be sent, if that is news.

    The promise stays. The link that certainly nobody got is taken back.
    """
    person = approval.addressee(promise)
    left = tuple(stored for stored in person.link_hashes if stored != unsent_hash)
    changed = approval.with_addressee(promise, replace(person, link_hashes=left))
    if approval.without(promise) is approval:
        return changed  # The promise was kept, or dropped, meanwhile.
    fewer = replace(promise, links=max(promise.links - 1, 0))
    changed = replace(changed, outbox=tuple(fewer if p == promise else p for p in changed.outbox))
    mail: MailState = "failed" if why == "refused" else "waiting"
    if promise.about != "outcome":
        person = replace(changed.addressee(promise), mail=mail)
        changed = changed.with_addressee(promise, person)
    last = [e.what for e in approval.events if e.who == promise.to][-1:]
    return (
        changed
        if last == [why] and why != "invited"
        else changed.recording(Event(now, why, promise.to, via))
    )


def may_invite(approval: Approval, address: str, now: datetime) -> bool:
    """Return whether it is time for SNS's next invitation to that person.

    The first at once, then after an hour, two, four...: an inbox full of them helps nobody.
    """
    sent = [
        event.at for event in approval.events if (event.what, event.who) == ("invited", address)
    ]
    return not sent or now >= sent[-1] + FIRST_PAUSE_OF_INVITATIONS * 2 ** (len(sent) - 1)


def resumed(approval: Approval, note: str, now: datetime, via: Door) -> Approval:
    """Return the approval with its task answered; unchanged if that was known."""
    for promise in approval.outbox:
        if isinstance(promise, Resume):
            kept = approval.without(promise)
            kept = kept.recording(Event(now, "resumed", SYSTEM, via, note))
            return replace(kept, settled_at=now)
    return approval


def announced(approval: Approval, now: datetime, via: Door) -> Approval:
    """Return the approval with its outcome announced; unchanged if that was known."""
    kept = approval.without(Announce(now))
    return kept if kept is approval else kept.recording(Event(now, "announced", SYSTEM, via))


def _claim(promise: Promise, now: datetime) -> Promise:
    longest = LONGEST_PAUSE * 3 if isinstance(promise, Mail) else LONGEST_PAUSE
    pause = min(LEASE * 2 ** min(promise.tries, 10), longest)
    claimed = replace(promise, tries=promise.tries + 1, due_at=now + pause)
    if not isinstance(claimed, Mail):
        return claimed
    return replace(claimed, links=min(claimed.links + 1, LINKS_OF_ONE_MAIL))
