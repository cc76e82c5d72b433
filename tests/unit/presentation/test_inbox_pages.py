"""The pages of an inbox: select requests, confirm, and see what was recorded."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from chalicelib.domain.approval import Approval
from chalicelib.domain.errors import AlreadyDecided
from chalicelib.domain.validation import check_request
from chalicelib.presentation.pages import inbox
from tests.builders import approval_of, decided, in_vain, new_approval, people, request_body
from tests.fakes import START
from tests.unit.presentation.parsed_page import Page

ADA = "ada@example.com"


def _requests(number: int, **fields: Any) -> list[Approval]:
    """Return so many approvals, each due an hour later than the one before."""
    return [
        new_approval(
            check_request(
                request_body(subject=f"Request {n}", expiresIn=3_600 * (n + 1), **fields), ("*",)
            ),
            f"token-{n}",
        )
        for n in range(number)
    ]


def _inbox(approvals: list[Approval], after: str = "") -> Page:
    return Page(inbox.inbox_page(ADA, approvals, after=after, now=START))


def _boxes(page: Page) -> list[str | None]:
    return [field["value"] for field in page.all("input") if field["name"] == "chosen"]


def test_each_request_has_a_box_that_is_not_checked() -> None:
    """Two buttons send the selected ones; neither can decide without the next page."""
    approvals = _requests(3, details="why it is needed")
    page = _inbox(approvals)
    assert _boxes(page) == [approval.id for approval in approvals]
    assert not [field for field in page.all("input") if "checked" in field]
    assert [button["value"] for button in page.all("button")] == ["approve", "reject"]
    assert ADA in page.text("p")
    for approval in approvals:
        assert approval.request.subject in page.text()
    assert page.text().count("why it is needed") == 3
    assert "(in 1 hour)" in page.text()


@pytest.mark.parametrize(
    ("number", "after", "heading"),
    [
        (0, "", "No request waits for you"),
        (0, "place", "No request on this page waits any more"),
        (1, "", "1 request waits for you"),
        (3, "", "3 requests wait for you"),
        (3, "place", "3 requests wait for you, and more later"),
    ],
)
def test_the_heading_counts_the_requests_that_wait(number: int, after: str, heading: str) -> None:
    """An empty page has no button; a full one links to the next."""
    page = _inbox(_requests(number), after)
    assert page.text("h1") == heading
    assert bool(page.all("button")) == (number > 0)
    assert [a["href"] for a in page.all("a")] == (["?after=place"] if after else [])


def test_a_request_that_needs_a_code_has_no_box() -> None:
    """It is decided by its own mail, which has the code."""
    coded, plain = _requests(1, codeRequired=True), _requests(1)
    page = _inbox(coded)
    assert not page.all("input")
    assert not page.all("button")
    assert "open the link in its own mail" in page.text()
    assert _boxes(_inbox(coded + plain)) == [plain[0].id]


def test_progress_is_shown_once_somebody_has_decided() -> None:
    approval = approval_of(2, approvalsNeeded=2)
    assert "So far" not in _inbox([approval]).text()
    assert "So far 1 approval, no rejection" in _inbox([decided(approval, 0, "approve")]).text()


def _confirm(approvals: list[Approval], closed: int = 0) -> Page:
    return Page(
        inbox.confirm_page(ADA, approvals, "reject", closed=closed, token="the-token", now=START)
    )


def test_the_confirm_page_decides_exactly_the_requests_it_shows() -> None:
    """They are sent as hidden fields, with the choice."""
    approvals = _requests(2, details="why it is needed")
    page = _confirm(approvals)
    assert page.text("h1") == "Reject 2 requests?"
    assert _boxes(page) == [approval.id for approval in approvals]
    sent = {field["name"]: field["value"] for field in page.all("input")}
    assert (sent["choice"], sent["confirmed"]) == ("reject", "yes")
    assert {field["type"] for field in page.all("input")} == {"hidden"}
    assert page.text("button").strip() == "Reject 2 requests"
    assert f"You decide as {ADA}" in page.text()
    assert page.text().count("why it is needed") == 2
    assert page.all("a")[0]["href"] == "../inbox/the-token"


@pytest.mark.parametrize(
    ("closed", "words"), [(0, ""), (1, "1 of the selected no longer waits"), (2, "2 of the")]
)
def test_the_confirm_page_says_how_many_of_the_selected_no_longer_wait(
    closed: int, words: str
) -> None:
    text = _confirm(_requests(1), closed).text()
    assert words in text
    assert ("no longer wait" in text) == (closed > 0)


def test_the_confirm_page_requires_a_reason_if_one_of_the_requests_does() -> None:
    free, strict = _requests(1, reasonRequired="never"), _requests(1)
    assert "required" not in _confirm(free).all("textarea")[0]
    assert "required" in _confirm(free + strict).all("textarea")[0]


def test_the_receipt_says_of_each_request_whether_it_was_recorded() -> None:
    """First of those that were not; each has a reference, and what happens next."""
    approval = approval_of(2, approvalsNeeded=2)
    waiting = decided(approval, 0, "approve")
    closed = decided(approval_of(1), 0, "approve")
    late = (closed, AlreadyDecided("This was approved already, by others."))
    page = Page(inbox.receipt_page("approve", [(waiting, None), (closed, None), late], "token"))
    assert page.text("h1") == "You approved 2 of 3 requests"
    assert "Approved. 1 more approval is needed, from approver1@example.com." in page.text()
    assert page.text().count(f"Reference: {approval.id}") == 3
    assert page.text("h2") == "1 decision was not recordedRecorded"
    assert page.all("main") == [{"class": "wrong"}]
    assert page.text("title").startswith("Error: ")
    assert "Approved. The request was approved on 22 Nov 2026, 09:00 UTC." in page.text()
    assert "This was approved already, by others." in page.text()
    assert [a["href"] for a in page.all("a")] == ["../inbox/token"]


def test_a_receipt_without_any_decision_says_so() -> None:
    closed = decided(approval_of(1), 0, "approve")
    page = Page(inbox.receipt_page("reject", [(closed, AlreadyDecided("too late"))], "token"))
    assert page.text("h1") == "Nothing was recorded"
    assert page.text("h2") == "1 decision was not recorded"


def test_an_expiring_request_says_how_long_is_left() -> None:
    approval = approval_of(1, expiresIn=7_200)
    page = Page(
        inbox.inbox_page(people(1)[0], [approval], after="", now=START + timedelta(minutes=90))
    )
    assert "(in 30 minutes)" in page.text()


@pytest.mark.parametrize(
    ("in_time", "late", "heading", "mood"),
    [
        (1, 6, "You approved 7 requests, 6 of them too late", "approve"),
        (0, 2, "You approved 2 requests, all of them too late", ""),
        (0, 1, "You approved 1 request, but too late", ""),
        (2, 0, "You approved 2 requests", "approve"),
    ],
)
def test_the_receipt_counts_the_decisions_in_vain(
    in_time: int, late: int, heading: str, mood: str
) -> None:
    """Each of them says so; the bar is green only if a decision counted."""
    closed = decided(approval_of(1), 0, "approve")
    results: Sequence[inbox.Result] = [(closed, None)] * in_time + [(in_vain(closed), None)] * late
    page = Page(inbox.receipt_page("approve", results, "token"))
    assert page.text("h1") == heading
    assert page.text().count("Approved too late. The request was approved on") == late
    assert page.all("main") == [{"class": mood}]


def test_the_inbox_tells_the_older_of_two_same_requests_from_the_newer() -> None:
    """By what is said of the older one, and by when each was asked."""
    older, newer = _requests(2)
    newer = replace(newer, created_at=START + timedelta(minutes=5))
    older = replace(older, asked_again_at=newer.created_at)
    text = _inbox([older, newer]).text()
    said = "Older request: the workflow asked again on 22 Nov 2026, 09:05 UTC."
    assert text.count(said) == 1
    assert text.index(said) < text.index("Request 1")
    assert "Asked by the workflow assent-test on Sun 22 Nov, 09:00 UTC" in text
    assert "Asked by the workflow assent-test on Sun 22 Nov, 09:05 UTC" in text
