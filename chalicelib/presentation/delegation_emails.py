"""The mails that tell an approver and their delegate of a delegation, and of its end.

They ask nothing and hold no link.
"""

from ..domain.addresses import same_person
from ..domain.delegation import Delegation
from .emails import Email, quoted
from .layout import wrap
from .wording import in_mail, when

_UNWANTED = (
    "If this is wrong, end it: your inbox, the last link of each mail that asks you to decide, has "
    "a page for it. Or ask an operator to end it."
)


def write_email(absent: str, delegation: Delegation, to: str) -> Email:
    """Return the mail that tells `to`, the absent approver or the delegate."""
    own = same_person(to, absent)
    subject, opening = _opening(absent, delegation, own=own)
    facts = [("From", when(delegation.from_)), ("Until", when(delegation.until))]
    if delegation.ended:
        facts = [("Ended on", when(delegation.until))]
    lines = [*facts, ("By", _author(absent, delegation))]
    parts = [
        wrap(f"{in_mail(to)}, {opening}"),
        "\n".join(wrap(value, " " * 10, first=f"{f'{name}:':<10}") for name, value in lines),
        *([quoted(delegation.reason)] if delegation.reason else []),
        *([wrap(_UNWANTED)] if own and not delegation.ended else []),
        wrap("Requests that were sent before are not changed. You don't need to do anything."),
    ]
    return Email(subject, subject, "\n\n".join(parts) + "\n")


def _opening(absent: str, delegation: Delegation, *, own: bool) -> tuple[str, str]:
    delegate, person = in_mail(delegation.delegate), in_mail(absent)
    if delegation.ended:
        words = (
            f"new requests to you are sent to you again, and not to {delegate}."
            if own
            else f"new requests to {person} are not sent to you any more."
        )
        return "Delegation ended", words
    if own:
        return "Delegation", f"new requests to you are sent to {delegate}, who decides for you."
    return "Delegation", f"new requests to {person} are sent to you: you decide for them."


def _author(absent: str, delegation: Delegation) -> str:
    """Return who wrote or ended it. An operator's name is what the operator claims."""
    if not delegation.principal:
        return in_mail(absent)
    named = delegation.by != delegation.principal
    return f"an operator, as {in_mail(delegation.by)}" if named else "an operator"
