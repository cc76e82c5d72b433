"""CORE: approval -> subject and plain-text body of the mail that asks one approver.

SNS sends the text as it is and appends its own footer. Lines end by column 78; each link stands
alone on its line; what the requester wrote is quoted, so it can't pass for ours.
"""

import re
import textwrap
import unicodedata
from datetime import datetime
from typing import NamedTuple

from .approval import Approval, Mail
from .links import Page, Secret, link
from .request import same_person
from .wording import (
    detail_rows,
    needed,
    outcome_word,
    past,
    progress,
    requester,
    span,
    was,
    when,
    withdrawn_because,
)

COLUMNS = 78
DETAIL_LINES = 40
"""More than these stand on the page alone, so that the links are not out of sight."""
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


def write(
    approval: Approval,
    promise: Mail,
    secret: Secret,
    public_url: str,
    now: datetime,
) -> Email:
    """Return the mail that keeps this promise; the links in it are its reader's alone."""

    def page(name: Page) -> str:
        return link(public_url, name, approval.id, secret.root if name == "mine" else secret.link)

    everything = f"ALL THAT WAITS FOR YOU - open this page, it is yours alone:\n{page('mine')}"
    if promise.about == "outcome":
        listed = [_PRIVATE, everything] if approval.holds_link(promise) else []
        return _outcome(approval, promise, *listed)
    left = f"{when(approval.expires_at)} (in {span(approval.expires_at - now)})"
    facts = [("Answer by", left), ("Needed", needed(approval)), ("So far", progress(approval))]

    if promise.about == "receipt":
        return _email(
            "Asked",
            approval,
            f"{promise.to}, this was asked in your name:",
            _facts([("Asked", ", ".join(a.address for a in approval.asked)), *facts]),
            f"WITHDRAW - open this page and press the button there:\n{page('cancel')}",
            _ENDING,
        )
    opening, subject = _opening(approval, promise)
    return _email(
        subject,
        approval,
        opening,
        *_note(approval, promise.to),
        _facts([("Asked by", requester(approval)), *facts]),
        *_details(approval),
        *(
            [f"CODE - the page asks for it:\n{secret.code}"]
            if approval.request.code_required
            else []
        ),
        f"APPROVE - open this page and press the button there:\n{page('approve')}",
        f"REJECT - open this page and press the button there:\n{page('reject')}",
        _ENDING,
        everything,
    )


_PRIVATE = "Whoever has these links decides in your name, so please don't forward them."
_ENDING = (
    "Opening a page decides nothing; only the button on it does.\n"
    f"{_PRIVATE}\n"
    "The link to unsubscribe, further down, would stop these mails."
)


def _outcome(approval: Approval, promise: Mail, *ending: str) -> Email:
    """Return the news of what came of it, with every reason given."""
    asked = approval.requester is not None and same_person(promise.to, approval.requester.address)
    whose = "your request" if asked else "this"
    because = withdrawn_because(approval)
    said = [
        f"{approver.address} {past(decision.choice)} on {when(decision.decided_at)}"
        + (f":\n\n{_quoted(decision.reason)}" if decision.reason else ".")
        for approver, decision in approval.decisions
    ]
    return _email(
        outcome_word(approval).capitalize(),
        approval,
        f"{promise.to}, {whose} {was(approval)}:",
        *([_quoted(because)] if because else []),
        *said,
        "Nothing more is asked of you about this.",
        *ending,
    )


def _email(subject: str, approval: Approval, opening: str, *parts: str) -> Email:
    about = approval.request.subject
    text = "\n\n".join((_filled(opening), _filled(about, "| "), *parts))
    return Email(_subject(f"{subject}: {about}"), subject, text + "\n")


def _facts(facts: list[tuple[str, str]]) -> str:
    return "\n".join(_fact(name, value) for name, value in facts)


def _opening(approval: Approval, promise: Mail) -> tuple[str, str]:
    """Return the first sentence and the beginning of the subject line."""
    absent = approval.approver(promise.to).stands_in_for
    match promise.about:
        case "request" if absent is not None:
            return f"{promise.to}, you are asked for {absent}, who is away:", "Approval needed"
        case "request":
            return f"{promise.to}, your decision is needed:", "Approval needed"
        case "reminder":
            return f"{promise.to}, your decision is still needed:", "Reminder, approval needed"
        case "escalation":
            asked = "you are asked too, because it hasn't been decided in time"
            return f"{promise.to}, {asked}:", "Approval needed"
        case _:
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
    quoted = _quoted(text).split("\n")
    if len(quoted) > DETAIL_LINES:
        more = len(quoted) - DETAIL_LINES
        quoted = [*quoted[:DETAIL_LINES], f"({more} more lines of details are on the page.)"]
    return ["Details, as the requester wrote them:\n\n" + "\n".join(quoted)]


def _quoted(text: str) -> str:
    text = re.sub(r"\n\s*\n", "\n\n", text)
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
        # A link that is cut can't be followed.
        break_long_words="://" not in text,
    )
    return "\n".join(lines)
