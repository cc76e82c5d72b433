"""The page on which an approver says who decides while they are away."""

from markupsafe import Markup

from ...domain.addresses import same_person
from ...domain.delegation import Delegation
from ...domain.texts import visible
from ..wording import when
from .parts import ROOT, error_box, fill, joined, page, reason_box

_END = Markup(
    '<button class="reject" name="end" value="yes" formnovalidate>End this delegation</button>'
)
"""Behind the other button, which Enter presses; it needs no field filled in."""


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
    error: str = "",
) -> str:
    """Return the page with the delegation that is or will be in force, and a form for another."""
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
            error=error_box(error),
            delegate_label="E-mail address of another delegate"
            if delegation
            else "E-mail address of the delegate",
            to=visible(to),
            first=visible(first),
            last=visible(last),
            **reason_box(required=False, reason=reason),
            token=token,
            root=root,
        ),
    )


def _current(address: str, delegation: Delegation) -> Markup:
    """Return what is or will be in force, and who wrote it."""
    rows = [
        ("From", when(delegation.from_)),
        ("Until", when(delegation.until)),
        *([("Reason", delegation.reason)] if delegation.reason else []),
        *([("Set by", _author(address, delegation))] if delegation.by else []),
    ]
    row = Markup('<dt>{}</dt><dd dir="auto">{}</dd>\n')
    return Markup("<dl>\n{}</dl>").format(joined(row.format(*one) for one in rows))


def _author(address: str, delegation: Delegation) -> str:
    if not delegation.principal:
        return "you" if same_person(address, delegation.by) else delegation.by
    named = delegation.by != delegation.principal
    return f"an operator, as {delegation.by}" if named else "an operator"
