"""The mails to approvers and requesters: subject and plain text.

SNS sends the text unchanged and appends its own footer. A paragraph is one line, which the reader's
mail program wraps; each of Assent's links has a line of its own; what a person wrote is quoted
under their name, so that it can't pass for Assent's; and an address is written so that it is a link
to nothing but a mailbox.
"""

import re
from datetime import datetime, timedelta
from typing import NamedTuple

from ..domain.addresses import same_person
from ..domain.approval import OPERATOR, Approval
from ..domain.link_tokens import LinkedPage, MailSecrets, link
from ..domain.outbox_entries import Mail
from ..domain.texts import REASON_CHARACTERS
from .excerpt import excerpt, height
from .layout import cut, flow
from .wording import (
    answer_the_newer,
    cancelled_by,
    capital,
    count,
    deadline,
    detail_rows,
    duration,
    in_mail,
    next_step,
    outcome_title,
    past,
    quorum,
    requester,
    was,
    when,
)

DETAIL_LINES = 12
"""More lines of details are on the page alone, so that the links stay in sight."""
SUBJECT_CHARACTERS = 99
"""SNS takes fewer than 100 (botocore's model of `Publish`). An emoji counts as two here, as in
UTF-16, so that the subject fits however SNS counts."""
TEXT_BYTES = 256_000
"""SNS takes 262,144 for a message (botocore's model), which leaves room for what it may add."""

_PRIVATE = "These links decide in your name, so please don't forward them."
_SAFETY = f"Opening a page decides nothing; only the button on it does. {_PRIVATE}"
_REQUESTERS_SAFETY = (
    "Opening the page changes nothing; only its buttons do. They act in your name, so please don't "
    "forward its link."
)
_UNSUBSCRIBE = (
    "Below, AWS adds a link to unsubscribe. Please leave it alone: it ends these mails. If it was "
    "pressed, ask the people who run Assent to invite you again."
)
_SHORTENED = (
    "Long reasons are shortened here. The links in the mails before this one open a page that has "
    "them whole."
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
    approval: Approval,
    mail: Mail,
    secrets: MailSecrets,
    *,
    public_url: str,
    now: datetime,
    name: str = "",
) -> Email:
    """Return the text of this mail; the links in it are its reader's alone.

    `name` is the stage's, of an organisation for example, and stands behind the subject.
    """
    match mail.about:
        case "outcome":
            subject, text = _outcome(approval, mail, secrets, public_url)
        case "receipt":
            subject, text = _receipt(approval, mail, secrets, public_url, now)
        case _:
            subject, text = _question(approval, mail, secrets, public_url, now)
    return Email(_subject_line(f"{subject}: {approval.request.subject}", name), subject, text)


def _question(
    approval: Approval, mail: Mail, secrets: MailSecrets, public_url: str, now: datetime
) -> tuple[str, str]:
    """Return the beginning of the subject, and the mail that asks an approver to decide."""
    subject, opening = _opening(approval, mail, now)
    newer, needed = answer_the_newer(approval), quorum(approval)
    code = [f"CODE - the page asks for it:\n{secrets.code}"]
    return subject, _text(
        opening,
        approval,
        *_note(approval, mail.to),
        *([needed] if needed else []),
        *([newer] if newer else []),
        *_details(approval),
        *(code if approval.request.code_required else []),
        _button("APPROVE", _url(approval, secrets, "approve", public_url)),
        _button("REJECT", _url(approval, secrets, "reject", public_url)),
        _SAFETY,
        _inbox(approval, secrets, public_url),
        f"You decide as {in_mail(mail.to)}. {_UNSUBSCRIBE}",
    )


def _receipt(
    approval: Approval, mail: Mail, secrets: MailSecrets, public_url: str, now: datetime
) -> tuple[str, str]:
    """Return the mail that tells the requester who was asked, with a link to follow it."""
    people = [in_mail(approver.address) for approver in approval.active_approvers]
    day, left = deadline(approval, now)
    asked = "This was asked in your name"
    if mail.extended:
        asked = "There is more time for what you asked"
    needed = quorum(approval)
    return "More time" if mail.extended else "Asked", _text(
        f"{asked}: {_listed(people)} may decide by {day}{f' ({left})' if left else ''}:",
        approval,
        *([needed] if needed else []),
        _status(approval, secrets, public_url),
        _REQUESTERS_SAFETY,
        _UNSUBSCRIBE,
    )


def _outcome(
    approval: Approval, mail: Mail, secrets: MailSecrets, public_url: str
) -> tuple[str, str]:
    """Return the mail that tells how the approval ended, with every reason given.

    The longest reasons are shortened if SNS wouldn't take the mail, which then says so.
    """
    longest = REASON_CHARACTERS
    while True:
        text = _outcome_with_reasons(approval, mail, secrets, public_url, longest)
        if len(text.encode()) <= TEXT_BYTES or longest == 0:
            return outcome_title(approval), text
        longest = longest * 3 // 4


