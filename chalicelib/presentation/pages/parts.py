"""The parts that several pages share, and the templates they fill.

Templates are `.html` files of this folder or another one, with `{names}` to fill. MarkupSafe
escapes every value that isn't Markup made here. (Why not Jinja2: docs/decisions/0002.)
"""

import base64
import hashlib
from collections.abc import Collection, Iterable
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import NamedTuple

from ...domain.approval import Approval, Choice
from ..groups import counted_for
from ..wording import capital, deadline, past, quorum, requester, when
from .fields import FormError, error_summary, error_title
from .markup import NOTHING, Markup

Mood = Choice | None
"""The choice that gives a page its colour, if any."""

_HERE = Path(__file__).parent
STYLE = Markup((_HERE / "style.css").read_text())  # noqa: S704 (our own file)
_SIGNS: dict[Choice, str] = {"approve": "check", "reject": "cross"}
"""The class that puts a sign before a button's words: not everybody can tell the colours apart."""
_BUTTON = Markup('<button class="{}"{}>{}</button>')
_CHOSEN = Markup(' name="choice" value="{}"')
_NOTICE = Markup('<p class="notice">{}</p>\n')
_ASKS = Markup("<strong>{}</strong> asks. Answer by <strong>{}</strong>{}.")
_FACT = Markup("<dt>{}</dt><dd>{}</dd>\n")
_REASON = Markup('<blockquote class="reason" dir="auto">{}</blockquote>')
_BRAND = Markup('<p class="brand">{}</p>\n')
_BAR = Markup('<header class="bar">\n{}{}</header>\n')
_QUORUM = Markup('<p class="quorum">{}</p>\n')


def page_headers(style: str) -> dict[str, str]:
    """Return the headers of pages in that style, which the policy allows by its hash; no script."""
    hashed = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{hashed}'; img-src "
        "data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        "X-Frame-Options": "DENY",
    }


HEADERS = page_headers(STYLE)
"""Headers of every page in STYLE."""

ROOT = "../"
"""The relative address of the folder that all pages are in, as seen from one of them."""


class Page(NamedTuple):
    """A page without its frame; `mood` has the classes that colour it."""

    title: str
    mood: str
    content: Markup
    bar: Markup = NOTHING
    """What stands above the page, beside the name of the stage."""
    style: Markup = STYLE

    def html(self, name: str = "") -> str:
        """Return the whole page; `name` is the stage's, of an organisation for example."""
        brand = _BRAND.format(f"Assent · {name}" if name else "Assent")
        return str(
            fill(
                "layout",
                title=self.title,
                mood=self.mood,
                bar=_BAR.format(brand, self.bar) if self.bar else "",
                content=self.content if self.bar else brand + self.content,
                style=self.style,
            )
        )


def page(
    title: str,
    mood: Mood,
    content: Markup,
    error: FormError | None = None,
    fields: Collection[str] = (),
) -> Page:
    """Return the page; `error` is summed up before its content, which has these fields."""
    classes = [mood or "", "wrong" if error else ""]
    summary = error_summary(error, fields)
    return Page(error_title(title, error), " ".join(filter(None, classes)), summary + content)


def fill(template: str, folder: Path = _HERE, /, **values: object) -> Markup:
    """Return that template of a folder with these values, escaped unless they are Markup."""
    return _template(folder, template).format(**values)


def joined(parts: Iterable[Markup]) -> Markup:
    """Return the parts as one."""
    return NOTHING.join(parts)


def facts(rows: Iterable[tuple[str, str | Markup]]) -> Markup:
    """Return names and values as the rows of a `<dl>`."""
    return joined(_FACT.format(*row) for row in rows)


def choice_button(
    choice: Choice, words: str, *, chosen: bool = False, outline: bool = False
) -> Markup:
    """Return the button of a choice, with its colour and its sign.

    `chosen` sends the choice along; `outline` tells it from a filled button beside it.
    """
    classes = f"{choice} {'outline ' if outline else ''}{_SIGNS[choice]}"
    sent = _CHOSEN.format(choice) if chosen else ""
    return _BUTTON.format(classes, sent, words)


def notice_box(message: str) -> Markup:
    """Return what to know before pressing the button; empty if there is nothing."""
    return _NOTICE.format(message) if message else NOTHING


def asks(approval: Approval, now: datetime) -> Markup:
    """Return who asks, and until when an answer is waited for."""
    who = requester(approval)
    day, left = deadline(approval, now)
    return _ASKS.format(capital(who), day, f" ({left})" if left else "")


def quorum_line(approval: Approval) -> Markup:
    """Return how many approvals are needed, and how many there are; empty for one approver."""
    said = quorum(approval)
    return _QUORUM.format(said) if said else NOTHING


def quotation(author: str, text: str) -> Markup:
    """Return what a person wrote, under their name."""
    shown = Markup('<p class="author">{} wrote:</p>\n<blockquote dir="auto">{}</blockquote>\n')
    return shown.format(author, text)


def reason(text: str) -> Markup:
    """Return the reason or note that a person gave, as a quotation."""
    return _REASON.format(text)


def about(approval: Approval) -> Markup:
    """Return the subject as a quotation, with who asked and when."""
    shown = Markup(
        '<p class="author">Asked by {} on {}:</p>\n'
        '<blockquote class="about" dir="auto">{}</blockquote>\n'
    )
    return shown.format(requester(approval), when(approval.created_at), approval.request.subject)


def decisions(approval: Approval) -> Markup:
    """Return each decision with its reason as a quotation; empty if there is none."""
    item, counted = Markup("<li><strong>{}</strong> {}{} on {}{}</li>\n"), counted_for(approval)
    items = joined(
        item.format(
            a.address,
            past(d.choice),
            counted.get(a.address, ""),
            when(d.decided_at),
            (Markup(":") + reason(d.reason)) if d.reason else "",
        )
        for a, d in approval.decisions
    )
    return Markup('<ul class="decisions">\n{}</ul>\n').format(items) if items else items


@cache
def _template(folder: Path, name: str) -> Markup:
    return Markup((folder / f"{name}.html").read_text())  # noqa: S704 (our own file)
