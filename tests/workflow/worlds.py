"""What a story happens in: the adapters behind its ports, and what can be seen from outside."""

import json
from collections import Counter
from typing import Any, Protocol

from chalicelib.ports import Callbacks, Notifier, Store
from tests.fakes import FakeCallbacks, FakeNotifier, FakeStore, StillPorts
from tests.workflow.ledger import Ledger
from tests.workflow.stage import Post, Stage, Tasks


class World(Protocol):
    """Three adapters, and what AWS and the people behind them do and know."""

    @property
    def store(self) -> Store: ...
    @property
    def callbacks(self) -> Callbacks: ...
    @property
    def notifier(self) -> Notifier: ...
    def task(self, request: dict[str, Any]) -> str:
        """Return the token of a new task that waits for the answer to this request."""

    def subscribe(self, address: str, subscription: str) -> None:
        """Have that person's subscription be `none`, `pending` or `confirmed`."""

    def came_of(self, task_token: str) -> str:
        """Return the error that this task ended with, or the outcome in its output."""

    def mails(self) -> Counter[tuple[str, str]]:
        """Return how often each address was sent a mail of each subject."""

    def end(self) -> None:
        """Leave nothing behind."""


class FakeWorld:
    """The fakes."""

    def __init__(self) -> None:
        self.store, self.callbacks, self.notifier = FakeStore(), FakeCallbacks(), FakeNotifier()
        self._tasks = 0

    def task(self, request: dict[str, Any]) -> str:  # noqa: ARG002 (it is nobody's here)
        self._tasks += 1
        return f"task-{self._tasks}"

    def subscribe(self, address: str, subscription: str) -> None:
        self.notifier.subscriptions[address] = subscription

    def came_of(self, task_token: str) -> str:
        (answer,) = (a for a in self.callbacks.answers if a.task_token == task_token)
        return answer.error or json.loads(answer.output or "")["outcome"]

    def mails(self) -> Counter[tuple[str, str]]:
        return Counter((to, email.subject) for to, email in self.notifier.sent)

    def end(self) -> None:
        pass


class StagedPorts(StillPorts):
    """The ports of a story, in that world."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world, self.stage = world, Stage()
        self.notifier = Post(self.stage, world.notifier, world.store)
        self.store = Ledger(self.stage, world.store, self.notifier)
        self.callbacks = Tasks(self.stage, world.callbacks)
