"""CORE: the words that mails and pages share, so that both say the same thing the same way."""

from datetime import datetime

from .approval import Approval

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def when(moment: datetime) -> str:
    """Return a UTC time for people anywhere: `29 Nov 2026, 17:31 UTC`."""
    return f"{moment.day} {_MONTHS[moment.month - 1]} {moment:%Y, %H:%M} UTC"


def asker(approval: Approval) -> str:
    """Return who asks: the requester, or the workflow if no person is named."""
    workflow = approval.execution_arn.split(":")[6:7]
    return approval.request.requested_by or f"the workflow {''.join(workflow)}"


def needed(approval: Approval) -> str:
    """Return how many must approve, in words: `1 approval`, `2 of 3 approvals`."""
    k, n = approval.approvals_needed, len(approval.approvers)
    if n == 1:
        return "your approval"
    return f"{k} of {n} approvers"


def progress(approval: Approval) -> str:
    """Return how far it is: `1 of 2 approvals given`, with the rejections if there are any."""
    given = f"{approval.approvals} of {approval.approvals_needed} approvals given"
    return f"{given}, {_count(approval.rejections, 'rejection')}" if approval.rejections else given


def detail_rows(approval: Approval) -> list[tuple[str, str]]:
    """Return labelled details as text rows; empty if the details are plain text."""
    details = approval.request.details
    if isinstance(details, str):
        return []
    return [(label, _value(value)) for label, value in details.items()]


def _value(value: str | bool | float) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
