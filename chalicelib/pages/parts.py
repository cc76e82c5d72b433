"""CORE: what pages are made of: templates and the parts that several of them share.

Templates are the `.html` files beside this one, with `{names}` to fill. MarkupSafe fills them:
every value is escaped unless it is Markup made here. (Why not Jinja2: docs/decisions/0002.)
"""

import base64
import hashlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from markupsafe import Markup

from ..approval import Approval
from ..wording import detail_rows, needed, progress, requester, when

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
"""What every page needs to be shown; the style is allowed by its hash, scripts not at all."""


CODE = Markup(
    '<label for="code">Code from your mail</label>\n'
    '<input id="code" name="code" inputmode="numeric" autocomplete="one-time-code"'
    ' maxlength="9" required>'
)


def error_box(message: str) -> Markup:
    """Return what was wrong with the last press, or nothing."""
    if not message:
        return Markup("")
    return Markup('<p class="error" role="alert">{}</p>').format(message)


def facts(approval: Approval) -> Markup:
    """Return who asks, until when, and how it stands."""
    rows = [
        ("Asked by", requester(approval)),
        ("Asked on", when(approval.created_at)),
        ("Answer by", when(approval.expires_at)),
        ("Needed", needed(approval)),
        ("So far", progress(approval)),
    ]
    row = Markup("<dt>{}</dt><dd>{}</dd>\n")
    return Markup("<dl>\n{}</dl>").format(joined(row.format(*r) for r in rows))


def details(approval: Approval, *, whole: bool = False) -> Markup:
    """Return what is asked in full, nothing if there is no more; behind one tap if it is long."""
    asked = approval.request.details
    fold = Markup if whole else _folded
    if not asked:
        return Markup("")
    if isinstance(asked, str):
        return fold(Markup('<div class="prose" dir="auto">{}</div>').format(asked))
    row = Markup('<tr><th scope="row" dir="auto">{}</th><td dir="auto">{}</td></tr>\n')
    rows = joined(row.format(*r) for r in detail_rows(approval))
    return fold(Markup("<table>\n{}</table>").format(rows))


def _folded(shown: Markup) -> Markup:
    if len(shown) <= _LONG:
        return shown
    return Markup("<details><summary>Details</summary>\n{}\n</details>").format(shown)


def page(title: str, mood: str, content: Markup) -> str:
    """Return the whole page; `mood` is the choice that gives it its colour, if any."""
    return str(
        filled("layout", title=title, mood=mood, content=content, style=Markup(_STYLE))  # noqa: S704 (our own file)
    )


def filled(template: str, **values: object) -> Markup:
    """Return that template with these values, escaped unless they are Markup."""
    return _template(template).format(**values)


@cache
def _template(name: str) -> Markup:
    return Markup((_HERE / f"{name}.html").read_text())  # noqa: S704 (our own file)


def joined(parts: Iterable[Markup]) -> Markup:
    """Return them as one."""
    return Markup("").join(parts)
