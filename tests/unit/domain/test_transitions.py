"""Requesting, cancelling, reminding and extending.

test_decisions.py and test_reassigning.py have the rest.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from chalicelib.domain.approval import Approval, Approver
from chalicelib.domain.errors import AssentError, InvalidRequest
from chalicelib.domain.events import Event
from chalicelib.domain.outbox import mailed
from chalicelib.domain.outbox_entries import LEASE, Announce, Mail, Resume
from chalicelib.domain.transitions import cancel, extend, reassign, remind
from tests.builders import after_tick, approval_of, cancelled, decided, people
from tests.fakes import EXECUTION, START

SECOND = timedelta(seconds=1)
ONE, TWO, THREE = people(3)
OPERATOR = "operator@example.com"


def _mailed_addresses(approval: Approval) -> list[str]:
    return [entry.to for entry in approval.outbox if isinstance(entry, Mail)]


def test_a_new_approval_is_pending_with_a_mail_to_each_approver_in_its_outbox() -> None:
    """The mails are leased by the process that makes the approval."""
    new = approval_of(3, requestedBy="ada@example.com", expiresIn=60)
    assert (new.outcome, new.approve_count, new.reject_count, new.version) == ("pending", 0, 0, 0)
    assert new.outbox == tuple(Mail(to, START + LEASE) for to in people(3))
    assert new.events == (Event(START, "requested", "ada@example.com", "function"),)
    assert (new.created_at, new.expires_at) == (START, START + 60 * SECOND)
    expected = [("waiting", None, 1)] * 3
    assert [(a.mail, a.decision, len(a.link_hashes)) for a in new.approvers] == expected


def test_without_a_requester_the_first_event_names_the_execution() -> None:
    assert [(event.what, event.who) for event in approval_of(1).events] == [
        ("requested", EXECUTION)
    ]


def test_cancelling_closes_the_approval_and_fails_its_task() -> None:
    at = START + SECOND
    approval = cancel(approval_of(2), OPERATOR, reason="wrong release", now=at, via="api")
    assert (approval.outcome, approval.closed_at) == ("cancelled", at)
    assert approval.outbox[:2] == (Resume(at + LEASE), Announce(at + LEASE))
    assert {e.about for e in approval.outbox[2:] if isinstance(e, Mail)} == {"outcome"}
    assert approval.events[-1] == Event(at, "cancelled", OPERATOR, "api", "wrong release")


def test_cancelling_again_changes_nothing() -> None:
    once = cancelled(approval_of(2), reason="wrong release")
    again = cancel(once, "other@example.com", reason="again", now=START + SECOND, via="page")
    assert again is once


OPEN = decided(approval_of(2, approvalsNeeded=2), 0, "approve")
CLOSED = decided(approval_of(2), 0, "approve")


def _reassign(approval: Approval, from_: str, to: str, **more: Any) -> Approval:
    given: dict[str, Any] = {"by": OPERATOR, "note": "", "now": START, "via": "api"} | more
    return reassign(approval, from_, to, **given)


COMMANDS: dict[str, Callable[[Approval, datetime], Approval]] = {
    "cancel": lambda approval, now: cancel(approval, OPERATOR, reason="", now=now, via="api"),
    "remind": lambda approval, now: remind(approval, OPERATOR, now=now, via="api"),
    "extend": lambda approval, now: extend(approval, OPERATOR, 600, now=now, via="api"),
    "reassign": lambda approval, now: _reassign(approval, TWO, THREE, now=now),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_closed_or_expired_approval_takes_no_command(command: str) -> None:
    """Decided or cancelled: 409. Past its deadline: 410, before a tick and after it."""
    fresh = approval_of(2)
    late = fresh.expires_at
    over = [
        (CLOSED, START, 409),
        (decided(fresh, 0, "reject"), START, 409),
        (cancelled(fresh), START, 409),
        (fresh, late, 410),
        (after_tick(fresh, late), late, 410),
        (after_tick(fresh, late), START, 410),
    ]
    for approval, now, status in over:
        if (command, approval.outcome) == ("cancel", "cancelled"):
            continue  # Cancelling again changes nothing, as the test before this one shows.
        with pytest.raises(AssentError) as refusal:
            COMMANDS[command](approval, now)
        assert refusal.value.status == status


def test_extending_counts_from_now() -> None:
    """The event has the new deadline, and why."""
    at = START + 30 * SECOND
    short = approval_of(1, expiresIn=60)
    longer = extend(short, OPERATOR, 60, now=at, via="api", reason="on a train")
    assert longer.expires_at == at + 60 * SECOND
    note = "until 2026-11-22T09:01:30Z"
    assert longer.events[-1] == Event(at, "extended", OPERATOR, "api", note, "on a train")


def test_extending_never_shortens() -> None:
    """Neither an earlier deadline nor the same one; the refusal says what the deadline is."""
    approval = approval_of(1, expiresIn=600)
    for seconds in (60, 599, 600):
        with pytest.raises(InvalidRequest, match="2026-11-22T09:10:00Z already, 600") as refusal:
            extend(approval, OPERATOR, seconds, now=START, via="api")
        assert refusal.value.field == "expiresIn"
    assert extend(approval, OPERATOR, 601, now=START, via="api").expires_at > approval.expires_at


MARY = "mary@example.com"
REACHED = Approver(MARY, ("a hash",), "sent")


def _extended(approval: Approval) -> list[tuple[str, str]]:
    """Return recipient and kind of each mail that extending adds."""
    longer = extend(approval, OPERATOR, 999_999, now=START, via="api")
    added = [e for e in longer.outbox if isinstance(e, Mail) and e not in approval.outbox]
    assert all(mail.extended and mail.due_at == START for mail in added)
    return [(mail.to, mail.about) for mail in added]


def test_extending_tells_the_undecided_approvers_and_the_requester() -> None:
    """By a mail that asks, with a fresh link, and by a receipt."""
    approval = replace(OPEN, outbox=(), requester=REACHED)
    assert _extended(approval) == [(TWO, "reminder"), (MARY, "receipt")]


@pytest.mark.parametrize(
    "changed",
    [
        {"outbox": (Mail(TWO, START), Mail(MARY, START, about="receipt"))},
        {"outbox": (Mail(TWO, START),), "requester": None},
        {"outbox": (Mail(TWO, START),), "requester": replace(REACHED, mail="waiting")},
    ],
    ids=["other mails are due", "no requester", "the requester never confirmed"],
)
def test_extending_mails_nobody_twice_and_invites_nobody(changed: dict[str, Any]) -> None:
    """A mail that is due already tells the new deadline."""
    assert _extended(replace(OPEN, **{"requester": REACHED} | changed)) == []


def test_reminding_mails_each_undecided_approver_once() -> None:
    """An approver to whom a mail is due already gets that one alone."""
    approval = mailed(OPEN, Mail(TWO, START), START, "function")
    reminded = remind(approval, OPERATOR, now=START, via="api", reason="it is urgent")
    assert reminded.outbox == (Mail(TWO, START, about="reminder"),)
    assert reminded.events[-1] == Event(START, "reminded", OPERATOR, "api", why="it is urgent")
    assert remind(reminded, OPERATOR, now=START, via="api").outbox == reminded.outbox


def test_transitions_never_change_what_they_are_given() -> None:
    """An approval is a value: each transition returns a new one."""
    approval = approval_of(2)
    before = repr(approval), approval.approvers, approval.events, approval.outbox
    decided(approval, 0, "approve")
    cancelled(approval)
    after_tick(approval, approval.expires_at)
    _reassign(approval, ONE, THREE)
    assert (repr(approval), approval.approvers, approval.events, approval.outbox) == before
    with pytest.raises(AttributeError):
        approval.outcome = "approved"  # type: ignore[misc]
