"""The pages: whatever was written is text, a press of the one button decides, nothing runs."""

import base64
import hashlib
import re
from dataclasses import dataclass, field
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from chalicelib.domain import link_tokens
from chalicelib.domain.approval import Approval, Choice, Decision
from chalicelib.domain.errors import (
    AssentError,
    Expired,
    InvalidRequest,
    NotFound,
    TooLarge,
    Unavailable,
)
from chalicelib.domain.events import Event
from chalicelib.domain.outbox import resumed
from chalicelib.domain.transitions import cancel, decide
from chalicelib.presentation.pages import decision, parts
from chalicelib.presentation.wording import when
from tests.builders import an_approval, people, ticked
from tests.fakes import START
from tests.unit.strategies import approvals, many, many_lines

SECRET = link_tokens.secret(b"\x07" * link_tokens.SECRET_BYTES)
VOID = {"meta", "link", "br", "hr", "img", "input"}
HOSTILE = [
    "<script>alert(1)</script>",
    "</textarea></form><form action=//evil.example.net method=post><button>",
    "</title></style></main><h1>approved</h1>",
    '" onfocus="alert(1)" autofocus x="',
    "' onload='alert(1)",
    "<!--", "<!-- x -->", "]]>", "&lt;b&gt;", "&#60;b&#62;", "&amp;amp;", "javascript:alert(1)",
    "{0}", "{}", "{{}}", "{subject}", "{style}", "{content.x}", "{", "}", "%s %(x)s", "${x}",
    "{0.__class__.__mro__}", "\\", "\u202eevil",
]  # fmt: skip


@dataclass
class Page(HTMLParser):
    """A page as a browser takes it apart: tags with their attributes, and the text in each."""

    html: str
    tags: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    texts: list[tuple[str, str]] = field(default_factory=list)
    _open: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.feed(self.html)
        self.close()
        assert not self._open, "every tag is closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs), "no attribute twice"
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag, "tags nest"

    def handle_data(self, data: str) -> None:
        self.texts.append((self._open[-1] if self._open else "", data))

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")

    def unknown_decl(self, data: str) -> None:
        raise AssertionError(f"a declaration: {data}")

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """Return the attributes of each such tag."""
        return [attributes for name, attributes in self.tags if name == tag]

    def text(self, tag: str | None = None) -> str:
        """Return the text directly in such tags, or all that a reader sees."""
        unseen = ("style", "title")
        return "".join(
            text for name, text in self.texts if (name == tag if tag else name not in unseen)
        )

    def typed(self) -> str:
        """Return what a browser shows in the text field: one line break at its start is dropped."""
        return self.text("textarea").removeprefix("\n")

    def shape(self) -> list[tuple[str, tuple[str, ...]]]:
        """Return tags and names of attributes in order, without any text."""
        return [(tag, tuple(attributes)) for tag, attributes in self.tags]


def _token(approval: Approval) -> str:
    return f"{approval.id}.{SECRET}"


def _ask(
    approval: Approval, choice: Choice = "approve", reason: str = "", error: str = "", who: int = 0
) -> Page:
    approver = approval.approvers[who]
    return Page(
        decision.decide_page(
            approval, approver, choice, token=_token(approval), reason=reason, error=error
        )
    )


def _answer(approval: Approval, who: int = 0, late: int = 0) -> Page:
    now = START + timedelta(seconds=late)
    return Page(decision.outcome_for_approver(approval, approval.approvers[who], now))


def _say(approval: Approval, who: int, choice: Choice, reason: str = "because") -> Approval:
    return decide(approval, people(50)[who], choice, reason=reason, now=START, via="page")


def _harmless(approval: Approval) -> Approval:
    """Return the same approval with every text that people wrote replaced by plain letters."""

    def plain(text: str, number: int = 0) -> str:
        return f"plain{number}" if text else ""

    details = approval.request.details
    request = replace(
        approval.request,
        subject="plain",
        details=plain(details)
        if isinstance(details, str)
        else {plain(label, n): "plain" for n, label in enumerate(details)},
        requested_by=approval.request.requested_by and "plain@example.com",
    )
    approvers = tuple(
        replace(
            a,
            address=f"plain{n}@example.com",
            decision=a.decision and replace(a.decision, reason=plain(a.decision.reason)),
        )
        for n, a in enumerate(approval.approvers)
    )
    events = tuple(replace(e, who="plain", note=plain(e.note)) for e in approval.events)
    return replace(approval, request=request, approvers=approvers, events=events)


