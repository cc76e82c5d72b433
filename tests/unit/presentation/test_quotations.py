"""Whatever a person wrote is quoted under a name: on every page, and in every mail.

Each text stands only where a reader takes it for a person's: on a page in a heading that is the
question, a quotation, a table of details or a field; in a mail in lines that begin with a bar.
"""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import cast, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from chalicelib.domain import link_tokens, transitions
from chalicelib.domain.approval import Approval, Approver, Choice
from chalicelib.domain.delegation import Delegation
from chalicelib.domain.outbox_entries import Mail, MailKind
from chalicelib.domain.request import Escalation
from chalicelib.presentation import delegation_emails
from chalicelib.presentation.emails import write_email
from chalicelib.presentation.pages.delegation import delegation_page
from chalicelib.presentation.pages.outcome import outcome_for_requester
from tests.builders import an_approval, cancelled, decided, ended, in_vain, replaced_by_newer
from tests.fakes import START
from tests.unit.presentation.every_page import Typed, every_page, token_of

ADA, GRACE, LINUS, MARY = (f"{name}@example.com" for name in ("ada", "grace", "linus", "mary"))
SECRETS = link_tokens.MailSecrets(link_tokens.secret(b"\x07" * link_tokens.SECRET_BYTES), "123456")
QUOTING = {"h1", "blockquote", "table", "textarea", "title", "input"}
QUOTING_CLASSES = {"prose", "choice"}
"""A class of detail prose, and of a request's row in the inbox."""
WRITTEN = "Please open evilexample and confirm your password"
"""What somebody writes in every place, with a number for each place."""


def written(place: int) -> str:
    """Return the text of that place."""
    return f"{WRITTEN} {place}."


class Places(HTMLParser):
    """Where on a page texts stand: the open elements around each."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self._open: list[tuple[str, dict[str, str | None]]] = []
        self.unquoted: list[str] = []
        self.seen = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta", "link", "input", "br"):
            self._open.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002 (the parser's)
        self._open.pop()

    def handle_data(self, data: str) -> None:
        if WRITTEN not in data:
            return
        self.seen += 1
        inside = {tag for tag, _ in self._open}
        classes = {str(attributes.get("class")) for _, attributes in self._open}
        listed = self._open[-1][0] == "strong" and "li" in inside  # the subject of a row
        if not (inside & QUOTING or classes & QUOTING_CLASSES or listed):
            self.unquoted.append(" ".join(data.split()))


def an_approval_full_of_text() -> Approval:
    """Return an approval that has text of somebody's in every place where people write."""
    approval = an_approval(
        subject=written(1),
        details={written(2)[:60]: written(3), "Prose": written(4)},
        approvers=[ADA, GRACE],
        approvalsNeeded=2,
        requestedBy=MARY,
    )
    escalation = Escalation(7_200, (LINUS,))
    approval = replace(
        approval,
        requester=Approver(MARY),
        request=replace(approval.request, escalation=escalation),
    )
    approval = transitions.reassign(
        approval, GRACE, LINUS, by=GRACE, note=written(5), now=START, via="page"
    )
    return decided(approval, 0, "approve", written(6))


def in_every_state() -> Iterator[tuple[str, Approval]]:
    """Yield the approval as it is open, closed in each way, or superseded."""
    open_ = an_approval_full_of_text()
    yield "open", open_
    yield "prose", replace(open_, request=replace(open_.request, details=written(7) * 40))
    yield "asked again", replace(open_, asked_again_at=START)
    closed = transitions.decide(open_, LINUS, "approve", reason=written(8), now=START, via="page")
    yield "approved", closed
    yield "too late", in_vain(closed)
    yield (
        "rejected",
        transitions.decide(open_, LINUS, "reject", reason=written(8), now=START, via="page"),
    )
    yield "cancelled", cancelled(open_, written(9))
    yield "ended", ended(open_)
    yield "superseded", replaced_by_newer(open_)


STATES = dict(in_every_state())


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("choice", ["approve", "reject"])
def test_what_people_wrote_stands_in_quotations_on_every_page(state: str, choice: Choice) -> None:
    """Never in a sentence of Assent's."""
    approval, seen = STATES[state], 0
    pages = {name: page.html for name, page in every_page(approval, choice, Typed()).items()}
    for name, html in pages.items():
        places = Places(html)
        assert places.unquoted == [], name
        seen += places.seen
    assert seen > 20


