"""USE CASES: the order of effects.

Every change goes one way: read, apply a pure rule, write on the condition that nobody wrote
meanwhile, then do what the approval's outbox promises and write that it is done. A crash after
the write loses nothing, for the promise is written with it: `advance`, called by the tick, keeps
it. The adapters come in as `Ports`.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any, Protocol

import msgspec

from . import emails, links, outbox, rules, views
from .approval import Approval, Approver, Choice, Door, Mail, Promise, Resume, Undelivered
from .emails import Email
from .errors import AssentError, InvalidRequest, NotFound, Unavailable
from .operations import Cancel, Extend, Operation, Reassign
from .request import Question, check_address, check_reason, read_request, shape

MOST_RACES = 100
"""How many lost races one change survives before it answers Unavailable."""

PATIENCE = timedelta(seconds=30)
"""How long one call goes on keeping promises while AWS is slow, before it leaves them to the tick.

With the call that is under way then (9 s), it ends before any function's time-out.
"""

ERROR_NAMES = {"rejected": "Rejected", "expired": "Expired", "cancelled": "Cancelled"}
"""Outcome -> the error that `statemachine.asl.json` catches."""


class Store(Protocol):
    """Where approvals are kept; see store.py."""

    def get(self, approval_id: str) -> Approval | None: ...
    def create(self, approval: Approval) -> bool: ...
    def replace(self, approval: Approval) -> Approval | None: ...
    def due(self, now: datetime) -> Iterator[str]: ...
    def of_execution(self, execution_arn: str) -> str | None: ...


class Callbacks(Protocol):
    """Step Functions; see callbacks.py."""

    def succeed(self, task_token: str, output: str) -> bool: ...
    def fail(self, task_token: str, error: str, cause: str) -> bool: ...
    def start(self, name: str, input: str) -> dict[str, Any]: ...
    def describe(self, name: str) -> dict[str, Any]: ...


class Notifier(Protocol):
    """SNS; see notifier.py."""

    def subscription(self, address: str) -> str: ...
    def invite(self, address: str) -> bool: ...
    def send(self, address: str, email: Email) -> bool: ...
    def forget(self, address: str) -> None: ...


class Ports(Protocol):
    """What the use cases are handed. Adapters are made when first used: a page needs one alone."""

    @property
    def store(self) -> Store: ...
    @property
    def callbacks(self) -> Callbacks: ...
    @property
    def notifier(self) -> Notifier: ...
    @property
    def public_url(self) -> str: ...
    @property
    def approver_domains(self) -> tuple[str, ...]: ...
    def now(self) -> datetime: ...
    def secret(self) -> str: ...
    def log(self, event: str, **facts: object) -> None: ...


def request(ports: Ports, untrusted: object, via: Door) -> str | None:
    """Ask what a `Question` says and return the approval's id.

    The same task token again asks nobody twice. A bad question fails its task as
    `InvalidRequest` at once, and None is returned; without a task token, InvalidRequest is raised.
    """
    try:
        question = shape(untrusted, Question)
        asked = read_request(question.request, ports.approver_domains)
    except InvalidRequest as e:
        token = untrusted.get("taskToken") if isinstance(untrusted, dict) else None
        if not isinstance(token, str) or not 1 <= len(token) <= 2_048:
            raise
        asked_before = links.approval_id(token) if token.isascii() else ""
        if ports.store.get(asked_before) is not None:
            return asked_before  # Whoever knows a live task's token doesn't fail it this way.
        arn = str(untrusted.get("executionArn"))[:300] if isinstance(untrusted, dict) else ""
        ports.log("request_refused", executionArn=arn, code=e.code, field=e.field)
        ports.callbacks.fail(token, e.code, msgspec.json.encode(e.as_json()).decode())
        return None
    secrets, hashes = _minted(ports, asked.approvers)
    task_token, execution_arn = question.task_token, question.execution_arn
    approval_id = links.approval_id(task_token)
    requester = _requester(ports, asked.requested_by)
    new = rules.ask(
        approval_id, task_token, execution_arn, asked, hashes, ports.now(), via, requester
    )
    if ports.store.create(new):
        _settle(ports, new, [p for p in new.outbox if p.due_at > new.created_at], secrets, via)
    return approval_id


def show(ports: Ports, token: str) -> tuple[Approval, Approver]:
    """Return the approval and the approver that a link token stands for; NotFound if for none."""
    approval_id, secret = links.read_token(token)
    found = ports.store.get(approval_id)
    if found is None:
        raise links.unknown_link()
    return found, links.holder(found, secret)


def decide(
    ports: Ports, token: str, choice: Choice, reason: str, via: Door
) -> tuple[Approval, Approver]:
    """Record the decision of a link's holder, resume the task if that closes the approval.

    Returns approval and approver as they are then. Raises what `approval.decide` does, NotFound
    for a bad link and InvalidRequest for an unfit reason; nothing is written then.
    """
    reason = check_reason(reason)
    approval_id, secret = links.read_token(token)

    def rule(current: Approval) -> Approval:
        holder = links.holder(current, secret)
        return rules.decide(current, holder.address, choice, reason, ports.now(), via)

    try:
        decided = _change(ports, approval_id, rule)
    except NotFound:
        raise links.unknown_link() from None
    settled = _resume(ports, decided, via)
    return settled, links.holder(settled, secret)


def operate(ports: Ports, approval_id: str, operation: Operation, by: str, via: Door) -> Approval:
    """Withdraw an approval, remind of it, give it more time, or ask somebody else.

    Returns the approval as it is then; raises what the rule does, and NotFound. Mails go out with
    the next tick.
    """
    now, text = ports.now(), check_reason

    def rule(current: Approval) -> Approval:
        match operation:
            case Cancel():
                return rules.cancel(current, by, text(operation.reason), now, via)
            case Extend():
                return rules.extend(current, by, operation.expires_in, now, via)
            case Reassign():
                to = check_address(operation.to, "to", ports.approver_domains)
                note = text(operation.note, "note")
                return rules.reassign(current, operation.from_, to, by, note, now, via)
            case _:
                return rules.remind(current, by, now, via)

    find(ports, approval_id)
    return _resume(ports, _change(ports, approval_id, rule), via)


def pass_on(ports: Ports, token: str, to: str, note: str, via: Door) -> tuple[Approval, Approver]:
    """Have somebody else asked instead of a link's holder; their links die with it.

    Returns approval and holder as they are then. Raises what `rules.reassign` does, and NotFound.
    """
    note = check_reason(note, "note")
    to = check_address(to, "to", ports.approver_domains)
    approval_id, secret = links.read_token(token)

    def rule(current: Approval) -> Approval:
        holder = links.holder(current, secret)
        rules.refuse_if_over(current, holder, "approve", ports.now())
        return rules.reassign(current, holder.address, to, holder.address, note, ports.now(), via)

    try:
        passed = _change(ports, approval_id, rule)
    except NotFound:
        raise links.unknown_link() from None
    return passed, links.holder(passed, secret)


def show_requester(ports: Ports, token: str) -> Approval:
    """Return the approval whose requester this link was mailed to; NotFound if nobody's."""
    approval_id, secret = links.read_token(token)
    found = ports.store.get(approval_id)
    if found is None:
        raise links.unknown_link()
    links.requester(found, secret)
    return found


