"""Operating: what operators see and steer: approvals, and executions of the approval workflow."""

from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING

import msgspec

from ..domain import erasure, transitions
from ..domain.addresses import check_address
from ..domain.approval import Approval
from ..domain.commands import Cancel, Command, Extend, Reassign, Remind
from ..domain.delegation import authors_of, more_delegates_for
from ..domain.errors import InvalidRequest, NotFound, Unavailable
from ..domain.events import Channel
from ..domain.link_tokens import is_id
from ..domain.reminding import is_same_press
from ..domain.texts import check_reason
from .outbox_relay import resume
from .ports import ExecutionJson, Ports
from .requests import delegates_if_decidable, read_request
from .saving import no_approval, save, too_many_conflicts, versions

if TYPE_CHECKING:
    from ..domain.execution_history import ExecutionHistory


def change(
    ports: Ports, approval_id: str, command: Command, *, by: str, via: Channel, principal: str = ""
) -> Approval:
    """Cancel, remind, extend or reassign an approval, and return it as stored then.

    `principal` is the IAM principal that signed the call, and `by` whom it named. Unchanged if just
    that was done already. Raises what the transition does, and NotFound. Mails go out with the next
    tick.
    """
    if not is_id(approval_id):
        raise no_approval(approval_id)
    began = ports.now()
    for current in versions(ports, approval_id):
        changed = _apply(ports, current, command, by, via, principal)
        if changed == current:
            return current  # Done already: the writer of that has the lease on its entries.
        if saved := save(ports, current, changed):
            return resume(ports, saved, via, began)
    raise too_many_conflicts()


def preview(
    ports: Ports, approval_id: str, command: Command, *, by: str, via: Channel
) -> tuple[Approval, Approval]:
    """Return the approval as stored now, and as `change` would leave it; nothing is written.

    Raises what `change` would.
    """
    found = find_approval(ports, approval_id)
    return found, _apply(ports, found, command, by, via, by)


def find_history(ports: Ports, approval: Approval) -> "ExecutionHistory | None":
    """Return what happened in the approval's execution; None if it isn't ours, or can't be read.

    Step Functions forgets it after 90 days; an approval is worth showing without it.
    """
    if not approval.execution_arn.startswith(ports.own_executions):
        return None
    try:
        return ports.executions.history(approval.execution_arn)
    except (NotFound, Unavailable) as e:
        if isinstance(e, Unavailable):
            ports.log("history_unread", approvalId=approval.id, why=e.message)
        return None


def _apply(
    ports: Ports, approval: Approval, command: Command, by: str, via: Channel, principal: str
) -> Approval:
    now = ports.now()
    match command:
        case Cancel():
            reason = check_reason(command.reason)
            return transitions.cancel(
                approval, by, reason=reason, now=now, via=via, principal=principal
            )
        case Remind():
            reason = check_reason(command.reason)
            if via == "console" and is_same_press(approval, by, via, now):
                return approval
            return transitions.remind(
                approval, by, reason=reason, now=now, via=via, principal=principal
            )
        case Extend():
            reason = check_reason(command.reason)
            return transitions.extend(
                approval,
                by,
                command.expires_in,
                reason=reason,
                now=now,
                via=via,
                principal=principal,
            )
        case Reassign():
            to = check_address(command.to, "to", ports.approver_domains)
            note = check_reason(command.note, "note")
            from_ = check_address(command.from_, "from", ("*",))
            delegation = cache(ports.store.delegation)
            delegates = more_delegates_for(approval, (to,), now, delegation)
            return transitions.reassign(
                approval,
                from_,
                to,
                by=by,
                note=note,
                now=now,
                via=via,
                delegates=delegates,
                authors=authors_of(delegates, delegation),
                principal=principal,
            )
    raise TypeError(f"{type(command).__name__} is no command")


def find_approval(ports: Ports, approval_id: str) -> Approval:
    """Return the approval of that id; NotFound if there is none."""
    found = ports.store.get(approval_id) if is_id(approval_id) else None
    if found is None:
        raise no_approval(approval_id)
    return found


def erase(ports: Ports, approval_id: str, *, by: str, via: Channel) -> Approval:
    """Erase the personal data of a delivered approval, and return what is kept.

    Unchanged if that was done already. Raises what `erasure.erase` does, and NotFound.
    """
    if not is_id(approval_id):
        raise no_approval(approval_id)
    for current in versions(ports, approval_id):
        changed = erasure.erase(current, by, ports.now(), via)
        if saved := save(ports, current, changed):
            return saved
    raise too_many_conflicts()


def start_execution(ports: Ports, untrusted: object, name: str) -> ExecutionJson:
    """Start an execution of that name; the same name and request again find the same execution.

    Raises InvalidRequest for a bad request, Undecidable for one that nobody could approve, and
    IdempotencyConflict for a name with another request.
    """
    # Sorted, so that one request is one text however its fields are ordered.
    fields = dict(sorted(untrusted.items())) if isinstance(untrusted, dict) else {}
    sent = msgspec.json.encode(fields).decode()
    try:
        delegates_if_decidable(ports, read_request(ports, untrusted), ports.now())
    except InvalidRequest:
        # Policies, and who can be mailed, may have changed since the same call was taken.
        found = ports.executions.find(name, sent)
        if found is None:
            raise
        return found
    return ports.executions.start(name, sent)


def find_execution(ports: Ports, name: str) -> tuple[ExecutionJson, list[Approval]]:
    """Return the execution of that name and the approvals that it requested, newest first.

    A retried or redriven execution requests more than one. Of two in the same second a pending one
    is the newer: an execution of ours asks again after it was answered.
    """
    found = ports.executions.describe(name)
    approvals = ports.store.of_execution(found["executionArn"])
    return found, sorted(approvals, key=_age, reverse=True)


def _age(approval: Approval) -> tuple[datetime, bool]:
    return approval.created_at, approval.outcome == "pending"
