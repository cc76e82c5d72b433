"""Short words for tests: ask for something, answer it, with what doesn't matter filled in."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from chalicelib.application import asking
from chalicelib.application.ports import Ports
from chalicelib.domain import link_tokens, transitions
from chalicelib.domain.approval import Approval
from chalicelib.domain.deadlines import apply_deadlines
from chalicelib.domain.link_tokens import SecretHashes
from chalicelib.domain.outbox import lease_due
from chalicelib.domain.request import Request
from chalicelib.domain.validation import check_request
from tests.fakes import EXECUTION, START, TOKEN

ANY_HASHES = defaultdict[str, SecretHashes](lambda: SecretHashes("a hash", "a code's hash"))
"""The stored hashes of fresh secrets, where they don't matter."""


def hashes_of(addresses: Iterable[str]) -> dict[str, SecretHashes]:
    """Return hashes for each address; `digest(address)` is that of its link."""
    return {a: SecretHashes(link_tokens.digest(a), f"code of {a}") for a in addresses}


def ticked(
    approval: Approval, now: datetime, hashes: Mapping[str, SecretHashes] = ANY_HASHES
) -> Approval:
    """Return the approval as a tick writes it: deadlines applied, due entries leased."""
    return lease_due(apply_deadlines(approval, now), hashes, now)


def body(**fields: Any) -> dict[str, Any]:
    """Return a request as a caller sends it: one approver, `fields` in the wire's words."""
    return {"subject": "Release 4.2", "approvers": ["ada@example.com"], **fields}


def people(number: int) -> list[str]:
    """Return that many distinct addresses."""
    return [f"approver{n}@example.com" for n in range(number)]


def an_approval(**fields: Any) -> Approval:
    """Return a pending approval as the core makes it."""
    request = check_request(body(**fields), ("example.com",))
    return new_approval(request)


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


def asked(ports: Ports, task_token: str = TOKEN, **fields: Any) -> str:
    """Ask through the use case and return the approval's id."""
    question = {"taskToken": task_token, "executionArn": EXECUTION, "request": body(**fields)}
    approval_id = asking.request_approval(ports, question, "function")
    assert approval_id is not None
    return approval_id