def withdraw(ports: Ports, token: str, reason: str, via: Door) -> Approval:
    """Withdraw an approval by its requester's own link; raises what `rules.cancel` does."""
    reason = check_reason(reason)
    approval_id, secret = links.read_token(token)

    def rule(current: Approval) -> Approval:
        by = links.requester(current, secret).address
        return rules.cancel(current, by, reason, ports.now(), via)

    try:
        return _resume(ports, _change(ports, approval_id, rule), via)
    except NotFound:
        raise links.unknown_link() from None


def find(ports: Ports, approval_id: str) -> Approval:
    """Return the approval of that id; NotFound if there is none."""
    found = ports.store.get(approval_id) if links.is_id(approval_id) else None
    if found is None:
        raise _no_approval(approval_id)
    return found


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
    people += [current.requester.address] if current.requester else ()
    secrets, hashes = _minted(ports, people)
    changed = outbox.advance(current, hashes, now)
    if changed == current:
        return current
    claimed = ports.store.replace(changed)
    if claimed is None:
        return None  # Somebody changed it meanwhile; what is still due is due at the next tick.
    mine = [p for p in claimed.outbox if p not in current.outbox]
    return _settle(ports, claimed, mine, secrets, "tick")


def start(ports: Ports, untrusted: object, name: str) -> dict[str, Any]:
    """Start an execution of that name; the same name and request again find the same one."""
    read_request(untrusted, ports.approver_domains)
    # One text for one request, however its fields are ordered. Details stay as they were put.
    fields: dict[str, Any] = dict(sorted(untrusted.items())) if isinstance(untrusted, dict) else {}
    return ports.callbacks.start(name, msgspec.json.encode(fields).decode())


