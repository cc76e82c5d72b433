"""Asking: a task token and a request become an approval, and each approver is mailed."""

import msgspec

from ..domain import link_tokens, transitions
from ..domain.addresses import check_address
from ..domain.approval import Approver
from ..domain.decoding import convert
from ..domain.errors import InvalidRequest
from ..domain.events import Channel
from ..domain.request import TaskRequest, is_execution_arn
from .outbox_relay import TIME_LIMIT, deliver, new_secrets
from .ports import Ports
from .requests import delegates_if_decidable, read_request
from .superseding import SUPERSEDING_LIMIT, approvals_before, check_may_supersede, supersede


def request_approval(ports: Ports, untrusted: object, via: Channel) -> str | None:
    """Make the approval that a `TaskRequest` asks for, mail its approvers, and return its id.

    The same task token again mails nobody twice. What the execution asked before is closed if it
    surely waits no longer. A bad or undecidable request fails its task as `InvalidRequest` at once,
    and None is returned; without a usable task token InvalidRequest is raised. Raises Unavailable
    only while nothing is written, so that a caller may retry.
    """
    now = ports.now()
    try:
        task = convert(untrusted, TaskRequest)
        request = read_request(ports, task.request)
        check_may_supersede(request, via)
        delegates, authors = delegates_if_decidable(ports, request, now)
    except InvalidRequest as e:
        return _refuse(ports, untrusted, e)
    secrets = new_secrets(ports, (*request.approvers, *delegates, *request.break_glass))
    approval = transitions.request_approval(
        approval_id=link_tokens.approval_id(task.task_token),
        task_token=task.task_token,
        execution_arn=task.execution_arn,
        request=request,
        hashes={address: secret.hashes(task.task_token) for address, secret in secrets.items()},
        now=ports.now(),
        via=via,
        requester=_reachable_requester(ports, request.requested_by),
        delegates=delegates,
        authors=authors,
    )
    before = approvals_before(ports, approval, via)
    created = ports.store.create(approval)
    # A call that died after `create` has superseded nothing, so its repetition does it: by the age
    # of the stored approval.
    newer = approval if created else next((a for a in before if a.id == approval.id), None)
    if newer is not None:
        supersede(ports, before, newer, via, until=now + SUPERSEDING_LIMIT)
    if created:
        # The receipt is due at once: the tick sends it. The writer leases the approvers' mails.
        leased = [entry for entry in approval.outbox if entry.due_at > approval.created_at]
        deliver(ports, approval, leased, secrets, via, until=now + TIME_LIMIT)
    return approval.id


def _refuse(ports: Ports, untrusted: object, error: InvalidRequest) -> str | None:
    """Fail the task of a bad request; return the approval's id if its token has one already.

    A known task token isn't failed: a bad request must not end an approval that is pending.
    """
    fields = untrusted if isinstance(untrusted, dict) else {}
    task_token = fields.get("taskToken")
    if not isinstance(task_token, str) or not 1 <= len(task_token) <= 2_048:
        raise error
    known_id = link_tokens.approval_id(task_token) if task_token.isascii() else ""
    if ports.store.get(known_id) is not None:
        return known_id
    arn = fields.get("executionArn")
    named = {"executionArn": arn[:512]} if is_execution_arn(arn) else {}
    ports.log("request_refused", **named, **error.as_facts())
    cause = msgspec.json.encode(error.as_json()).decode()
    ports.executions.fail_task(task_token, InvalidRequest.code, cause)
    return None


def _reachable_requester(ports: Ports, address: str | None) -> Approver | None:
    """Return the requester if the stage may mail their domain."""
    if address is None:
        return None
    try:
        return Approver(check_address(address, "requestedBy", ports.approver_domains))
    except InvalidRequest:
        return None
