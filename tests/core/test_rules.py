"""Every rule of chalicelib/approval.py, by example; test_rules_properties.py has the rest."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace

from chalicelib.domain.approval import Approval, Choice
from chalicelib.domain.errors import AlreadyDecided, AssentError, Cancelled, Expired, InvalidRequest
from chalicelib.domain.events import SYSTEM, Event, MailFailure
from chalicelib.domain.link_tokens import SecretHashes
from chalicelib.domain.outbox import (
    LINKS_KEPT,
    LINKS_OF_ONE_MAIL,
    LONGEST_RESUME_PAUSE,
    announced,
    mailed,
    not_mailed,
    resumed,
)
from chalicelib.domain.outbox_entries import LEASE, Announce, Mail, Resume
from chalicelib.domain.refusals import check_can_decide
from chalicelib.domain.transitions import cancel, decide, extend, remind, tally
from tests.asking import an_approval, people, ticked
from tests.fakes import EXECUTION, START, TOKEN

SECOND = timedelta(seconds=1)
ONE = "approver0@example.com"
TWO = "approver1@example.com"


def _silent(approval: Approval) -> Approval:
    """Return it without the news that it promises."""
    return replace(approval, outbox=tuple(p for p in approval.outbox if isinstance(p, Resume)))


def _asking(approval: Approval) -> tuple[object, ...]:
    """Return what is promised beside news."""
    promises = (p for p in approval.outbox if not isinstance(p, Announce))
    return tuple(p for p in promises if isinstance(p, Resume) or p.asks)


def _say(
    approval: Approval, who: int, choice: Choice, reason: str = "because", now: datetime = START
) -> Approval:
    return decide(
        approval, f"approver{who}@example.com", choice, reason=reason, now=now, via="page"
    )


def _of(number: int, **fields: object) -> Approval:
    return an_approval(approvers=people(number), **fields)


def _approved() -> Approval:
    return _say(_of(2), 0, "approve")


def _hashes(approval: Approval, suffix: str) -> dict[str, SecretHashes]:
    return {a.address: SecretHashes(f"{a.address}-{suffix}", "") for a in approval.approvers}


def _mail(approval: Approval, address: str) -> Mail:
    return next(p for p in approval.outbox if isinstance(p, Mail) and p.to == address)


def _resume(approval: Approval) -> Resume:
    return next(p for p in approval.outbox if isinstance(p, Resume))


def _did(approval: Approval) -> list[tuple[str, str]]:
    return [(event.what, event.who) for event in approval.events]


def test_asking_promises_every_approver_a_mail_and_records_who_asked() -> None:
    """A new approval is pending, unanswered, and owes one mail an approver."""
    new = _of(3, requestedBy="ada@example.com", expiresIn=60)
    assert (new.outcome, new.approve_count, new.reject_count, new.version) == ("pending", 0, 0, 0)
    assert new.outbox == tuple(Mail(to, START + LEASE) for to in people(3))
    assert new.events == (Event(START, "requested", "ada@example.com", "function"),)
    assert (new.created_at, new.expires_at) == (START, START + 60 * SECOND)
    assert [(a.mail, a.decision, len(a.link_hashes)) for a in new.approvers] == [
        ("waiting", None, 1)
    ] * 3


def test_without_a_requester_the_execution_is_on_record_as_asking() -> None:
    """The first event names the execution if no person asks."""
    assert _did(_of(1)) == [("requested", EXECUTION)]


def test_the_task_token_is_in_no_repr() -> None:
    """Whatever prints an approval doesn't print its credential."""
    assert TOKEN not in f"{_of(2)!r}{_of(2)!s}"
    assert repr(_of(2)) == f"<Approval {_of(2).id} pending v0>"