def execution(ports: Ports, name: str) -> tuple[dict[str, Any], Approval | None]:
    """Return the execution of that name and its approval, once it has asked."""
    found = ports.callbacks.describe(name)
    approval_id = ports.store.of_execution(found["executionArn"])
    return found, None if approval_id is None else ports.store.get(approval_id)


def approver(ports: Ports, address: str, *, invite: bool = False) -> dict[str, str]:
    """Return whether mail can reach an approver; `invite` asks SNS to invite them if it can't."""
    address = check_address(address, "approver", ports.approver_domains)
    subscription = ports.notifier.subscription(address)
    if invite and subscription != "confirmed":
        if not ports.notifier.invite(address):
            raise InvalidRequest(f"approver: SNS takes no mail for {address}", field="approver")
        subscription = ports.notifier.subscription(address)
    return {"approver": address, "subscription": subscription}


def forget_approver(ports: Ports, address: str) -> None:
    """Delete an approver's topic; requests that still wait for them invite them again."""
    check_address(address, "approver", ("*",))
    ports.notifier.forget(address)


def _minted(ports: Ports, people: Iterable[str]) -> tuple[dict[str, str], dict[str, str]]:
    """Return a fresh secret for each of these people, and what is stored of it."""
    secrets = {address: ports.secret() for address in people}
    return secrets, {address: links.digest(secret) for address, secret in secrets.items()}


def _requester(ports: Ports, address: str | None) -> Approver | None:
    """Return who asks, if they are in a domain that may be mailed at all."""
    if address is None:
        return None
    try:
        return Approver(check_address(address, "requestedBy", ports.approver_domains))
    except InvalidRequest:
        return None


def _no_approval(approval_id: str) -> NotFound:
    return NotFound(f"There is no approval {approval_id[:40]}.")


def _change(ports: Ports, approval_id: str, rule: Callable[[Approval], Approval]) -> Approval:
    """Read, apply the rule and write until no other write comes between; return what is stored.

    Raises NotFound, what the rule raises, and Unavailable after MOST_RACES.
    """
    for _ in range(MOST_RACES):
        current = ports.store.get(approval_id)
        if current is None:
            raise _no_approval(approval_id)
        changed = rule(current)
        if changed == current:
            return current
        written = ports.store.replace(changed)
        if written is not None:
            return written
    raise Unavailable("Too many people are changing this approval at once; please try again")


def _resume(ports: Ports, approval: Approval, via: Door) -> Approval:
    """Resume the task of an approval that its caller has just closed; mails may wait."""
    return _settle(ports, approval, [p for p in approval.outbox if isinstance(p, Resume)], {}, via)


def _settle(
    ports: Ports,
    approval: Approval,
    promises: Iterable[Promise],
    secrets: dict[str, str],
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
            else:
                done = _mail(ports, approval, promise, secrets[promise.to], via)
            # What is done is written onto the approval in hand; only if that is out of date
            # does this read it again.
            approval = ports.store.replace(done(approval)) or _change(ports, approval.id, done)
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


def _mail(
    ports: Ports, approval: Approval, promise: Mail, secret: str, via: Door
) -> Callable[[Approval], Approval]:
    now = ports.now()
    why = _undelivered(ports, approval, promise, secret)
    if why is None:
        return lambda current: outbox.mailed(current, promise, now, via)
    unsent = links.digest(secret)
    return lambda current: outbox.deferred(current, promise, unsent, why, now, via)


def _undelivered(
    ports: Ports, approval: Approval, promise: Mail, secret: str
) -> Undelivered | None:
    """Mail the links, or return why they certainly weren't mailed."""
    subscription = ports.notifier.subscription(promise.to)
    if subscription == "none":
        return "invited" if ports.notifier.invite(promise.to) else "refused"
    if subscription == "pending":
        return "unconfirmed"
    email = emails.write(approval, promise, secret, ports.public_url, ports.now())
    return None if ports.notifier.send(promise.to, email) else "refused"
