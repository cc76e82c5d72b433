"""Figures: counted over approvals of every outcome, against the plain definition of each."""

import statistics
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from chalicelib.domain.approval import DECIDED, Approval, Outcome
from chalicelib.domain.figures import DAYS, LIMITS, figures
from tests.builders import an_approval, approval_of
from tests.fakes import START

MINUTE = timedelta(minutes=1)


def closed(outcome: Outcome, took: timedelta, ago: timedelta = timedelta()) -> Approval:
    """Return an approval that was closed so long ago, after such a time."""
    at = START - ago
    return replace(an_approval(), outcome=outcome, closed_at=at, created_at=at - took)


def test_nothing_has_no_times() -> None:
    found = figures([], [], START)
    assert (found.median, found.percentile_95, found.waiting_mails) == (None, None, 0)
    assert found.outcomes.total() == sum(found.spans) == 0
    assert len(found.days) == DAYS


def test_days_are_counted_by_outcome() -> None:
    """The last ones alone, in UTC, the earliest first."""
    day = timedelta(days=1)
    found = figures(
        [
            closed("approved", MINUTE),
            closed("rejected", MINUTE, 9 * timedelta(hours=1)),
            closed("expired", MINUTE, 10 * timedelta(hours=1)),
            closed("cancelled", MINUTE, 13 * day),
            closed("approved", MINUTE, 14 * day),
        ],
        [],
        START,
    )
    assert [str(one.day) for one in found.days][::13] == ["2026-11-09", "2026-11-22"]
    counted = {str(one.day): +one.outcomes for one in found.days if +one.outcomes}
    assert counted == {
        "2026-11-09": {"cancelled": 1},
        "2026-11-21": {"expired": 1},
        "2026-11-22": {"approved": 1, "rejected": 1},
    }
    assert found.outcomes == {"approved": 2, "rejected": 1, "expired": 1, "cancelled": 1}


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=60))
def test_median_and_percentile_are_those_of_the_nearest_rank(seconds: list[int]) -> None:
    """Of times to decide: what expired or was cancelled has none."""
    decided = [closed("approved", timedelta(seconds=one)) for one in seconds]
    others = [closed("expired", timedelta(days=99)), closed("cancelled", timedelta(days=99))]
    found = figures([*others, *decided], [], START)
    assert found.median == timedelta(seconds=statistics.median_low(seconds))
    within = [s for s in seconds if timedelta(seconds=s) <= (found.percentile_95 or timedelta())]
    assert len(within) >= 0.95 * len(seconds)
    below = [s for s in seconds if timedelta(seconds=s) < (found.percentile_95 or timedelta())]
    assert len(below) < 0.95 * len(seconds)
    assert sum(found.spans) == len(seconds)


@pytest.mark.parametrize("number", range(len(LIMITS)))
def test_a_limit_belongs_to_the_span_below_it(number: int) -> None:
    second = timedelta(seconds=1)
    times = [LIMITS[number], LIMITS[number] + second]
    found = figures([closed("approved", time) for time in times], [], START)
    assert found.spans[number] == found.spans[number + 1] == 1


def test_mails_that_ask_and_wait_are_counted() -> None:
    assert figures([], [approval_of(3), approval_of(2)], START).waiting_mails == 5


def test_every_outcome_but_pending_is_a_decided_one() -> None:
    assert {"pending", *DECIDED} == set(Outcome.__args__)  # type: ignore[attr-defined]
