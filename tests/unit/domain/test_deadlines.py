"""Deadlines: expiry, escalation and reminders, at their time and once."""

from datetime import datetime, timedelta

from msgspec.structs import replace

from chalicelib.domain.approval import Approval
from chalicelib.domain.deadlines import apply_deadlines
from chalicelib.domain.events import SYSTEM, Event
from chalicelib.domain.outbox import mailed, resumed
from chalicelib.domain.outbox_entries import Announce, Mail, Resume
from chalicelib.domain.transitions import reassign
from tests.builders import an_approval, approval_of, decided, people
from tests.fakes import START

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
ADA, GRACE, LINUS, MARY = (f"{name}@example.com" for name in ("ada", "grace", "linus", "mary"))


def _without_outbox(approval: Approval) -> Approval:
    return replace(approval, outbox=())


def _minutes(approval: Approval, number: int) -> list[tuple[int, Mail]]:
    """Apply the deadlines each minute, mail everything, and return the mails with the minute."""
    sent = []
    for minute in range(number + 1):
        now = START + minute * MINUTE
        approval = apply_deadlines(approval, now)
        for entry in approval.outbox:
            if isinstance(entry, Mail):
                sent.append((minute, entry))
                approval = mailed(approval, entry, now, "tick")
    return sent


def test_an_approval_expires_at_its_deadline_and_not_before() -> None:
    """Its outbox then fails the task, and asks nobody any more."""
    approval = _without_outbox(approval_of(2))
    late = approval.expires_at
    assert apply_deadlines(approval, late - SECOND) is approval
    expired = apply_deadlines(approval, late)
    assert (expired.outcome, expired.closed_at) == ("expired", late)
    assert expired.outbox[:2] == (Resume(late), Announce(late))
    assert {entry.about for entry in expired.outbox[2:] if isinstance(entry, Mail)} == {"outcome"}
    assert expired.events[-1] == Event(late, "expired", SYSTEM, "tick")


def test_expiring_drops_mails_that_ask_for_a_decision() -> None:
    approval = approval_of(2)
    expired = apply_deadlines(approval, approval.expires_at)
    assert [e.to for e in approval.outbox if isinstance(e, Mail) and e.asks] == people(2)
    assert not [e for e in expired.outbox if isinstance(e, Mail) and e.asks]


def test_an_expired_approval_keeps_the_decisions_made_before() -> None:
    approval = decided(approval_of(3, approvalsNeeded=2), 0, "approve")
    expired = apply_deadlines(approval, approval.expires_at)
    assert expired.decisions[0][1] == approval.decisions[0][1]


def test_a_closed_approval_never_expires() -> None:
    closed = resumed(decided(approval_of(2), 0, "approve"), "", START, "page")
    assert apply_deadlines(closed, closed.expires_at + timedelta(days=9)) is closed


def test_reminders_come_after_one_two_and_four_intervals() -> None:
    """Each interval doubles the one before."""
    approval = an_approval(remindEvery=600, expiresIn=6_000)
    reminders = [minute for minute, mail in _minutes(approval, 99) if mail.about == "reminder"]
    assert reminders == [10, 30, 70]


def test_a_late_tick_reminds_once() -> None:
    """Reminders that were missed aren't sent afterwards."""
    approval = _without_outbox(an_approval(remindEvery=300))
    late = START + timedelta(hours=1)
    reminded = apply_deadlines(approval, late)
    assert reminded.outbox == (Mail(ADA, late, about="reminder"),)
    assert [event.what for event in reminded.events] == ["requested", "reminded"]
    assert apply_deadlines(_without_outbox(reminded), late).outbox == ()


def _escalated(approval: Approval, at: datetime) -> tuple[list[str], list[str]]:
    """Return the addresses mailed by the escalation at that time, and the notes of its events."""
    after = apply_deadlines(_without_outbox(approval), at)
    mails = [entry.to for entry in after.outbox if isinstance(entry, Mail)]
    return mails, [event.note for event in after.events if event.what == "escalated"]


def test_an_escalation_asks_the_fallback_approvers_at_its_time_and_once() -> None:
    approval = an_approval(escalation={"after": 600, "approvers": [ADA, GRACE]})
    assert _escalated(approval, START + timedelta(seconds=599)) == ([], [])
    assert _escalated(approval, START + timedelta(seconds=600)) == ([GRACE], [GRACE])
    again = apply_deadlines(approval, START + timedelta(seconds=600))
    assert _escalated(again, START + timedelta(seconds=601)) == ([], [GRACE])
    assert [a.address for a in again.approvers] == [ADA, GRACE]


def test_an_escalation_that_adds_nobody_says_so() -> None:
    """The fallback approver is asked already, in whichever case the address is written."""
    approval = an_approval(escalation={"after": 60, "approvers": ["LINUS@example.com"]})
    given = reassign(approval, ADA, LINUS, by=ADA, note="", now=START, via="page")
    assert _escalated(given, START + MINUTE) == ([], ["nobody new to add"])


def test_an_escalation_asks_nobody_again_who_gave_it_away() -> None:
    """Somebody who was replaced is asked again by name alone."""
    approval = an_approval(escalation={"after": 60, "approvers": [GRACE, LINUS]})
    for from_, to in ((ADA, LINUS), (LINUS, ADA)):
        approval = reassign(approval, from_, to, by=from_, note="", now=START, via="page")
    assert _escalated(approval, START + MINUTE) == ([GRACE], [GRACE])
    assert _escalated(approval, approval.expires_at) == ([], [])


def test_an_escalation_asks_the_delegate_of_an_absent_fallback_approver() -> None:
    """The record says for whom; the absent person isn't asked."""
    approval = an_approval(escalation={"after": 60, "approvers": [GRACE, LINUS]})
    after = apply_deadlines(
        _without_outbox(approval), START + MINUTE, {MARY: LINUS}, {LINUS: (GRACE, "arn")}
    )
    assert [(a.address, a.stands_in_for) for a in after.approvers[1:]] == [
        (GRACE, None),
        (MARY, LINUS),
    ]
    assert [e.to for e in after.outbox if isinstance(e, Mail)] == [GRACE, MARY]
    assert [(e.what, e.who, e.note, e.principal) for e in after.events[1:]] == [
        ("escalated", SYSTEM, f"{GRACE}, {LINUS}", ""),
        ("delegated", GRACE, f"{LINUS} -> {MARY}", "arn"),
    ]


def test_an_escalation_leaves_the_quorum_as_requested() -> None:
    """`"all"` means all who were asked first; a fallback approver can make up for one of them."""
    fallback = {"after": 60, "approvers": [LINUS]}
    approval = an_approval(approvers=[ADA, GRACE], approvalsNeeded="all", escalation=fallback)
    after = apply_deadlines(approval, START + MINUTE)
    assert (after.approvals_needed, len(after.approvers)) == (2, 3)
    assert decided(decided(after, 0, "approve"), 2, "approve").outcome == "approved"
