"""The example over moto: its bucket and its table, S3's events held back, and death at any call.

A test delivers the events: in any order, twice, late or not at all. The one who waits is a fake
that takes one answer, as Step Functions does.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, cast

from examples.document_release.chalicelib import steps
from examples.document_release.chalicelib.callbacks import Callbacks
from examples.document_release.chalicelib.counting import Counting
from examples.document_release.chalicelib.documents import Document, Documents
from examples.document_release.chalicelib.wiring import Wiring
from tests.aws.clients import session
from tools.template import load_template

EXAMPLE = Path(__file__).parents[3] / "examples" / "document_release"
BUCKET = "documents"
TABLE = "scans"
EXECUTION = "report-4f2a"
TOKEN = "AQCEAAAAKgAAAAMAAAAA" + "b+/c==d+" * 80
ENVIRONMENT = {
    "BUCKET_NAME": BUCKET,
    "TABLE_NAME": TABLE,
    "STATE_MACHINE_ARN": "arn:aws:states:us-east-1:123456789012:stateMachine:document-release",
    "CHUNK_BYTES": "600",
    "APPROVERS": "ada@example.com,grace@example.com",
    "REQUESTED_BY": "documents@example.com",
}


class DiedError(Exception):
    """The function ended here: out of time, out of memory, or its machine was gone."""


@dataclass
class Effects:
    """Every call of AWS that the functions make; dies at the one it is told to, before or after."""

    done: list[str] = field(default_factory=list)
    die_at: int | None = None
    """Dies before call n at 2 * n, after it at 2 * n + 1, both counted from 0."""
    moments: int = 0

    def before(self, what: str) -> None:
        """Note that a call begins."""
        self._moment()
        self.done.append(what)

    def after(self) -> None:
        """Note that it has had its effect."""
        self._moment()

    def _moment(self) -> None:
        self.moments += 1
        if self.moments - 1 == self.die_at:
            raise DiedError


@dataclass
class Waiting:
    """Step Functions, as far as a task goes: a token that waits takes one answer."""

    effects: Effects
    tokens: set[str] = field(default_factory=set)
    answers: list[tuple[str, str, Any]] = field(default_factory=list)
    refused: int = 0

    def succeed(self, task_token: str, output: Any) -> bool:
        """Take a success."""
        return self._answer(task_token, "succeeded", output)

    def fail(self, task_token: str, error: str, cause: str) -> bool:
        """Take a failure."""
        return self._answer(task_token, error, cause)

    def _answer(self, task_token: str, how: str, what: Any) -> bool:
        self.effects.before(how)
        waits = task_token in self.tokens
        if waits:
            self.tokens.remove(task_token)
            self.answers.append((task_token, how, what))
        else:
            self.refused += 1
        self.effects.after()
        return waits


class World(Wiring):
    """A Wiring over moto, and the hand that moves what is outside the functions."""

    def __init__(self, chunk_bytes: int = 600) -> None:
        super().__init__(ENVIRONMENT | {"CHUNK_BYTES": str(chunk_bytes)})
        self.effects = Effects()
        self.waiting = Waiting(self.effects)
        self.events: list[str] = []
        """The keys of the chunks that S3 has yet to tell of, in the order of their writing."""
        self.clock = 1_795_000_000_000
        self.logged: list[dict[str, object]] = []
        self.s3: Any = session().client("s3")
        self.dynamodb: Any = session().client("dynamodb")
        make_bucket(self.s3)
        make_table(self.dynamodb)
        for client in (self.s3, self.dynamodb):
            client.meta.events.register("provide-client-params.*", self._begin)
            client.meta.events.register("after-call.*", self._end)
        self._putting = ""

    @cached_property
    def counting(self) -> Counting:
        """Return the real adapter, on moto's table."""
        return Counting(self.dynamodb, TABLE)

    @cached_property
    def documents(self) -> Documents:
        """Return the real adapter, on moto's bucket."""
        return Documents(self.s3, BUCKET)

    @cached_property
    def callbacks(self) -> Callbacks:
        """Return the fake that waits."""
        return cast("Callbacks", self.waiting)

    def now(self) -> int:
        """Return a time that is later with every call."""
        self.clock += 1
        return self.clock

    def log(self, event: str, **facts: object) -> None:
        """Keep what would be logged."""
        self.logged.append(json.loads(json.dumps({"event": event, **facts})))

    def put(self, text: str | bytes, name: str = "report.txt") -> Document:
        """Put a document into `incoming/`."""
        body = text if isinstance(text, bytes) else text.encode()
        key = f"incoming/{name}"
        made = session().client("s3").put_object(Bucket=BUCKET, Key=key, Body=body)
        return Document(key, made["VersionId"])

    def cut(self, document: Document, token: str = TOKEN) -> None:
        """Run the function that splits, for a task that waits with this token."""
        self.waiting.tokens = {token}
        steps.cut(self, EXECUTION, document, token)

    def deliver(self, key: str) -> None:
        """Run the worker for one event."""
        steps.look(self, key)

    def deliver_all(self) -> None:
        """Run the workers of all events there are."""
        while self.events:
            self.deliver(self.events.pop(0))

    def dying(self, at: int, step: Callable[[], object]) -> bool:
        """Take a step that dies at that moment; return whether it came so far."""
        self.effects.moments, self.effects.die_at = 0, at
        try:
            step()
        except DiedError:
            return True
        finally:
            self.effects.die_at = None
        return False

    def _begin(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        self._putting = params["Key"] if model.name == "PutObject" else ""
        self.effects.before(model.name)

    def _end(self, **_: Any) -> None:
        if self._putting.startswith("chunks/"):
            self.events.append(self._putting)
        self.effects.after()


def make_bucket(client: Any) -> None:
    """Make the template's bucket: with versions."""
    client.create_bucket(Bucket=BUCKET)
    client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})


def make_table(client: Any, name: str = TABLE) -> None:
    """Make the template's table."""
    template = load_template(EXAMPLE / "infrastructure.yaml")
    described = template["Resources"]["Table"]["Properties"]
    client.create_table(
        TableName=name,
        **{key: described[key] for key in ("BillingMode", "AttributeDefinitions", "KeySchema")},
    )
