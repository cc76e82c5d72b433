"""CORE: the words that mails and pages share, so that both say the same thing the same way."""

from datetime import datetime, timedelta

from .approval import Approval, Choice, Event

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def when(moment: datetime) -> str:
    """Return a UTC time for people anywhere: `29 Nov 2026, 17:31 UTC`."""
    return f"{moment.day} {_MONTHS[moment.month - 1]} {moment:%Y, %H:%M} UTC"


def span(time: timedelta) -> str:
    """Return a length of time in its largest unit, never more than there is: `6 days`."""
    seconds = max(int(time.total_seconds()), 0)
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= 2 * length or (seconds >= length and unit != "day"):
            return count(seconds // length, unit)
    return "less than a minute"


def requester(approval: Approval) -> str:
    """Return who asks: the requester, or the workflow if no person is named."""
    workflow = approval.execution_arn.split(":")[6:7]
    return approval.request.requested_by or f"the workflow {''.join(workflow)}"


def needed(approval: Approval) -> str:
    """Return whose approval it takes, and what ends it otherwise."""
    k, n = approval.approvals_needed, len(approval.asked)
    if n == 1:
        return "your approval"
    most = approval.request.rejections_needed
    ending = f"{count(most, 'rejection')} end{'s' if most == 1 else ''} it"
    return f"approval by {k} of {n} approvers; {ending}"


def past(choice: Choice) -> str:
    """Return what somebody did: `approved`, `rejected`."""
    return {"approve": "approved", "reject": "rejected"}[choice]


def outcome_word(approval: Approval) -> str:
    """Return the outcome as people say it."""
    return {"cancelled": "withdrawn"}.get(approval.outcome, approval.outcome)


def was(approval: Approval) -> str:
    """Return what came of it and when: `was approved on ...`; by whom, if it was withdrawn."""
    at = f" on {when(approval.closed_at)}" if approval.closed_at else ""
    if approval.outcome == "expired":
        return f"expired{at}, before it was decided"
    if approval.outcome == "cancelled":
        return f"was withdrawn by {_withdrawal(approval).who}{at}"
    return f"was {approval.outcome}{at}"


def withdrawn_because(approval: Approval) -> str:
    """Return the reason given for withdrawing it, in whoever's words; mostly empty."""
    return _withdrawal(approval).note if approval.outcome == "cancelled" else ""


def _withdrawal(approval: Approval) -> Event:
    return next(e for e in reversed(approval.events) if e.what == "cancelled")


def progress(approval: Approval) -> str:
    """Return how many have answered: `1 approval, no rejection`."""
    if not approval.approvals and not approval.rejections:
        return "nobody has answered"
    return f"{count(approval.approvals, 'approval')}, {count(approval.rejections, 'rejection')}"


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


def count(number: int, noun: str) -> str:
    """Return `no request`, `1 request`, `2 requests`."""
    return f"{number or 'no'} {noun}" if number < 2 else f"{number} {noun}s"
