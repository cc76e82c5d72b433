"""The console's pages for errors that aren't about what was typed: no session, nothing found."""

from ...domain.errors import AssentError, LinkOver, SignInNeeded
from ..pages.parts import Page
from .frame import fill, plain_page

_HEADINGS = {404: "Nothing found here", 403: "Not permitted", 413: "That is too much text"}


def console_problem(error: AssentError, root: str, reference: str) -> Page:
    """Return the page for an error, with the way back, or the way in."""
    if isinstance(error, SignInNeeded | LinkOver):
        return signed_out_page("Please sign in", error.message)
    heading = _HEADINGS.get(error.status, "That didn't work")
    content = fill("problem", heading=heading, text=error.message, root=root, reference=reference)
    return plain_page(heading, content)


def signed_out_page(heading: str, text: str) -> Page:
    """Return the page for a reader without a session, and how to get one."""
    return plain_page(heading, fill("signed_out", heading=heading, text=text))
