"""USE CASES: what people, workflows and the clock want of Assent, one function each.

The order of effects is settle.py's: read, rule, conditional write, effects, done.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec

from . import links, rules
from .absence import Absence, stand_ins
from .absence import check as check_absence
from .approval import Approval, Approver, Choice, Door, Outcome
from .errors import AlreadyDecided, InvalidRequest, NotFound, WrongCode
from .operations import Cancel, Extend, Operation, Reassign, Remind
from .ports import Ports
from .request import (
    Question,
    check_address,
    check_reason,
    confirmation_token,
    read_request,
    shape,
)
from .settle import change, minted, no_approval, resume, settle

Rule = Callable[[Approval], Approval]
Act = Callable[[Approval, Approver, datetime], Approval]
"""What a link's holder does to the approval, at that time."""


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
    excluded = None if asked.allow_self_approval else asked.requested_by
    instead = stand_ins(asked.approvers, ports.now(), ports.store.absence, excluded)
    secrets = minted(ports, (*asked.approvers, *instead))
    task_token, execution_arn = question.task_token, question.execution_arn
    approval_id = links.approval_id(task_token)
    requester = _requester(ports, asked.requested_by)
    new = rules.ask(
        approval_id,
        task_token,
        execution_arn,
        asked,
        {address: secret.link_hash for address, secret in secrets.items()},
        ports.now(),
        via,
        requester,
        {address: secret.code_hash for address, secret in secrets.items()},
        instead,
    )
    if ports.store.create(new):
        settle(ports, new, [p for p in new.outbox if p.due_at > new.created_at], secrets, via)
    return approval_id


def linked_to(ports: Ports, token: str) -> tuple[Approval, str]:
    """Return the approval that a link token names, and the token's secret; NotFound if none is.

    Whose secret it is, if anybody's, is for the caller to find out.
    """
    approval_id, secret = links.read_token(token)
    found = ports.store.get(approval_id)
    if found is None:
        raise links.unknown_link()
    return found, secret


def show(ports: Ports, token: str) -> tuple[Approval, Approver]:
    """Return the approval and the approver that a link token stands for; NotFound if for none."""
    found, secret = linked_to(ports, token)
    return found, links.holder(found, secret)


def decide(
    ports: Ports, token: str, choice: Choice, reason: str, via: Door, code: str = ""
) -> tuple[Approval, Approver]:
    """Record the decision of a link's holder, resume the task if that closes the approval.

    Returns approval and approver as they are then. Raises what `approval.decide` does, NotFound
    for a bad link, InvalidRequest for an unfit reason or a missing code; nothing is written then.
    A wrong code is written, for it counts, and raises WrongCode.
    """
    reason = check_reason(reason)

    def act(current: Approval, holder: Approver, now: datetime) -> Approval:
        return rules.decide(current, holder.address, choice, reason, now, via)

    decided, secret = _by_holder(ports, token, choice, code, via, act)
    settled = resume(ports, decided, via)
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
                why = text(operation.reason)
                return rules.extend(current, by, operation.expires_in, now, via, why)
            case Reassign():
                to = check_address(operation.to, "to", ports.approver_domains)
                note = text(operation.note, "note")
                one = check_address(operation.from_, "from", ("*",))
                return rules.reassign(current, one, to, by, note, now, via)
            case Remind():
                return rules.remind(current, by, now, via, text(operation.reason))
        raise TypeError(f"{type(operation).__name__} is no operation")

    if not links.is_id(approval_id):
        raise no_approval(approval_id)
    return resume(ports, change(ports, approval_id, rule), via)


def pass_on(
    ports: Ports, token: str, to: str, note: str, via: Door, code: str = ""
) -> tuple[Approval, Approver]:
    """Have somebody else asked instead of a link's holder; their links die with it.

    Returns approval and holder as they are then. Raises what `rules.reassign` does, NotFound, and
    for a missing or wrong code what `decide` does: else a link alone could be passed to oneself.
    """
    note = check_reason(note, "note")
    to = check_address(to, "to", ports.approver_domains)

    def act(current: Approval, holder: Approver, now: datetime) -> Approval:
        return rules.reassign(current, holder.address, to, holder.address, note, now, via)

    try:
        passed, secret = _by_holder(ports, token, "approve", code, via, act)
    except AlreadyDecided as e:
        raise AlreadyDecided(e.message, same=False) from None
    return passed, links.holder(passed, secret)


