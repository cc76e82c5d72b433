"""Every page: hostile text stays text, nothing runs or is loaded, and no secret is shown."""

import base64
import hashlib
import re
from unicodedata import category

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from chalicelib.domain.approval import Approval, Choice
from chalicelib.domain.errors import NotFound
from chalicelib.domain.texts import visible
from chalicelib.presentation.pages import parts
from chalicelib.presentation.pages.problem import problem_page
from tests.builders import approval_of
from tests.unit.presentation.every_page import (
    ABOUT_NO_REQUEST,
    SECRET,
    Typed,
    every_page,
    pages_full_of,
    token_of,
)
from tests.unit.presentation.parsed_page import Page
from tests.unit.strategies import approvals, many, many_lines, pasted

HOSTILE = [
    "<script>alert(1)</script>",
    "</textarea></form><form action=//evil.example.net method=post><button>",
    "</title></style></main><h1>approved</h1>",
    '" onfocus="alert(1)" autofocus x="',
    "' onload='alert(1)",
    "<!--", "<!-- x -->", "]]>", "&lt;b&gt;", "&#60;b&#62;", "&amp;amp;", "JavaScript:alert(1)",
    "{0}", "{}", "{{}}", "{subject}", "{style}", "{content.x}", "{", "}", "%s %(x)s", "${x}",
    "{0.__class__.__mro__}", "\\", "\u200fevil",
]  # fmt: skip
HARMLESS = "Plainwords"
"""With a capital, since an error begins with one."""


def _with_harmless_text(approval: Approval) -> Approval:
    """Return the same approval with plain letters in every text that people wrote."""

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
def test_no_text_becomes_markup(approval: Approval, typed: str, error: str, choice: Choice) -> None:
    """Each page has the same tags and attributes as with harmless words in every place."""
    shown = every_page(approval, choice, Typed(typed, error))
    plain = Typed(typed and "plain", error and "plain")
    harmless = every_page(_with_harmless_text(approval), choice, plain)
    for name, page in shown.items():
        assert page.shape() == harmless[name].shape(), name
        assert name in ABOUT_NO_REQUEST or approval.request.subject in page.text()
        page.html.encode()


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_shown_letter_for_letter(text: str) -> None:
    """As often as harmless text in its place, in text fields and titles too."""
    details = ((text, HARMLESS), ({text: text, "x": text}, {HARMLESS: HARMLESS, "x": HARMLESS}))
    for hostile, plain in details:
        shown, harmless = pages_full_of(text, hostile), pages_full_of(HARMLESS, plain)
        for name, page in shown.items():
            assert page.shape() == harmless[name].shape(), name
            assert page.text().count(text) == harmless[name].text().count(HARMLESS), name
            assert page.text("title").count(text) == harmless[name].text("title").count(HARMLESS)
            assert page.typed() == harmless[name].typed().replace(HARMLESS, text), name
            values = [tag["value"] for tag in page.all("input") if tag["name"] == "to"]
            assert values == ([text] if name == "reassign" else [])


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_name_of_a_state_machine_is_shown_letter_for_letter(text: str) -> None:
    """Pages name it if the request names no requester."""
    machine = text.replace(":", "")
    approval = replace(approval_of(1), execution_arn=f"arn:aws:states:r:1:execution:{machine}:x")
    for name, page in every_page(approval, "approve", Typed()).items():
        plain = every_page(approval_of(1), "approve", Typed())[name]
        assert page.shape() == plain.shape()
        assert plain.text().count("the workflow assent-test") == page.text().count(
            f"the workflow {machine}"
        )


@given(approvals(), st.sampled_from(["approve", "reject"]))
def test_no_page_runs_or_loads_anything(approval: Approval, choice: Choice) -> None:
    """No script, no handler, no style of its own, and no address but our own pages'."""
    token = token_of(approval)
    pages = ("approve", "reject", "reassign", "inbox", "delegation")
    ours = {f"../{page}/{token}" for page in pages}
    for name, page in every_page(approval, choice, Typed(error="x")).items():
        forbidden = {"script", "iframe", "img", "object", "embed", "base"}
        assert not forbidden & {tag for tag, _ in page.tags}, name
        for tag, attributes in page.tags:
            assert not [one for one in attributes if one.startswith("on") or one == "style"]
            urls = [attributes.get(one) for one in ("href", "src", "action", "formaction")]
            icon = tag == "link" and str(urls[0]).startswith("data:image/svg+xml,")
            assert icon or set(urls) <= {None, "", "?after=x", *ours}, (name, tag)


