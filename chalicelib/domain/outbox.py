"""The outbox of an approval: leasing due entries, and recording what became of their delivery.

Pure functions, like the transitions. `outbox_entries.py` says what an entry is.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from msgspec.structs import replace

from .approval import Approval, MailState
from .events import SYSTEM, Channel, Event, MailFailure
from .link_tokens import SecretHashes, wrong_codes
from .outbox_entries import Announce, Mail, OutboxEntry, Resume, lease_after

LONGEST_RESUME_PAUSE = timedelta(minutes=5)
"""The longest pause between two tries to resume a task or to announce an outcome."""
LONGEST_MAIL_PAUSE = timedelta(minutes=15)
FIRST_INVITATION_PAUSE = timedelta(hours=1)
NOTIFICATION_TRIES = 20
"""A notification is dropped after so many tries, which take about four hours."""
LINKS_KEPT = 10
"""How many links of one approver stay valid. Intervals between reminders double, so ten links cover
about 1,000 times `remindEvery`."""
LINKS_OF_ONE_MAIL = 3
"""Of one mail's retries, how many keep their link valid: SNS may have delivered any of them."""


def lease_due(approval: Approval, hashes: Mapping[str, SecretHashes], now: datetime) -> Approval:
    """Return the approval with each due entry leased, and a fresh link for each leased mail.

    A leased entry is due again after a pause that doubles with each try. So one of two ticks at the
    same time gets it, and an entry that always fails doesn't hold up the others. The link is fresh
    because the secret of an earlier try died with the process that made it. `hashes` has an entry
    for each `Mail.secrets_key`.
    """
    approval = _without_stale_notifications(approval, now)
    leased = {entry: _lease(entry, now) for entry in approval.outbox if entry.due_at <= now}
    for entry in leased:
        if isinstance(entry, Mail) and approval.mail_has_link(entry):
            approval = _with_link(approval, entry, hashes[entry.secrets_key])
    return replace(approval, outbox=tuple(leased.get(e, e) for e in approval.outbox))


def mailed(approval: Approval, mail: Mail, now: datetime, via: Channel) -> Approval:
    """Return the approval with this mail sent; unchanged if that was recorded, or it is erased.

    An erased approval has nobody left to whom a slow process may record a mail.
    """
    if approval.erased_at is not None:
        return approval
    changed = approval.without_entry(mail)
    if changed is approval and approval.recipient(mail).mail == "sent":
        return approval
    if mail.about != "outcome":
        reached = replace(changed.recipient(mail), mail="sent")
        changed = changed.with_recipient(mail, reached)
    note = "" if mail.about == "request" else mail.about
    return changed.with_event(Event(now, "mailed", mail.to, via, note))


def not_mailed(
    approval: Approval,
    mail: Mail,
    *,
    unsent: SecretHashes,
    why: MailFailure,
    note: str = "",
    now: datetime,
    via: Channel,
) -> Approval:
    """Return the approval with an event that says why this mail wasn't sent, unless it repeats.

    The entry stays in the outbox. The `unsent` link and code reached nobody and are removed. `note`
    is the name of a refusal. Unchanged if the approval is erased, as in `mailed`.
    """
    if approval.erased_at is not None:
        return approval
    person = approval.recipient(mail)
    links = tuple(stored for stored in person.link_hashes if stored != unsent.link)
    codes = tuple(stored for stored in person.code_hashes if stored != unsent.code)
    changed = approval.with_recipient(mail, replace(person, link_hashes=links, code_hashes=codes))
    if approval.without_entry(mail) is approval:
        return changed  # Another process delivered it, or a decision dropped it, meanwhile.
    fewer = replace(mail, links=max(mail.links - 1, 0))
    changed = replace(changed, outbox=tuple(fewer if e == mail else e for e in changed.outbox))
    if mail.about != "outcome":
        state: MailState = "failed" if why == "refused" else "waiting"
        changed = changed.with_recipient(mail, replace(changed.recipient(mail), mail=state))
    last = [(e.what, e.note) for e in approval.events if e.who == mail.to][-1:]
    if last == [(why, note)] and why != "invited":
        return changed
    return changed.with_event(Event(now, why, mail.to, via, note))


