"""The client beside the real app: its HTTP calls are answered by `app.py` in this process."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import botocore.session
import pytest
import requests
from assent_client import Assent
from assent_client.commands import assent
from click.testing import CliRunner, Result
from requests.adapters import BaseAdapter

from tests.unit.entrypoints.client import AppClient, AppPorts, install

URL = "https://assent.example.com/api"
KEPT = ("Idempotency-Key",)
"""The headers that are handed on beside those that every call has."""
Fault = Callable[[requests.PreparedRequest], requests.Response | None]


class InProcess(BaseAdapter):
    """Answers calls by the app; `faults` come first, each once."""

    def __init__(self, client: AppClient) -> None:
        super().__init__()
        self.sent: list[Any] = []
        self.faults: list[Fault] = []
        self._client = client

    def send(self, request: Any, *_: Any, **__: Any) -> requests.Response:
        """Return the app's answer to a call, which is signed unless its route is public."""
        self.sent.append(request)
        signature = request.headers.get("Authorization", "")
        is_signed = signature.startswith("AWS4-HMAC-SHA256 Credential=")
        assert is_signed or str(request.url).endswith("/health")
        if self.faults and (answer := self.faults.pop(0)(request)) is not None:
            return answer
        parts = urlsplit(str(request.url))
        path = parts.path.removeprefix("/api") + (f"?{parts.query}" if parts.query else "")
        body = request.body or b""
        got = self._client.request(
            str(request.method),
            path,
            body.encode() if isinstance(body, str) else body,
            request.headers.get("Content-Type"),
            "application/json",
            **{
                name: request.headers[name] for name in request.headers if name == "Idempotency-Key"
            },
        )
        return answer_of(request, got.status, got.raw, got.headers)

    def close(self) -> None:
        """Do nothing."""


def answer_of(
    request: requests.PreparedRequest, status: int, body: bytes, headers: dict[str, str]
) -> requests.Response:
    """Return an answer as requests has it."""
    answer = requests.Response()
    answer.status_code, answer.raw, answer.request = status, io.BytesIO(body), request
    answer.headers.update(headers)
    answer.url = str(request.url)
    return answer


@pytest.fixture
def ports(monkeypatch: pytest.MonkeyPatch) -> AppPorts:
    """Return the ports that the app has in this test."""
    return install(monkeypatch)


@pytest.fixture
def server(ports: AppPorts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> InProcess:  # noqa: ARG001
    """Answer every call of `requests` by the app, signed with keys of this test."""
    adapter = InProcess(AppClient(str(tmp_path)))
    monkeypatch.setattr(requests.Session, "get_adapter", lambda *_, **__: adapter)
    for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN"):
        monkeypatch.setenv(f"AWS_{name}", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    return adapter


@pytest.fixture
def pauses() -> list[float]:
    """Return the list of the client's pauses, in seconds."""
    return []


@pytest.fixture
def api(server: InProcess, pauses: list[float]) -> Assent:  # noqa: ARG001
    """Return a client that doesn't sleep."""
    return Assent(URL, session=botocore.session.Session(), sleep=pauses.append)


@pytest.fixture
def run(server: InProcess) -> Callable[..., Result]:  # noqa: ARG001
    """Run the command `assent` with these arguments."""

    def command(*arguments: str, text: str | None = None) -> Result:
        return CliRunner(env={"ASSENT_URL": URL}).invoke(assent, list(arguments), input=text)

    return command