@pytest.mark.parametrize(
    ("asked", "votes", "outcome"),
    [
        ({}, "a", "approved"),
        ({}, "r", "rejected"),
        ({"approvalsNeeded": 2}, "a", "pending"),
        ({"approvalsNeeded": 2}, "aa", "approved"),
        ({"approvalsNeeded": 2, "rejectionsNeeded": 2}, "ara", "approved"),
        ({"approvalsNeeded": 2, "rejectionsNeeded": 2}, "ar", "pending"),
        ({"approvalsNeeded": 2, "rejectionsNeeded": 2}, "arr", "rejected"),
        ({"approvalsNeeded": "all"}, "aa", "pending"),
        ({"approvalsNeeded": "all"}, "aaa", "approved"),
        ({"approvalsNeeded": "all", "rejectionsNeeded": 3}, "r", "rejected"),
        ({"approvalsNeeded": 2, "rejectionsNeeded": 3}, "r", "pending"),
        ({"approvalsNeeded": 2, "rejectionsNeeded": 3}, "rr", "rejected"),
        ({"rejectionsNeeded": 3}, "rr", "pending"),
        ({"rejectionsNeeded": 3}, "rra", "approved"),
        ({"rejectionsNeeded": 3}, "rrr", "rejected"),
    ],
)
def test_three_approvers_close_it_as_soon_as_the_outcome_is_certain(
    asked: dict[str, object], votes: str, outcome: str
) -> None:
    """Enough approvals approve; enough rejections reject, and so do too few who are left."""
    approval = _of(3, **asked)
    for who, vote in enumerate(votes):
        assert approval.outcome == "pending"
        approval = _say(approval, who, "approve" if vote == "a" else "reject")
    assert approval.outcome == outcome == tally(approval)
    assert (approval.closed_at is None) == (outcome == "pending")


def test_all_means_every_approver() -> None:
    """`"all"` counts the approvers."""
    assert _of(4, approvalsNeeded="all").approvals_needed == 4
    assert _of(4, approvalsNeeded=2).approvals_needed == 2


def test_the_closing_decision_owes_the_task_an_answer_and_nobody_a_mail() -> None:
    """Closing drops the mails that ask and promises one resume."""
    closed = _say(_of(3), 0, "approve")
    assert _asking(closed) == (Resume(START + LEASE),)
    assert (closed.closed_at, closed.resumed_at) == (START, None)


def test_a_decision_that_does_not_close_drops_only_the_deciders_own_mail() -> None:
    """Who has decided is asked no more; the others still are."""
    after = _say(_of(3, approvalsNeeded=3), 1, "approve")
    assert [p.to for p in after.outbox if isinstance(p, Mail)] == [ONE, "approver2@example.com"]


def test_a_decision_is_recorded_with_time_reason_and_door() -> None:
    """The decision stands with its approver, the event without the reason."""
    at = START + SECOND
    approval = decide(_of(2), ONE, "approve", reason="tests are green", now=at, via="page")
    decision = approval.approver(ONE).decision
    assert decision is not None
    assert (decision.choice, decision.reason, decision.decided_at) == (
        "approve",
        "tests are green",
        at,
    )
    assert approval.events[-1] == Event(at, "approved", ONE, "page")


def test_an_address_finds_its_approver_whatever_its_case() -> None:
    """Addresses differ in case only on paper."""
    decided = decide(_of(2), ONE.upper(), "approve", reason="", now=START, via="page")
    assert decided.approver(ONE).decision is not None
    assert [a.address for a in decided.approvers] == people(2)


def test_who_was_not_asked_can_not_decide() -> None:
    """An address that isn't an approver's is a KeyError, not a decision."""
    with pytest.raises(KeyError):
        decide(_of(2), "eve@example.com", "approve", reason="", now=START, via="page")


@pytest.mark.parametrize(("choice", "status"), [("approve", 200), ("reject", 409)])
def test_ones_own_decision_is_final(choice: Choice, status: int) -> None:
    """The same again is 200, the opposite 409, while it is open and once it is closed."""
    still_open = _say(_of(2, approvalsNeeded=2), 0, "approve")
    for approval in (still_open, _approved()):
        with pytest.raises(AlreadyDecided) as refusal:
            _say(approval, 0, choice)
        assert refusal.value.status == status


@pytest.mark.parametrize(
    ("outcome", "choice", "status"),
    [
        ("approve", "approve", 200),
        ("approve", "reject", 409),
        ("reject", "reject", 200),
        ("reject", "approve", 409),
    ],
)
def test_what_others_closed_is_closed_for_all(outcome: Choice, choice: Choice, status: int) -> None:
    """An undecided approver is told that others decided; 409 if it goes against them."""
    closed = _say(_of(2), 0, outcome)
    with pytest.raises(AlreadyDecided, match="by others") as refusal:
        _say(closed, 1, choice)
    assert refusal.value.status == status


