"""The approvals that are measured: by their pages and decisions, and by the tick."""

from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from bench.measured_app import Items
from chalicelib.adapters import dynamodb_items
from chalicelib.domain import link_tokens, outbox
from chalicelib.domain.approval import Approval
from chalicelib.domain.outbox_entries import Mail
from tests.builders import an_approval
from tests.fakes import TOKEN

SECRET = "a" * 32
APPROVERS = 500
"""The number of approvers among whom the tick's approvals are spread, one for each approval."""


def items_for(app_name: str) -> Items:
    """Return the items that an app reads for a page, a decision and a closing decision."""
    one_approver = _pending()
    two_approvers = _pending(approvers=["ada@example.com", "grace@example.com"], approvalsNeeded=2)
    token = f"{one_approver.id}.{SECRET}"
    if app_name == "bare":
        item = {
            "taskToken": {"S": one_approver.task_token},
            "subject": {"S": one_approver.request.subject},
        }
        return {"token": token, "page": item, "decision": item, "closing decision": item}
    return {
        "token": token,
        "page": dynamodb_items.approval_item(one_approver),
        "decision": dynamodb_items.approval_item(two_approvers),
        "closing decision": dynamodb_items.approval_item(one_approver),
    }


def _pending(**fields: Any) -> Approval:
    """Return an approval that doesn't expire meanwhile and whose first link has SECRET."""
    details = {"Version": "4.2.0", "Changes": "Payment retries", "Risk": "low", "Services": 4}
    approval = an_approval(details=details, expiresIn=31_536_000, **fields)
    first, *others = approval.approvers
    with_link = replace(first, link_hashes=(link_tokens.digest(SECRET),))
    expires_at = approval.created_at.replace(year=approval.created_at.year + 50)
    return replace(approval, approvers=(with_link, *others), expires_at=expires_at)


def approver(number: int) -> str:
    """Return the approver of the approval of that number."""
    return f"approver{number % APPROVERS}@example.com"


def mailed_approval(number: int, *, now: datetime, left: timedelta) -> Approval:
    """Return a pending approval that was mailed at `now` and expires `left` later.

    Approvals with different numbers have different tasks.
    """
    token = f"{number}{TOKEN}"
    address = approver(number)
    new = an_approval(approvers=[address], details={"Version": "4.2.0", "Risk": "low"})
    new = replace(new, id=link_tokens.approval_id(token), task_token=token, expires_at=now + left)
    return outbox.mailed(new, Mail(address, now), now, "function")