def _outcome_with_reasons(
    approval: Approval, mail: Mail, secrets: MailSecrets, public_url: str, longest: int
) -> str:
    to_requester = approval.requester is not None and same_person(
        mail.to, approval.requester.address
    )
    whose = "Your request" if to_requester else "This request"
    who, why = cancelled_by(approval)
    because = [attributed(in_mail(who), cut(why, longest))] if why else []
    decisions = [
        f"{in_mail(approver.address)} {past(decision.choice)} on {when(decision.decided_at)}"
        + (f":\n\n{quoted(cut(decision.reason, longest))}" if decision.reason else ".")
        for approver, decision in approval.decisions
    ]
    shortened = [_SHORTENED] if longest < REASON_CHARACTERS else []
    has_link = approval.mail_has_link(mail)
    inbox = [_PRIVATE, _inbox(approval, secrets, public_url)] if has_link else []
    step = next_step(approval, to_requester=to_requester and not has_link)
    return _text(
        f"{whose} {was(approval, mailed=True)}:",
        approval,
        *because,
        *decisions,
        *shortened,
        step or "You don't need to do anything.",
        *inbox,
        _UNSUBSCRIBE,
    )


def _text(opening: str, approval: Approval, *parts: str) -> str:
    """Return a mail: its opening, the subject of the request as a quotation, and the parts."""
    asked = flow(approval.request.subject, "| ")
    return "\n\n".join((flow(opening), asked, *parts)) + "\n"


def _opening(approval: Approval, mail: Mail, now: datetime) -> tuple[str, str]:
    """Return the beginning of the subject line and the first sentence, which phones preview.

    It says who asks, and by when to decide.
    """
    person = approval.approver(mail.to)
    who, (day, left) = in_mail(requester(approval)), deadline(approval, now)
    absent = person.stands_in_for
    away = f" for {in_mail(absent)}, who is away," if absent else ""
    asks = f"{who} asks you to decide{away} by {day}{f' ({left})' if left else ''}:"
    match mail.about:
        case "request":
            return "Approval needed", capital(asks)
        case "reminder" if mail.extended:
            return "More time, approval needed", f"There is more time: {asks}"
        case "reminder":
            return "Reminder, approval needed", f"Reminder: {asks}"
        case "escalation":
            return "Approval needed", f"{_why_escalated(approval)} so you are asked too: {asks}"
        case _:
            before = person.instead_of
            instead = f"You are asked instead of {in_mail(before)}: {asks}" if before else asks
            return "Approval needed", capital(instead)


def _why_escalated(approval: Approval) -> str:
    escalation = approval.request.escalation
    within = duration(timedelta(seconds=escalation.after)) if escalation else "the time for it"
    nobody = "Nobody has decided" if not approval.decisions else "It was not decided"
    return f"{nobody} within {within},"


def _listed(people: list[str]) -> str:
    return " and ".join([", ".join(people[:-1]), people[-1]] if people[1:] else people)


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


def _note(approval: Approval, address: str) -> list[str]:
    approver = approval.approver(address)
    if not approver.note:
        return []
    if approver.note_by == OPERATOR:
        return [attributed("An operator", approver.note, "wrote to you")]
    # An earlier version didn't store by whom.
    author = in_mail(approver.note_by) if approver.note_by else "Somebody"
    return [attributed(author, approver.note, "wrote to you")]


def _subject_line(text: str, name: str) -> str:
    """Return the text, cut if need be, and the name behind it: a phone shows the beginning."""
    behind = f" [{name}]" if name else ""
    room = 2 * SUBJECT_CHARACTERS - len(behind.encode("utf-16-le"))
    fitting = text.encode("utf-16-le")[:room].decode("utf-16-le", "ignore")
    return cut(text, len(fitting), "...") + behind


def _details(approval: Approval) -> list[str]:
    details = approval.request.details
    if not details:
        return []
    if isinstance(details, str):
        text = details
    else:
        text = "\n".join(f"{label}: {value}" for label, value in detail_rows(approval))
    begin, rest = excerpt(text, DETAIL_LINES)
    more = f"\n\n({count(height(rest), 'more line')} of details on the page.)" if rest else ""
    return [f"Details, as the requester wrote them:\n\n{quoted(begin.rstrip())}{more}"]


def attributed(author: str, text: str, verb: str = "wrote") -> str:
    """Return what a person wrote, quoted under their name."""
    return f"{author} {verb}:\n\n{quoted(text)}"


def quoted(text: str) -> str:
    """Return what a person wrote, in lines that can't pass for Assent's."""
    text = re.sub(r"\n\s*\n", "\n\n", text)
    return "\n".join(flow(line, "| ") or "|" for line in text.split("\n"))