@many
@given(approvals(), many_lines, many_lines, st.sampled_from(["approve", "reject"]))
def test_nothing_that_anybody_wrote_becomes_markup(
    approval: Approval, reason: str, error: str, choice: Choice
) -> None:
    """Tags and attributes are those of the same page with harmless words in every field."""
    plain = _harmless(approval)
    hostile = _ask(approval, choice, reason, error)
    assert hostile.shape() == _ask(plain, choice, "plain", error and "plain").shape()
    assert _answer(approval).shape() == _answer(plain).shape()
    for page in (hostile, _answer(approval)):
        assert approval.request.subject in page.text()
        page.html.encode()


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_shown_as_it_was_written(text: str) -> None:
    """Subject, details, labels, names, reasons, errors and notes come out letter for letter."""
    for details in (text, {text: text, "x": text}):
        shown = _everywhere(text, details)
        for page, least in zip(shown, (6, 5, 7, 3), strict=True):
            assert page.text().count(text) >= least
            assert text in page.text("title")
        assert shown[0].typed() == text
        harmless = _everywhere("a", "a" if isinstance(details, str) else {"a": "a", "b": "a"})
        assert [page.shape() for page in shown] == [page.shape() for page in harmless]


def _everywhere(text: str, details: Any) -> list[Page]:
    """Return pages of an approval that has this text in every field there is."""
    asked = an_approval(approvers=people(3), approvalsNeeded=2)
    request = replace(asked.request, subject=text, details=details, requested_by=text)
    first = replace(asked.approvers[0], address=text, decision=Decision("approve", START, text))
    approval = replace(
        asked,
        request=request,
        approvers=(first, *asked.approvers[1:]),
        events=(*asked.events, Event(START, "cancelled", text, "api", text)),
        execution_arn=f"arn:aws:states:r:1:execution:{text.replace(':', '')}:x",
    )
    withdrawn = replace(approval, outcome="cancelled", closed_at=START)
    anonymous = replace(approval, request=replace(request, requested_by=None))
    return [
        _ask(approval, "reject", text, text),
        _answer(approval),
        _answer(withdrawn),
        _ask(anonymous),
    ]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_in_a_problem_is_shown_as_it_was_written(text: str) -> None:
    """A message and a reference are text as well."""
    page = Page(decision.problem_page(NotFound(text), text))
    assert page.text().count(text) == 2
    assert page.shape() == Page(decision.problem_page(NotFound("x"), "x")).shape()


@given(approvals(), st.sampled_from(["approve", "reject"]))
def test_the_page_that_asks_has_one_form_with_one_button(
    approval: Approval, choice: Choice
) -> None:
    """It posts to the page's own address, the button says what it does, nothing else submits."""
    page = _ask(approval, choice)
    assert page.all("form") == [{"method": "post"}]
    assert page.all("button") == [{"type": "submit"}]
    assert page.text("button") == choice.capitalize()
    assert not page.all("input")
    assert [t["name"] for t in page.all("textarea")] == ["reason"]
    assert page.all("label")[0]["for"] == page.all("textarea")[0]["id"]


@given(approvals(), st.sampled_from(["approve", "reject"]))
def test_no_page_runs_or_loads_anything(approval: Approval, choice: Choice) -> None:
    """No script, no handler, nothing from elsewhere; the answer's page has nothing to press."""
    for page in (_ask(approval, choice, error="x"), _answer(approval)):
        assert not {"script", "iframe", "img", "object", "embed", "base"} & {
            t for t, _ in page.tags
        }
        for tag, attributes in page.tags:
            assert not [name for name in attributes if name.startswith("on") or name == "style"]
            urls = [attributes.get(name) for name in ("href", "src", "action", "formaction")]
            allowed = {None, "data:,"} | (
                {f"../{o}/{_token(approval)}" for o in ("approve", "reject", "pass")}
            )
            assert set(urls) <= allowed, tag
    assert not {"form", "button", "a", "textarea"} & {tag for tag, _ in _answer(approval).tags}


