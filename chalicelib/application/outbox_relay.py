"""The outbox relay: delivers outbox entries, and records each delivery at once.

A transition and its entries are one conditional write, so a crash after the write loses nothing:
the entry becomes due, and the tick delivers it. Delivering twice is harmless: the second
`SendTask*` finds the task closed, and an announcement names its approval.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Literal, NamedTuple

from ..domain import link_tokens, outbox
from ..domain.approval import Approval
from ..domain.deadlines import apply_deadlines, escalates_to
from ..domain.decidability import BAD_ADDRESS, look_again
from ..domain.delegation import authors_of, more_delegates_for
from ..domain.errors import AssentError, Refused
from ..domain.events import Channel, MailFailure
from ..domain.invitation import invited_again
from ..domain.link_tokens import MailSecrets
from ..domain.outbox_entries import REQUESTER, Announce, Mail, OutboxEntry, Resume
from ..presentation import serializers
from .ports import Ports
from .saving import save, too_many_conflicts, versions

TIME_LIMIT = timedelta(seconds=15)
"""After so long a request, or one approval of a tick, begins no other entry: the tick has the rest.

An entry takes six AWS calls at the most, of up to 7 s each (`wiring.py`), so a request ends before
the 60 s of its function.
"""
RESUME_LIMIT = timedelta(seconds=5)
"""After so long a decision leaves the resume to the tick.

Resuming takes three AWS calls at the most (the third finds out whether a write whose answer was
lost is done), so a decision ends before the 28 s of the API's function.
"""

ERROR_NAMES: Mapping[str, Literal["Rejected", "Expired", "Cancelled"]] = {
    "rejected": "Rejected",
    "expired": "Expired",
    "cancelled": "Cancelled",
}
"""Outcome -> the error name that `statemachine.asl.json` catches."""

NOT_WAITING = "the task was not waiting any more"
CLOSED_BEFORE = "the task was closed already, perhaps by an earlier try"
"""Notes of the event `resumed`. Only the very first try can tell that nobody resumed the task."""


def new_secrets(ports: Ports, keys: Iterable[str]) -> dict[str, MailSecrets]:
    """Return fresh secrets for each of these keys (an address, or REQUESTER)."""
    return {key: MailSecrets(ports.secret(), link_tokens.code(ports.secret())) for key in keys}


def resume(ports: Ports, approval: Approval, via: Channel, began: datetime) -> Approval:
    """Deliver the entry that resumes the task, if there is one; the tick delivers the rest.

    Its caller has just written that entry, and so has the lease on it. `began` is when the call
    began: after RESUME_LIMIT the tick delivers that entry too.
    """
    entries = [entry for entry in approval.outbox if isinstance(entry, Resume)]
    return deliver(ports, approval, entries, {}, via, until=began + RESUME_LIMIT)


def relay(ports: Ports, approval_id: str) -> Approval | None:
    """Apply the deadlines of one approval and deliver its due entries.

    Returns the approval as stored then; None if it is gone, or if another process changed it at
    the same moment (the next tick delivers what is still due). Two ticks at once deliver nothing
    twice: the write that leases an entry succeeds for one of them.
    """
    current = ports.store.get(approval_id)
    if current is None:
        return None
    now = ports.now()
    fallback = escalates_to(current, now)
    delegation = cache(ports.store.delegation)
    delegates = more_delegates_for(current, fallback, now, delegation)
    authors = authors_of(delegates, delegation)
    secrets = new_secrets(ports, (*_secrets_keys(current), *delegates))
    hashes = {key: secret.hashes(current.task_token) for key, secret in secrets.items()}
    changed = look_again(apply_deadlines(current, now, delegates, authors), now)
    changed = outbox.lease_due(changed, hashes, now)
    saved = save(ports, current, changed)
    if saved is None:
        return None
    leased = [entry for entry in saved.outbox if entry not in current.outbox]
    return deliver(ports, saved, leased, secrets, "tick", until=now + TIME_LIMIT)


def deliver(
    ports: Ports,
    approval: Approval,
    entries: Iterable[OutboxEntry],
    secrets: Mapping[str, MailSecrets],
    via: Channel,
    *,
    until: datetime,
) -> Approval:
    """Deliver these entries one after the other and return the approval as stored then.

    No entry is begun at `until` or later. One that AWS refuses now stays in the outbox, for the
    tick.
    """
    for entry in entries:
        now = ports.now()
        if now >= entry.due_at or now >= until:
            break  # The lease is over, so a tick may be delivering it; or time is up.
        if entry not in approval.outbox:
            continue  # A decision made it pointless meanwhile.
        try:
            match entry:
                case Resume():
                    approval = _resume_task(ports, approval, entry, via)
                case Announce():
                    approval = _announce(ports, approval, entry, via)
                case Mail():
                    approval = _mail(ports, approval, entry, secrets[entry.secrets_key], via)
        except AssentError as e:
            kind = type(entry).__name__.lower()
            ports.log("delivery_failed", approvalId=approval.id, entry=kind, why=e.message)
    return approval


def _resume_task(ports: Ports, approval: Approval, entry: Resume, via: Channel) -> Approval:
    if approval.outcome == "approved":
        waiting = ports.executions.succeed_task(approval.task_token, serializers.output(approval))
    else:
        error = ERROR_NAMES[approval.outcome]
        cause = serializers.cause(approval)
        waiting = ports.executions.fail_task(approval.task_token, error, cause)
    if waiting is False and _may_have_been_tried(approval, entry):
        waiting = None  # The earlier try may have closed the task, and its record was lost.
    note = "" if waiting else CLOSED_BEFORE if waiting is None else NOT_WAITING
    now = ports.now()
    for current in versions(ports, approval.id, read=approval):
        if saved := save(ports, current, outbox.resumed(current, note, now, via, waited=waiting)):
            return saved
    raise too_many_conflicts()


def _may_have_been_tried(approval: Approval, entry: Resume) -> bool:
    """Return whether the task may have been answered before this try.

    The process that records a decision or a person's cancellation tries first, and counts no try. A
    tick is the first to try after an expiry, and after what the workflow itself caused.
    """
    by_tick = approval.outcome == "expired" or approval.execution_ended or approval.superseded_by
    return entry.tries > (1 if by_tick else 0)


def _announce(ports: Ports, approval: Approval, entry: Announce, via: Channel) -> Approval:
    now = ports.now()
    if entry.undecidable:
        at, detail = approval.undecidable_since or now, serializers.undecidable(approval)
        ports.event_bus.announce(detail, at, approval.execution_arn, "Approval undecidable")
    else:
        at, outcome = approval.closed_at or now, serializers.announcement(approval)
        ports.event_bus.announce(outcome, at, approval.execution_arn)
    for current in versions(ports, approval.id, read=approval):
        if saved := save(ports, current, outbox.announced(current, entry, now, via)):
            if entry.undecidable:
                return saved
            took = int(((saved.closed_at or now) - saved.created_at).total_seconds())
            ports.log("closed", approvalId=saved.id, outcome=saved.outcome, seconds=took)
            return saved
    raise too_many_conflicts()


def _mail(
    ports: Ports, approval: Approval, mail: Mail, secrets: MailSecrets, via: Channel
) -> Approval:
    now = ports.now()
    hashes, unsent = secrets.hashes(approval.task_token), _send(ports, approval, mail, secrets)
    for current in versions(ports, approval.id, read=approval):
        if hashes.link in current.recipient(mail).dead_hashes:
            return current  # Its reader was replaced and asked again: another mail is due to them.
        if unsent is None:
            changed = outbox.mailed(current, mail, now, via)
        else:
            changed = outbox.not_mailed(
                current,
                mail,
                unsent=hashes,
                why=unsent.why,
                note=unsent.note,
                now=now,
                via=via,
            )
        if saved := save(ports, current, changed):
            return saved
    raise too_many_conflicts()


class Unsent(NamedTuple):
    """Why a mail certainly wasn't sent; `note` is the name that SNS gives a refusal."""

    why: MailFailure
    note: str = ""


