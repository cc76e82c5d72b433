"""The outbox: leases with growing pauses, and what a delivery or its failure changes."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from chalicelib.domain.approval import Approval
from chalicelib.domain.erasure import erase
from chalicelib.domain.events import SYSTEM, Event, MailFailure
from chalicelib.domain.link_tokens import SecretHashes
from chalicelib.domain.outbox import (
    LINKS_KEPT,
    LINKS_OF_ONE_MAIL,
    LONGEST_MAIL_PAUSE,
    LONGEST_RESUME_PAUSE,
    NOTIFICATION_TRIES,
    announced,
    lease_due,
    mailed,
    may_invite,
    not_mailed,
    resumed,
)
from chalicelib.domain.outbox_entries import LEASE, Announce, Mail, MailKind, Resume
from tests.builders import after_tick, approval_of, decided, people
from tests.fakes import START

SECOND = timedelta(seconds=1)
ONE, TWO = people(2)


def _hashes(approval: Approval, suffix: str) -> dict[str, SecretHashes]:
    return {a.address: SecretHashes(f"{a.address}-{suffix}", "") for a in approval.approvers}


def _mail(approval: Approval, address: str) -> Mail:
    return next(e for e in approval.outbox if isinstance(e, Mail) and e.to == address)


def _resume(approval: Approval) -> Resume:
    return next(e for e in approval.outbox if isinstance(e, Resume))


def _closed() -> Approval:
    return decided(approval_of(2), 0, "approve")


def _only_resume(approval: Approval) -> Approval:
    return replace(approval, outbox=(_resume(approval),))


@pytest.mark.parametrize("to", [ONE, "mary@example.com"], ids=["approver", "requester"])
@pytest.mark.parametrize("about", ["request", "outcome"])
def test_nothing_is_recorded_of_a_mail_once_the_approval_is_erased(
    to: str, about: MailKind
) -> None:
    """A process that was slow to record it would bring the address back."""
    closed = decided(approval_of(2, requestedBy="mary@example.com"), 0, "approve")
    erased = erase(replace(closed, outbox=()), "operator", START, "api")
    mail = Mail(to, START, about=about)
    assert mailed(erased, mail, START, "tick") == erased
    none = SecretHashes("", "")
    after = not_mailed(erased, mail, unsent=none, why="refused", now=START, via="tick")
    assert after == erased


def test_no_entry_is_leased_before_it_is_due() -> None:
    """During its writer's lease a tick changes nothing."""
    approval = approval_of(2)
    leased = lease_due(approval, _hashes(approval, "new"), START + LEASE - SECOND)
    assert leased == approval


def test_a_leased_mail_gets_a_fresh_link_and_older_links_stay_valid() -> None:
    """The entry is due again when its new lease is over."""
    approval = approval_of(2, approvalsNeeded=2)
    at = START + LEASE
    leased = lease_due(approval, _hashes(approval, "new"), at)
    for before, after in zip(approval.approvers, leased.approvers, strict=True):
        assert after.link_hashes == (*before.link_hashes, f"{after.address}-new")
    assert leased.outbox == tuple(Mail(to, at + LEASE, 1, links=1) for to in people(2))
    assert leased.events == approval.events


def test_only_due_entries_are_leased() -> None:
    approval = approval_of(2)
    first, second = approval.outbox
    assert isinstance(second, Mail)
    waiting = replace(approval, outbox=(first, replace(second, due_at=START + 2 * LEASE)))
    leased = lease_due(waiting, _hashes(approval, "new"), START + LEASE)
    assert leased.outbox[1] == waiting.outbox[1]
    assert leased.approvers[1] == waiting.approvers[1]
    assert len(leased.approvers[0].link_hashes) == 2


def test_a_leased_entry_is_not_due_for_another_tick() -> None:
    approval = approval_of(2)
    leased = lease_due(approval, _hashes(approval, "a"), START + LEASE)
    assert lease_due(leased, _hashes(approval, "b"), START + LEASE) == leased


def test_a_resume_is_retried_for_ever_with_pauses_that_double_up_to_five_minutes() -> None:
    approval, now, pauses = _closed(), START + LEASE, []
    for _ in range(40):
        approval = after_tick(approval, now)
        due = _resume(approval).due_at
        pauses.append(due - now)
        now = due
    assert pauses[:3] == [LEASE, 2 * LEASE, LONGEST_RESUME_PAUSE]
    assert set(pauses[2:]) == {LONGEST_RESUME_PAUSE} == {timedelta(minutes=5)}
    assert _resume(approval).tries == 40


