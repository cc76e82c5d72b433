"""What all pages of the console share: the bar with its links, the style, the forms' token."""

from collections.abc import Collection, Mapping
from datetime import datetime
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from ..pages import parts
from ..pages.fields import FormError, error_summary, error_title
from ..pages.markup import NOTHING, Markup
from ..pages.parts import Page, joined

_STYLE = parts.STYLE + Markup(Path(__file__).with_name("console.css").read_text("utf-8"))  # noqa: S704 (our own file)
HEADERS = parts.page_headers(_STYLE) | {"Referrer-Policy": "same-origin"}
"""Headers of every page. With `no-referrer` browsers send forms with the origin `null`."""

PLACES = {
    "": "Approvals",
    "/approvers": "Approvers",
    "/policies": "Policies",
    "/figures": "Figures",
    "/sessions": "Sessions",
}
"""Path below `/console` -> the name of a page that the bar leads to."""

_FOLDER = Path(__file__).parent
_LINK = Markup('<li><a href="{}console{}"{}>{}</a></li>\n')
_HERE = Markup(' aria-current="page"')
_NAVIGATION = Markup('<nav aria-label="Console">\n<ul>\n{}</ul>\n</nav>\n')
_TOKEN = Markup('<input type="hidden" name="csrf" value="{}">\n')
_SIGN_OUT = Markup(
    '<form method="post" action="{}console/sign-out">\n{}<button class="plain">Sign out</button>\n'
    "</form>\n"
)
_APPROVER = Markup('<a href="{}">{}</a>')
_POLICY = Markup('<a href="{}console/policies/{}">{}</a>')
_NEXT = Markup('<p><a class="other" href="?{}">Next page</a></p>\n')
_OPTION = Markup('<option value="{}"{}>{}</option>\n')
_SELECTED = Markup(" selected")
_WHO = Markup('<p class="fact">{}{}</p>\n')
_NOTICE = Markup('<p class="notice" role="status" tabindex="-1" autofocus>{}</p>\n')


class Visit(NamedTuple):
    """Who looks at a page of the console, and when."""

    session_id: str
    principal: str
    may_operate: bool
    form_token: str
    root: str
    """The relative address of the folder that has `console` in it."""
    at: datetime


def console_page(
    visit: Visit,
    place: str,
    title: str,
    content: Markup,
    *,
    notice: str = "",
    error: FormError | None = None,
    fields: Collection[str] = (),
) -> Page:
    """Return a page of the console; `place` is the one of PLACES that it belongs to.

    `notice` says what the last press did, `error` why it did nothing.
    """
    links = joined(
        _LINK.format(visit.root, path, _HERE if path == place else "", name)
        for path, name in PLACES.items()
    )
    name = visit.principal.rpartition("/")[2]
    who = _WHO.format(name, "" if visit.may_operate else " (read only)")
    bar = _NAVIGATION.format(links) + who + _SIGN_OUT.format(visit.root, token_field(visit))
    said = _NOTICE.format(notice) if notice else NOTHING
    mood = "console wrong" if error else "console"
    content = error_summary(error, fields) + said + content
    return Page(error_title(title, error), mood, content, bar, _STYLE)


def plain_page(title: str, content: Markup) -> Page:
    """Return a page of the console for a reader who isn't signed in."""
    return Page(title, "", content, style=_STYLE)


def approver_link(visit: Visit, address: str) -> Markup:
    """Return an approver's address as a link to their page."""
    return _APPROVER.format(approver_href(visit, address), address)


def approver_href(visit: Visit, address: str) -> str:
    """Return the relative address of an approver's page."""
    return f"{visit.root}console/approvers/{quote(address, safe='@')}"


def policy_link(visit: Visit, name: str) -> Markup:
    """Return a policy's name as a link to its page."""
    return _POLICY.format(visit.root, name, name)


def next_page(query: str) -> Markup:
    """Return the link to the next page of a list; empty if there is none."""
    return _NEXT.format(query) if query else NOTHING


def options(choices: Mapping[str, str], chosen: str) -> Markup:
    """Return the options of a select: value -> words."""
    return joined(
        _OPTION.format(value, _SELECTED if value == chosen else "", words)
        for value, words in choices.items()
    )


def token_field(visit: Visit) -> Markup:
    """Return the hidden field by which a form shows that one of our pages sent it."""
    return _TOKEN.format(visit.form_token)


def fill(template: str, **values: object) -> Markup:
    """Return that template of this folder with these values, escaped unless they are Markup."""
    return parts.fill(template, _FOLDER, **values)
