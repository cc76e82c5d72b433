"""USE CASES: how an approval is changed, and how its promises are kept.

Every change goes one way: read, apply a pure rule, write on the condition that nobody wrote
meanwhile (`change`), then do what the approval's outbox promises and write that it is done
(`settle`). A crash after the write loses nothing, for the promise is written with it: `advance`,
called by the tick, keeps it.
"""

from collections.abc import Callable, Iterable
from datetime import timedelta

from . import links, outbox, views
from .approval import REQUESTER, Announce, Approval, Door, Mail, Promise, Resume, Undelivered
from .errors import AssentError, NotFound, Unavailable
from .ports import Ports

MOST_RACES = 100
"""How many lost races one change survives before it answers Unavailable."""

PATIENCE = timedelta(seconds=30)
"""How long one call goes on keeping promises while AWS is slow, before it leaves them to the tick.

With the call that is under way then (9 s), it ends before any function's time-out.
"""

ERROR_NAMES = {"rejected": "Rejected", "expired": "Expired", "cancelled": "Cancelled"}
"""Outcome -> the error that `statemachine.asl.json` catches."""


def minted(ports: Ports, people: Iterable[str]) -> dict[str, links.Secret]:
    """Return fresh secrets for each of these people."""
    return {to: links.Secret(ports.secret(), links.code(ports.secret())) for to in people}


def change(ports: Ports, approval_id: str, rule: Callable[[Approval], Approval]) -> Approval:
    """Read, apply the rule and write until no other write comes between; return what is stored.

    Raises NotFound, what the rule raises, and Unavailable after MOST_RACES.
    """
    for _ in range(MOST_RACES):
        current = ports.store.get(approval_id)
        if current is None:
            raise no_approval(approval_id)
        changed = rule(current)
        if changed == current:
            return current
        written = ports.store.replace(current, changed)
        if written is not None:
            return written
    raise Unavailable("Too many people are changing this approval at once; please try again")


def resume(ports: Ports, approval: Approval, via: Door) -> Approval:
    """Resume the task of an approval that its caller has just closed; mails may wait."""
    return settle(ports, approval, [p for p in approval.outbox if isinstance(p, Resume)], {}, via)


def advance(ports: Ports, approval_id: str) -> Approval | None:
    """Do what is due for one approval: expire it, keep the promises that nobody is keeping.

    Two at once don't do the same: the write that claims a promise succeeds for one of them.
    """
    current = ports.store.get(approval_id)
    if current is None:
        return None
    now = ports.now()
    escalation = current.request.escalation
    people = [approver.address for approver in current.approvers]
    people += escalation.approvers if escalation else ()
    people += [REQUESTER]
    people += [current.requester.address] if current.requester else []
    secrets = minted(ports, people)
    link_hash = {address: secret.link_hash for address, secret in secrets.items()}
    code_hash = {address: secret.code_hash for address, secret in secrets.items()}
    changed = outbox.advance(current, link_hash, now, code_hash)
    if changed == current:
        return current
    claimed = ports.store.replace(current, changed)
    if claimed is None:
        return None  # Somebody changed it meanwhile; what is still due is due at the next tick.
    mine = [p for p in claimed.outbox if p not in current.outbox]
    return settle(ports, claimed, mine, secrets, "tick")


def settle(
    ports: Ports,
    approval: Approval,
    promises: Iterable[Promise],
    secrets: dict[str, links.Secret],
    via: Door,
) -> Approval:
    """Keep these promises, recording each at once, and return the approval as it is then.

    A promise that AWS doesn't let us keep now stays in the outbox for the tick.
    """
    began = ports.now()
    for promise in promises:
        now = ports.now()
        if now >= promise.due_at or now - began >= PATIENCE:
            break  # The tick does the rest; it may be at it by now.
        if promise not in approval.outbox:
            continue  # Dropped meanwhile: nobody has to be asked any more.
        try:
            if isinstance(promise, Resume):
                done = _answer_task(ports, approval, via)
            elif isinstance(promise, Announce):
                done = _announce(ports, approval, via)
            else:
                done = _mail(ports, approval, promise, secrets[promise.role], via)
            # What is done is written onto the approval in hand; only if that is out of date
            # does this read it again.
            written = ports.store.replace(approval, done(approval))
            approval = written or change(ports, approval.id, done)
        except AssentError as e:
            kind = type(promise).__name__.lower()
            ports.log("promise_waits", approvalId=approval.id, promise=kind, why=e.message)
    return approval


def _answer_task(ports: Ports, approval: Approval, via: Door) -> Callable[[Approval], Approval]:
    if approval.outcome == "approved":
        took = ports.callbacks.succeed(approval.task_token, views.output(approval))
    else:
        error = ERROR_NAMES[approval.outcome]
        took = ports.callbacks.fail(approval.task_token, error, views.cause(approval))
    note = "" if took else "the task was not waiting any more"
    now = ports.now()
    return lambda current: outbox.resumed(current, note, now, via)


def _announce(ports: Ports, approval: Approval, via: Door) -> Callable[[Approval], Approval]:
    now = ports.now()
    at, resource = approval.closed_at or now, approval.execution_arn
    ports.event_bus.announce(views.announcement(approval), at, resource)
    return lambda current: outbox.announced(current, now, via)


def _mail(
    ports: Ports, approval: Approval, promise: Mail, secret: links.Secret, via: Door
) -> Callable[[Approval], Approval]:
    now = ports.now()
    why = _undelivered(ports, approval, promise, secret)
    if why is None:
        return lambda current: outbox.mailed(current, promise, now, via)
    unsent = secret.link_hash
    return lambda current: outbox.deferred(current, promise, unsent, why, now, via)


def _undelivered(
    ports: Ports, approval: Approval, promise: Mail, secret: links.Secret
) -> Undelivered | None:
    """Mail the links, or return why they certainly weren't mailed."""
    subscription = ports.notifier.subscription(promise.to)
    if subscription != "confirmed":
        if not outbox.may_invite(approval, promise.to, ports.now()):
            return "unconfirmed"
        return "invited" if ports.notifier.invite(promise.to) else "refused"
    from . import emails  # noqa: PLC0415 (a first page doesn't pay for it)

    email = emails.write(approval, promise, secret, ports.public_url, ports.now())
    return None if ports.notifier.send(promise.to, email) else "refused"


def no_approval(approval_id: str) -> NotFound:
    """Return the error for an id that no approval has."""
    return NotFound(f"There is no approval {approval_id[:40]}.")