def test_the_outcome_is_told_once_the_task_is_answered() -> None:
    """Event and mails are due then; before, nobody knows whether the task still waits."""
    approval, now = _closed(), START + SECOND
    assert after_tick(approval, now) == approval
    told = resumed(approval, "", now, "page", waited=True)
    assert len(told.outbox) == len(approval.outbox) - 1
    assert {entry.due_at for entry in told.outbox} == {now}
    assert (told.task_waited, told.task_token) == (True, "")


def test_an_answer_changes_no_entry_that_a_tick_has_leased() -> None:
    """Its tries and its pause go on."""
    leased = after_tick(_closed(), START + LEASE)
    told = resumed(leased, "", START + LEASE, "tick")
    assert told.outbox == leased.outbox[1:]


def test_an_announcement_is_retried_for_ever_like_a_resume() -> None:
    approval, now = _closed(), START + LEASE
    for tries in range(1, 12):
        approval = after_tick(approval, now)
        (entry,) = (e for e in approval.outbox if isinstance(e, Announce))
        assert entry.tries == tries
        assert LEASE <= entry.due_at - now <= LONGEST_RESUME_PAUSE
        now = entry.due_at


def test_a_mail_is_retried_for_ever_with_pauses_that_double_up_to_a_quarter_of_an_hour() -> None:
    approval, now, pauses = approval_of(1), START + LEASE, []
    for _ in range(30):
        approval = after_tick(approval, now)
        pauses.append(_mail(approval, ONE).due_at - now)
        now = _mail(approval, ONE).due_at
    assert pauses[:4] == [LEASE, 2 * LEASE, 4 * LEASE, 8 * LEASE]
    assert set(pauses[4:]) == {LONGEST_MAIL_PAUSE} == {timedelta(minutes=15)}


def test_no_pause_is_shorter_than_a_function_may_run() -> None:
    """Otherwise two processes could deliver one entry at the same time."""
    approval = after_tick(_closed(), START + LEASE)
    assert _resume(approval).due_at - (START + LEASE) >= LEASE > timedelta(seconds=60)


def test_the_first_and_the_newest_links_of_a_mail_stay_valid() -> None:
    """A mail that never arrives doesn't push out links that did."""
    approval, now = approval_of(1), START
    for number in range(LINKS_KEPT + 5):
        now += LONGEST_MAIL_PAUSE
        approval = after_tick(approval, now, _hashes(approval, str(number)))
    kept = approval.approvers[0].link_hashes
    assert len(kept) == 1 + LINKS_OF_ONE_MAIL < LINKS_KEPT
    assert kept[0] == approval_of(1).approvers[0].link_hashes[0]
    assert kept[-1] == f"{ONE}-{LINKS_KEPT + 4}"


def test_a_notification_is_dropped_after_its_last_try() -> None:
    """Mails that ask for a decision never are."""
    asking = Mail(ONE, START, tries=NOTIFICATION_TRIES)
    notice = Mail(TWO, START, tries=NOTIFICATION_TRIES, about="receipt")
    approval = lease_due(
        replace(approval_of(1), outbox=(asking, notice)), _hashes(approval_of(1), "new"), START
    )
    assert [(e.to, e.tries) for e in approval.outbox if isinstance(e, Mail)] == [
        (ONE, NOTIFICATION_TRIES + 1)
    ]
    assert (approval.events[-1].what, approval.events[-1].who) == ("undelivered", TWO)


def test_a_sent_mail_is_recorded_once() -> None:
    """Recording it again changes nothing, under whichever lease it was sent."""
    approval = approval_of(2)
    entry = _mail(approval, ONE)
    once = mailed(approval, entry, START, "function")
    assert (once.approver(ONE).mail, once.approver(TWO).mail) == ("sent", "waiting")
    assert [e.to for e in once.outbox if isinstance(e, Mail)] == [TWO]
    assert once.events[-1] == Event(START, "mailed", ONE, "function")
    again = mailed(once, replace(entry, tries=1, due_at=START + LEASE), START + SECOND, "tick")
    assert again is once


def test_a_mail_sent_under_an_old_lease_leaves_the_outbox() -> None:
    """The first sender may record it after a tick has leased the entry again."""
    approval = approval_of(2)
    leased = after_tick(approval, START + LEASE, _hashes(approval, "new"))
    recorded = mailed(leased, _mail(approval, ONE), START + LEASE, "function")
    assert [e.to for e in recorded.outbox if isinstance(e, Mail)] == [TWO]


def test_a_mail_sent_while_the_approval_was_closed_is_recorded_once() -> None:
    fresh = approval_of(2)
    closed = decided(fresh, 0, "approve")
    late = mailed(closed, _mail(fresh, TWO), START, "tick")
    assert (late.events[-1].what, late.events[-1].who) == ("mailed", TWO)
    assert late.outbox == closed.outbox
    assert mailed(late, _mail(fresh, TWO), START, "tick") is late


