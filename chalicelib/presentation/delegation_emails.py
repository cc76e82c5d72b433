"""The mails that tell an approver and their delegate of a delegation, and of its end.

They ask nothing and hold no link.
"""

from ..domain.addresses import same_person
from ..domain.delegation import Delegation
from .mail_text import UNSUBSCRIBE, Email, attributed
from .wording import capital, in_mail, when

_UNWANTED = (
    "If this is wrong, end it: your inbox, the last link of each mail that asks you to decide, has "
    "a page for it. Or ask an operator to end it."
)


def write_email(absent: str, delegation: Delegation, to: str, *, name: str = "") -> Email:
    """Return the mail that tells `to`, the absent approver or the delegate.

    `name` is the stage's, of an organisation for example, and stands behind the subject.
    """
    own = same_person(to, absent)
    subject, opening = _opening(absent, delegation, own=own)
    facts = [("From", when(delegation.from_)), ("Until", when(delegation.until))]
    if delegation.ended:
        facts = [("Ended on", when(delegation.until))]
    author = _author(absent, delegation)
    parts = [
        f"{in_mail(to)}, {opening}",
        "\n".join(f"{fact}: {value}" for fact, value in [*facts, ("By", author)]),
        *([attributed(capital(author), delegation.reason)] if delegation.reason else []),
        *([_UNWANTED] if own and not delegation.ended else []),
        "Requests that were sent before are not changed. You don't need to do anything.",
        UNSUBSCRIBE,
    ]
    text = "\n\n".join(parts) + "\n"
    return Email(f"{subject} [{name}]" if name else subject, subject, text)


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
    return f"an operator (as {in_mail(delegation.by)})" if named else "an operator"
