"""Invitations: since when SNS has invited an approver, and whether it refuses their address."""

from datetime import datetime, timedelta
from typing import NamedTuple

VALID_FOR = timedelta(days=3)
"""An invitation's link confirms for so long (docs/fidelity.md)."""


class Invitation(NamedTuple):
    """The newest invitation of an approver."""

    at: datetime
    refusal: str = ""
    """The name of SNS's error if it refuses the address."""
    since: datetime | None = None
    """When the first one was sent of those that went unanswered; None if `at` was the first."""

    @property
    def waits_since(self) -> datetime:
        """Since when an invitation has waited for an answer."""
        return self.since or self.at


def invited_again(before: Invitation | None, now: datetime) -> Invitation:
    """Return the invitation of now, after one that may not be answered yet."""
    waiting = before is not None and now < before.at + VALID_FOR
    return Invitation(now, since=before.waits_since if before is not None and waiting else None)