def test_ones_own_decision_stays_what_one_is_told_after_the_expiry() -> None:
    """A second click long after shows the decision, not the expiry."""
    decided = _say(_of(2, approvalsNeeded=2), 0, "approve")
    with pytest.raises(AlreadyDecided):
        _say(decided, 0, "approve", now=decided.expires_at)
    expired = ticked(decided, decided.expires_at)
    with pytest.raises(AlreadyDecided):
        _say(expired, 0, "approve", now=decided.expires_at)


def test_the_last_moment_before_the_expiry_counts_and_the_expiry_does_not() -> None:
    """A decision is taken before `expires_at`, and refused exactly at it."""
    approval = _of(2)
    last = approval.expires_at - timedelta(microseconds=1)
    assert _say(approval, 0, "approve", now=last).outcome == "approved"
    for late in (approval.expires_at, approval.expires_at + SECOND):
        with pytest.raises(Expired):
            _say(approval, 0, "approve", now=late)


def test_the_expired_and_the_cancelled_refuse_decisions() -> None:
    """Once swept or withdrawn, an undecided approver is told which."""
    approval = _of(2)
    with pytest.raises(Expired):
        _say(ticked(approval, approval.expires_at), 0, "approve", now=START)
    with pytest.raises(Cancelled):
        _say(cancel(approval, "ada@example.com", reason="", now=START, via="api"), 0, "approve")


def test_refuse_if_over_says_what_decide_would() -> None:
    """Opening a page refuses exactly when pressing its button would."""
    fresh, late = _of(2), _of(2).expires_at
    swept, withdrawn = (
        ticked(fresh, late),
        cancel(fresh, ONE, reason="", now=START, via="api"),
    )
    for approval in (fresh, _approved(), swept, withdrawn):
        for now in (START, late):
            for who in (0, 1):
                told = []
                for judge in (
                    lambda a=approval, w=who, n=now: _say(a, w, "approve", now=n),
                    lambda a=approval, w=who, n=now: check_can_decide(a, a.approvers[w], n),
                ):
                    try:
                        judge()
                        told.append(("taken", 0))
                    except AssentError as e:
                        told.append((e.message, e.status))
                assert told[0] == told[1]


@dataclass
class _Reasons:
    required: str
    approve: bool
    reject: bool


@pytest.mark.parametrize(
    "case",
    [
        _Reasons("never", approve=False, reject=False),
        _Reasons("onReject", approve=False, reject=True),
        _Reasons("always", approve=True, reject=True),
    ],
    ids=lambda case: case.required,
)
def test_a_reason_is_demanded_as_the_request_says(case: _Reasons) -> None:
    """Without a reason a decision is refused only where one is required; with one it is taken."""
    approval = _of(2, reasonRequired=case.required)
    choices: list[tuple[Choice, bool]] = [("approve", case.approve), ("reject", case.reject)]
    for choice, demanded in choices:
        if demanded:
            with pytest.raises(InvalidRequest) as refusal:
                _say(approval, 0, choice, reason="")
            assert refusal.value.field == "reason"
        else:
            assert _say(approval, 0, choice, reason="").outcome != "pending"
        assert _say(approval, 0, choice, reason="so").outcome != "pending"


def test_a_missing_reason_matters_less_than_that_it_is_over() -> None:
    """Who can't decide any more isn't asked for a reason first."""
    approval = _of(2)
    with pytest.raises(Expired):
        _say(approval, 0, "reject", reason="", now=approval.expires_at)


def test_cancelling_withdraws_a_pending_approval() -> None:
    """It closes as cancelled, says who and why, asks nobody further and fails the task."""
    at = START + SECOND
    withdrawn = cancel(_of(2), "ada@example.com", reason="wrong release", now=at, via="api")
    assert (withdrawn.outcome, withdrawn.closed_at) == ("cancelled", at)
    assert _asking(withdrawn) == (Resume(at + LEASE),)
    assert withdrawn.events[-1] == Event(at, "cancelled", "ada@example.com", "api", "wrong release")


def test_only_the_pending_can_be_cancelled() -> None:
    """Cancelling again is 200, cancelling what was decided 409, what expired 410."""
    fresh = _of(2)
    closed = {
        200: [cancel(fresh, ONE, reason="", now=START, via="api")],
        409: [_approved(), _say(fresh, 0, "reject")],
        410: [ticked(fresh, fresh.expires_at)],
    }
    for status, approvals in closed.items():
        for approval in approvals:
            with pytest.raises(AssentError) as refusal:
                cancel(approval, ONE, reason="", now=START, via="api")
            assert refusal.value.status == status


