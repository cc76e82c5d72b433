"""What a story happens in: the adapters behind its ports, and what can be seen from outside."""

import json
from collections import Counter
from typing import Any, Protocol

from chalicelib.application.ports import ApprovalStore, EventBus, Executions, Mailer, Subscription
from tests.fakes import (
    FakeDeadLetters,
    FakeEventBus,
    FakeExecutions,
    FakeMailer,
    FakeStore,
    StillPorts,
)
from tests.unit.state_machine.faults import Bus, Post, Stage, Tasks
from tests.unit.state_machine.model import Ledger


class World(Protocol):
    """The adapters, and what AWS and the people behind them do and know."""

    @property
    def store(self) -> ApprovalStore: ...
    @property
    def executions(self) -> Executions: ...
    @property
    def mailer(self) -> Mailer: ...
    @property
    def event_bus(self) -> EventBus: ...
    def task(self, request: dict[str, Any]) -> str:
        """Return the token of a new task that waits for the answer to this request."""

    def subscribe(self, address: str, subscription: Subscription) -> None:
        """Have that person's subscription be `none`, `pending` or `confirmed`."""

    def came_of(self, task_token: str) -> str:
        """Return the error that this task ended with, or the outcome in its output."""

    def mails(self) -> Counter[tuple[str, str]]:
        """Return how often each address was sent a mail of each subject."""

    def announced(self) -> Counter[str]:
        """Return how often the outcome of each approval arrived where the bus brings it."""

    def end(self) -> None:
        """Leave nothing behind."""


class FakeWorld:
    """The fakes."""

    def __init__(self) -> None:
        self.store, self.executions, self.mailer = FakeStore(), FakeExecutions(), FakeMailer()
        self.event_bus = FakeEventBus()
        self._tasks = 0

    def task(self, request: dict[str, Any]) -> str:  # noqa: ARG002 (it is nobody's here)
        self._tasks += 1
        return f"task-{self._tasks}"

    def subscribe(self, address: str, subscription: Subscription) -> None:
        self.mailer.subscriptions[address] = subscription

    def came_of(self, task_token: str) -> str:
        (answer,) = (a for a in self.executions.answers if a.task_token == task_token)
        return answer.error or json.loads(answer.output or "")["outcome"]

    def mails(self) -> Counter[tuple[str, str]]:
        return Counter((to, email.subject) for to, email in self.mailer.sent)

    def announced(self) -> Counter[str]:
        return Counter(event["detail"]["approvalId"] for event in self.event_bus.announced)

    def end(self) -> None:
        pass


class StagedPorts(StillPorts):
    """The ports of a story, in that world."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world, self.stage = world, Stage()
        self.mailer = Post(self.stage, world.mailer, world.store)
        self.store = Ledger(self.stage, world.store, self.mailer)
        self.executions = Tasks(self.stage, world.executions)
        self.event_bus = Bus(self.stage, world.event_bus)
        self.dead_letters = FakeDeadLetters()  # No message is refused in a story.
