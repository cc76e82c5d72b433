"""The doors of `app.py`, opened in this process through Chalice's test client."""

import json
import warnings
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from chalice.test import Client, HTTPResponse

from chalicelib.settings import Settings
from tests.builders import asked
from tests.fakes import TOKEN, FakePorts

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
ADA = "ada@example.com"


class DoorPorts(FakePorts):
    """What `app.py` needs in the place of its Wiring: the ports, and the stage's settings."""

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
        """Return the link token in the newest mail to that approver."""
        return self.token_mailed_to(to)

    def world(self) -> list[Any]:
        """Return all that a request could have changed, to be compared with what it was."""
        return [
            list(self.effects.done),
            dict(self.store._items),
            list(self.mailer.sent),
            list(self.mailer.invitations),
            list(self.executions.answers),
            list(self.event_bus.announced),
            list(self.dead_letters.letters),
            dict(self.executions.inputs),
        ]


@dataclass(frozen=True)
class Answered:
    """An answer as its reader gets it."""

    status: int
    headers: dict[str, str]
    raw: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.raw.decode()

    @property
    def json(self) -> Any:
        """The body as JSON; it must say that it is some."""
        assert self.headers.get("content-type", JSON).startswith(JSON)
        return json.loads(self.raw)

    @property
    def is_page(self) -> bool:
        """Whether it is HTML, by its header and by its beginning."""
        page = self.headers.get("content-type", "").startswith("text/html")
        assert not self.raw or page == self.raw.startswith(b"<!doctype html>")
        return page


class Doors:
    """Asks the app by HTTP's words. IAM isn't enforced here: that is API Gateway's part."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def ask(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        content_type: str | None = None,
        accept: str | None = None,
        **headers: str,
    ) -> Answered:
        """Send a request and return the answer; underscores in header names mean hyphens."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if content_type is not None:
            sent["Content-Type"] = content_type
        if accept is not None:
            sent["Accept"] = accept
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "IAMAuthorizer is not a supported in local mode")
            got: HTTPResponse = self._client.http.request(method, path, headers=sent, body=body)
        lowered = {name.lower(): value for name, value in got.headers.items()}
        return Answered(got.status_code, lowered, got.body)

    def get(self, path: str, accept: str | None = None) -> Answered:
        """GET."""
        return self.ask("GET", path, accept=accept)

    def form(self, path: str, accept: str | None = BROWSER, **fields: str | list[str]) -> Answered:
        """POST a form, as a browser does; a field with many values is sent many times."""
        return self.ask("POST", path, urlencode(fields, doseq=True).encode(), FORM, accept)

    def json(self, path: str, body: object, accept: str | None = JSON, **more: str) -> Answered:
        """POST JSON."""
        return self.ask("POST", path, json.dumps(body).encode(), JSON, accept, **more)


def one_asked(ports: DoorPorts, task_token: str = TOKEN, **fields: Any) -> str:
    """Ask for an approval and return the link token that was mailed to Ada."""
    asked(ports, task_token, **fields)
    return ports.link()
