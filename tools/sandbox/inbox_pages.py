"""The inbox's HTML pages: all mails, the mails to one address, one mail.

Every text of a mail is escaped, because anybody can write it.
"""

import re
from collections.abc import Sequence
from html import escape
from urllib.parse import quote

from tools.sandbox.mailbox import Message

_LINK = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)\]]")
_REFRESH = '<meta http-equiv="refresh" content="5">'

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --quiet: light-dark(#57606a, #9aa4af); }
* { box-sizing: border-box; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 52rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.25rem; margin: .5rem 0 1rem; overflow-wrap: anywhere; }
nav { display: flex; flex-wrap: wrap; gap: .5rem; padding-bottom: .75rem; }
nav a { padding: .35rem .75rem; border: 1px solid var(--line); border-radius: 1rem; }
nav a[aria-current] { background: #1d4ed8; border-color: #1d4ed8; color: #fff; }
ol { list-style: none; margin: 0; padding: 0; border-top: 1px solid var(--line); }
li a { display: block; padding: .75rem .25rem; border-bottom: 1px solid var(--line); }
li a:hover, li a:focus { background: #8882; }
nav a, li a { text-decoration: none; color: inherit; }
li strong { display: block; overflow-wrap: anywhere; }
small, .quiet { color: var(--quiet); }
pre { font: 15px/1.5 ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere;
  margin: 1rem 0; padding: 1rem; border: 1px solid var(--line); border-radius: .5rem; }
dl { display: grid; grid-template-columns: auto 1fr; gap: .125rem 1rem; margin: 0; }
dt { color: var(--quiet); }
dd { margin: 0; overflow-wrap: anywhere; }
"""


def list_page(messages: Sequence[Message], addresses: Sequence[str], to: str | None) -> str:
    """Return the page of these mails, newest first, which reloads itself.

    `to` is the chosen address of the filter, or None for all.
    """
    filters = [("/", "Everybody", to is None)]
    filters += [
        (f"/?to={quote(a)}", a, to is not None and a.lower() == to.lower()) for a in addresses
    ]
    nav = "".join(
        f'<a href="{escape(link)}"{" aria-current=page" if chosen else ""}>{escape(name)}</a>'
        for link, name, chosen in filters
    )
    rows = "".join(
        f'<li><a href="/mail/{escape(m.id)}"><strong>{escape(m.subject)}</strong>'
        f"<small>to {escape(m.to)}, {_time(m)}</small></a></li>"
        for m in reversed(messages)
    )
    body = (
        f"<ol>{rows}</ol>"
        if rows
        else '<p class="quiet">No mail yet. This page reloads every five seconds.</p>'
    )
    return _page("Inbox", f"<h1>The sandbox's inbox</h1><nav>{nav}</nav>{body}", head=_REFRESH)


def message_page(message: Message) -> str:
    """Return the page of one mail: plain text as SNS sends it, with clickable links."""
    return _page(
        message.subject,
        f'<nav><a href="/?to={escape(quote(message.to))}">Back to {escape(message.to)}</a></nav>'
        f"<h1>{escape(message.subject)}</h1>"
        f"<dl><dt>To</dt><dd>{escape(message.to)}</dd><dt>Received</dt><dd>{_time(message)}</dd></dl>"
        f"<pre>{with_links(message.text)}</pre>"
        '<p class="quiet"><small>On AWS, SNS adds a line with a link to unsubscribe.</small></p>',
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


def _time(message: Message) -> str:
    when = escape(message.received_at)
    return f'<time datetime="{when}">{when[:10]} {when[11:19]} UTC</time>'


def _page(title: str, body: str, head: str = "") -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title>{head}<style>{_STYLE}</style></head><body>{body}</body></html>"
    )
