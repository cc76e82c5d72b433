"""The parts that several pages share, and the templates they fill.

Templates are the `.html` files in this folder, with `{names}` to fill. MarkupSafe escapes every
value that isn't Markup made here. (Why not Jinja2: docs/decisions/0002.)
"""

import base64
import hashlib
from collections.abc import Collection, Iterable
from datetime import datetime
from functools import cache
from pathlib import Path

from markupsafe import Markup

from ...domain.approval import Approval, Choice
from ..wording import deadline, detail_rows, needed, progress, requester, when
from .fields import FormError, error_summary, error_title

Mood = Choice | None
"""The choice that gives a page its colour, if any."""

_HERE = Path(__file__).parent
_LONG = 1_500
"""Details of more characters are folded, so that the button stays in sight."""
_STYLE = (_HERE / "style.css").read_text()

HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": "default-src 'none'; style-src 'sha256-"
    + base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    + "'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Frame-Options": "DENY",
}
"""Headers of every page. The policy allows our style by its hash, and no script at all."""

ROOT = "../"
"""The relative address of the folder that all pages are in, as seen from one of them."""


def page(
    title: str,
    mood: Mood,
    content: Markup,
    error: FormError | None = None,
    fields: Collection[str] = (),
) -> str:
    """Return the whole page; `error` is summed up before its content, which has these fields."""
    style = Markup(_STYLE)  # noqa: S704 (our own file)
    filled = fill(
        "layout",
        title=error_title(title, error),
        mood=mood or "",
        summary=error_summary(error, fields),
        content=content,
        style=style,
    )
    return str(filled)


def fill(template: str, **values: object) -> Markup:
    """Return that template with these values, escaped unless they are Markup."""
    return _template(template).format(**values)


def joined(parts: Iterable[Markup]) -> Markup:
    """Return the parts as one."""
    return Markup("").join(parts)


def notice_box(message: str) -> Markup:
    """Return what to know before pressing the button; empty if there is nothing."""
    return Markup('<p class="notice">{}</p>').format(message) if message else Markup("")


def facts(approval: Approval, now: datetime, reader: str = "") -> Markup:
    """Return requester and progress, for the reader of that address.

    While an answer is waited for, also deadline and quorum.
    """
    still_open = [("Answer by", deadline(approval, now)), ("Needed", needed(approval, reader))]
    rows = [
        ("Asked by", requester(approval)),
        ("Asked on", when(approval.created_at)),
        *(still_open if approval.outcome == "pending" else []),
        ("So far" if approval.outcome == "pending" else "Decisions", progress(approval)),
    ]
    row = Markup("<dt>{}</dt><dd>{}</dd>\n")
    return Markup("<dl>\n{}</dl>").format(joined(row.format(*r) for r in rows))


def details(approval: Approval, *, unfolded: bool = False) -> Markup:
    """Return the details; empty if there are none, folded if they are long."""
    shown = approval.request.details
    fold = Markup if unfolded else _folded
    if not shown:
        return Markup("")
    if isinstance(shown, str):
        return fold(Markup('<div class="prose" dir="auto">{}</div>').format(shown))
    row = Markup('<tr><th scope="row" dir="auto">{}</th><td dir="auto">{}</td></tr>\n')
    rows = joined(row.format(*r) for r in detail_rows(approval))
    return fold(Markup("<table>\n{}</table>").format(rows))


def _folded(shown: Markup) -> Markup:
    if len(shown) <= _LONG:
        return shown
    return Markup("<details><summary>Details</summary>\n{}\n</details>").format(shown)


@cache
def _template(name: str) -> Markup:
    return Markup((_HERE / f"{name}.html").read_text())  # noqa: S704 (our own file)
