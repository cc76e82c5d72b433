"""AWS whose answers are lost: it does what is asked, and the client hears nothing."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from botocore.exceptions import ReadTimeoutError
from moto.core.models import botocore_stubber


def lose_answers(client: Any, operation: str, number: int = 1) -> list[str]:
    """Lose so many answers of moto to that operation; return a list that grows with each try."""
    tries: list[str] = []

    def send(request: Any, event_name: str, **_: Any) -> None:
        tries.append(operation)
        if len(tries) <= number:
            botocore_stubber(event_name, request)
            raise ReadTimeoutError(endpoint_url=request.url)

    service = client.meta.service_model.service_id.hyphenize()
    client.meta.events.register_first(f"before-send.{service}.{operation}", send)
    return tries


class TaskServer(HTTPServer):
    """Step Functions that waits for one task; it closes the connection on the first `lost` calls.

    Of those it answers the task first, unless `drops`.
    """

    def __init__(self, *, lost: int, drops: bool = False, waiting: bool = True) -> None:
        super().__init__(("127.0.0.1", 0), _Call)
        self.lost, self.drops, self.waiting = lost, drops, waiting
        self.calls: list[dict[str, Any]] = []

    @property
    def url(self) -> str:
        """Return the server's address."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Call(BaseHTTPRequestHandler):
    server: TaskServer

    def do_POST(self) -> None:
        server = self.server
        server.calls.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        lost = len(server.calls) <= server.lost
        was_waiting = server.waiting
        server.waiting = was_waiting and lost and server.drops
        if lost:
            self.close_connection = True
            return
        body = b"{}" if was_waiting else b'{"__type": "TaskTimedOut", "message": "It is closed."}'
        self.send_response(200 if was_waiting else 400)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing."""


@contextmanager
def serving(server: TaskServer) -> Iterator[TaskServer]:
    """Serve in another thread until the block ends."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
