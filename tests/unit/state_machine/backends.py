"""Backends: the adapters that a story runs on, and what AWS did with what they sent.

Here are the fakes; tests/integration/moto_backend.py has the real adapters.
"""

import json
from collections import Counter
from typing import Any, Protocol

from chalicelib.application.ports import ApprovalStore, EventBus, Executions, Mailer, Subscription
from tests.fake_policies import FakePolicies
from tests.fakes import (
    FakeDeadLetters,
    FakeEventBus,
    FakeExecutions,
    FakeMailer,
    FakeSessions,
    FakeStore,
    StillPorts,
)
from tests.unit.state_machine.checked_store import CheckedStore
from tests.unit.state_machine.faults import Faults, FaultyEventBus, FaultyExecutions, FaultyMailer


class Backend(Protocol):
    """The adapters, and the observed state of the services behind them."""

    @property
    def store(self) -> ApprovalStore: ...
    @property
    def executions(self) -> Executions: ...
    @property
    def mailer(self) -> Mailer: ...
    @property
    def event_bus(self) -> EventBus: ...
    def task(self, request: dict[str, Any]) -> str:
        """Return the token of a new task that waits for the outcome of this request."""

    def set_subscription(self, address: str, subscription: Subscription) -> None:
        """Set the state of that person's e-mail subscription."""

    def task_result(self, task_token: str) -> str:
        """Return the error that this task ended with, or the outcome in its output."""

    def mails(self) -> Counter[tuple[str, str]]:
        """Return how often each address was sent a mail of each subject."""

    def announcements(self) -> Counter[str]:
        """Return how often the outcome of each approval reached a target of the event bus."""

    def close(self) -> None:
        """Leave nothing running."""


class FakeBackend:
    """The fakes, in memory."""

    def __init__(self) -> None:
        self.store, self.executions, self.mailer = FakeStore(), FakeExecutions(), FakeMailer()
        self.event_bus = FakeEventBus()
        self._tasks = 0

    def task(self, request: dict[str, Any]) -> str:  # noqa: ARG002 (no execution runs here)
        self._tasks += 1
        return f"task-{self._tasks}"

    def set_subscription(self, address: str, subscription: Subscription) -> None:
        self.mailer.subscriptions[address] = subscription

    def task_result(self, task_token: str) -> str:
        (answer,) = (a for a in self.executions.answers if a.task_token == task_token)
        return answer.error or json.loads(answer.output or "")["outcome"]

    def mails(self) -> Counter[tuple[str, str]]:
        return Counter((to, email.subject) for to, email in self.mailer.sent)

    def announcements(self) -> Counter[str]:
        return Counter(event["detail"]["approvalId"] for event in self.event_bus.announced)

    def close(self) -> None:
        pass


class StoryPorts(StillPorts):
    """The `Ports` of a story: a backend's adapters behind faults and checks."""

    def __init__(self, backend: Backend) -> None:
        super().__init__()
        self.backend, self.faults = backend, Faults()
        self.mailer = FaultyMailer(self.faults, backend.mailer, backend.store)
        self.store = CheckedStore(self.faults, backend.store, self.mailer)
        self.executions = FaultyExecutions(self.faults, backend.executions)
        self.event_bus = FaultyEventBus(self.faults, backend.event_bus)
        self.dead_letters = FakeDeadLetters()  # No message is refused in a story.
        self.sessions = FakeSessions()  # Nobody opens the console.
        self.policies = FakePolicies()
