"""The page on which an approver says who decides while they are away."""

from ...domain.addresses import same_person
from ...domain.delegation import Delegation
from ..wording import capital, when
from .fields import FormError, date_field, email_field, text_area
from .markup import Markup
from .parts import ROOT, Page, facts, fill, page, quotation

_END = Markup(
    '<button class="reject outline" name="end" value="yes" formnovalidate>'
    "End this delegation</button>"
)
"""Behind the other button, which Enter presses; it needs no field filled in."""

_FIRST = "First day, in UTC (empty: from now on)"


def delegation_page(
    address: str,
    delegation: Delegation | None,
    *,
    token: str,
    root: str = ROOT,
    to: str = "",
    first: str = "",
    last: str = "",
    reason: str = "",
    error: FormError | None = None,
) -> Page:
    """Return the page with the delegation that is or will be in force, and a form for another."""
    label = f"E-mail address of {'another' if delegation else 'the'} delegate"
    heading = f"{delegation.delegate} is your delegate" if delegation else "You have no delegate"
    return page(
        heading,
        None,
        fill(
            "delegation",
            address=address,
            heading=heading,
            current=_current(address, delegation) if delegation else "",
            end=_END if delegation else "",
            delegate=email_field("delegate", label, to, error),
            first=date_field("from", _FIRST, first, error, required=False),
            last=date_field("until", "Last day, in UTC", last, error, required=True),
            reason=text_area("reason", "Reason", reason, error),
            token=token,
            root=root,
        ),
        error,
        ("delegate", "from", "until", "reason"),
    )


def _current(address: str, delegation: Delegation) -> Markup:
    """Return what is or will be in force, and who wrote it."""
    author = _author(address, delegation) if delegation.by else "Somebody"
    rows = [
        ("From", when(delegation.from_)),
        ("Until", when(delegation.until)),
        *([("Set by", author)] if delegation.by else []),
    ]
    said = delegation.reason and quotation(capital(author), delegation.reason)
    return Markup("<dl>\n{}</dl>\n").format(facts(rows)) + said


def _author(address: str, delegation: Delegation) -> str:
    if not delegation.principal:
        return "you" if same_person(address, delegation.by) else delegation.by
    named = delegation.by != delegation.principal
    return f"an operator (as {delegation.by})" if named else "an operator"
