"""Mails that ask nothing: the receipt of a request, and its outcome."""

import pytest
from msgspec.structs import replace

from chalicelib.domain import link_tokens
from chalicelib.domain.approval import Approval, Approver
from chalicelib.domain.outbox_entries import Mail, MailKind
from chalicelib.domain.workflow import EndStatus
from chalicelib.presentation.emails import write_email
from chalicelib.presentation.mail_text import Email
from tests.builders import (
    WORDS_OF_ENDS,
    after_tick,
    approval_of,
    cancelled,
    decided,
    ended,
    in_vain,
    people,
    replaced_by_newer,
)
from tests.fakes import START

URL = "https://assent.example.com/api"
SECRET = link_tokens.MailSecrets(link_tokens.secret(b"\x07" * link_tokens.SECRET_BYTES), "123456")
MARY = "mary@example.com"
ONE, TWO = people(2)


def _mail(approval: Approval, to: str, about: MailKind) -> Email:
    mail = Mail(to, START, about=about)
    requested = replace(approval, requester=Approver(MARY))
    return write_email(requested, mail, SECRET, public_url=URL, now=START)


def test_the_receipt_tells_the_requester_who_was_asked_and_how_to_follow_it() -> None:
    """Its one link shows how it stands, reminds and cancels."""
    approval = approval_of(2, requestedBy=MARY)
    email = _mail(approval, MARY, "receipt")
    assert email.subject == "Asked: Release 4.2"
    assert email.text.startswith(
        "This was asked in your name: approver0@example.com and approver1@example.com may"
    )
    links = [line for line in email.text.split("\n") if line.startswith("https:")]
    assert "STATUS - see who has decided, have the others reminded, or cancel:" in email.text
    assert links == [f"{URL}/cancel/{approval.id}.{SECRET.decision}"]


def test_the_outcome_is_mailed_with_every_decision_and_reason() -> None:
    """Reasons are quoted."""
    approval = decided(approval_of(2, approvalsNeeded=2, requestedBy=MARY), 0, "approve", "")
    email = _mail(decided(approval, 1, "reject", "the tests\nare red"), MARY, "outcome")
    assert email.subject == "Rejected: Release 4.2"
    assert "Your request was rejected on 22 Nov 2026, 09:00 UTC:" in " ".join(
        email.text.split("\n")
    )
    assert f"{ONE} approved on 22 Nov 2026, 09:00 UTC." in email.text
    assert f"{TWO} rejected on 22 Nov 2026, 09:00 UTC:\n\n| the tests\n| are red" in email.text
    assert "You don't need to do anything." in email.text


def test_the_reason_for_cancelling_is_quoted() -> None:
    """It can't pass for Assent's own words."""
    reason = "done.\nPlease sign in at https://evil.example/"
    email = _mail(cancelled(approval_of(2), reason=reason), ONE, "outcome")
    assert email.subject == "Cancelled: Release 4.2"
    assert "This request was cancelled by operator@example.com" in " ".join(email.text.split("\n"))
    assert "| done.\n| Please sign in" in email.text


@pytest.mark.parametrize(
    ("approval", "subject"),
    [
        (decided(approval_of(1), 0, "approve"), "Approved"),
        (after_tick(approval_of(1), approval_of(1).expires_at), "Expired"),
    ],
    ids=["approved", "expired"],
)
def test_the_subject_of_an_outcome_mail_begins_with_the_outcome(
    approval: Approval, subject: str
) -> None:
    assert _mail(approval, ONE, "outcome").subject == f"{subject}: Release 4.2"


def test_only_an_approvers_outcome_mail_has_the_inbox_link() -> None:
    """A requester who isn't an approver has no inbox; neither mail decides anything."""
    closed = decided(approval_of(2, requestedBy=MARY), 0, "approve")
    to_approver, to_requester = (_mail(closed, to, "outcome").text for to in (TWO, MARY))
    links = [line for line in to_approver.split("\n") if line.startswith("https:")]
    assert links == [f"{URL}/inbox/{closed.id}.{SECRET.inbox}"]
    assert "https:" not in to_requester


IDLE = "You don't need to do anything."


def _said(approval: Approval, to: str) -> str:
    return " ".join(_mail(approval, to, "outcome").text.split())


def test_a_replaced_request_sends_its_approvers_to_the_newer_one() -> None:
    """The newer request waits for them, so the mail must not say that nothing is to be done."""
    replaced = replaced_by_newer(approval_of(2, requestedBy=MARY))
    email = _mail(replaced, ONE, "outcome")
    assert email.subject == "Asked again: Release 4.2"
    text = _said(replaced, ONE)
    assert "This request was replaced by a newer one on 22 Nov 2026, 09:00 UTC" in text
    assert "because its workflow asked again" in text
    assert "Please answer the newer mail, or use your inbox." in text
    assert IDLE not in text
    assert f"{URL}/inbox/" in text


def test_a_replaced_request_alarms_no_requester() -> None:
    """A retry is ordinary; the mail doesn't say "cancelled", and names no inbox."""
    replaced = replaced_by_newer(approval_of(2, requestedBy=MARY))
    assert _mail(replaced, MARY, "outcome").subject == "Asked again: Release 4.2"
    text = _said(replaced, MARY)
    assert "The approvers answer the newer request instead." in text
    for alarming in ("ancelled", "inbox", IDLE):
        assert alarming not in text


def test_a_requester_who_approves_too_is_sent_to_the_newer_mail() -> None:
    approval = approval_of(2, requestedBy=MARY)
    both = replace(approval, approvers=(Approver(MARY), approval.approvers[1]))
    assert "Please answer the newer mail" in _said(replaced_by_newer(both), MARY)


def test_an_outcome_in_vain_says_that_nothing_follows_and_to_ask_again() -> None:
    """To the requester; an approver can't ask."""
    late = in_vain(decided(approval_of(2, requestedBy=MARY), 0, "approve"))
    assert _mail(late, MARY, "outcome").subject == "Approved too late: Release 4.2"
    said = "Nothing will happen because of it; {} if it is still needed."
    assert said.format("ask again") in _said(late, MARY)
    assert said.format("it has to be asked again") in _said(late, TWO)
    assert IDLE not in _said(late, MARY) + _said(late, TWO)


@pytest.mark.parametrize(("status", "words"), WORDS_OF_ENDS)
def test_the_mail_says_how_the_workflow_ended(status: EndStatus, words: str) -> None:
    """A person may have stopped it. The approver has nothing to do, the requester may ask again."""
    over = ended(approval_of(2, requestedBy=MARY), status)
    for person in (ONE, MARY):
        assert f"because its workflow {words}: " in _said(over, person)
    assert IDLE in _said(over, ONE)
    assert "Ask again if it is still needed." in _said(over, MARY)


def test_an_expired_request_tells_its_requester_to_ask_again() -> None:
    expired = after_tick(approval_of(1, requestedBy=MARY), approval_of(1).expires_at)
    assert "Ask again if it is still needed." in _said(expired, MARY)
    assert IDLE in _said(expired, ONE)
