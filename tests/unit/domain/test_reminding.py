"""Reminders by the requester: at most one an hour, whatever others do."""

from contextlib import suppress
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from chalicelib.domain.approval import Approval, Approver
from chalicelib.domain.errors import AlreadyDecided, AssentError, Expired, TooSoon
from chalicelib.domain.outbox_entries import Mail
from chalicelib.domain.reminding import PAUSE, last_reminder, may_remind_at, remind_for_requester
from chalicelib.domain.transitions import remind
from tests.builders import after_tick, approval_of, cancelled, decided
from tests.fakes import START

MARY = "mary@example.com"


def _asked() -> Approval:
    """Return a request of Mary's to two approvers, whose first mails are sent."""
    approval = approval_of(2, approvalsNeeded=2, requestedBy=MARY, expiresIn=86_400)
    return replace(approval, requester=Approver(MARY), outbox=())


def _remind(approval: Approval, minutes: float = 0) -> Approval:
    now = START + timedelta(minutes=minutes)
    return remind_for_requester(approval, MARY, now=now, via="page")


def test_a_reminder_mails_each_undecided_approver_and_is_recorded_as_the_requesters() -> None:
    reminded = _remind(decided(_asked(), 0, "approve"))
    mails = [entry for entry in reminded.outbox if isinstance(entry, Mail)]
    assert [(mail.to, mail.about) for mail in mails] == [("approver1@example.com", "reminder")]
    event = reminded.events[-1]
    assert (event.what, event.who, event.via) == ("reminded", MARY, "page")


@given(st.lists(st.integers(0, 5_400), max_size=12))
def test_no_two_reminders_are_within_an_hour(pauses: list[int]) -> None:
    """However often the requester presses, which is as often as the clock allows."""
    approval, moments = _asked(), [sum(pauses[:n]) for n in range(1, len(pauses) + 1)]
    for seconds in moments:
        with suppress(TooSoon):
            approval = _remind(approval, seconds / 60)
    times = [event.at for event in approval.events if event.what == "reminded"]
    assert all(later - before >= PAUSE for before, later in pairwise(times))
    assert len(times) == _most(moments)


def _most(moments: list[int]) -> int:
    """Return how many of these seconds are the first one, or an hour after the one before."""
    taken: list[int] = []
    for moment in moments:
        if not taken or moment - taken[-1] >= PAUSE.total_seconds():
            taken.append(moment)
    return len(taken)


@pytest.mark.parametrize("minutes", [0, 0.5, 59 / 60])
def test_the_same_press_again_changes_nothing(minutes: float) -> None:
    """A double click, or a page that is loaded anew."""
    reminded = _remind(_asked())
    assert _remind(reminded, minutes) == reminded


@pytest.mark.parametrize(
    ("minutes", "words"), [(1, "in 59 minutes"), (40, "in 20 minutes"), (59.5, "in 1 minute.")]
)
def test_a_refusal_tells_when_it_is_possible_again(minutes: float, words: str) -> None:
    reminded = _remind(_asked())
    with pytest.raises(TooSoon, match=words) as refused:
        _remind(reminded, minutes)
    assert refused.value.retry_after == 3_600 - minutes * 60


def test_reminders_of_operators_and_of_the_clock_do_not_count() -> None:
    """Also if an operator names the requester as the person who acts."""
    approval = remind(_asked(), MARY, now=START, via="api")
    assert last_reminder(approval) is None
    assert last_reminder(_remind(approval)) == START


def test_from_when_on_the_requester_may_remind() -> None:
    """At once, then an hour after the last time, and never once it is closed."""
    approval = _asked()
    assert may_remind_at(approval) == START
    assert may_remind_at(_remind(approval, 5)) == START + timedelta(minutes=65)
    assert may_remind_at(cancelled(approval)) is None


@pytest.mark.parametrize(
    ("closed", "error"),
    [
        (cancelled(_remind(_asked())), AlreadyDecided),
        (decided(_remind(_asked()), 0, "reject"), AlreadyDecided),
        (after_tick(_remind(_asked()), START + timedelta(days=1)), Expired),
    ],
    ids=["cancelled", "rejected", "expired"],
)
def test_nobody_is_reminded_once_it_is_closed(closed: Approval, error: type[AssentError]) -> None:
    """Not even as the same press again."""
    with pytest.raises(error):
        _remind(closed)
