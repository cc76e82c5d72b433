"""The pages of one approval: decide, reassign, cancel, and how it ended."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from msgspec.structs import replace

from chalicelib.domain.approval import Approval, Choice, Decision
from chalicelib.domain.errors import (
    AssentError,
    Expired,
    InvalidRequest,
    NotFound,
    TooLarge,
    Unavailable,
)
from chalicelib.domain.outbox import resumed
from chalicelib.domain.transitions import decide
from chalicelib.domain.workflow import EndStatus
from chalicelib.presentation.audit_report import audit_report
from chalicelib.presentation.pages.decision import decide_page, reassign_page
from chalicelib.presentation.pages.outcome import (
    outcome_for_approver,
    outcome_for_requester,
    reassigned_page,
)
from chalicelib.presentation.pages.problem import problem_page
from chalicelib.presentation.pages.requester import requester_page
from chalicelib.presentation.serializers import operator_view
from chalicelib.presentation.wording import when
from tests.builders import (
    WORDS_OF_ENDS,
    after_tick,
    an_approval,
    answered,
    approval_of,
    cancelled,
    decided,
    ended,
    in_vain,
    people,
    replaced_by_newer,
)
from tests.fakes import START
from tests.unit.presentation.every_page import token_of
from tests.unit.presentation.parsed_page import Page


def _decide(approval: Approval, choice: Choice = "approve", who: int = 0) -> Page:
    approver = approval.approvers[who]
    return Page(decide_page(approval, approver, choice, token=token_of(approval), now=START))


def _outcome(approval: Approval, who: int = 0, late: int = 0) -> Page:
    now = START + timedelta(seconds=late)
    return Page(outcome_for_approver(approval, approval.approvers[who], now))


@pytest.mark.parametrize("choice", ["approve", "reject"])
def test_the_decision_page_has_one_button_that_decides_and_a_reason(choice: Choice) -> None:
    """It says what it does; it comes first, because Enter presses the first button."""
    page = _decide(approval_of(2), choice)
    decides, _ = page.all("button")
    assert decides == {"class": f"{choice} {'check' if choice == 'approve' else 'cross'}"}
    assert page.text("button").startswith(choice.capitalize())
    assert not page.all("input")
    assert [field["name"] for field in page.all("textarea")] == ["reason"]
    assert page.all("label")[0]["for"] == page.all("textarea")[0]["id"]


@pytest.mark.parametrize(("choice", "other"), [("approve", "reject"), ("reject", "approve")])
def test_the_decision_page_leads_to_the_other_choice_and_to_reassigning(
    choice: Choice, other: str
) -> None:
    """By relative addresses, which work under a stage's path and under a domain of one's own.

    The other choice's page is shown by a button, which sends the typed reason along.
    """
    approval = an_approval()
    page = _decide(approval, choice)
    assert [a["href"] for a in page.all("a")] == [f"../reassign/{token_of(approval)}"]
    _, leads = page.all("button")
    assert leads["formaction"] == f"../{other}/{token_of(approval)}"
    assert (leads["name"], leads["value"]) == ("show", "yes")
    assert "formnovalidate" in leads
    assert page.text("button").endswith(f"{other.capitalize()} instead")


@pytest.mark.parametrize(
    ("required", "choice", "must"),
    [
        ("never", "approve", False), ("never", "reject", False),
        ("onReject", "approve", False), ("onReject", "reject", True),
        ("always", "approve", True), ("always", "reject", True),
    ],
)  # fmt: skip
def test_the_reason_field_is_required_when_the_transition_requires_a_reason(
    required: str,
    choice: Choice,
    must: bool,
) -> None:
    page = _decide(an_approval(reasonRequired=required), choice)
    assert ("required" in page.all("textarea")[0]) == must
    assert ("optional" in page.text("label").lower()) != must


def test_a_request_with_a_code_asks_for_it_where_one_acts_in_the_approvers_name() -> None:
    approval = an_approval(codeRequired=True)
    reassigning = reassign_page(
        approval, approval.approvers[0], token=token_of(approval), now=START
    )
    for page in (_decide(approval), Page(reassigning)):
        assert "code" in [field["name"] for field in page.all("input")]


def test_the_decision_page_says_what_is_decided_and_as_whom() -> None:
    """Subject, requester, deadline, quorum, details, and the approver's own address."""
    approval = approval_of(
        3,
        approvalsNeeded=2,
        requestedBy="grace@example.com",
        details={"Risky": True, "Cost": 12.5},
    )
    text = _decide(approval, "approve", who=1).text()
    for part in (
        "Release 4.2", "grace@example.com asks", "Answer by Sun 29 Nov, 09:00 UTC (in 7 days)",
        "2 of 3", "Risky", "yes", "12.5", "You decide as approver1@example.com",
    ):  # fmt: skip
        assert part in text
    assert _decide(approval, "reject").text("title").startswith("Reject: Release 4.2")


