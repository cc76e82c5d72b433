"""The mails to approvers and requesters: subject and plain text.

SNS sends the text unchanged and appends its own footer. Lines end by column 78; each of
Assent's links has a line of its own; the requester's words are quoted, so that they can't pass for
Assent's, and an address is written so that it is a link to nothing but a mailbox.
"""

import re
from datetime import datetime
from typing import NamedTuple

from ..domain.addresses import same_person
from ..domain.approval import OPERATOR, Approval
from ..domain.link_tokens import LinkedPage, MailSecrets, link
from ..domain.outbox_entries import Mail
from ..domain.texts import REASON_CHARACTERS
from .layout import cut, wrap
from .wording import (
    answer_the_newer,
    cancelled_by,
    deadline,
    detail_rows,
    in_mail,
    needed,
    next_step,
    outcome_title,
    past,
    progress,
    requester,
    was,
    when,
)

DETAIL_LINES = 40
"""More lines of details are on the page alone, so that the links stay in sight."""
SUBJECT_CHARACTERS = 99
"""SNS takes fewer than 100 (botocore's model of `Publish`). An emoji counts as two here, as in
UTF-16, so that the subject fits however SNS counts."""
TEXT_BYTES = 256_000
"""SNS takes 262,144 for a message (botocore's model), which leaves room for what it may add."""

_PRIVATE = "These links decide in your name, so please don't forward them."
_SAFETY = (
    "Opening a page decides nothing; only the button on it does.\n"
    f"{_PRIVATE}\n"
    "The link to unsubscribe, further down, would stop these mails."
)

_SHORTENED = (
    "Long reasons are shortened here. The links in the mails before this one open a\n"
    "page that has them whole."
)


class Email(NamedTuple):
    """The arguments of SNS's `Publish`.

    botocore's model of `Publish` takes UTF-8 subjects, other pages of AWS say ASCII: if SNS refuses
    `subject`, `ascii_subject` is sent (docs/fidelity.md).
    """

    subject: str
    ascii_subject: str
    text: str


def write_email(
    approval: Approval, mail: Mail, secrets: MailSecrets, *, public_url: str, now: datetime
) -> Email:
    """Return the text of this mail; the links in it are its reader's alone."""
    match mail.about:
        case "outcome":
            return _outcome(approval, mail, secrets, public_url)
        case "receipt":
            return _receipt(approval, mail, secrets, public_url, now)
        case _:
            return _question(approval, mail, secrets, public_url, now)


def _question(
    approval: Approval, mail: Mail, secrets: MailSecrets, public_url: str, now: datetime
) -> Email:
    """Return the mail that asks an approver to decide."""
    opening, subject = _opening(approval, mail)
    newer = answer_the_newer(approval)
    code = [f"CODE - the page asks for it:\n{secrets.code}"]
    return _email(
        subject,
        approval,
        opening,
        *_note(approval, mail.to),
        _facts([("Asked by", in_mail(requester(approval))), *_progress(approval, mail.to, now)]),
        *([wrap(newer)] if newer else []),
        *_details(approval),
        *(code if approval.request.code_required else []),
        _button("APPROVE", _url(approval, secrets, "approve", public_url)),
        _button("REJECT", _url(approval, secrets, "reject", public_url)),
        _SAFETY,
        _inbox(approval, secrets, public_url),
    )


def _receipt(
    approval: Approval, mail: Mail, secrets: MailSecrets, public_url: str, now: datetime
) -> Email:
    """Return the mail that tells the requester who was asked, with a link to follow it."""
    people = ", ".join(in_mail(approver.address) for approver in approval.active_approvers)
    asked = "there is more time for what was asked" if mail.extended else "this was asked"
    return _email(
        "More time" if mail.extended else "Asked",
        approval,
        f"{in_mail(mail.to)}, {asked} in your name:",
        _facts([("Asked", people), *_progress(approval, mail.to, now)]),
        _status(approval, secrets, public_url),
        _SAFETY,
    )


def _outcome(approval: Approval, mail: Mail, secrets: MailSecrets, public_url: str) -> Email:
    """Return the mail that tells how the approval ended, with every reason given.

    The longest reasons are shortened if SNS wouldn't take the mail, which then says so.
    """
    longest = REASON_CHARACTERS
    while True:
        email = _outcome_with_reasons(approval, mail, secrets, public_url, longest)
        if len(email.text.encode()) <= TEXT_BYTES or longest == 0:
            return email
        longest = longest * 3 // 4


