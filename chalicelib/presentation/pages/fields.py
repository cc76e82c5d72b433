"""Form fields and their errors. A field keeps what was typed; one in error says so and has focus.

A page runs no script, so the attribute `autofocus` moves the focus, which is where a screen reader
begins to read and what a browser scrolls into view.
"""

from collections.abc import Collection
from typing import NamedTuple

from ...domain.texts import REASON_CHARACTERS, visible
from ..wording import capital
from .markup import NOTHING, Markup

LABELS = {
    "reason": "Reason",
    "note": "Note",
    "code": "Code",
    "to": "Their e-mail address",
    "delegate": "E-mail address of the delegate",
    "from": "First day",
    "until": "Last day",
    "chosen": "Requests",
    "q": "Find",
    "number": "New deadline",
    "email": "E-mail address",
    "url": "Link of the invitation",
}
"""Field -> what an error summary calls it."""

_TEXTAREA = Markup(
    '<textarea id="{name}" name="{name}" rows="2" maxlength="{most}" dir="auto"{attributes}>'
    "{typed}</textarea>\n"
)
_EMAIL = Markup(
    '<input id="{name}" name="{name}" type="email" maxlength="254" value="{typed}"{attributes}>\n'
)
_DATE = Markup('<input id="{name}" name="{name}" type="date" value="{typed}"{attributes}>\n')
_URL = Markup(
    '<input id="{name}" name="{name}" type="url" maxlength="2048" value="{typed}"{attributes}>\n'
)
_CODE = Markup(
    '<input id="{name}" name="{name}" inputmode="numeric" autocomplete="one-time-code"'
    ' maxlength="40" value="{typed}"{attributes}>\n'
)

_REQUIRED = Markup(" required")
_LABELLED = Markup('<label for="{}">{}</label>\n{}{}')
_KEPT = Markup('<p class="author">You typed:</p>\n<blockquote dir="auto">{}</blockquote>\n')


class FormError(NamedTuple):
    """Why the last press of a button failed; `field` names the field at fault, if there is one."""

    text: str
    field: str = ""
    heading: str = "There is a problem"
    """What the press didn't do."""
    typed: str = ""
    """What was typed, where the page has no field that keeps it."""


def text_area(
    name: str, label: str, typed: str, error: FormError | None, *, required: bool | None = False
) -> Markup:
    """Return a field for a reason or note; `required` is None where that isn't known."""
    if required is not None:
        label = f"{label} ({'required' if required else 'optional'})"
    # HTML drops the first line break of a textarea, so one is added.
    return _field(name, label, _TEXTAREA, f"\n{visible(typed)}", error, required=bool(required))


def email_field(name: str, label: str, typed: str, error: FormError | None) -> Markup:
    """Return a required field for an e-mail address."""
    return _field(name, label, _EMAIL, visible(typed), error, required=True)


def link_field(name: str, label: str, typed: str, error: FormError | None) -> Markup:
    """Return a required field for a link."""
    return _field(name, label, _URL, visible(typed), error, required=True)


def date_field(
    name: str, label: str, typed: str, error: FormError | None, *, required: bool
) -> Markup:
    """Return a field for a day."""
    return _field(name, label, _DATE, visible(typed), error, required=required)


def code_field(typed: str, error: FormError | None) -> Markup:
    """Return the required field for the code from the mail."""
    return _field("code", "Code from your mail", _CODE, visible(typed), error, required=True)


def error_title(title: str, error: FormError | None) -> str:
    """Return the title of a page; screen readers read it first, so an error stands at its start."""
    return f"Error: {title}" if error else title


def error_summary(error: FormError | None, fields: Collection[str]) -> Markup:
    """Return the box at the top that says what is wrong, with a link to the field at fault.

    `fields` are those of the page. The box itself has focus if the error is about none of them.
    """
    if error is None:
        return NOTHING
    box = Markup('<div class="error" role="alert" tabindex="-1"{}>\n<h2>{}</h2>\n{}{}</div>\n')
    kept = _KEPT.format(visible(error.typed)) if error.typed else ""
    if error.field in fields:
        link = Markup('<p><a href="#{}">{}: {}</a></p>\n')
        said = link.format(error.field, LABELS[error.field], _said(error.text))
        return box.format("", error.heading, said, kept)
    named = f"{error.field}: {_said(error.text)}" if error.field else error.text
    said = Markup("<p>{}</p>\n").format(capital(_said(named))) if error.text else Markup("")
    return box.format(Markup(" autofocus"), error.heading, said, kept)


def field_error(name: str, error: FormError | None) -> Markup:
    """Return the error beside that field; empty if the error isn't about it."""
    if error is None or error.field != name:
        return NOTHING
    shown = Markup('<p class="wrong" id="{}-error"><strong>Error:</strong> {}</p>\n')
    return shown.format(name, capital(_said(error.text)))


def error_attributes(name: str, error: FormError | None) -> Markup:
    """Return the attributes that tie a field to its error."""
    if error is None or error.field != name:
        return NOTHING
    return Markup(' aria-describedby="{}-error" aria-invalid="true" autofocus').format(name)


def _field(
    name: str,
    label: str,
    html: Markup,
    typed: str,
    error: FormError | None,
    *,
    required: bool,
) -> Markup:
    attributes = error_attributes(name, error)
    if required:
        attributes += _REQUIRED
    shown = html.format(name=name, typed=typed, attributes=attributes, most=REASON_CHARACTERS)
    return _LABELLED.format(name, label, field_error(name, error), shown)


def _said(text: str) -> str:
    """Return an error's words with a full stop, and with a subject where the field's name was it.

    `is not an e-mail address`, said of a field, becomes `this is not an e-mail address.`
    """
    subject = "this " if text.startswith(("is ", "has ", "must ")) else ""
    return subject + text + ("" if text.endswith((".", "?", "!")) else ".")