def test_the_pages_to_reassign_and_to_cancel_say_as_whom_one_acts() -> None:
    """Each has one button; one leads back to the request."""
    approval = an_approval()
    approver, token = approval.approvers[0], token_of(approval)
    reassigning = Page(reassign_page(approval, approver, token=token, now=START))
    cancelling = Page(requester_page(approval, approver, now=START))
    for page, button in ((reassigning, "Reassign"), (cancelling, "Cancel request")):
        assert page.text("button").endswith(button)
        assert "Release 4.2" in page.text("h1")
        assert f"as {approver.address}" in page.text()
    assert [a["href"] for a in reassigning.all("a")] == [f"../approve/{token}"]


def test_after_a_decision_that_does_not_close_the_page_says_what_it_waits_for() -> None:
    page = _outcome(decided(approval_of(3, approvalsNeeded=2), 0, "approve"))
    assert "You approved this" in page.text("h1")
    assert when(START) in page.text()
    more = "1 more approval is needed, from approver1@example.com or approver2@example.com."
    assert more in page.text()
    assert "You get a mail when it is decided." in page.text()
    assert "because" in page.text()


@pytest.mark.parametrize(("choice", "past"), [("approve", "approved"), ("reject", "rejected")])
def test_an_approval_closed_by_others_shows_by_whom_and_why(choice: Choice, past: str) -> None:
    page = _outcome(decided(approval_of(2), 0, choice, "<why>"), who=1)
    assert past in page.text("h1")
    assert people(1)[0] in page.text()
    assert "<why>" in page.text()
    assert "You " + past not in page.text()
    assert "You don't need to decide any more." in page.text()


def test_a_decision_against_the_outcome_is_shown_below_the_outcome() -> None:
    """An approver who approved sees first that the request was rejected."""
    approval = decided(decided(approval_of(2, approvalsNeeded=2), 0, "approve"), 1, "reject")
    page = _outcome(approval)
    assert page.text("h1") == "This was rejected"
    assert "You had approved it." in page.text()


def test_the_page_says_whether_the_workflow_knows_the_outcome() -> None:
    """Closed and not resumed yet, resumed, or found to be waiting no longer."""
    closed = decided(approval_of(1), 0, "approve")
    done = resumed(closed, "", START, "page")
    too_late = resumed(closed, "the task was not waiting any more", START, "page")
    assert "will be told within a few minutes" in _outcome(closed).text()
    assert "The workflow has been told" in _outcome(done).text()
    assert "was not waiting any more: it had been told, or had ended" in _outcome(too_late).text()
    assert "has been told" not in _outcome(closed).text() + _outcome(too_late).text()