@given(approvals(), st.sampled_from(["approve", "reject"]))
def test_forms_post_to_their_own_address_and_only_the_requester_has_two(
    approval: Approval, choice: Choice
) -> None:
    """The pages about an outcome have nothing to press."""
    for name, page in every_page(approval, choice, Typed()).items():
        most = 2 if name in ("requester", "reminded") else 1
        assert page.all("form") == [{"method": "post"}] * len(page.all("form")), name
        assert len(page.all("form")) <= most, name
        if name.startswith(("outcome", "problem")):
            assert not {"form", "button", "a", "textarea"} & {tag for tag, _ in page.tags}


def test_the_content_security_policy_allows_the_pages_own_style_alone() -> None:
    """By the hash of the one style element, on every page."""
    policy = dict(
        part.strip().split(" ", 1) for part in parts.HEADERS["Content-Security-Policy"].split(";")
    )
    for page in every_page(approval_of(1), "approve", Typed()).values():
        (style,) = re.findall("<style>(.*?)</style>", page.html, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        assert policy["style-src"] == f"'sha256-{digest}'"
    assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
    assert policy["form-action"] == "'self'"
    assert not {"script-src", "connect-src", "frame-src", "object-src"} & set(policy)


def test_headers_say_html_in_utf_8_that_must_not_be_framed() -> None:
    """The page's own meta tags say the same, and ask search engines to leave it out."""
    assert parts.HEADERS["Content-Type"] == "text/html; charset=utf-8"
    assert parts.HEADERS["X-Frame-Options"] == "DENY"
    for page in every_page(approval_of(1), "approve", Typed()).values():
        assert {"charset": "utf-8"} in page.all("meta")
        assert {"name": "robots", "content": "noindex"} in page.all("meta")
        assert page.html.startswith("<!doctype html>")


@given(approvals())
def test_no_page_holds_the_task_token_or_a_hash(approval: Approval) -> None:
    """Pages with links have the reader's own token; the others have none."""
    for name, page in every_page(approval, "approve", Typed()).items():
        assert approval.task_token not in page.html
        assert not [h for a in approval.approvers for h in a.link_hashes if h in page.html]
        has_links = name in ("decide", "reassign", "inbox", "confirm", "receipt")
        has_links = has_links or name.startswith("delegation")
        assert (SECRET in page.html) == has_links, name


@many
@given(
    st.one_of(many_lines, pasted, st.sampled_from(["\nx", "\n\nx", "\n", "\r\nx", " x", "\tx", ""]))
)
def test_typed_text_is_kept_when_the_form_is_shown_again(typed: str) -> None:
    """Each visible letter of it, a line break at its start included."""
    pages = every_page(approval_of(1), "reject", Typed(typed, "reason: is too long"))
    for name in ("decide", "reassign", "requester", "confirm"):
        assert pages[name].typed() == visible(typed), name
        assert not [c for c in pages[name].html if category(c) == "Cc" and c not in "\n\t"]
        assert "reason: is too long" in pages[name].text().lower()


def test_text_may_run_in_either_direction() -> None:
    """Elements with people's text have `dir=auto`, for Hebrew and Arabic."""
    pages = pages_full_of("עברית", {"ا": "ب"})
    for name, page in pages.items():
        if name not in ABOUT_NO_REQUEST:
            assert [tag for tag, attributes in page.tags if attributes.get("dir") == "auto"], name


def test_a_problem_page_shows_its_error_and_its_reference() -> None:
    page = Page(problem_page(NotFound("no such link"), "ref-1"))
    assert "no such link" in page.text()
    assert "ref-1" in page.text()
    assert not page.all("form")