def test_the_policy_allows_the_pages_own_style_and_nothing_else() -> None:
    """The hash in the policy is that of what stands between the style tags, on every page."""
    approval = an_approval()
    for html in (
        decision.decide_page(approval, approval.approvers[0], "approve", token=_token(approval)),
        decision.outcome_for_approver(approval, approval.approvers[0], START),
        decision.problem_page(NotFound("x"), "y"),
    ):
        style = re.findall("<style>(.*?)</style>", html, re.DOTALL)
        assert len(style) == 1
        digest = base64.b64encode(hashlib.sha256(style[0].encode()).digest()).decode()
        policy = dict(
            part.strip().split(" ", 1)
            for part in parts.HEADERS["Content-Security-Policy"].split(";")
        )
        assert policy["style-src"] == f"'sha256-{digest}'"
        assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
        assert policy["form-action"] == "'self'"
        assert not {"script-src", "connect-src", "frame-src", "object-src"} & set(policy)


def test_headers_say_html_in_utf_8_that_nobody_may_frame() -> None:
    """The page says the same as the header."""
    assert parts.HEADERS["Content-Type"] == "text/html; charset=utf-8"
    assert parts.HEADERS["X-Frame-Options"] == "DENY"
    page = _ask(an_approval())
    assert {"charset": "utf-8"} in page.all("meta")
    assert {"name": "robots", "content": "noindex"} in page.all("meta")
    assert page.html.startswith("<!doctype html>")


@pytest.mark.parametrize(("choice", "other"), [("approve", "reject"), ("reject", "approve")])
def test_each_page_links_to_the_other_choice(choice: Choice, other: str) -> None:
    """Relative, so it holds under a stage's path and a domain of one's own."""
    approval = an_approval()
    page = _ask(approval, choice)
    links = [a["href"] for a in page.all("a")]
    assert links == [f"../{other}/{_token(approval)}", f"../pass/{_token(approval)}"]
    assert other in page.text("a").lower()


@pytest.mark.parametrize(
    ("required", "choice", "must"),
    [
        ("never", "approve", False), ("never", "reject", False),
        ("onReject", "approve", False), ("onReject", "reject", True),
        ("always", "approve", True), ("always", "reject", True),
    ],
)  # fmt: skip
def test_the_reason_is_required_where_the_rule_requires_it(
    required: str,
    choice: Choice,
    must: bool,
) -> None:
    """The field's attribute and its label say what `decide` will say."""
    page = _ask(an_approval(reasonRequired=required), choice)
    assert ("required" in page.all("textarea")[0]) == must
    assert ("optional" in page.text("label").lower()) != must


@many
@given(st.one_of(many_lines, st.sampled_from(["\nx", "\n\nx", "\n", "\r\nx", " x", "\tx", ""])))
def test_the_reason_typed_is_kept_when_the_page_is_shown_again(reason: str) -> None:
    """Letter for letter, a line break at its start included."""
    page = _ask(an_approval(), "reject", reason, "reason: is too long")
    assert page.typed() == reason
    assert "reason: is too long" in page.text()


def test_an_error_is_announced_and_absent_without_one() -> None:
    """A screen reader is told what the last press didn't do."""
    assert {"class": "error", "role": "alert"} in _ask(an_approval(), error="too long").all("p")
    assert not [p for p in _ask(an_approval()).all("p") if p.get("role")]


def test_the_page_that_asks_says_what_one_decides_and_as_whom() -> None:
    """Subject, asker, deadline, count, details, and the approver's own address."""
    approval = an_approval(
        approvers=people(3),
        approvalsNeeded=2,
        requestedBy="grace@example.com",
        details={"Risky": True, "Cost": 12.5},
    )
    text = _ask(approval, "approve", who=1).text()
    for said in (
        "Release 4.2", "grace@example.com", when(approval.expires_at), "2 of 3", "Risky", "yes",
        "12.5", "You decide as approver1@example.com",
    ):  # fmt: skip
        assert said in text
    assert _ask(approval, "reject").text("title").startswith("Reject: Release 4.2")


def test_text_may_run_in_either_direction() -> None:
    """What others wrote has `dir=auto`, so Hebrew and Arabic read as they should."""
    approval = _say(an_approval(approvers=people(2), details="עברית", subject="ערב"), 0, "approve")
    for page in (_ask(an_approval(details={"ا": "ب"})), _answer(approval)):
        assert [tag for tag, attributes in page.tags if attributes.get("dir") == "auto"]


def test_who_decided_on_what_is_open_sees_their_decision_and_what_it_waits_for() -> None:
    """Pending, decided: recorded, when, and that others are waited for."""
    page = _answer(_say(an_approval(approvers=people(3), approvalsNeeded=2), 0, "approve"))
    assert "You approved this" in page.text("h1")
    assert when(START) in page.text()
    assert "waits for others" in page.text()
    assert "because" in page.text()


