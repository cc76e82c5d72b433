"""The example's wiring over moto, with S3's events held back and a crash at any AWS call.

A test delivers the events itself: in any order, twice, late or not at all. Step Functions is a fake
that takes one answer for each waiting task.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, cast

from examples.document_release.chalicelib import steps
from examples.document_release.chalicelib.callbacks import Callbacks
from examples.document_release.chalicelib.counting import ScanTable
from examples.document_release.chalicelib.documents import Document, Documents
from examples.document_release.chalicelib.wiring import Wiring
from tests.aws.clients import session
from tools.template import load_template

EXAMPLE = Path(__file__).parents[4] / "examples" / "document_release"
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


class CrashedError(Exception):
    """The function stopped here: out of time, out of memory, or its machine failed."""


@dataclass
class AwsCalls:
    """Records the AWS calls of the functions, and crashes before or after a chosen one."""

    names: list[str] = field(default_factory=list)
    crash_at: int | None = None
    """The crash point, from 0: call n has two, 2 * n before it and 2 * n + 1 after it."""
    crash_points: int = 0

    def before(self, name: str) -> None:
        """Record a call that begins."""
        self._pass_crash_point()
        self.names.append(name)

    def after(self) -> None:
        """Record that the call has had its effect."""
        self._pass_crash_point()

    def _pass_crash_point(self) -> None:
        self.crash_points += 1
        if self.crash_points - 1 == self.crash_at:
            raise CrashedError


@dataclass
class FakeTasks:
    """The tasks of Step Functions: a waiting token takes one answer."""

    calls: AwsCalls
    waiting: set[str] = field(default_factory=set)
    answers: list[tuple[str, str, Any]] = field(default_factory=list)
    refused: int = 0

    def succeed(self, task_token: str, output: Any) -> bool:
        """Take a success."""
        return self._answer(task_token, "succeeded", output)

    def fail(self, task_token: str, error: str, cause: str) -> bool:
        """Take a failure."""
        return self._answer(task_token, error, cause)

    def _answer(self, task_token: str, result: str, output: Any) -> bool:
        self.calls.before(result)
        accepted = task_token in self.waiting
        if accepted:
            self.waiting.remove(task_token)
            self.answers.append((task_token, result, output))
        else:
            self.refused += 1
        self.calls.after()
        return accepted


class MotoWiring(Wiring):
    """A Wiring over moto that also uploads documents, runs the steps and delivers the events."""

    def __init__(self, chunk_bytes: int = 600) -> None:
        super().__init__(ENVIRONMENT | {"CHUNK_BYTES": str(chunk_bytes)})
        self.calls = AwsCalls()
        self.tasks = FakeTasks(self.calls)
        self.events: list[str] = []
        """The keys of the chunks whose events aren't delivered yet, oldest first."""
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
    def scans(self) -> ScanTable:
        """Return the real adapter on moto's table."""
        return ScanTable(self.dynamodb, TABLE)

    @cached_property
    def documents(self) -> Documents:
        """Return the real adapter on moto's bucket."""
        return Documents(self.s3, BUCKET)

    @cached_property
    def callbacks(self) -> Callbacks:
        """Return the fake tasks."""
        return cast("Callbacks", self.tasks)

    def now(self) -> int:
        """Return a time that is later with every call."""
        self.clock += 1
        return self.clock

    def log(self, event: str, **facts: object) -> None:
        """Record the log line."""
        self.logged.append(json.loads(json.dumps({"event": event, **facts})))

    def upload(self, text: str | bytes, name: str = "report.txt") -> Document:
        """Upload a document to `incoming/`."""
        body = text if isinstance(text, bytes) else text.encode()
        key = f"incoming/{name}"
        made = session().client("s3").put_object(Bucket=BUCKET, Key=key, Body=body)
        return Document(key, made["VersionId"])

    def split(self, document: Document, token: str = TOKEN) -> None:
        """Run the step `split` for a task that waits with this token."""
        self.tasks.waiting = {token}
        steps.split(self, EXECUTION, document, token)

    def deliver(self, key: str) -> None:
        """Run the step `look` for the event about this chunk."""
        steps.look(self, key)

    def deliver_all(self) -> None:
        """Run the step `look` for all events that aren't delivered yet."""
        while self.events:
            self.deliver(self.events.pop(0))

    def crashes(self, step: Callable[[], object], *, at: int) -> bool:
        """Run a step that crashes at this crash point; return whether it got that far."""
        self.calls.crash_points, self.calls.crash_at = 0, at
        try:
            step()
        except CrashedError:
            return True
        finally:
            self.calls.crash_at = None
        return False

    def _begin(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        self._putting = params["Key"] if model.name == "PutObject" else ""
        self.calls.before(model.name)

    def _end(self, **_: Any) -> None:
        if self._putting.startswith("chunks/"):
            self.events.append(self._putting)
        self.calls.after()


def make_bucket(client: Any) -> None:
    """Make the template's bucket, with versions."""
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
