"""Reminders that a requester has sent: at most one an hour, so that nobody is flooded by them."""

import math
from datetime import datetime, timedelta

from .approval import Approval
from .errors import TooSoon
from .events import Channel
from .refusals import check_open
from .transitions import remind

PAUSE = timedelta(hours=1)
"""Between two reminders by the requester; those of operators and of the clock don't count."""
ONE_PRESS = timedelta(minutes=1)
"""So soon a second press is the first one again: a double click, or a page loaded anew."""


def may_remind_at(approval: Approval) -> datetime | None:
    """Return from when on the requester may have the approvers reminded; None once it is closed."""
    if approval.outcome != "pending":
        return None
    last = last_reminder(approval)
    return approval.created_at if last is None else last + PAUSE


def last_reminder(approval: Approval) -> datetime | None:
    """Return when the requester last had the approvers reminded; None if never."""
    if approval.requester is None:
        return None
    return _last_by(approval, approval.requester.address, "page")


def is_same_press(approval: Approval, by: str, via: Channel, now: datetime) -> bool:
    """Return whether that person reminded by that channel so lately that this is the same press."""
    last = _last_by(approval, by, via)
    return last is not None and now < last + ONE_PRESS


def _last_by(approval: Approval, by: str, via: Channel) -> datetime | None:
    own = ("reminded", by, via)
    times = (e.at for e in reversed(approval.events) if (e.what, e.who, e.via) == own)
    return next(times, None)


def remind_for_requester(
    approval: Approval, by: str, *, now: datetime, via: Channel, reason: str = ""
) -> Approval:
    """Return the approval with a reminder to each undecided approver; `by` is the requester.

    Unchanged within ONE_PRESS of the last one. Raises TooSoon within PAUSE, and AlreadyDecided or
    Expired if the approval is closed.
    """
    check_open(approval, now)
    last = last_reminder(approval)
    if last is not None and now < last + ONE_PRESS:
        return approval
    if last is not None and now < last + PAUSE:
        raise TooSoon(math.ceil((last + PAUSE - now).total_seconds()))
    return remind(approval, by, reason=reason, now=now, via=via)