@pytest.mark.parametrize(("choice", "past"), [("approve", "approved"), ("reject", "rejected")])
def test_what_others_closed_is_shown_with_their_names(choice: Choice, past: str) -> None:
    """Approved or rejected by others: which, by whom, why, and that one need do nothing."""
    page = _answer(_say(an_approval(approvers=people(2)), 0, choice, "<why>"), who=1)
    assert past in page.text("h1")
    assert people(1)[0] in page.text()
    assert "<why>" in page.text()
    assert "You " + past not in page.text()
    assert "No answer is needed" in page.text()


def test_the_workflow_will_be_told_until_it_has_been() -> None:
    """Closed but not settled, settled, and found closed are told apart."""
    closed = _say(an_approval(approvers=people(1)), 0, "approve")
    told = resumed(closed, "", START, "page")
    too_late = resumed(closed, "the task was not waiting any more", START, "page")
    assert "will be told" in _answer(closed).text()
    assert "has been told" in _answer(told).text()
    assert "it was told, or had ended by itself" in _answer(too_late).text()
    assert "has been told" not in _answer(closed).text() + _answer(too_late).text()


def test_what_expired_says_so_before_and_after_the_sweep() -> None:
    """From `expires_at` on nobody can answer, whether the tick has come by or not."""
    approval = an_approval(expiresIn=60)
    swept = ticked(approval, approval.expires_at)
    for page in (_answer(approval, late=60), _answer(swept, late=90), _answer(swept, late=60)):
        assert "expired" in page.text("h1")
        assert when(approval.expires_at) in page.text()
        assert "waits for" not in page.text()


def test_who_decided_on_what_then_expired_sees_both() -> None:
    """Their own decision stays in the heading, the expiry is what came of it."""
    decided = _say(an_approval(approvers=people(2), approvalsNeeded=2, expiresIn=60), 0, "approve")
    for approval in (decided, ticked(decided, decided.expires_at)):
        page = _answer(approval, late=60)
        assert "You approved" in page.text()
        assert "Nobody can answer any more" in page.text()


def test_what_was_withdrawn_says_by_whom_and_why() -> None:
    """The note of who withdrew it is shown; without one there is no blank in its place."""
    fresh = an_approval()
    page = _answer(
        cancel(fresh, "grace@example.com", reason="wrong <release>", now=START, via="api")
    )
    assert "withdrawn" in page.text("h1")
    assert "withdrawn by grace@example.com" in page.text()
    assert "wrong <release>" in page.text()
    silent = _answer(cancel(fresh, "grace@example.com", reason="", now=START, via="api"))
    assert "withdrawn by grace@example.com" in silent.text()


def test_decisions_are_listed_in_the_order_in_which_they_were_made() -> None:
    """First come, first shown, whatever the order of the approvers."""
    approval = an_approval(approvers=people(3), approvalsNeeded=3)
    late = decide(approval, people(3)[2], "approve", reason="first", now=START, via="page")
    both = decide(
        late, people(3)[0], "approve", reason="second", now=START + timedelta(seconds=1), via="page"
    )
    text = _answer(both).text()
    assert text.index("first") < text.index("second")


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (NotFound("This link is not known."), "Nothing found here"),
        (TooLarge("x"), "too much"),
        (InvalidRequest("x"), "didn't work"),
        (Expired("x"), "didn't work"),
        (Unavailable("x"), "try again"),
        (AssentError("x"), "try again"),
    ],
)
def test_a_problems_page_says_what_and_how_to_ask_about_it(error: AssentError, says: str) -> None:
    """Heading by status, the message, and the reference under which it is in the log."""
    page = Page(decision.problem_page(error, "ref-1"))
    assert says in page.text("h1")
    assert error.message in page.text()
    assert "ref-1" in page.text()
    assert not page.all("form")


@given(approvals())
def test_no_page_holds_the_task_token_or_a_hash(approval: Approval) -> None:
    """The reader's own link is all that the asking page has; the answer's has none."""
    asking, answered = _ask(approval).html, _answer(approval).html
    for html in (asking, answered):
        assert approval.task_token not in html
        assert not [h for a in approval.approvers for h in a.link_hashes if h in html]
    assert asking.count(SECRET) == 2
    assert SECRET not in answered
