"""Figures of decided approvals: how many a day, how long until a decision, how they ended."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

from .approval import DECIDED, OUTCOME_OF, Approval, Outcome
from .outbox_entries import Mail

DAYS = 14
"""Days of which each is counted, today included; in UTC."""
LIMITS = (
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=8),
    timedelta(days=1),
    timedelta(days=3),
)
"""Limits between the spans in which the times to decide are counted."""


class Day(NamedTuple):
    """How many approvals were closed on one day, by outcome."""

    day: date
    outcomes: Counter[Outcome]


class Figures(NamedTuple):
    """What is counted over some approvals."""

    outcomes: Counter[Outcome]
    days: list[Day]
    """The last DAYS days, earliest first."""
    spans: list[int]
    """How many decisions took longer than the limit before and up to this one of LIMITS; the last
    number is of those that took longer than all."""
    median: timedelta | None
    """Of the times from request to outcome, of approved and rejected ones; None without any."""
    percentile_95: timedelta | None
    oldest: datetime | None
    """When the oldest approval that is counted was asked."""
    waiting_mails: int
    """Mails that ask and are not delivered yet."""


def figures(decided: Sequence[Approval], due: Iterable[Approval], now: datetime) -> Figures:
    """Return the figures of decided approvals, and of the mails of those that are due."""
    closed = [(a.closed_at, a.outcome) for a in decided if a.closed_at is not None]
    by_day = Counter((at.date(), outcome) for at, outcome in closed)
    today = now.date()
    days = [today - timedelta(days=back) for back in reversed(range(DAYS))]
    people = set(OUTCOME_OF.values())
    times = sorted(
        a.closed_at - a.created_at
        for a in decided
        if a.closed_at is not None and a.outcome in people
    )
    return Figures(
        outcomes=Counter(outcome for _, outcome in closed),
        days=[Day(day, Counter({o: by_day[day, o] for o in DECIDED})) for day in days],
        spans=_spans(times),
        median=_percentile(times, 50),
        percentile_95=_percentile(times, 95),
        oldest=min((a.created_at for a in decided), default=None),
        waiting_mails=sum(_asking_mails(approval) for approval in due),
    )


def _spans(times: Iterable[timedelta]) -> list[int]:
    counted = Counter(sum(time > limit for limit in LIMITS) for time in times)
    return [counted[number] for number in range(len(LIMITS) + 1)]


def _percentile(times: Sequence[timedelta], percent: int) -> timedelta | None:
    """Return the time that so many percent don't exceed (nearest rank); None of none."""
    if not times:
        return None
    rank = -(-len(times) * percent // 100)
    return times[max(rank, 1) - 1]


def _asking_mails(approval: Approval) -> int:
    return sum(isinstance(entry, Mail) and entry.asks for entry in approval.outbox)