def _outcome_with_reasons(
    approval: Approval, mail: Mail, secrets: MailSecrets, public_url: str, longest: int
) -> Email:
    to_requester = approval.requester is not None and same_person(
        mail.to, approval.requester.address
    )
    whose = "your request" if to_requester else "this request"
    because = cut(cancelled_by(approval)[1], longest)
    decisions = [
        f"{in_mail(approver.address)} {past(decision.choice)} on {when(decision.decided_at)}"
        + (f":\n\n{quoted(cut(decision.reason, longest))}" if decision.reason else ".")
        for approver, decision in approval.decisions
    ]
    shortened = [_SHORTENED] if longest < REASON_CHARACTERS else []
    has_link = approval.mail_has_link(mail)
    inbox = [_PRIVATE, _inbox(approval, secrets, public_url)] if has_link else []
    step = next_step(approval, to_requester=to_requester and not has_link)
    return _email(
        outcome_title(approval),
        approval,
        f"{in_mail(mail.to)}, {whose} {was(approval, mailed=True)}:",
        *([quoted(because)] if because else []),
        *decisions,
        *shortened,
        wrap(step or "You don't need to do anything."),
        *inbox,
    )


def _email(subject: str, approval: Approval, opening: str, *parts: str) -> Email:
    about = approval.request.subject
    text = "\n\n".join((wrap(opening), wrap(about, "| "), *parts))
    return Email(_subject_line(f"{subject}: {about}"), subject, text + "\n")


def _opening(approval: Approval, mail: Mail) -> tuple[str, str]:
    """Return the first sentence and the beginning of the subject line."""
    person, to = approval.approver(mail.to), in_mail(mail.to)
    absent = person.stands_in_for
    away = f" for {in_mail(absent)}, who is away" if absent else ""
    match mail.about:
        case "request" if away:
            return f"{to}, you are asked{away}:", "Approval needed"
        case "request":
            return f"{to}, your decision is needed:", "Approval needed"
        case "reminder" if mail.extended:
            said = "there is more time, and your decision is still needed"
            return f"{to}, {said}:", "More time, approval needed"
        case "reminder":
            return f"{to}, your decision is still needed:", "Reminder, approval needed"
        case "escalation":
            because = "because it hasn't been decided in time"
            return f"{to}, you are asked too{away}, {because}:", "Approval needed"
        case _:
            instead = f" instead of {in_mail(person.instead_of)}" if person.instead_of else ""
            return f"{to}, you are asked{instead}{away}:", "Approval needed"


def _url(approval: Approval, secrets: MailSecrets, page: LinkedPage, public_url: str) -> str:
    secret = secrets.inbox if page == "inbox" else secrets.decision
    return link(public_url, page, approval.id, secret)


def _button(choice: str, url: str) -> str:
    return f"{choice} - open this page and press the button there:\n{url}"


def _status(approval: Approval, secrets: MailSecrets, public_url: str) -> str:
    url = _url(approval, secrets, "cancel", public_url)
    return f"STATUS - see who has answered, have the others reminded, or cancel:\n{url}"


def _inbox(approval: Approval, secrets: MailSecrets, public_url: str) -> str:
    url = _url(approval, secrets, "inbox", public_url)
    return f"INBOX - all requests that wait for you; this page is private:\n{url}"


def _progress(approval: Approval, reader: str, now: datetime) -> list[tuple[str, str]]:
    only = approval.active_approvers[0].address  # named if there is one approver
    return [
        ("Answer by", "{} ({})".format(*deadline(approval, now))),
        ("Needed", needed(approval, reader).replace(only, in_mail(only))),
        ("So far", progress(approval)),
    ]


def _facts(facts: list[tuple[str, str]]) -> str:
    return "\n".join(_fact(name, value) for name, value in facts)


def _note(approval: Approval, address: str) -> list[str]:
    approver = approval.approver(address)
    if not approver.note:
        return []
    if approver.note_by == OPERATOR:
        author = "An operator wrote to you"
    elif approver.note_by:
        author = "They wrote to you"
    else:
        author = "This was written to you"  # An earlier version didn't store by whom.
    return [f"{author}:\n\n{quoted(approver.note)}"]


def _subject_line(text: str) -> str:
    fitting = text.encode("utf-16-le")[: 2 * SUBJECT_CHARACTERS].decode("utf-16-le", "ignore")
    return cut(text, len(fitting), "...")


def _fact(name: str, value: str) -> str:
    return wrap(value, " " * 11, first=f"{name + ':':<11}")


def _details(approval: Approval) -> list[str]:
    details = approval.request.details
    if not details:
        return []
    if isinstance(details, str):
        text = details
    else:
        text = "\n".join(f"{label}: {value}" for label, value in detail_rows(approval))
    lines = quoted(text).split("\n")
    if len(lines) > DETAIL_LINES:
        more = len(lines) - DETAIL_LINES
        lines = [*lines[:DETAIL_LINES], f"({more} more lines of details are on the page.)"]
    return ["Details, as the requester wrote them:\n\n" + "\n".join(lines)]


def quoted(text: str) -> str:
    """Return what a person wrote, in lines that can't pass for Assent's."""
    text = re.sub(r"\n\s*\n", "\n\n", text)
    return "\n".join(wrap(line, "| ") or "|" for line in text.split("\n"))