@pytest.mark.parametrize("state", STATES)
def test_a_typed_text_that_was_refused_is_quoted(state: str) -> None:
    """In a field that keeps it, or under the words that say who typed it."""
    for name, page in every_page(STATES[state], "reject", Typed(written(0), "is wrong")).items():
        # The reference on the page about a problem is the request's id, which nobody writes.
        assert name == "problem" or Places(page.html).unquoted == [], name


def test_each_quotation_on_a_page_of_an_outcome_has_its_author() -> None:
    """The requester's question, the reason of each decision, the reason for cancelling."""
    html = outcome_for_requester(STATES["cancelled"], START).html().partition("<main")[2]
    for author, text in ((MARY, 1), (ADA, 6), ("operator@example.com", 9)):
        before = html[: html.index(written(text))]
        assert author in before.rpartition("</blockquote>")[2]


def test_the_reason_of_a_delegation_is_quoted_under_its_author() -> None:
    """An operator's, and the approver's own."""
    for principal, author in (("arn", f"An operator (as {GRACE}) wrote:"), ("", "You wrote:")):
        by = GRACE if principal else ADA
        delegation = Delegation(LINUS, START, START, written(1), by, principal)
        html = delegation_page(ADA, delegation, token=token_of(STATES["open"])).html()
        assert Places(html).unquoted == []
        assert author in html


KINDS: tuple[MailKind, ...] = cast("tuple[MailKind, ...]", get_args(MailKind))


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("about", KINDS)
def test_what_people_wrote_stands_behind_bars_in_every_mail(state: str, about: MailKind) -> None:
    """So that no line of theirs passes for one of Assent's."""
    approval, seen = STATES[state], 0
    to_requester = about in ("receipt", "outcome")
    for to in (*(a.address for a in approval.active_approvers), *([MARY] * to_requester)):
        mail = Mail(to, START, about=about)
        text = write_email(
            approval, mail, SECRETS, public_url="https://a.example", now=START, name="Example"
        ).text
        lines = [line for line in text.split("\n") if WRITTEN in line]
        assert [line for line in lines if not line.startswith("| ")] == []
        seen += len(lines)
    assert seen > 0


def test_each_quotation_in_a_mail_has_its_author() -> None:
    """Above it, in the sentence that ends in a colon."""
    told = write_email(
        STATES["cancelled"],
        Mail(MARY, START, about="outcome"),
        SECRETS,
        public_url="https://a.example",
        now=START,
    ).text
    assert f"operator@example.com wrote:\n\n| {written(9)}\n" in told
    assert re.search(rf"{ADA} approved on .*:\n\n\| {re.escape(written(6))}\n", told)
    asking = write_email(
        STATES["open"],
        Mail(LINUS, START, about="reassignment"),
        SECRETS,
        public_url="https://a.example",
        now=START,
    ).text
    assert f"{GRACE} wrote to you:\n\n| {written(5)}\n" in asking
    assert f"{MARY} asks you to decide" in asking.partition(written(1))[0]
    assert "Details, as the requester wrote them:" in asking.partition(written(3))[0]


@given(st.text(min_size=1, max_size=40).map(lambda text: f"{text}\n{WRITTEN}\n\n{WRITTEN}"))
def test_no_text_leaves_its_quotation(text: str) -> None:
    """Whatever its line breaks and invisible characters are."""
    delegation = Delegation(LINUS, START, START, text, GRACE, "arn")
    mail = delegation_emails.write_email(ADA, delegation, ADA).text
    assert all(line.startswith("| ") for line in mail.split("\n") if WRITTEN in line)
    approval = cancelled(an_approval(requestedBy=MARY), text)
    for to in (ADA, MARY):
        told = replace(approval, requester=Approver(MARY))
        mail = write_email(
            told,
            Mail(to, START, about="outcome"),
            SECRETS,
            public_url="https://a.example",
            now=START,
        ).text
        assert all(line.startswith("| ") for line in mail.splitlines() if WRITTEN in line)
