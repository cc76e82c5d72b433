"""CORE: approval -> subject and plain-text body of the mail that asks one approver.

SNS sends the text as it is and appends its own footer. Lines end by column 78; each link stands
alone on its line; what the requester wrote is quoted, so it can't pass for ours.
"""

import textwrap
import unicodedata
from datetime import datetime
from typing import NamedTuple

from .approval import Approval, Mail
from .links import decision_link
from .wording import asker, detail_rows, needed, progress, span, when

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


def ask(
    approval: Approval, promise: Mail, link_secret: str, public_url: str, now: datetime
) -> Email:
    """Return the mail that asks an approver, with the two links that are theirs alone."""
    opening, subject = _opening(approval, promise)
    approve = decision_link(public_url, "approve", approval.id, link_secret)
    reject = decision_link(public_url, "reject", approval.id, link_secret)
    facts = [
        ("Asked by", asker(approval)),
        ("Answer by", f"{when(approval.expires_at)} (in {span(approval.expires_at - now)})"),
        ("Needed", needed(approval)),
        ("So far", progress(approval)),
    ]
    parts = [
        _filled(opening),
        _filled(approval.request.subject, "    "),
        *_note(approval, promise.to),
        "\n".join(_fact(name, value) for name, value in facts),
        *_details(approval),
        f"APPROVE - open this page and press the button there:\n{approve}",
        f"REJECT - open this page and press the button there:\n{reject}",
        "Opening a page decides nothing; only the button on it does.\n"
        "Both links are yours alone, so please don't forward this mail.\n"
        "The link to unsubscribe, further down, would stop these mails.",
    ]
    return Email(
        _subject(f"{subject}: {approval.request.subject}"), subject, "\n\n".join(parts) + "\n"
    )


def _opening(approval: Approval, promise: Mail) -> tuple[str, str]:
    """Return the first sentence and the beginning of the subject line."""
    match promise.about:
        case "request":
            return f"{promise.to}, your decision is needed:", "Approval needed"
        case "reminder":
            return f"{promise.to}, your decision is still needed:", "Reminder, approval needed"
        case "escalation":
            asked = "you are asked too, because it hasn't been decided in time"
            return f"{promise.to}, {asked}:", "Approval needed"
        case "reassignment":
            before = next(a.address for a in approval.approvers if a.replaced_by == promise.to)
            return f"{promise.to}, you are asked instead of {before}:", "Approval needed"


def _note(approval: Approval, address: str) -> list[str]:
    note = approval.approver(address).note
    return [f"They wrote to you:\n\n{_quoted(note)}"] if note else []


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
    return [f"Details, as the requester wrote them:\n\n{_quoted(text)}"]


def _quoted(text: str) -> str:
    return "\n".join(_filled(line, "| ") if line.strip() else "|" for line in text.split("\n"))


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
