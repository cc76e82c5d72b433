"""A client of `app.py` in this process, and the ports that the app is given."""

import json
import warnings
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import pytest
from chalice.test import Client, HTTPResponse

import app as app_module
from chalicelib.settings import Settings
from tests.builders import request_approval
from tests.fakes import TOKEN, FakePorts

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
ADA = "ada@example.com"


class AppPorts(FakePorts):
    """The fakes in the place of the app's Wiring: the ports, and the stage's settings."""

    settings = Settings(
        stage="test",
        table="assent-test",
        state_machine_arn="arn:aws:states:us-east-1:000000000000:stateMachine:assent-test",
        topic_arn_prefix="arn:aws:sns:us-east-1:000000000000:assent-test-approver-",
        dead_letters_url="https://sqs.us-east-1.amazonaws.com/000000000000/assent-test-dead-letters",
        public_url=FakePorts.public_url,
        approver_domains=FakePorts.approver_domains,
    )

    def link(self, to: str = ADA) -> str:
        """Return the decision link's token in the newest mail to that approver."""
        return self.token_mailed_to(to)


def install(monkeypatch: pytest.MonkeyPatch) -> AppPorts:
    """Give the app new ports and return them; the monkeypatch restores its own wiring."""
    ports = AppPorts()
    monkeypatch.setattr(app_module, "wiring", ports)
    monkeypatch.setattr(app_module.answered, "log", ports.log)
    return ports


@dataclass(frozen=True)
class HttpResponse:
    """A response as its reader gets it."""

    status: int
    headers: dict[str, str]
    raw: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.raw.decode()

    @property
    def json(self) -> Any:
        """The body as JSON; its header must say so."""
        assert self.headers.get("content-type", JSON).startswith(JSON)
        return json.loads(self.raw)

    @property
    def is_page(self) -> bool:
        """Whether it is HTML, by its header and by its beginning."""
        page = self.headers.get("content-type", "").startswith("text/html")
        assert not self.raw or page == self.raw.startswith(b"<!doctype html>")
        return page


class AppClient:
    """Sends requests to the app. IAM isn't enforced here: API Gateway does that."""

    def __init__(self, project_dir: str) -> None:
        self._client = Client(app_module.app, project_dir=project_dir)

    def request(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        content_type: str | None = None,
        accept: str | None = None,
        **headers: str,
    ) -> HttpResponse:
        """Send a request and return the response; underscores in header names mean hyphens."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if content_type is not None:
            sent["Content-Type"] = content_type
        if accept is not None:
            sent["Accept"] = accept
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "IAMAuthorizer is not a supported in local mode")
            got: HTTPResponse = self._client.http.request(method, path, headers=sent, body=body)
        lowered = {name.lower(): value for name, value in got.headers.items()}
        return HttpResponse(got.status_code, lowered, got.body)

    def get(self, path: str, accept: str | None = None) -> HttpResponse:
        """GET."""
        return self.request("GET", path, accept=accept)

    def head(self, path: str, accept: str | None = None) -> HttpResponse:
        """HEAD."""
        return self.request("HEAD", path, accept=accept)

    def post_form(
        self, path: str, accept: str | None = BROWSER, **fields: str | list[str]
    ) -> HttpResponse:
        """POST a form, as a browser does; a field with several values is sent several times."""
        return self.request("POST", path, urlencode(fields, doseq=True).encode(), FORM, accept)

    def post_json(
        self, path: str, body: object, accept: str | None = JSON, **headers: str
    ) -> HttpResponse:
        """POST JSON."""
        return self.request("POST", path, json.dumps(body).encode(), JSON, accept, **headers)


def new_link(ports: AppPorts, task_token: str = TOKEN, **fields: Any) -> str:
    """Request an approval and return the decision link's token that was mailed to Ada."""
    request_approval(ports, task_token, **fields)
    return ports.link()
