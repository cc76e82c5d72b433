"""Adapters as a story needs them: somebody comes between, calls fail, answers get lost.

Each stands before an adapter, a fake or a real one, and notes what that was asked and answered.
"""

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from chalicelib.application.ports import ApprovalStore, EventBus, Executions, Mailer
from chalicelib.domain import link_tokens
from chalicelib.domain.errors import Unavailable
from chalicelib.presentation.emails import Email
from chalicelib.presentation.json_types import AnnouncementJson
from tests.fakes import Answer, Crash, Effects

NEWS = "News"
KINDS = {"receipt": "Asked", "outcome": NEWS, "reminder": "Reminder, approval needed"}
"""What a promise is about -> how its mail's subject begins; the others ask."""
ASKS = "Approval needed"

SAID = ("mailer.send", "executions.answer", "event_bus.announce")
"""What can't be taken back, so that a lost answer or write may make it happen twice."""

Key = tuple[str, str, str]
"""Approval id, address, and what kind of mail: the beginning of its subject."""


@dataclass
class Stage(Effects):
    """The effects, with somebody coming between two of them, and answers that get lost."""

    meanwhile: Callable[[], object] | None = None
    meanwhile_at: int = 0
    unheard: set[str] = field(default_factory=set)
    """Effects that happen, and whose caller hears of a fault."""
    crashes: int = 0
    doubtful: int = 0
    """How often something was said and its caller can't know it or couldn't write it down."""
    came_between: int = 0
    said: bool = False
    """Whether something was said that isn't written down yet."""

    def begin(self, name: str) -> None:
        """As Effects; whoever comes between comes before the effect."""
        if self.meanwhile is not None and len(self.done) >= self.meanwhile_at:
            other, self.meanwhile = self.meanwhile, None
            self.came_between += 1
            said, self.said = self.said, False
            # What they hear of a fault is for them: the call that they came between goes on.
            with suppress(Unavailable):
                other()
            self.said = said
        try:
            super().begin(name)
        except Crash:
            self.crashes += 1
            self.said = False
            raise
        except Unavailable:
            self._doubt()
            raise

    def end(self, name: str, took: bool = True) -> None:
        """Lose the answer to what was done, if told to; what it says may be that it wasn't."""
        if took:
            self.said = name in SAID
        if name in self.unheard:
            self._doubt()
            raise Unavailable(f"{name}: no answer; please try again")

    def _doubt(self) -> None:
        self.doubtful += self.said
        self.said = False

    @property
    def disturbances(self) -> int:
        """How many mails and announcements may be there twice, at most."""
        return self.crashes + self.doubtful


class Post:
    """SNS, noting which mail of which approval each one was, and who was asked too late."""

    def __init__(self, stage: Stage, mailer: Mailer, store: ApprovalStore) -> None:
        self._stage, self._mailer, self._store = stage, mailer, store
        self.subscription, self.forget = mailer.subscription, mailer.forget
        self.confirm = mailer.confirm
        self.refuses = False
        self.sent: list[tuple[str, Email]] = []
        self.late = 0
        self.links: list[tuple[str, str, str]] = []
        """Address, page and link token of every link mailed."""
        self.mailed: dict[str, int] = {}
        """Hash of each of them -> which mail of all it was in."""

    def invite(self, address: str) -> bool:
        self._stage.begin("mailer.invite")
        return not self.refuses and self._mailer.invite(address)

    def send(self, address: str, email: Email) -> bool:
        self._stage.begin("mailer.send")
        took = not self.refuses and self._mailer.send(address, email)
        if took:
            self._note(address, email)
        self._stage.end("mailer.send", took)
        return took

    def kinds_since(self, start: int) -> set[Key]:
        return {self.key(to, email) for to, email in self.sent[start:]}

    @staticmethod
    def key(address: str, email: Email) -> Key:
        beginning, _, subject = email.subject.partition(": ")
        asks_or_asked = beginning in (ASKS, *KINDS.values())
        return subject, address, beginning if asks_or_asked else NEWS

    def _note(self, address: str, email: Email) -> None:
        found = re.findall(r"/(approve|cancel|inbox)/(\S+)", email.text)
        self.links += [(address, page, token) for page, token in found]
        for page, token in found:
            self.mailed[stored_of(page, token)] = len(self.sent)
            approval = self._store.get(token.partition(".")[0])
            assert approval is not None
            self.late += page == "approve" and approval.outcome != "pending"
        self.sent.append((address, email))


class Tasks:
    """Step Functions, some of whose answers get lost."""

    def __init__(self, stage: Stage, executions: Executions) -> None:
        self._stage, self._executions = stage, executions
        self.start, self.describe = executions.start, executions.describe
        self.answers: list[Answer] = []
        self.refused: list[Answer] = []

    def succeed_task(self, task_token: str, output: str) -> bool:
        self._stage.begin("executions.answer")
        took = self._executions.succeed_task(task_token, output)
        return self._heard(Answer(task_token, output=output), took)

    def fail_task(self, task_token: str, error: str, cause: str) -> bool:
        self._stage.begin("executions.answer")
        took = self._executions.fail_task(task_token, error, cause)
        return self._heard(Answer(task_token, error=error, cause=cause), took)

    def _heard(self, answer: Answer, took: bool) -> bool:
        (self.answers if took else self.refused).append(answer)
        self._stage.end("executions.answer")
        return took


class Bus:
    """EventBridge, some of whose answers get lost."""

    def __init__(self, stage: Stage, event_bus: EventBus) -> None:
        self._stage, self._event_bus = stage, event_bus
        self.announced: list[tuple[AnnouncementJson, datetime]] = []

    def announce(self, detail: AnnouncementJson, at: datetime, resource: str) -> None:
        self._stage.begin("event_bus.announce")
        self._event_bus.announce(detail, at, resource)
        self.announced.append((detail, at))
        self._stage.end("event_bus.announce")


def stored_of(page: str, token: str) -> str:
    """Return what is stored of a link; of a list's, what is stored of its decision link."""
    secret = link_tokens.read_token(token)[1]
    return link_tokens.digest(link_tokens.decision_secret(secret) if page == "inbox" else secret)
