"""The requester's page: who has answered, whether mail reached the others, and the reminder."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from chalicelib.domain import outbox
from chalicelib.domain.approval import Approval
from chalicelib.domain.events import MailFailure
from chalicelib.domain.link_tokens import SecretHashes
from chalicelib.domain.outbox_entries import Mail
from chalicelib.domain.reminding import remind_for_requester
from chalicelib.presentation import serializers
from chalicelib.presentation.pages.outcome import outcome_for_requester
from chalicelib.presentation.pages.requester import requester_page
from chalicelib.presentation.standing import mail_state
from tests.builders import after_tick, an_approval, cancelled, decided
from tests.fakes import START
from tests.states import ADA, GRACE, MARY, asked, mixed
from tests.unit.presentation.parsed_page import Page


def _shown(approval: Approval, minutes: float = 0) -> Page:
    assert approval.requester is not None
    now = START + timedelta(minutes=minutes)
    return Page(requester_page(approval, approval.requester, now=now))


def test_the_page_says_who_has_decided_and_who_has_not() -> None:
    """With the time and the reason of each decision, and for whom somebody is asked."""
    text = " ".join(_shown(mixed()).text().split())
    assert "ada@example.com approved on 22 Nov 2026, 09:00 UTC:Tested on staging. Go." in text
    assert "grace@example.com (for ken@example.com, who is away) has not decided" in text
    assert "zoë@example.com (instead of linus@example.com) has not decided" in text


def test_the_notes_that_approvers_gave_each_other_are_not_shown() -> None:
    """Neither on the page nor to a program, before and after the outcome."""
    for approval in (mixed(), cancelled(mixed())):
        assert "private" in [approver.note for approver in approval.approvers]
        assert "private<" not in _shown(approval).html
        assert "private" not in str(serializers.requester_view(approval))


def test_the_page_says_as_whom_one_acts_and_how_long_it_is_open() -> None:
    page = _shown(asked())
    assert f"You act as {MARY}" in page.text()
    assert "It has to be decided by Mon 23 Nov, 09:00 UTC (in 24 hours)." in page.text()
    assert "your approval" not in _shown(replace(asked(), approvers=asked().approvers[:1])).text()


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        ("invited", "Must first confirm the subscription"),
        ("unconfirmed", "Must first confirm the subscription"),
        ("refused", "No mail can be sent to this address"),
    ],
)
def test_the_mail_that_waits_is_told_in_words(failure: MailFailure, words: str) -> None:
    approval = an_approval(approvers=[ADA], requestedBy=MARY)
    (mail,) = (entry for entry in approval.outbox if isinstance(entry, Mail))
    waiting = outbox.not_mailed(
        approval, mail, unsent=SecretHashes("", ""), why=failure, now=START, via="tick"
    )
    assert mail_state(approval.approvers[0], approval) == "A mail is on its way."
    assert mail_state(waiting.approvers[0], waiting).startswith(words)


def test_a_mail_is_told_with_its_time_and_a_reminder_is_announced() -> None:
    """The mail about the outcome is none that asks; a closed approval waits for nobody."""
    approval = asked()
    reminded = remind_for_requester(approval, MARY, now=START, via="page")
    sent = "Mailed on 22 Nov 2026, 09:00 UTC."
    assert mail_state(approval.approvers[0], approval) == sent
    assert mail_state(reminded.approvers[0], reminded) == f"{sent} A reminder is on its way."
    assert mail_state(decided(approval, 0, "approve").approvers[0], approval) == ""
    assert mail_state(approval.approvers[0], cancelled(approval)) == ""
    told = outbox.mailed(
        cancelled(approval), Mail(GRACE, START, about="outcome"), START + timedelta(hours=1), "tick"
    )
    assert serializers.requester_view(told)["approvers"][1]["mailedAt"] == "2026-11-22T09:00:00Z"


def test_the_button_reminds_and_cancelling_needs_no_action() -> None:
    """A page of an older version cancels by sending nothing but the reason."""
    page = _shown(mixed())
    assert page.text("button") == "Remind the othersCancel request"
    assert {"type": "hidden", "name": "action", "value": "remind"} in page.all("input")
    assert page.html.index('value="remind"') < page.html.index("Remind the others")
    assert "action" not in page.html.partition("Remind the others")[2]


def test_for_an_hour_the_page_says_when_instead_of_showing_the_button() -> None:
    reminded = remind_for_requester(asked(), MARY, now=START, via="page")
    before, after = _shown(reminded, 59), _shown(reminded, 60)
    assert before.text("button") == "Cancel request"
    assert "You had them reminded on 22 Nov 2026, 09:00 UTC" in before.text()
    assert "again from 22 Nov 2026, 10:00 UTC on" in before.text()
    assert after.text("button") == "Remind the approversCancel request"


def test_the_page_of_an_outcome_says_who_did_not_decide() -> None:
    expired = after_tick(mixed(), mixed().expires_at)
    text = Page(outcome_for_requester(expired, expired.expires_at)).text()
    assert "grace@example.com (for ken@example.com, who is away) did not decide" in text
    assert "Mailed" not in text


def test_a_program_gets_the_state_of_each_approver() -> None:
    """And from when on it may have them reminded; the name of SNS's refusal is for operators."""
    view = serializers.requester_view(mixed())
    assert [one["approver"] for one in view["approvers"]] == [
        ADA, GRACE, "linus@example.com", "zoë@example.com",
    ]  # fmt: skip
    assert view["approvers"][0]["decision"] is not None
    assert view["approvers"][1]["standsInFor"] == "ken@example.com"
    assert view["approvers"][2]["replacedBy"] == "zoë@example.com"
    assert view["approvers"][3]["mailedAt"] is None
    assert view["mayRemindAt"] == "2026-11-22T09:00:00Z"
    assert not {"note", "refusal"} & {key for one in view["approvers"] for key in one}
    assert serializers.requester_view(cancelled(mixed()))["mayRemindAt"] is None
