"""Errors of forms: found at once by people who read with eyes, a magnifier or a screen reader."""

import re

import pytest

from chalicelib.presentation.pages.fields import LABELS, FormError, error_summary
from tests.builders import approval_of
from tests.states import every_state
from tests.unit.presentation.every_page import Typed, every_page
from tests.unit.presentation.parsed_page import Page

FIELDS = [
    ("decide", "reason"), ("decide", "code"), ("reassign", "to"), ("reassign", "code"),
    ("reassign", "note"), ("requester", "reason"), ("confirm", "reason"), ("inbox", "chosen"),
    ("delegation", "delegate"), ("delegation", "from"), ("delegation", "until"),
    ("delegation", "reason"),
]  # fmt: skip
"""Each page with a form, and each of its fields."""
FORMS = ["decide", "reassign", "requester", "inbox", "confirm", "delegation"]
NO_FIELD = ["colour", ""]


def _page(name: str, error: str = "", field: str = "") -> Page:
    approval = approval_of(1, codeRequired=field == "code")
    return every_page(approval, "reject", Typed(error=error, field=field))[name]


def _focused(page: Page) -> list[dict[str, str | None]]:
    return [attributes for _, attributes in page.tags if "autofocus" in attributes]


@pytest.mark.parametrize(("name", "field"), FIELDS)
def test_a_field_in_error_says_so_and_has_focus(name: str, field: str) -> None:
    """Its description is the error, then its own hint; the summary at the top links to it."""
    page = _page(name, "is wrong", field)
    (wrong,) = _focused(page)
    assert (wrong["id"], wrong["aria-invalid"]) == (field, "true")
    described = (wrong["aria-describedby"] or "").split()
    assert described[0] == f"{field}-error"
    ids = [attributes["id"] for _, attributes in page.tags if attributes.get("id")]
    assert set(described) <= set(ids)
    assert len(ids) == len(set(ids)), "no id twice"
    assert f"#{field}" in [link["href"] for link in page.all("a")]
    assert "this is wrong." in page.text("a")
    assert "This is wrong." in page.text("p")
    assert page.html.index('role="alert"') < page.html.index("<h1")


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("field", NO_FIELD)
def test_an_error_about_no_field_of_the_page_has_focus_itself(name: str, field: str) -> None:
    """It names the field that a program sent, and links nowhere."""
    page = _page(name, "is unknown", field)
    (box,) = _focused(page)
    assert (box["role"], box["tabindex"]) == ("alert", "-1")
    assert not [link for link in page.all("a") if (link["href"] or "").startswith("#")]
    assert (f"{field}: this is unknown." if field else "this is unknown.") in page.text("p").lower()
    assert "aria-invalid" not in page.html.partition("</style>")[2]


@pytest.mark.parametrize("name", FORMS)
def test_the_title_begins_with_the_error(name: str) -> None:
    """Only if there is one; without it nothing is marked and nothing has focus."""
    right, wrong = _page(name), _page(name, "is wrong", "colour")
    assert wrong.text("title") == f"Error: {right.text('title')}"
    assert not _focused(right)
    assert "alert" not in [attributes.get("role") for _, attributes in right.tags]
    assert "aria-invalid" not in right.html.partition("</style>")[2]


def test_an_inbox_without_checkboxes_puts_the_error_at_the_top() -> None:
    """Requests with a code can't be selected, so there is no field to link to."""
    page = Page(every_state()["inbox codes alone"].html)
    assert [box.get("role") for box in _focused(page)] == ["alert"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("is not an e-mail address", "This is not an e-mail address."),
        ("please say why, it is required", "Please say why, it is required."),
        ("ada@example.com is or was asked already", "ada@example.com is or was asked already."),
        ("This is not the code from your mail.", "This is not the code from your mail."),
    ],
)
def test_an_error_is_a_sentence(text: str, shown: str) -> None:
    """An address keeps its small letter."""
    assert shown in Page(str(error_summary(FormError(text), ()))).text("p")


def test_every_field_has_a_name_in_the_summary() -> None:
    """Those of the console have tests of their own."""
    assert {field for _, field in FIELDS} | {"q", "number", "email", "url"} == LABELS.keys()


@pytest.mark.parametrize("state", every_state())
def test_a_page_has_one_heading_and_labels_its_fields(state: str) -> None:
    """In every state: one h1, a label for each visible field, ids that exist, one focus."""
    page = Page(every_state()[state].html)
    ids = [attributes["id"] for _, attributes in page.tags if attributes.get("id")]
    assert len(page.all("h1")) == 1
    assert page.text("title").strip()
    assert len(ids) == len(set(ids))
    assert len(_focused(page)) <= 1
    labelled = {label.get("for") for label in page.all("label")}
    visible = [one for one in page.all("input") if one.get("type") not in ("hidden", "checkbox")]
    assert {field["id"] for field in (*visible, *page.all("textarea"))} <= labelled
    for described in re.findall('aria-describedby="([^"]*)"', page.html):
        assert set(described.split()) <= set(ids)