def _send(ports: Ports, approval: Approval, mail: Mail, secrets: MailSecrets) -> Unsent | None:
    """Send the mail, or invite its reader; return why the mail certainly wasn't sent."""
    try:
        if ports.mailer.subscription(mail.to) != "confirmed":
            if not outbox.may_invite(approval, mail.to, ports.now()):
                return Unsent("unconfirmed")
            invite(ports, mail.to)
            return Unsent("invited")
        from ..presentation.emails import write_email  # noqa: PLC0415 (no page pays for it)

        email = write_email(
            approval, mail, secrets, public_url=ports.public_url, now=ports.now(), name=ports.name
        )
        ports.mailer.send(mail.to, email)
    except Refused as e:
        ports.log("delivery_failed", approvalId=approval.id, entry="mail", why=e.message)
        return Unsent("refused", e.name)
    return None


def invite(ports: Ports, address: str) -> None:
    """Have SNS invite that person, and list them; with the refusal, if SNS refuses the address."""
    invitation = invited_again(ports.store.invitation(address), ports.now())
    ports.store.put_approver(address, invitation)
    try:
        ports.mailer.invite(address)
    except Refused as e:
        if e.name == BAD_ADDRESS:
            ports.store.put_approver(address, invitation._replace(refusal=e.name))
        raise


def _secrets_keys(approval: Approval) -> list[str]:
    """Return the keys of all secrets that this approval's mails may need now."""
    return [
        *(approver.address for approver in approval.approvers),
        *approval.request.fallback,
        REQUESTER,
        *([approval.requester.address] if approval.requester else []),
    ]
