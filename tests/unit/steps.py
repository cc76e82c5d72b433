"""Steps of the use cases' tests: run ticks, decide, and read what was mailed and recorded."""

import re
from datetime import timedelta
from typing import Any, TypeVar

from msgspec.structs import replace

from chalicelib.application import deciding, operating
from chalicelib.application.tick import tick
from chalicelib.domain.approval import Approval, Choice
from chalicelib.domain.commands import Command
from chalicelib.domain.events import Event
from tests.fakes import FakePorts, FakeStore

S = TypeVar("S", bound=FakeStore)

ADA, GRACE, LINUS, MARY = (f"{name}@example.com" for name in ("ada", "grace", "linus", "mary"))
OPERATOR = "operator@example.com"


def run_tick(ports: FakePorts) -> None:
    """Run the tick once; it must meet no error."""
    logged = len(ports.logged)
    tick(ports, until=ports.now() + timedelta(minutes=4))
    assert not [line for line in ports.logged[logged:] if line["event"] == "tick_failed"]


def pass_minutes(ports: FakePorts, number: int) -> None:
    """Let that many minutes pass, each with its tick."""
    for _ in range(number):
        ports.later(minutes=1)
        run_tick(ports)


def decide(
    ports: FakePorts, address: str = ADA, choice: Choice = "approve", **more: Any
) -> Approval:
    """Decide by the newest link of that approver and return the approval."""
    token = ports.token_mailed_to(address, choice)
    given = {"reason": "because", "via": "page"} | more
    return deciding.decide(ports, token, choice, **given)[0]


def operate(ports: FakePorts, approval_id: str, command: Command) -> Approval:
    """Send an operator's command and return the approval."""
    return operating.change(ports, approval_id, command, by=OPERATOR, via="api")


def stored(ports: FakePorts, approval_id: str) -> Approval:
    """Return the approval as it is stored."""
    return operating.find_approval(ports, approval_id)


def events(ports: FakePorts, approval_id: str, what: str) -> list[Event]:
    """Return the approval's events of that kind."""
    return [event for event in stored(ports, approval_id).events if event.what == what]


def subjects(ports: FakePorts, address: str) -> list[str]:
    """Return the subject lines of the mails to that person."""
    return [email.subject for to, email in ports.mailer.sent if to == address]


def mailed_code(ports: FakePorts) -> str:
    """Return the code in the newest mail that has one."""
    texts = (email.text for _, email in ports.mailer.sent)
    found = [re.findall(r"^CODE.*\n(\d{6})$", text, re.MULTILINE) for text in texts]
    code: str = [codes[0] for codes in found if codes][-1]
    return code


def other_code(code: str) -> str:
    """Return another code of six digits."""
    return f"{(int(code) + 1) % 10**6:06}"


class ContestedStore(FakeStore):
    """A store in which another process writes just before each of the next `conflicts` writes.

    `first` writes are let through before.
    """

    conflicts = 0
    first = 0

    def replace(self, read: Approval, changed: Approval) -> Approval | None:
        if self.first > 0:
            self.first -= 1
        elif self.conflicts > 0:
            self.conflicts -= 1
            current = self.get(read.id)
            assert current is not None
            super().replace(current, replace(current, reminders=current.reminders + 1))
        return super().replace(read, changed)


def contend(ports: FakePorts, conflicts: int, *, first: int = 0) -> None:
    """Have each of the next so many writes meet a version conflict, after the `first` ones."""
    store = use_store(ports, ContestedStore(ports.effects))
    store.conflicts, store.first = conflicts, first


def use_store(ports: FakePorts, store: S) -> S:
    """Give the ports this store, with the approvals of the one before, and return it."""
    store._items = ports.store._items
    ports.store = store
    return store