def test_due_is_the_earliest_of_promises_and_expiry() -> None:
    """A pending approval is due at its expiry at the latest, a settled one never."""
    approval = _of(2, expiresIn=3600)
    assert approval.due_at == START + LEASE
    quiet = replace(approval, outbox=())
    assert quiet.due_at == quiet.expires_at
    assert _of(2, expiresIn=60).due_at == START + 60 * SECOND
    closed = _silent(_approved())
    assert closed.due_at == START + LEASE
    assert resumed(closed, "", START, "page").due_at is None


def test_nothing_is_taken_on_before_it_is_due() -> None:
    """During the lease of who made the promises, a tick changes nothing."""
    approval = _of(2)
    assert ticked(approval, START + LEASE - SECOND, _hashes(approval, "new")) == approval


def test_a_due_mail_is_claimed_with_a_fresh_link_and_keeps_the_old_one() -> None:
    """Claiming gives the approver one more link and makes the promise due later."""
    approval = _of(2, approvalsNeeded=2)
    at = START + LEASE
    claimed = ticked(approval, at, _hashes(approval, "new"))
    for before, after in zip(approval.approvers, claimed.approvers, strict=True):
        assert after.link_hashes == (*before.link_hashes, f"{after.address}-new")
    assert claimed.outbox == tuple(Mail(to, at + LEASE, 1, links=1) for to in people(2))
    assert claimed.events == approval.events


def test_only_what_is_due_is_claimed() -> None:
    """A promise of later keeps its time, its tries and its approver's links."""
    approval = _of(2)
    first, second = approval.outbox
    assert isinstance(second, Mail)
    waiting = replace(approval, outbox=(first, replace(second, due_at=START + 2 * LEASE)))
    claimed = ticked(waiting, START + LEASE, _hashes(approval, "new"))
    assert claimed.outbox[1] == waiting.outbox[1]
    assert claimed.approvers[1] == waiting.approvers[1]
    assert len(claimed.approvers[0].link_hashes) == 2


def test_claiming_a_claimed_promise_at_once_does_nothing() -> None:
    """Of two ticks at one moment, the second finds nothing due."""
    approval = _of(2)
    claimed = ticked(approval, START + LEASE, _hashes(approval, "a"))
    assert ticked(claimed, START + LEASE, _hashes(approval, "b")) == claimed


def test_the_pause_between_tries_doubles_up_to_its_limit() -> None:
    """Each claim waits twice as long as the one before, five minutes at most, for ever."""
    approval, now, pauses = _approved(), START + LEASE, []
    for _ in range(40):
        approval = ticked(approval, now)
        due = _resume(approval).due_at
        pauses.append(due - now)
        now = due
    assert pauses[:3] == [LEASE, 2 * LEASE, LONGEST_RESUME_PAUSE]
    assert set(pauses[2:]) == {LONGEST_RESUME_PAUSE}
    assert _resume(approval).tries == 40


def test_no_pause_is_shorter_than_the_lease() -> None:
    """Who claimed a promise has it alone for as long as a function may run."""
    approval = ticked(_approved(), START + LEASE)
    assert _resume(approval).due_at - (START + LEASE) >= LEASE > timedelta(seconds=60)


def test_the_newest_links_stay_good_however_many_were_made() -> None:
    """One mail's tries leave four links at the most, the first and the newest among them."""
    approval, now = _of(1), START
    for number in range(LINKS_KEPT + 5):
        now += LONGEST_RESUME_PAUSE * 3
        approval = ticked(approval, now, _hashes(approval, str(number)))
    kept = approval.approvers[0].link_hashes
    assert len(kept) == 1 + LINKS_OF_ONE_MAIL < LINKS_KEPT
    assert kept[-1] == f"{ONE}-{LINKS_KEPT + 4}"


def test_advancing_at_the_expiry_expires_it() -> None:
    """At `expires_at`, not before, the tick closes it as expired and promises to say so."""
    approval = replace(_of(2), outbox=())
    assert ticked(approval, approval.expires_at - SECOND) == approval
    expired = ticked(approval, approval.expires_at)
    assert (expired.outcome, expired.closed_at) == ("expired", approval.expires_at)
    assert _asking(expired) == (Resume(approval.expires_at + LEASE),)
    assert expired.events[-1] == Event(approval.expires_at, "expired", SYSTEM, "tick")


