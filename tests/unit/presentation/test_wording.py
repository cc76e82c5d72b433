"""Words that mails, pages and audit reports share."""

import re
from datetime import timedelta

import pytest

from chalicelib.presentation.wording import (
    count,
    duration,
    in_mail,
    needed,
    progress,
    requester,
    was,
    when,
)
from tests.builders import after_tick, an_approval, approval_of, cancelled, decided, people
from tests.fakes import START


def test_a_time_is_written_for_readers_of_any_country() -> None:
    assert when(START) == "22 Nov 2026, 09:00 UTC"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "less than a minute"), (59, "less than a minute"), (60, "1 minute"),
        (119, "1 minute"), (3_599, "59 minutes"), (3_600, "1 hour"), (86_400, "24 hours"),
        (172_799, "47 hours"), (172_800, "2 days"), (604_800, "7 days"),
    ],
)  # fmt: skip
def test_a_duration_is_rounded_down_in_its_largest_unit(seconds: int, words: str) -> None:
    assert duration(timedelta(seconds=seconds)) == words


@pytest.mark.parametrize(
    ("number", "words"), [(0, "no request"), (1, "1 request"), (2, "2 requests")]
)
def test_a_count_has_its_noun_in_the_right_number(number: int, words: str) -> None:
    assert count(number, "request") == words


def test_the_quorum_names_both_numbers_unless_one_approver_decides_alone() -> None:
    alone = approval_of(1)
    (ada,) = people(1)
    assert needed(alone, ada.upper()) == "your approval"
    assert needed(alone) == needed(alone, "requester@example.com") == f"approval by {ada}"
    several = approval_of(3, approvalsNeeded=2, rejectionsNeeded=2)
    assert needed(several) == "approval by 2 of 3 approvers; 2 rejections end it"
    assert needed(approval_of(3)) == "approval by 1 of 3 approvers; 1 rejection ends it"


def test_progress_counts_the_decisions() -> None:
    approval = approval_of(3, approvalsNeeded=3, rejectionsNeeded=3)
    assert progress(approval) == "nobody has decided"
    assert progress(decided(approval, 0, "approve")) == "1 approval, no rejection"


def test_without_a_requester_the_state_machine_is_named() -> None:
    assert requester(an_approval()) == "the workflow assent-test"
    assert requester(an_approval(requestedBy="mary@example.com")) == "mary@example.com"


@pytest.mark.parametrize(
    "who",
    [
        "ada@example.com", "Ada.Lovelace+shop@mail.example.co.uk", "o'brien_2-x@example.com",
        "awww.some@example.com", "the workflow assent-dev",
        "arn:aws:sts::111122223333:assumed-role/Ops/ada@example.com",
    ],
)  # fmt: skip
def test_an_ordinary_address_stands_in_a_mail_as_it_is(who: str) -> None:
    assert in_mail(who) == who


@pytest.mark.parametrize(
    "who",
    [
        "www.assent-login.com/approve/x@evil.org", "WWW.assent-login.com@evil.org",
        "assent-login.com/x@evil.org", "assent-login.com?x@evil.org", "a.com#x@evil.org",
        "x-www.a.com@evil.org", "ftp.a.com@evil.org", "a&b.com=c@evil.org", "a@www.evil.org",
        "arn:aws:iam::111122223333:user/www.evil.org",
    ],
)  # fmt: skip
def test_an_address_that_looks_like_a_link_is_written_so_that_it_is_none(who: str) -> None:
    """No full stop and no `@` stands between two letters, so there is nothing to make a link of."""
    shown = in_mail(who)
    assert not re.search(r"[A-Za-z0-9][.@][A-Za-z0-9]", shown)
    assert shown.replace("[.]", ".").replace("[@]", "@") == who


def test_the_outcome_is_written_with_its_time() -> None:
    at = "on 22 Nov 2026, 09:00 UTC"
    assert was(decided(an_approval(), 0, "reject")) == f"was rejected {at}"
    assert was(cancelled(an_approval())) == f"was cancelled by operator@example.com {at}"
    closed = after_tick(an_approval(), an_approval().expires_at)
    assert was(closed) == "expired on 29 Nov 2026, 09:00 UTC, before it was decided"
