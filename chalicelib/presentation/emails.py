"""The mails to approvers and requesters: subject and plain text.

SNS sends the text unchanged and appends its own footer. `mail_text.py` says how mails are written.
"""

from datetime import datetime, timedelta

from ..domain.approval import OPERATOR, Approval
from ..domain.decidability import Shortage, in_words, trouble
from ..domain.link_tokens import MailSecrets
from ..domain.outbox_entries import Mail
from .excerpt import excerpt, height
from .groups import role_in_groups
from .mail_text import (
    PRIVATE,
    UNSUBSCRIBE,
    Email,
    attributed,
    inbox_link,
    letter,
    quoted,
    subject_line,
    url_of,
)
from .outcome_email import outcome
from .wording import (
    answer_by,
    answer_the_newer,
    capital,
    count,
    detail_rows,
    duration,
    in_mail,
    quorum,
    requester,
)

DETAIL_LINES = 12
"""More lines of details are on the page alone, so that the links stay in sight."""
_SAFETY = f"Opening a page decides nothing; only the button on it does. {PRIVATE}"
_REQUESTERS_SAFETY = (
    "Opening the page changes nothing; only its buttons do. They act in your name, so please don't "
    "forward its link."
)


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
            subject, text = outcome(approval, mail, secrets, public_url)
        case "receipt":
            subject, text = _receipt(approval, mail, secrets, public_url, now)
        case _:
            subject, text = _question(approval, mail, secrets, public_url, now)
    return Email(subject_line(f"{subject}: {approval.request.subject}", name), subject, text)


def _question(
    approval: Approval, mail: Mail, secrets: MailSecrets, public_url: str, now: datetime
) -> tuple[str, str]:
    """Return the beginning of the subject, and the mail that asks an approver to decide."""
    if not approval.approver(mail.to).groups:
        return _emergency(approval, mail, secrets, public_url, now)
    subject, opening = _opening(approval, mail, now)
    newer, needed = answer_the_newer(approval), quorum(approval)
    code = [f"CODE - the page asks for it:\n{secrets.code}"]
    return subject, letter(
        opening,
        approval,
        *_note(approval, mail.to),
        *([needed] if needed else []),
        *([newer] if newer else []),
        *_details(approval),
        *(code if approval.request.code_required else []),
        _button("APPROVE", url_of(approval, secrets, "approve", public_url)),
        _button("REJECT", url_of(approval, secrets, "reject", public_url)),
        _SAFETY,
        inbox_link(approval, secrets, public_url),
        f"You decide as {in_mail(mail.to)}{_for_groups(approval, mail)}. {UNSUBSCRIBE}",
    )


def _emergency(
    approval: Approval, mail: Mail, secrets: MailSecrets, public_url: str, now: datetime
) -> tuple[str, str]:
    """Return the mail to a person who is in no group, and may approve alone."""
    code = [f"CODE - the page asks for it:\n{secrets.code}"]
    newer, until = answer_the_newer(approval), answer_by(approval, now)
    return "For emergencies", letter(
        f"You don't need to do anything. {capital(in_mail(requester(approval)))} asks others, who "
        f"decide by {until}. In an emergency you may approve this alone, with a reason:",
        approval,
        quorum(approval),
        *([newer] if newer else []),
        *_details(approval),
        *(code if approval.request.code_required else []),
        _button("APPROVE ALONE", url_of(approval, secrets, "approve", public_url)),
        f"Everybody who is asked is told of it. {_SAFETY}",
        f"You act as {in_mail(mail.to)}. {UNSUBSCRIBE}",
    )


def _for_groups(approval: Approval, mail: Mail) -> str:
    role = role_in_groups(approval.approver(mail.to), approval)
    return f" {role}" if role else ""


def _receipt(
    approval: Approval, mail: Mail, secrets: MailSecrets, public_url: str, now: datetime
) -> tuple[str, str]:
    """Return the mail that tells the requester who was asked, with a link to follow it."""
    if found := trouble(approval):
        return _cannot_be_approved(approval, found, secrets, public_url)
    people = [
        in_mail(approver.address) for approver in approval.active_approvers if approver.groups
    ]
    asked = "This was asked in your name"
    if mail.extended:
        asked = "There is more time for what you asked"
    needed = quorum(approval)
    return "More time" if mail.extended else "Asked", letter(
        f"{asked}: {_listed(people)} may decide by {answer_by(approval, now)}:",
        approval,
        *([needed] if needed else []),
        _status(approval, secrets, public_url),
        _REQUESTERS_SAFETY,
        UNSUBSCRIBE,
    )


def _cannot_be_approved(
    approval: Approval, found: list[Shortage], secrets: MailSecrets, public_url: str
) -> tuple[str, str]:
    """Return the mail that tells the requester that nobody can approve the request any more."""
    written = [
        short._replace(
            able=tuple(map(in_mail, short.able)), missing=tuple(map(in_mail, short.missing))
        )
        for short in found
    ]
    return "Cannot be approved", letter(
        "What you asked can't be approved any more:",
        approval,
        f"{capital(in_words(written))}.",
        "Cancel it and ask others, or ask the people who run Assent to reassign it.",
        _status(approval, secrets, public_url),
        _REQUESTERS_SAFETY,
        UNSUBSCRIBE,
    )


def _opening(approval: Approval, mail: Mail, now: datetime) -> tuple[str, str]:
    """Return the beginning of the subject line and the first sentence, which phones preview.

    It says who asks, and by when to decide.
    """
    person = approval.approver(mail.to)
    who, absent = in_mail(requester(approval)), person.stands_in_for
    away = f" for {in_mail(absent)}, who is away," if absent else ""
    asks = f"{who} asks you to decide{away} by {answer_by(approval, now)}:"
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


def _note(approval: Approval, address: str) -> list[str]:
    approver = approval.approver(address)
    if not approver.note:
        return []
    if approver.note_by == OPERATOR:
        return [attributed("An operator", approver.note, "wrote to you")]
    # An earlier version didn't store by whom.
    author = in_mail(approver.note_by) if approver.note_by else "Somebody"
    return [attributed(author, approver.note, "wrote to you")]


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


def _button(choice: str, url: str) -> str:
    return f"{choice} - open this page and press the button there:\n{url}"


def _status(approval: Approval, secrets: MailSecrets, public_url: str) -> str:
    url = url_of(approval, secrets, "cancel", public_url)
    return f"STATUS - see who has decided, have the others reminded, or cancel:\n{url}"
