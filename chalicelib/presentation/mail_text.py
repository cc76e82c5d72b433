"""The parts that mails share, and how they are written.

A paragraph is one line, which the reader's mail program wraps; each of Assent's links has a line of
its own; what a person wrote is quoted under their name, so that it can't pass for Assent's; and an
address is written so that it is a link to nothing but a mailbox.
"""

import re
from typing import NamedTuple

from ..domain.approval import Approval
from ..domain.link_tokens import LinkedPage, MailSecrets, link
from .layout import cut, flow

SUBJECT_CHARACTERS = 99
"""SNS takes fewer than 100 (botocore's model of `Publish`). An emoji counts as two here, as in
UTF-16, so that the subject fits however SNS counts."""
PRIVATE = "These links decide in your name, so please don't forward them."
PRIVATE_LINK = "This link decides in your name, so please don't forward it."
UNSUBSCRIBE = (
    "Below, AWS adds a link to unsubscribe. Please leave it alone: it ends these mails. If it was "
    "pressed, ask the people who run Assent to invite you again."
)


class Email(NamedTuple):
    """The arguments of SNS's `Publish`.

    botocore's model of `Publish` takes UTF-8 subjects, other pages of AWS say ASCII: if SNS refuses
    `subject`, `ascii_subject` is sent (docs/fidelity.md).
    """

    subject: str
    ascii_subject: str
    text: str


def subject_line(text: str, name: str) -> str:
    """Return the text, cut if need be, and the name behind it: a phone shows the beginning."""
    behind = f" [{name}]" if name else ""
    room = 2 * SUBJECT_CHARACTERS - len(behind.encode("utf-16-le"))
    fitting = text.encode("utf-16-le")[:room].decode("utf-16-le", "ignore")
    return cut(text, len(fitting), "...") + behind


def letter(opening: str, approval: Approval, *parts: str) -> str:
    """Return the text of a mail: its opening, the request's subject as a quotation, the parts."""
    asked = flow(approval.request.subject, "| ")
    return "\n\n".join((flow(opening), asked, *parts)) + "\n"


def url_of(approval: Approval, secrets: MailSecrets, page: LinkedPage, public_url: str) -> str:
    """Return the link to that page in this mail."""
    secret = secrets.inbox if page == "inbox" else secrets.decision
    return link(public_url, page, approval.id, secret)


def inbox_link(approval: Approval, secrets: MailSecrets, public_url: str) -> str:
    """Return the link to its reader's inbox, below words that say so."""
    url = url_of(approval, secrets, "inbox", public_url)
    return f"INBOX - all requests that wait for you; this page is private:\n{url}"


def attributed(author: str, text: str, verb: str = "wrote") -> str:
    """Return what a person wrote, quoted under their name."""
    return f"{author} {verb}:\n\n{quoted(text)}"


def quoted(text: str) -> str:
    """Return what a person wrote, in lines that can't pass for Assent's."""
    text = re.sub(r"\n\s*\n", "\n\n", text)
    return "\n".join(flow(line, "| ") or "|" for line in text.split("\n"))
