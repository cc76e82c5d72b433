"""The inbox's HTML pages, which look like a mail program: a list of mails, and one mail.

Every text of a mail is escaped, because anybody can write it.
"""

import base64
import hashlib
import re
from collections.abc import Collection, Sequence
from html import escape
from pathlib import Path
from urllib.parse import quote

from tools.sandbox.mailbox import Message

_HERE = Path(__file__).parent
_STYLE = (_HERE / "inbox.css").read_text("utf-8")
_SCRIPT = (_HERE / "inbox.js").read_text("utf-8")
_LINK = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)\]]")
_PREVIEW = 140
"""Characters of a mail beside its subject; a phone shows fewer."""

SENDER = "Assent <no-reply@sns.amazonaws.com>"
"""As SNS shows the display name of a topic."""
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; connect-src 'self'; script-src '"
    f"sha256-{base64.b64encode(hashlib.sha256(_SCRIPT.encode()).digest()).decode()}'"
)


def list_page(
    messages: Sequence[Message],
    addresses: Sequence[str],
    to: str | None,
    read: Collection[str] = (),
) -> str:
    """Return the page of these mails, newest first; a script says when there is a new one.

    `to` is the chosen address of the filter, or None for all; `read` has the ids of opened mails.
    """
    filters = [("/", "Everybody", to is None)]
    filters += [
        (f"/?to={quote(a)}", a, to is not None and a.lower() == to.lower()) for a in addresses
    ]
    nav = "".join(
        f'<a href="{escape(link)}"{" aria-current=page" if chosen else ""}>{escape(name)}</a>'
        for link, name, chosen in filters
    )
    rows = "".join(_row(message, unread=message.id not in read) for message in reversed(messages))
    unread = sum(message.id not in read for message in messages)
    body = f"<ol>{rows}</ol>" if rows else '<p class="quiet">No mail yet.</p>'
    return _page(
        f"Inbox ({unread})" if unread else "Inbox",
        f"<h1>Inbox <small>{unread} unread</small></h1>"
        f'<nav aria-label="Mailboxes">{nav}</nav>'
        f'<p role="status" id="new" data-seen="{len(messages)}"></p>{body}',
        script=f"<script>{_SCRIPT}</script>",
    )


def message_page(message: Message) -> str:
    """Return the page of one mail: plain text as SNS sends it, with clickable links."""
    address = escape(quote(message.to))
    return _page(
        message.subject,
        f'<nav aria-label="Mailboxes"><a href="/?to={address}">'
        f"Back to {escape(message.to)}</a></nav>"
        f"<article><h1>{escape(message.subject)}</h1>"
        f'<p class="quiet"><strong>{escape(SENDER)}</strong><br>to {escape(message.to)}, '
        f"{_time(message, with_day=True)}</p>"
        f'<div class="text" dir="auto">{with_links(message.text)}</div>'
        '<p class="quiet footer">On AWS, SNS adds a link to unsubscribe here.</p></article>',
    )


def missing_page() -> str:
    """Return the page for a path that doesn't exist."""
    return _page("Not found", '<h1>There is no such mail</h1><p><a href="/">To the inbox</a></p>')


def with_links(text: str) -> str:
    """Return plain text as HTML: escaped, with each http(s) address as a link to a new tab."""
    done, html = 0, ""
    for found in _LINK.finditer(text):
        url = escape(found.group())
        html += escape(text[done : found.start()])
        html += f'<a href="{url}" target="_blank" rel="noopener noreferrer">{url}</a>'
        done = found.end()
    return html + escape(text[done:])


def _row(message: Message, *, unread: bool) -> str:
    preview = " ".join(message.text.split())[:_PREVIEW]
    mark = '<span class="dot" role="img" aria-label="unread"></span>' if unread else ""
    return (
        f'<li><a href="/mail/{escape(message.id)}"{" class=unread" if unread else ""}>{mark}'
        f'<span class="from">Assent</span>{_time(message)}'
        f'<span class="subject">{escape(message.subject)}</span>'
        f'<span class="preview">{escape(preview)}</span>'
        f'<span class="preview">to {escape(message.to)}</span></a></li>'
    )


def _time(message: Message, *, with_day: bool = False) -> str:
    when = escape(message.received_at)
    day = f"{when[:10]} " if with_day else ""
    return f'<time datetime="{when}">{day}{when[11:16]} UTC</time>'


def _page(title: str, body: str, script: str = "") -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<link rel="icon" href="data:,"><title>{escape(title)}</title><style>{_STYLE}</style>'
        f"</head><body><main>{body}</main>{script}</body></html>"
    )
