"""Approvals and requests for tests, with every field that doesn't matter filled in."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from chalicelib.application import asking
from chalicelib.application.ports import Ports
from chalicelib.domain import link_tokens, transitions
from chalicelib.domain.approval import Approval, Choice
from chalicelib.domain.deadlines import apply_deadlines
from chalicelib.domain.events import SYSTEM, Event
from chalicelib.domain.link_tokens import SecretHashes
from chalicelib.domain.outbox import lease_due, resumed
from chalicelib.domain.request import Request
from chalicelib.domain.validation import check_request
from chalicelib.domain.workflow import EndedExecution, EndStatus, execution_ended
from tests.fakes import EXECUTION, START, TOKEN

ANY_HASHES = defaultdict[str, SecretHashes](lambda: SecretHashes("a hash", "a code's hash"))
"""The stored hashes of fresh secrets, where they don't matter."""


def hashes_of(addresses: Iterable[str]) -> dict[str, SecretHashes]:
    """Return hashes for each address; the link's is `digest(address)`."""
    return {a: SecretHashes(link_tokens.digest(a), f"code of {a}") for a in addresses}


def after_tick(
    approval: Approval, now: datetime, hashes: Mapping[str, SecretHashes] = ANY_HASHES
) -> Approval:
    """Return the approval as a tick writes it: deadlines applied, due entries leased."""
    return lease_due(apply_deadlines(approval, now), hashes, now)


def request_body(**fields: Any) -> dict[str, Any]:
    """Return a request as JSON; `fields` have the wire's names."""
    asked = {} if "policy" in fields else {"approvers": ["ada@example.com"]}
    return {"subject": "Release 4.2", **asked, **fields}


def task_request(
    task_token: str = TOKEN, *, execution: str | None = None, **fields: Any
) -> dict[str, Any]:
    """Return a `TaskRequest` as a waiting state sends it; `fields` belong to its request.

    Each task token but the default one is of an execution of its own, unless `execution` says.
    """
    other = "" if task_token == TOKEN else f"-{link_tokens.approval_id(task_token)}"
    arn = execution or f"{EXECUTION}{other}"
    return {"taskToken": task_token, "executionArn": arn, "request": request_body(**fields)}


RELEASE: dict[str, Any] = {
    "subject": "Release 4.2.0 of the shop to production?",
    "approvers": ["ada@example.com", "grace@example.com", "linus@example.com"],
    "approvalsNeeded": 2,
    "requestedBy": "mary@example.com",
    "details": {"Change": "New checkout", "Way back": "Switch checkout-v2", "Risky": False},
    "expiresIn": 86_400,
}
"""A request as people would make it, for pages that are looked at."""


def people(number: int) -> list[str]:
    """Return that many distinct addresses."""
    return [f"approver{n}@example.com" for n in range(number)]


def an_approval(**fields: Any) -> Approval:
    """Return a pending approval, as the domain makes it of `request_body(**fields)`."""
    return new_approval(check_request(request_body(**fields), ("example.com",)))


def new_approval(
    request: Request, task_token: str = TOKEN, execution_arn: str = EXECUTION, at: datetime = START
) -> Approval:
    """Return the pending approval of a request."""
    return transitions.request_approval(
        approval_id=link_tokens.approval_id(task_token),
        task_token=task_token,
        execution_arn=execution_arn,
        request=request,
        hashes=hashes_of(request.approvers),
        now=at,
        via="function",
    )


def approval_of(number: int, **fields: Any) -> Approval:
    """Return a pending approval with that many approvers, `people(number)`."""
    return an_approval(approvers=people(number), **fields)


def decided(
    approval: Approval, who: int, choice: Choice, reason: str = "because", now: datetime = START
) -> Approval:
    """Return the approval with the decision of the approver at that place."""
    address = approval.approvers[who].address
    return transitions.decide(approval, address, choice, reason=reason, now=now, via="page")


def cancelled(approval: Approval, reason: str = "", now: datetime = START) -> Approval:
    """Return the approval as an operator cancels it."""
    return transitions.cancel(approval, "operator@example.com", reason=reason, now=now, via="api")


def request_approval(ports: Ports, task_token: str = TOKEN, **fields: Any) -> str:
    """Request an approval through the use case and return its id."""
    approval_id = asking.request_approval(ports, task_request(task_token, **fields), "function")
    assert approval_id is not None
    return approval_id


def ended(approval: Approval, status: EndStatus = "ABORTED") -> Approval:
    """Return the approval whose execution ended before it was decided."""
    return execution_ended(approval, EndedExecution("arn", status, 4_000_000_000_000), START)


WORDS_OF_ENDS: list[tuple[EndStatus, str]] = [
    ("ABORTED", "was stopped"),
    ("TIMED_OUT", "timed out"),
    ("FAILED", "failed"),
    ("SUCCEEDED", "finished without an answer"),
]
"""How an execution ended, by Step Functions' status, and how pages and mails say it."""


def replaced_by_newer(approval: Approval) -> Approval:
    """Return the approval that a newer request of its execution replaced."""
    newer = "n" * 26
    event = Event(START, "cancelled", SYSTEM, "function", f"its workflow asked again: {newer}")
    changed = replace(approval, superseded_by=newer, task_waited=False).with_event(event)
    return changed.closed("cancelled", START)


def in_vain(approval: Approval) -> Approval:
    """Return the closed approval whose workflow was not waiting any more."""
    return resumed(approval, "the task was not waiting any more", START, "page", waited=False)


def answered(approval: Approval) -> Approval:
    """Return the closed approval with its task answered: an emulator takes any answer."""
    return resumed(approval, "", START, "tick", waited=True)