def test_expiring_drops_mails_that_are_due() -> None:
    """Nobody is asked by the tick that closes the question."""
    approval = _of(2)
    expired = ticked(approval, approval.expires_at + SECOND, _hashes(approval, "new"))
    assert _asking(expired) == (Resume(approval.expires_at + SECOND + LEASE),)
    assert [len(a.link_hashes) for a in expired.approvers] == [2, 2], "the news has the list's link"


def test_advancing_keeps_the_decisions_made_before_the_expiry() -> None:
    """An expired approval still says who had decided what."""
    decided = _say(_of(3, approvalsNeeded=2), 0, "approve")
    expired = ticked(decided, decided.expires_at)
    assert expired.decisions[0][1] == decided.decisions[0][1]


def test_what_is_closed_never_expires() -> None:
    """The tick leaves an outcome as it is, whatever the time."""
    closed = resumed(_silent(_approved()), "", START, "page")
    assert ticked(closed, closed.expires_at + timedelta(days=9)) == closed


def test_a_sent_mail_is_recorded_once() -> None:
    """Recording the same mail again changes nothing, whatever claim it was sent under."""
    approval = _of(2)
    promise = _mail(approval, ONE)
    once = mailed(approval, promise, START, "function")
    assert once.approver(ONE).mail == "sent"
    assert once.approver(TWO).mail == "waiting"
    assert [p.to for p in once.outbox if isinstance(p, Mail)] == [TWO]
    assert _did(once)[-1] == ("mailed", ONE)
    again = mailed(once, replace(promise, tries=1, due_at=START + LEASE), START + SECOND, "tick")
    assert again is once


def test_a_mail_sent_late_is_kept_whoever_claimed_it_since() -> None:
    """The first sender's report ends the promise although a tick has claimed it meanwhile."""
    approval = _of(2)
    claimed = ticked(approval, START + LEASE, _hashes(approval, "new"))
    reported = mailed(claimed, _mail(approval, ONE), START + LEASE, "function")
    assert [p.to for p in reported.outbox if isinstance(p, Mail)] == [TWO]


def test_a_mail_that_arrives_after_the_close_is_on_record_all_the_same() -> None:
    """Once; it was under way when the approval closed."""
    fresh = _of(2)
    closed = _say(fresh, 0, "approve")
    late = mailed(closed, _mail(fresh, TWO), START, "tick")
    assert _did(late)[-1] == ("mailed", TWO)
    assert late.outbox == closed.outbox
    assert mailed(late, _mail(fresh, TWO), START, "tick") is late


@pytest.mark.parametrize(
    ("why", "state"), [("invited", "waiting"), ("unconfirmed", "waiting"), ("refused", "failed")]
)
def test_an_unsent_mail_stays_promised_and_its_link_is_taken_back(
    why: MailFailure, state: str
) -> None:
    """Deferring removes that link alone, keeps the promise, and says why on record."""
    approval = _of(2)
    claimed = ticked(approval, START + LEASE, _hashes(approval, "new"))
    promise = _mail(claimed, ONE)
    put_off = not_mailed(
        claimed, promise, unsent_hash=f"{ONE}-new", why=why, now=START + LEASE, via="tick"
    )
    assert put_off.approver(ONE).link_hashes == approval.approver(ONE).link_hashes
    assert put_off.approver(TWO).link_hashes == claimed.approver(TWO).link_hashes
    assert put_off.approver(ONE).mail == state
    assert replace(promise, links=0) in put_off.outbox
    assert put_off.events[-1] == Event(START + LEASE, why, ONE, "tick")


