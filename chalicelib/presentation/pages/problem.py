"""The page for an error that isn't about one approval: a bad link, a fault."""

from ...domain.errors import AssentError
from .parts import fill, page


def problem_page(error: AssentError, reference: str) -> str:
    """Return the page for an error that isn't about one approval: a bad link, a fault."""
    heading = {
        404: "Nothing found here",
        410: "This link is out of date",
        413: "That is too much text",
    }.get(
        error.status, "That didn't work" if error.status < 500 else "Please try again in a moment"
    )
    small = f"If you ask somebody about this, give them the reference {reference}."
    return page(heading, None, fill("problem", heading=heading, text=error.message, small=small))
