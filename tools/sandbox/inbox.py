"""The inbox: a web server on loopback that shows every mail of the sandbox.

`GET /messages?to=ADDRESS` answers JSON for programs, oldest first; every other path is a page of
`inbox_pages.py`. `mailbox.py` reads the mails.
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

from tools.sandbox.inbox_pages import CONTENT_SECURITY_POLICY, list_page, message_page, missing_page
from tools.sandbox.mailbox import Mailbox


class Response(NamedTuple):
    """The inbox's response to a GET."""

    body: str
    content_type: str = "text/html; charset=utf-8"
    status: HTTPStatus = HTTPStatus.OK


def respond(path: str, mailbox: Mailbox, approvers: Sequence[str]) -> Response:
    """Return the response to a GET of this path; `approvers` are listed even without mail."""
    url = urlsplit(path)
    to = parse_qs(url.query).get("to", [None])[0]
    if url.path == "/messages":
        messages = [m.json for m in mailbox.messages(to)]
        return Response(json.dumps({"messages": messages}), "application/json")
    if url.path == "/":
        addresses = sorted({*approvers, *(m.to for m in mailbox.messages())})
        return Response(list_page(mailbox.messages(to), addresses, to, mailbox.read))
    if url.path.startswith("/mail/"):
        message = mailbox.message(url.path.removeprefix("/mail/"))
        if message is not None:
            mailbox.read.add(message.id)
            return Response(message_page(message))
    return Response(missing_page(), status=HTTPStatus.NOT_FOUND)


class Inbox:
    """A running inbox, as a context manager."""

    def __init__(self, host: str, port: int, mailbox: Mailbox, approvers: Sequence[str]) -> None:
        handler = partial(_Handler, mailbox, approvers)
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

    def __init__(self, mailbox: Mailbox, approvers: Sequence[str], *request: Any) -> None:
        self._mailbox, self._approvers = mailbox, approvers
        super().__init__(*request)  # The base class handles the request in its constructor.

    def do_GET(self) -> None:
        response = respond(self.path, self._mailbox, self._approvers)
        data = response.body.encode()
        self.send_response(response.status)
        self.send_header("Content-Type", response.content_type)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's parameter
        """Log nothing: the page asks for new mail every few seconds."""
