"""Bounds that requests and policies share: how long, how many people, which reasons."""

from typing import Annotated, Literal

from msgspec import Meta

from .addresses import Address

MOST_APPROVERS = 50
"""How many people one approval may ask at a time, escalation included."""

MOST_WAITING = 100
"""More requests that wait for a person, or under a policy, aren't counted."""

Seconds = int
Duration = Annotated[Seconds, Meta(ge=60, le=31_536_000)]
ReminderInterval = Annotated[Seconds, Meta(ge=300, le=31_536_000)]
Count = Annotated[int, Meta(ge=1, le=MOST_APPROVERS)]
Approvers = Annotated[tuple[Address, ...], Meta(min_length=1, max_length=MOST_APPROVERS)]
ReasonRequired = Literal["never", "onReject", "always"]
