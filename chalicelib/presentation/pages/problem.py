"""Pages for errors that aren't about one approval: a bad link, a fault."""

from collections.abc import Sequence

from ...domain.errors import AssentError
from .fields import LABELS, text_area
from .markup import Markup
from .parts import Page, fill, page

_HIDDEN = Markup('<input type="hidden" name="{}" value="{}">\n')
_TYPED = ("reason", "note")
_HEADINGS = {
    404: "Nothing found here",
    410: "This link is out of date",
    413: "That is too much text",
}
NOT_RECORDED = {
    "approve": "your approval",
    "reject": "your rejection",
    "reassign": "the reassignment",
    "inbox": "your decisions",
    "delegation": "your delegation",
    "cancel": "this",
}
"""Route of a link -> what its button records."""


def problem_page(error: AssentError, reference: str) -> Page:
    """Return the page for a bad link, or for a fault when there was nothing to record."""
    other = "That didn't work" if error.status < 500 else "Please try again in a moment"
    heading = _HEADINGS.get(error.status, other)
    small = f"If you ask somebody about this, give them the reference {reference}."
    return page(heading, None, fill("problem", heading=heading, text=error.message, small=small))


def unavailable_page(
    route: str, sent: Sequence[tuple[str, str]], reference: str, *, counts_once: bool = True
) -> Page:
    """Return the page for a press of a button that a fault of AWS met; `sent` are its fields.

    What was typed stays in sight, and the same press can be made again: whether the first one was
    recorded isn't known, and the second one changes nothing then. It is made of nothing stored.
    """
    heading = f"We couldn't record {NOT_RECORDED.get(route, 'this')} yet"
    typed = [
        text_area(name, LABELS[name], text, None, required=None)
        for name, text in sent
        if name in _TYPED
    ]
    hidden = [_HIDDEN.format(name, text) for name, text in sent if name not in _TYPED]
    content = fill(
        "unavailable",
        heading=heading,
        safe="Trying again is safe: it counts once. " if counts_once else "",
        hidden=Markup("").join(hidden),
        typed=Markup("").join(typed),
        reference=reference,
    )
    return Page(f"Error: {heading}", "wrong", content)