def may_invite(approval: Approval, address: str, now: datetime) -> bool:
    """Return whether SNS may invite that person again.

    The first time at once, then after an hour, two, four...: an inbox full of invitations helps
    nobody.
    """
    sent = [e.at for e in approval.events if (e.what, e.who) == ("invited", address)]
    return not sent or now >= sent[-1] + FIRST_INVITATION_PAUSE * 2 ** (len(sent) - 1)


def resumed(
    approval: Approval, note: str, now: datetime, via: Channel, *, waited: bool | None = None
) -> Approval:
    """Return the approval with its task answered; unchanged if that was recorded already.

    The task token has done its work and is removed; what waited for the answer is due. `waited`
    says whether the task still waited, None if that isn't known.
    """
    changed = approval.without_entry(Resume(now))
    if changed is approval:
        return approval
    changed = changed.with_event(Event(now, "resumed", SYSTEM, via, note))
    known = approval.task_waited if waited is None else waited
    told = tuple(e if e.tries else replace(e, due_at=now) for e in changed.outbox)
    return replace(changed, resumed_at=now, task_token="", task_waited=known, outbox=told)


def announced(approval: Approval, entry: Announce, now: datetime, via: Channel) -> Approval:
    """Return the approval with that announced; unchanged if that was recorded already."""
    changed = approval.without_entry(entry)
    if changed is approval:
        return approval
    note = "undecidable" if entry.undecidable else ""
    return changed.with_event(Event(now, "announced", SYSTEM, via, note))


def _lease(entry: OutboxEntry, now: datetime) -> OutboxEntry:
    longest = LONGEST_MAIL_PAUSE if isinstance(entry, Mail) else LONGEST_RESUME_PAUSE
    due_at = now + lease_after(entry.tries, longest)
    leased = replace(entry, tries=entry.tries + 1, due_at=due_at)
    if not isinstance(leased, Mail):
        return leased
    return replace(leased, links=min(leased.links + 1, LINKS_OF_ONE_MAIL))


def _without_stale_notifications(approval: Approval, now: datetime) -> Approval:
    """Return the approval without the notifications that failed NOTIFICATION_TRIES times."""
    for entry in approval.outbox:
        if isinstance(entry, Mail) and not entry.asks and entry.tries >= NOTIFICATION_TRIES:
            note = f"{entry.about}: not told after {entry.tries} tries"
            approval = approval.without_entry(entry)
            approval = approval.with_event(Event(now, "undelivered", entry.to, "tick", note))
    return approval


def _with_link(approval: Approval, mail: Mail, hashes: SecretHashes) -> Approval:
    """Return the approval with a fresh link, and code if required, of that mail's recipient."""
    person = approval.recipient(mail)
    # After LINKS_OF_ONE_MAIL tries a mail replaces its own last link: a link that another mail
    # delivered must not be pushed out.
    last = -1 if mail.links >= LINKS_OF_ONE_MAIL else None
    links = _bounded((*person.link_hashes[:last], hashes.link))
    coded = mail.asks and approval.request.code_required
    codes = _bounded((*person.code_hashes[:last], hashes.code)) if coded else ()
    counted = {one: wrong_codes(person, one) for one in links[:-1]} | {hashes.link: 0}
    changed = replace(
        person,
        link_hashes=links,
        code_hashes=codes,
        wrong_codes_by_link=counted if any(counted.values()) else {},
    )
    return approval.with_recipient(mail, changed)


def _bounded(hashes: tuple[str, ...]) -> tuple[str, ...]:
    """Return the first hash, whose link is known for longest, and the newest ones."""
    return hashes if len(hashes) <= LINKS_KEPT else (hashes[0], *hashes[1 - LINKS_KEPT :])