@pytest.mark.parametrize(
    ("why", "state"), [("invited", "waiting"), ("unconfirmed", "waiting"), ("refused", "failed")]
)
def test_an_unsent_mail_stays_in_the_outbox_and_its_link_is_removed(
    why: MailFailure, state: str
) -> None:
    """The event says why; older links stay valid."""
    approval = approval_of(2)
    leased = after_tick(approval, START + LEASE, _hashes(approval, "new"))
    entry = _mail(leased, ONE)
    unsent = not_mailed(
        leased, entry, unsent=_hashes(approval, "new")[ONE], why=why, now=START + LEASE, via="tick"
    )
    assert unsent.approver(ONE).link_hashes == approval.approver(ONE).link_hashes
    assert unsent.approver(TWO).link_hashes == leased.approver(TWO).link_hashes
    assert unsent.approver(ONE).mail == state
    assert replace(entry, links=0) in unsent.outbox
    assert unsent.events[-1] == Event(START + LEASE, why, ONE, "tick")


def test_the_same_failure_of_a_mail_is_recorded_once() -> None:
    """A hundred ticks leave one event for each change, and one for each invitation."""
    approval, now = approval_of(2), START
    reasons: tuple[MailFailure, ...] = ("invited", "unconfirmed", "refused")
    for number in range(99):
        now += LONGEST_MAIL_PAUSE
        approval = after_tick(approval, now, _hashes(approval, str(number)))
        entry, unsent = _mail(approval, ONE), _hashes(approval, str(number))[ONE]
        approval = not_mailed(
            approval, entry, unsent=unsent, why=reasons[number // 33], now=now, via="tick"
        )
    recorded = [(event.what, event.who) for event in approval.events[1:]]
    assert recorded == [("invited", ONE)] * 33 + [(why, ONE) for why in reasons[1:]]
    assert len(approval.approver(ONE).link_hashes) == 1


def test_a_mail_that_failed_can_be_sent_later() -> None:
    approval = approval_of(2)
    entry = _mail(approval, ONE)
    failed = not_mailed(
        approval,
        entry,
        unsent=SecretHashes("none", "none"),
        why="refused",
        now=START,
        via="function",
    )
    assert failed.approver(ONE).mail == "failed"
    assert mailed(failed, entry, START, "tick").approver(ONE).mail == "sent"


def test_a_failure_recorded_late_leaves_a_sent_mail_sent() -> None:
    """A slower try of the same mail may fail after another one succeeded."""
    approval = approval_of(2)
    first = _mail(approval, ONE)
    leased = after_tick(approval, START + LEASE, _hashes(approval, "new"))
    sent = mailed(leased, _mail(leased, ONE), START + LEASE, "tick")
    late = not_mailed(
        sent,
        first,
        unsent=SecretHashes(approval.approver(ONE).link_hashes[0], ""),
        why="unconfirmed",
        now=START + LEASE,
        via="function",
    )
    assert late.approver(ONE).mail == "sent"
    assert first not in late.outbox


def test_an_approver_may_be_invited_at_once_and_then_after_one_two_and_four_hours() -> None:
    approval, invited, now = approval_of(1), [], START
    for minutes in range(60 * 8):
        now = START + timedelta(minutes=minutes)
        if may_invite(approval, ONE, now):
            invited.append(minutes / 60)
            approval = approval.with_event(Event(now, "invited", ONE, "tick"))
    assert invited == [0, 1, 3, 7]


def test_a_resumed_task_is_recorded_once() -> None:
    closed, at = _only_resume(_closed()), START + SECOND
    done = resumed(closed, "", at, "page")
    assert (done.outbox, done.resumed_at) == ((), at)
    assert done.events[-1] == Event(at, "resumed", SYSTEM, "page", "")
    assert resumed(done, "the task was closed already", at + SECOND, "tick") is done


def test_the_event_says_if_the_task_was_closed_already() -> None:
    done = resumed(_closed(), "the task was closed already", START, "tick")
    assert done.events[-1].note == "the task was closed already"


def test_a_pending_approval_has_nothing_to_resume() -> None:
    approval = approval_of(2)
    assert resumed(approval, "", START, "tick") is approval


def test_an_announced_outcome_is_recorded_once() -> None:
    closed, at = _closed(), START + SECOND
    done = announced(closed, Announce(START), at, "tick")
    assert [e for e in done.outbox if isinstance(e, Announce)] == []
    assert len(done.outbox) == len(closed.outbox) - 1
    assert done.events[-1] == Event(at, "announced", SYSTEM, "tick", "")
    assert announced(done, Announce(START), at + SECOND, "tick") is done