def test_an_expired_request_says_so_before_and_after_the_tick() -> None:
    approval = an_approval(expiresIn=60)
    closed = after_tick(approval, approval.expires_at)
    for page in (_outcome(approval, late=60), _outcome(closed, late=90), _outcome(closed, late=60)):
        assert "expired" in page.text("h1")
        assert when(approval.expires_at) in page.text()
        assert "needed" not in page.text()
        assert "It is too late to decide." in page.text()


def test_an_approver_who_decided_before_it_expired_sees_both() -> None:
    approval = decided(approval_of(2, approvalsNeeded=2, expiresIn=60), 0, "approve")
    before_tick = _outcome(approval, late=60)
    assert "You approved this" in before_tick.text("h1")
    assert "The deadline passed on" in before_tick.text()
    closed = _outcome(after_tick(approval, approval.expires_at), late=60)
    assert "expired" in closed.text("h1")
    assert "You had approved it." in closed.text()


def test_a_cancelled_request_says_by_whom_and_why() -> None:
    page = _outcome(cancelled(an_approval(), reason="wrong <release>"))
    assert "This request was cancelled" in page.text("h1")
    assert "was cancelled by operator@example.com" in page.text()
    assert "wrong <release>" in page.text()
    assert "was cancelled by operator@example.com" in _outcome(cancelled(an_approval())).text()


def test_a_replaced_approver_sees_who_was_asked_instead() -> None:
    page = Page(reassigned_page("grace@example.com"))
    assert page.text("h1") == "grace@example.com was asked instead of you"


@pytest.mark.parametrize(
    ("approval", "words"),
    [
        (approval_of(1), "This is still open"),
        (decided(approval_of(1), 0, "approve"), "This was approved"),
        (decided(approval_of(1), 0, "reject"), "This was rejected"),
        (cancelled(approval_of(1)), "This request was cancelled"),
        (after_tick(approval_of(1), approval_of(1).expires_at), "This request has expired"),
    ],
    ids=lambda value: getattr(value, "outcome", ""),
)
def test_the_requester_sees_the_outcome(approval: Approval, words: str) -> None:
    page = Page(outcome_for_requester(approval, START))
    assert page.text("h1") == words


@pytest.mark.parametrize(("lines", "folded"), [(10, False), (400, True)])
def test_long_details_are_folded(lines: int, folded: bool) -> None:
    """So that the button stays in sight."""
    page = _decide(an_approval(details="a line\n" * lines))
    assert bool(page.all("details")) is folded
    assert page.text().count("a line") == lines


def test_decisions_are_listed_in_the_order_in_which_they_were_made() -> None:
    """Whatever the order of the approvers."""
    approval = approval_of(3, approvalsNeeded=3)
    late = START + timedelta(seconds=1)
    first = decided(approval, 2, "approve", "first")
    both = decide(first, people(1)[0], "approve", reason="second", now=late, via="page")
    text = _outcome(both).text()
    assert text.index("first") < text.index("second")


@pytest.mark.parametrize(
    ("error", "heading"),
    [
        (NotFound("x"), "Nothing found here"),
        (TooLarge("x"), "too much"),
        (InvalidRequest("x"), "didn't work"),
        (Expired("x"), "out of date"),
        (Unavailable("x"), "try again"),
        (AssentError("x"), "try again"),
    ],
)
def test_the_heading_of_a_problem_depends_on_its_status(error: AssentError, heading: str) -> None:
    assert heading in Page(problem_page(error, "ref-1")).text("h1")


NEWER = "Please answer the newer mail, or use your inbox."


def test_a_replaced_request_sends_its_approver_to_the_newer_one() -> None:
    """Also an approver who had decided."""
    asked = approval_of(2, approvalsNeeded=2)
    page = _outcome(replaced_by_newer(asked))
    assert "was replaced by a newer one" in page.text()
    assert page.text("h1") == "This was asked again"
    assert NEWER in page.text()
    assert "You don't need to decide" not in page.text()
    decided_before = _outcome(replaced_by_newer(decided(asked, 0, "approve")))
    assert "You had approved it." in decided_before.text()
    assert NEWER in decided_before.text()


