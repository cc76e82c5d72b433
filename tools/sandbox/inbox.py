"""The inbox: a web server on loopback that shows what was mailed to whom, to people and to tests.

On the map: `mailbox.py` reads, `inbox_pages.py` draws, this serves.
`GET /messages?to=ADDRESS` answers JSON, oldest first; everything else is a page.
"""

import json
import threading
from collections.abc import Sequence
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from tools.sandbox.inbox_pages import list_page, message_page, missing_page
from tools.sandbox.mailbox import Mailbox


class Answer(NamedTuple):
    """What the inbox answers to a GET."""

    body: str
    kind: str = "text/html; charset=utf-8"
    status: HTTPStatus = HTTPStatus.OK


def answer(path: str, mailbox: Mailbox, regulars: Sequence[str]) -> Answer:
    """Return what a GET of this path answers; `regulars` are listed before they have any mail."""
    url = urlsplit(path)
    to = parse_qs(url.query).get("to", [None])[0]
    if url.path == "/messages":
        messages = [m.json for m in mailbox.messages(to)]
        return Answer(json.dumps({"messages": messages}), "application/json")
    if url.path == "/":
        addresses = sorted({*regulars, *(m.to for m in mailbox.messages())})
        return Answer(list_page(mailbox.messages(to), addresses, to))
    if url.path.startswith("/mail/"):
        message = mailbox.message(url.path.removeprefix("/mail/"))
        if message is not None:
            return Answer(message_page(message))
    return Answer(missing_page(), status=HTTPStatus.NOT_FOUND)


class Inbox:
    """A running inbox, as a context manager."""

    def __init__(self, host: str, port: int, mailbox: Mailbox, regulars: Sequence[str]) -> None:
        handler = partial(_Handler, mailbox, regulars)
        self._server = ThreadingHTTPServer((host, port), handler)
        self._server.daemon_threads = True

    def __enter__(self) -> "Inbox":
        threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, mailbox: Mailbox, regulars: Sequence[str], *request: Any) -> None:
        self._mailbox, self._regulars = mailbox, regulars
        super().__init__(*request)  # It answers in there.

    def do_GET(self) -> None:
        found = answer(self.path, self._mailbox, self._regulars)
        data = found.body.encode()
        self.send_response(found.status)
        self.send_header("Content-Type", found.kind)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base's word
        """Say nothing: the page reloads itself all the time."""