def test_why_a_mail_waits_is_recorded_when_it_is_news() -> None:
    """A hundred ticks leave one event for each change, and one for each invitation."""
    approval, now = _of(2), START
    reasons: tuple[MailFailure, ...] = ("invited", "unconfirmed", "refused")
    for number in range(99):
        now += LONGEST_RESUME_PAUSE * 3
        approval = ticked(approval, now, _hashes(approval, str(number)))
        promise, unsent = _mail(approval, ONE), f"{ONE}-{number}"
        approval = not_mailed(
            approval, promise, unsent_hash=unsent, why=reasons[number // 33], now=now, via="tick"
        )
    assert _did(approval)[1:] == [("invited", ONE)] * 33 + [(why, ONE) for why in reasons[1:]]
    assert len(approval.approver(ONE).link_hashes) == 1


def test_a_mail_sent_at_last_is_no_longer_failed() -> None:
    """`refused` isn't final: the mail that got through says sent."""
    approval = _of(2)
    promise = _mail(approval, ONE)
    failed = not_mailed(
        approval, promise, unsent_hash="none", why="refused", now=START, via="function"
    )
    assert failed.approver(ONE).mail == "failed"
    assert mailed(failed, promise, START, "tick").approver(ONE).mail == "sent"


def test_a_late_report_of_an_unsent_mail_does_not_unsay_a_sent_one() -> None:
    """Once a mail is on record as sent, a slower try that failed leaves it so."""
    approval = _of(2)
    first = _mail(approval, ONE)
    claimed = ticked(approval, START + LEASE, _hashes(approval, "new"))
    sent = mailed(claimed, _mail(claimed, ONE), START + LEASE, "tick")
    late = not_mailed(
        sent,
        first,
        unsent_hash=approval.approver(ONE).link_hashes[0],
        why="unconfirmed",
        now=START + LEASE,
        via="function",
    )
    assert late.approver(ONE).mail == "sent"


def test_an_answered_task_settles_the_approval_once() -> None:
    """Recording the answer empties the outbox and stamps `resumed_at`; again changes nothing."""
    closed, at = _silent(_approved()), START + SECOND
    settled = resumed(closed, "", at, "page")
    assert (settled.outbox, settled.resumed_at) == ((), at)
    assert settled.events[-1] == Event(at, "resumed", SYSTEM, "page", "")
    assert resumed(settled, "the task was closed already", at + SECOND, "tick") is settled


def test_an_outcome_that_is_announced_is_so_once() -> None:
    """On record with its time; announced again, the approval is what it was."""
    closed, at = _approved(), START + SECOND
    told = announced(closed, at, "tick")
    assert [p for p in told.outbox if isinstance(p, Announce)] == []
    assert len(told.outbox) == len(closed.outbox) - 1
    assert told.events[-1] == Event(at, "announced", SYSTEM, "tick", "")
    assert announced(told, at + SECOND, "tick") is told


def test_an_announcement_is_claimed_like_a_resume_with_pauses_that_stay_short() -> None:
    """Of two ticks one puts it on the bus; and an outcome is never too old to be told."""
    closed, now = _approved(), START + SECOND
    for tries in range(1, 12):
        closed = ticked(closed, now)
        (promise,) = (p for p in closed.outbox if isinstance(p, Announce))
        assert promise.tries == tries
        assert LEASE <= promise.due_at - now <= LONGEST_RESUME_PAUSE
        now = promise.due_at


def test_a_task_that_was_closed_already_is_noted() -> None:
    """The record keeps what Step Functions said of the answer."""
    settled = resumed(_approved(), "the task was closed already", START, "tick")
    assert settled.events[-1].note == "the task was closed already"


def test_resuming_what_is_pending_changes_nothing() -> None:
    """Without a promised answer there is nothing to record."""
    approval = _of(2)
    assert resumed(approval, "", START, "tick") is approval


def test_rules_never_change_what_they_are_given() -> None:
    """An approval is a value: every rule returns a new one."""
    approval = _of(2)
    before = repr(approval), approval.approvers, approval.events, approval.outbox
    _say(approval, 0, "approve")
    cancel(approval, ONE, reason="", now=START, via="api")
    ticked(approval, approval.expires_at, _hashes(approval, "new"))
    mailed(approval, _mail(approval, ONE), START, "tick")
    assert (repr(approval), approval.approvers, approval.events, approval.outbox) == before
    with pytest.raises(AttributeError):
        approval.outcome = "approved"  # type: ignore[misc]


def test_the_newest_reasons_of_what_is_done_again_and_again_are_kept() -> None:
    """Else they could fill the item; that it was done, by whom and when stays, and until when."""
    approval = _of(1)
    for number in range(7):
        approval = extend(
            approval, "op@example.com", 600, now=START, via="api", reason=f"reason {number}"
        )
        approval = remind(approval, "op@example.com", now=START, via="api")
    given = [event for event in approval.events if event.what == "extended"]
    assert [event.why for event in given] == ["", "", "", *(f"reason {n}" for n in range(3, 7))]
    assert {event.note for event in given} == {"until 2026-11-22T09:10:00Z"}
