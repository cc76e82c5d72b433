"""The approvals that a measured table holds."""

from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from chalicelib.domain import link_tokens, outbox
from chalicelib.domain.approval import Approval, Outcome
from chalicelib.domain.outbox_entries import Mail
from tests.builders import an_approval
from tests.fakes import TOKEN

REQUESTER = "margaret@example.com"
APPROVERS = 500
"""The number of approvers among whom the tick's approvals are spread, one for each approval."""


def approver(number: int, among: int = APPROVERS) -> str:
    """Return the approver of the approval of that number."""
    return f"approver{number % among}@example.com"


def closed_approval(number: int, *, now: datetime, outcome: Outcome, **more: Any) -> Approval:
    """Return an approval that was closed at `now` and is delivered; else as `mailed_approval`."""
    mailed = mailed_approval(number, now=now, left=timedelta(days=1), **more)
    return replace(mailed, outcome=outcome, closed_at=now, resumed_at=now, outbox=())


def mailed_approval(
    number: int, *, now: datetime, left: timedelta, among: int = APPROVERS, **fields: Any
) -> Approval:
    """Return a pending approval that was mailed at `now` and expires `left` later.

    Approvals with different numbers have different tasks, and were made in different seconds.
    """
    token = f"{number}{TOKEN}"
    address = approver(number, among)
    details = {"Version": "4.2.0", "Risk": "low"}
    new = an_approval(approvers=[address], details=details, **fields)
    new = replace(
        new,
        id=link_tokens.approval_id(token),
        task_token=token,
        created_at=now - timedelta(seconds=number),
        expires_at=now + left,
    )
    return outbox.mailed(new, Mail(address, now), now, "function")
