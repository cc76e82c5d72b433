"""CORE: approval -> subject and plain-text body of the mail that asks one approver.

SNS sends the text as it is and appends its own footer. Lines end by column 78; each link stands
alone on its line; what the requester wrote is quoted, so it can't pass for ours.
"""

import textwrap
import unicodedata
from typing import NamedTuple

from .approval import Approval
from .links import decision_link
from .wording import asker, detail_rows, needed, progress, when

COLUMNS = 78
SUBJECT_CHARACTERS = 99
"""SNS wants fewer than 100 (botocore's model of `Publish`)."""


class Email(NamedTuple):
    """What SNS publishes.

    The model of `Publish` takes UTF-8 subjects, other pages of AWS say ASCII: should SNS refuse
    `subject`, there is `ascii_subject` (docs/fidelity.md).
    """

    subject: str
    ascii_subject: str
    text: str


def ask(approval: Approval, address: str, link_secret: str, public_url: str) -> Email:
    """Return the mail that asks `address`, with the two links that are theirs alone."""
    approve = decision_link(public_url, "approve", approval.id, link_secret)
    reject = decision_link(public_url, "reject", approval.id, link_secret)
    facts = [
        ("Asked by", asker(approval)),
        ("Answer by", when(approval.expires_at)),
        ("Needed", needed(approval)),
        ("So far", progress(approval)),
    ]
    parts = [
        _filled(f"{address}, your decision is needed:"),
        _filled(approval.request.subject, "    "),
        "\n".join(_fact(name, value) for name, value in facts),
        *_details(approval),
        f"APPROVE - open this page and press the button there:\n{approve}",
        f"REJECT - open this page and press the button there:\n{reject}",
        "Opening a page decides nothing; only the button on it does.\n"
        "Both links are yours alone, so please don't forward this mail.\n"
        "The link to unsubscribe, further down, would stop these mails.",
    ]
    subject = _subject(f"Approval needed: {approval.request.subject}")
    return Email(subject, "Approval needed", "\n\n".join(parts) + "\n")


def _subject(text: str) -> str:
    if len(text) <= SUBJECT_CHARACTERS:
        return text
    return text[: SUBJECT_CHARACTERS - 3].rstrip() + "..."


def _fact(name: str, value: str) -> str:
    return _filled(value, " " * 11, first=f"{name + ':':<11}")


def _details(approval: Approval) -> list[str]:
    details = approval.request.details
    if not details:
        return []
    if isinstance(details, str):
        text = details
    else:
        text = "\n".join(f"{label}: {value}" for label, value in detail_rows(approval))
    quoted = "\n".join(_filled(line, "| ") if line.strip() else "|" for line in text.split("\n"))
    return [f"Details, as the requester wrote them:\n\n{quoted}"]


def _filled(text: str, indent: str = "", *, first: str | None = None) -> str:
    """Return the text wrapped; characters of double width (CJK, emoji) take two columns."""
    wide = any(unicodedata.east_asian_width(character) in "WF" for character in text)
    lines = textwrap.wrap(
        text,
        width=COLUMNS // 2 if wide else COLUMNS,
        initial_indent=indent if first is None else first,
        subsequent_indent=indent,
        break_on_hyphens=False,
    )
    return "\n".join(lines)