def _by_holder(
    ports: Ports, token: str, choice: Choice, code: str, via: Door, act: Act
) -> tuple[Approval, str]:
    """Have a link's holder act, if `choice` can still be taken from them, and the code is right.

    Returns the approval as it is then, and the link's secret.
    """
    approval_id, secret = links.read_token(token)
    wrong = False

    def rule(current: Approval) -> Approval:
        nonlocal wrong
        holder, now = links.holder(current, secret), ports.now()
        rules.refuse_if_over(current, holder, choice, now)
        wrong = _is_wrong(current, holder, secret, code)
        if wrong:
            return rules.wrong_code(current, holder.address, choice, now, via)
        return act(current, holder, now)

    changed = _change_linked(ports, approval_id, rule)
    if wrong:
        raise WrongCode("This is not the code from your mail.")
    return changed, secret


def _change_linked(ports: Ports, approval_id: str, rule: Rule) -> Approval:
    """Do what `change` does; an approval that isn't there is no other error than a bad link."""
    try:
        return change(ports, approval_id, rule)
    except NotFound:
        raise links.unknown_link() from None


def _is_wrong(approval: Approval, holder: Approver, secret: str, code: str) -> bool:
    """Return whether a code was needed and is wrong; raise what says so if it is missing."""
    if not approval.request.code_required:
        return False
    rules.refuse_if_locked(holder)
    if not code.strip():
        raise InvalidRequest("code: please type the code from your mail", field="code")
    return not links.knows_code(holder, secret, code)


def show_requester(ports: Ports, token: str) -> Approval:
    """Return the approval whose requester this link was mailed to; NotFound if nobody's."""
    found, secret = linked_to(ports, token)
    links.requester(found, secret)
    return found


def withdraw(ports: Ports, token: str, reason: str, via: Door) -> Approval:
    """Withdraw an approval by its requester's own link; raises what `rules.cancel` does."""
    reason = check_reason(reason)
    approval_id, secret = links.read_token(token)

    def rule(current: Approval) -> Approval:
        by = links.requester(current, secret).address
        return rules.cancel(current, by, reason, ports.now(), via)

    return resume(ports, _change_linked(ports, approval_id, rule), via)


def find(ports: Ports, approval_id: str) -> Approval:
    """Return the approval of that id; NotFound if there is none."""
    found = ports.store.get(approval_id) if links.is_id(approval_id) else None
    if found is None:
        raise no_approval(approval_id)
    return found


def listed(
    ports: Ports, outcome: Outcome, most: int, after: str = ""
) -> tuple[list[Approval], str]:
    """Return approvals with that outcome, newest first, and where the next page begins.

    One whose outcome has changed since the index saw it is left out.
    """
    ids, more = ports.store.by_outcome(outcome, most, after)
    return [a for a in ports.store.get_many(ids) if a.outcome == outcome], more


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


def approver(ports: Ports, address: str, *, invite: bool = False) -> dict[str, Any]:
    """Return whether mail can reach an approver; `invite` asks SNS to invite them if it can't."""
    address = check_address(address, "approver", ports.approver_domains)
    subscription = ports.notifier.subscription(address)
    if invite and subscription != "confirmed":
        if not ports.notifier.invite(address):
            raise InvalidRequest(f"approver: SNS takes no mail for {address}", field="approver")
        subscription = ports.notifier.subscription(address)
    away = ports.store.absence(address)
    known = away is not None and away.until > ports.now()
    absence = {"absence": msgspec.to_builtins(away)} if known else {}
    return {"approver": address, "subscription": subscription} | absence


def write_absence(ports: Ports, address: str, untrusted: object) -> dict[str, Any]:
    """Have somebody else asked for an approver while they are away; what is asked already stays."""
    address = check_address(address, "approver", ports.approver_domains)
    given = shape(untrusted, Absence)
    delegate = check_address(given.delegate, "delegate", ports.approver_domains)
    absence = Absence(delegate, given.from_, given.until)
    check_absence(address, absence, ports.now(), ports.store.absence)
    ports.store.put_absence(address, absence)
    return approver(ports, address, invite=True)


def confirm_approver(ports: Ports, address: str, url: str) -> dict[str, str]:
    """Confirm an approver's subscription with the link of SNS's invitation to them.

    Done this way, a mail scanner that follows the mail's Unsubscribe link unsubscribes nobody.
    """
    address = check_address(address, "approver", ports.approver_domains)
    token = confirmation_token(url, ports.notifier.topic_arn(address))
    if not ports.notifier.confirm(address, token):
        raise InvalidRequest("url: SNS refuses it; invite them again and use that", field="url")
    return {"approver": address, "subscription": ports.notifier.subscription(address)}


def forget_approver(ports: Ports, address: str) -> None:
    """Delete an approver's topic; requests that still wait for them invite them again."""
    check_address(address, "approver", ("*",))
    ports.notifier.forget(address)


def _requester(ports: Ports, address: str | None) -> Approver | None:
    """Return who asks, if they are in a domain that may be mailed at all."""
    if address is None:
        return None
    try:
        return Approver(check_address(address, "requestedBy", ports.approver_domains))
    except InvalidRequest:
        return None