def test_the_requester_of_a_replaced_request_sees_that_it_was_asked_again() -> None:
    """Not that it was cancelled, and no advice for approvers."""
    page = Page(outcome_for_requester(replaced_by_newer(an_approval()), START))
    assert page.text("h1") == "This was asked again"
    assert "The approvers answer the newer request instead." in page.text()
    assert NEWER not in page.text()


@pytest.mark.parametrize("choice", ["approve", "reject"])
def test_a_decision_in_vain_has_a_neutral_bar_and_says_that_nothing_follows(choice: Choice) -> None:
    """Green would say that it worked."""
    late = in_vain(decided(approval_of(2), 0, choice))
    for who in (0, 1):
        page = _outcome(late, who)
        assert page.all("main") == [{"class": ""}]
        assert ", but too late" in page.text("h1")
        assert "Nothing will happen because of it" in page.text()
    other: Choice = "reject" if choice == "approve" else "approve"
    outvoted = decided(approval_of(2, approvalsNeeded=1, rejectionsNeeded=1), 0, choice)
    first = replace(outvoted.approvers[1], decision=Decision(other, START))
    page = Page(outcome_for_approver(in_vain(outvoted), first, START))
    assert page.all("main") == [{"class": ""}]
    requester = Page(outcome_for_requester(late, START))
    assert ", but too late" in requester.text("h1")
    assert "ask again if it is still needed" in requester.text()
    in_time = _outcome(answered(decided(approval_of(1), 0, choice)))
    assert in_time.all("main") == [{"class": choice}]


@pytest.mark.parametrize(("status", "words"), WORDS_OF_ENDS)
def test_the_page_says_how_the_workflow_ended(status: EndStatus, words: str) -> None:
    assert f"because its workflow {words}." in _outcome(ended(an_approval(), status)).text()


@pytest.mark.parametrize("close", [ended, replaced_by_newer])
def test_a_workflow_that_is_gone_was_not_told_whatever_the_answer(
    close: Callable[[Approval], Approval],
) -> None:
    """An emulator takes the answer of a stopped execution: page, report and JSON go by the end."""
    for approval in (close(an_approval()), answered(close(an_approval()))):
        assert "been told" not in _outcome(approval).text()
        assert "will be told" not in _outcome(approval).text()
        assert "Resumed:   no, the task was not waiting any more" in audit_report(approval)
        assert operator_view(approval)["resumed"] is False


def test_a_request_that_was_asked_again_says_above_the_button_what_to_do() -> None:
    """On the page that asks, and not on the page after the decision."""
    marked = replace(approval_of(1), asked_again_at=START)
    said = "The workflow asked again on 22 Nov 2026, 09:00 UTC. Please answer the newer"
    text = _decide(marked).text()
    assert said in text
    assert text.index(said) < text.index("Reason")
    assert "asked again" not in _decide(approval_of(1)).text()
    closed = decided(marked, 0, "approve")
    for page in (_outcome(closed), Page(outcome_for_requester(closed, START))):
        assert "asked again" not in page.text()


def test_a_closed_request_shows_no_deadline_and_no_quorum() -> None:
    """Nothing is awaited any more."""
    asked = approval_of(2)
    for shown in ("Answer by", "must approve"):
        assert shown in _decide(asked).text()
    for closed in (decided(asked, 0, "approve"), cancelled(asked), replaced_by_newer(asked)):
        for page in (_outcome(closed, 1), Page(outcome_for_requester(closed, START))):
            for shown in ("Answer by", "must approve", "needed"):
                assert shown not in page.text()


def test_one_approver_is_told_of_no_quorum() -> None:
    """Their own decision is all that is needed, and nobody has decided before them."""
    text = _decide(approval_of(1)).text()
    for shown in ("must approve", "So far", "eeded"):
        assert shown not in text
