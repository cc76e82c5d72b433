"""Fakes of the ports: the adapters in memory, with crashes and faults on demand."""

import base64
import hashlib
import json
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from chalicelib.adapters.sns import FOREIGN_SUBSCRIPTION, confirmation_token
from chalicelib.application.ports import (
    DeadLetterJson,
    DetailType,
    ExecutionJson,
    Subscription,
)
from chalicelib.domain.approval import Approval, Outcome
from chalicelib.domain.console_session import ConsoleSession
from chalicelib.domain.delegation import Delegation
from chalicelib.domain.errors import IdempotencyConflict, NotFound, Refused, Unavailable
from chalicelib.domain.execution_history import ExecutionHistory, StateRun
from chalicelib.domain.invitation import Invitation
from chalicelib.presentation.json_types import AnnouncementJson, UndecidableJson
from chalicelib.presentation.mail_text import Email
from tests.effects import Effects
from tests.fake_policies import FakePolicies
from tests.paging import listed

START = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
EXECUTION = "arn:aws:states:us-east-1:000000000000:execution:assent-test:release-42"
TOKEN = "AQCEAAAAKgAAAAMAAAAA" + "b+/c" * 158 + "=="
"""A task token as AWS makes them: 654 characters, with `+`, `/` and `=`."""


DEFINITION = json.loads((Path(__file__).parents[1] / "statemachine.asl.json").read_text())
"""The workflow."""


class FakeStore:
    """Approvals in memory, as bytes; one contract suite tests this and the DynamoDB adapter."""

    def __init__(self, effects: Effects | None = None) -> None:
        self._effects = effects or Effects()
        self._items: dict[str, bytes] = {}
        self._delegations: dict[str, bytes] = {}
        self._approvers: dict[str, Invitation] = {}
        self._lock = threading.Lock()
        self.slowness = 0.0
        """Seconds that each read takes, so that writes of other threads come in between."""

    def get(self, approval_id: str) -> Approval | None:
        found = self._items.get(approval_id)
        if self.slowness:
            time.sleep(self.slowness)
        return None if found is None else msgspec.json.decode(found, type=Approval)

    def create(self, approval: Approval) -> bool:
        self._effects.begin("store.create")
        with self._lock:
            if approval.id in self._items:
                return False
            self._items[approval.id] = msgspec.json.encode(approval)
            return True

    def replace(self, read: Approval, changed: Approval) -> Approval | None:
        self._effects.begin("store.replace")
        with self._lock:
            item = self._items.get(changed.id)
            if item is None:
                return None
            if msgspec.json.decode(item, type=Approval).version != read.version:
                return None
            written = msgspec.structs.replace(changed, version=read.version + 1)
            self._items[changed.id] = msgspec.json.encode(written)
            return written

    def waiting_for(
        self, address: str, now: datetime, most: int, after: str = ""
    ) -> tuple[list[Approval], str]:
        own = (
            approval
            for approval in self._all()
            if any(a.address.lower() == address.lower() for a in approval.waits_for)
        )
        return self._waiting(own, now, most, after)

    def waiting_under(
        self, policy: str, now: datetime, most: int, after: str = ""
    ) -> tuple[list[Approval], str]:
        pending = (a for a in self._all() if a.outcome == "pending")
        own = (a for a in pending if a.request.policy and a.request.policy.name == policy)
        return self._waiting(own, now, most, after)

    def count_waiting_under(self, policy: str, now: datetime, most: int) -> int:
        return len(self.waiting_under(policy, now, most)[0])

    def _waiting(
        self, approvals: Iterable[Approval], now: datetime, most: int, after: str
    ) -> tuple[list[Approval], str]:
        dated = [(one.expires_at, one.id) for one in approvals if one.expires_at > now]
        ids, more = listed(dated, most, after)
        return self.get_many(ids), more

    def get_many(self, approval_ids: Sequence[str]) -> list[Approval]:
        found = map(self.get, approval_ids)
        return [approval for approval in found if approval is not None]

    def delegation(self, address: str) -> Delegation | None:
        found = self._delegations.get(address.lower())
        return None if found is None else msgspec.json.decode(found, type=Delegation)

    def put_delegation(self, address: str, delegation: Delegation) -> None:
        self._effects.begin("store.put_delegation")
        self._delegations[address.lower()] = msgspec.json.encode(delegation)

    def replace_delegation(self, address: str, read: Delegation, changed: Delegation) -> bool:
        self._effects.begin("store.replace_delegation")
        with self._lock:
            if self.delegation(address) != read:
                return False
            self._delegations[address.lower()] = msgspec.json.encode(changed)
            return True

    def put_approver(self, address: str, invitation: Invitation) -> None:
        self._effects.begin("store.put_approver")
        self._approvers[address.lower()] = invitation

    def invitation(self, address: str) -> Invitation | None:
        return self._approvers.get(address.lower())

    def invitations(self, addresses: Sequence[str]) -> dict[str, Invitation]:
        known = self._approvers
        return {one.lower(): known[one.lower()] for one in addresses if one.lower() in known}

    def drop_approver(self, address: str, now: datetime) -> None:  # noqa: ARG002 (the port's)
        self._effects.begin("store.drop_approver")
        self._approvers.pop(address.lower(), None)

    def approvers(self, most: int, after: str = "") -> tuple[list[str], str]:
        dated = [(one.at, address) for address, one in self._approvers.items()]
        return listed(dated, most, after, newest=True)

    def count_waiting(self, address: str, now: datetime, most: int) -> int:
        return len(self.waiting_for(address, now, most)[0])

    def due(self, now: datetime) -> Iterator[str]:
        dated = [(found.due_at, found.id) for found in self._all() if found.due_at is not None]
        for address, stored in self._delegations.items():
            told = msgspec.json.decode(stored, type=Delegation).tell_at
            dated += [] if told is None else [(told, address)]
        yield from (found_id for at, found_id in sorted(dated) if at <= now)

    def by_outcome(self, outcome: Outcome, most: int, after: str = "") -> tuple[list[str], str]:
        found = (approval for approval in self._all() if approval.outcome == outcome)
        return listed([(a.created_at, a.id) for a in found], most, after, newest=True)

    def decided(self, most: int, after: str = "") -> tuple[list[str], str]:
        found = (approval for approval in self._all() if approval.outcome != "pending")
        return listed([(a.created_at, a.id) for a in found], most, after, newest=True)

    def by_requester(self, address: str, most: int, after: str = "") -> tuple[list[str], str]:
        found = (
            approval
            for approval in self._all()
            if (approval.request.requested_by or "").lower() == address.lower()
            and approval.erased_at is None
        )
        return listed([(a.created_at, a.id) for a in found], most, after, newest=True)

    def by_deadline(self, until: datetime, most: int, after: str = "") -> tuple[list[str], str]:
        found = (approval for approval in self._all() if approval.outcome == "pending")
        dated = [(a.expires_at, a.id) for a in found if a.expires_at <= until]
        return listed(dated, most, after)

    def due_since(self, since: datetime, most: int, after: str = "") -> tuple[list[str], str]:
        dated = [(a.due_at, a.id) for a in self._all() if a.due_at and a.due_at <= since]
        return listed(dated, most, after)

    def of_execution(self, execution_arn: str) -> list[Approval]:
        return self.get_many(list(self.ids_of_execution(execution_arn))[:100])

    def ids_of_execution(self, execution_arn: str) -> Iterator[str]:
        made = [a for a in self._all() if a.execution_arn == execution_arn]
        yield from (a.id for a in sorted(made, key=lambda a: a.created_at, reverse=True))

    def _all(self) -> list[Approval]:
        return [msgspec.json.decode(item, type=Approval) for item in self._items.values()]


@dataclass
class Answer:
    """What resumed a task: the output, or error and cause."""

    task_token: str
    output: str | None = None
    error: str | None = None
    cause: str | None = None


class FakeExecutions:
    """Step Functions: a task is answered once; later answers go to `refused`."""

    def __init__(self, effects: Effects | None = None) -> None:
        self._effects = effects or Effects()
        self._lock = threading.Lock()
        self.answers: list[Answer] = []
        self.refused: list[Answer] = []
        self.closed = False
        """Whether every task is closed, as those of a stopped execution are."""
        self.repeats = False
        """Whether botocore has to repeat each call, so that a closed task tells nothing."""
        self.inputs: dict[str, str] = {}
        self.forgotten: set[str] = set()
        """Names of executions whose history Step Functions keeps no more."""

    def succeed_task(self, task_token: str, output: str) -> bool | None:
        return self._answer(Answer(task_token, output=output))

    def fail_task(self, task_token: str, error: str, cause: str) -> bool | None:
        return self._answer(Answer(task_token, error=error, cause=cause))

    def start(self, name: str, input: str) -> ExecutionJson:
        self._effects.begin("executions.start")
        if self.inputs.setdefault(name, input) != input:
            raise IdempotencyConflict("another body", field="Idempotency-Key")
        return self.describe(name)

    def find(self, name: str, input: str) -> ExecutionJson | None:
        return self.describe(name) if self.inputs.get(name) == input else None

    def describe(self, name: str) -> ExecutionJson:
        if name not in self.inputs:
            raise NotFound(f"There is no execution named {name}.")
        arn = EXECUTION.rpartition(":")[0] + f":{name}"
        return {"execution": name, "executionArn": arn, "status": "RUNNING"}

    def history(self, execution_arn: str) -> ExecutionHistory:
        """Return that the execution waits in the first state of the workflow."""
        if "executions.history" in self._effects.faulty:
            raise Unavailable("Step Functions is away; please try again")
        if execution_arn.rpartition(":")[2] in self.forgotten:
            raise NotFound("forgotten")
        return ExecutionHistory(DEFINITION, (StateRun("RequestApproval", "waits", START),), False)

    def _answer(self, answer: Answer) -> bool | None:
        self._effects.begin("executions.answer")
        with self._lock:
            open_ = not self.closed and all(a.task_token != answer.task_token for a in self.answers)
            (self.answers if open_ else self.refused).append(answer)
            return None if self.repeats and not open_ else open_


class FakeMailer:
    """SNS: an approver without an entry in `subscriptions` is confirmed; mails go to `sent`."""

    def __init__(self, effects: Effects | None = None) -> None:
        self._effects = effects or Effects()
        self.subscriptions: dict[str, Subscription] = {}
        self.refuses = ""
        """The name of SNS's refusal of every invitation and mail."""
        self.refused: set[str] = set()
        """Addresses that SNS takes no mail for."""
        self.foreign: set[str] = set()
        """The approvers to whose topic somebody else is subscribed."""
        self.sent: list[tuple[str, Email]] = []
        self.invitations: list[str] = []

    def subscription(self, address: str) -> Subscription:
        if address in self.foreign:
            raise Refused("Assent", FOREIGN_SUBSCRIPTION)
        return self.subscriptions.get(address, "confirmed")

    def invite(self, address: str) -> None:
        self._effects.begin("mailer.invite")
        if address in self.refused:
            raise Refused("SNS", "InvalidParameter")
        if self.refuses:
            raise Refused("SNS", self.refuses)
        self.invitations.append(address)
        self.subscriptions[address] = "pending"

    def send(self, address: str, email: Email) -> None:
        self._effects.begin("mailer.send")
        if self.refuses:
            raise Refused("SNS", self.refuses)
        self.sent.append((address, email))

    def topic_arn(self, address: str) -> str:
        return f"arn:aws:sns:us-east-1:000000000000:assent-test-approver-{address.lower()}"

    def confirm(self, address: str, url: str) -> bool:
        assert confirmation_token(url, self.topic_arn(address))
        self._effects.begin("mailer.confirm")
        if self.refuses:
            return False
        self.subscriptions[address] = "confirmed"
        return True

    def forget(self, address: str) -> None:
        self._effects.begin("mailer.forget")
        self.foreign.discard(address)
        self.subscriptions[address] = "none"


class FakeEventBus:
    """EventBridge: each event goes to `announced`, with its time and resource."""

    def __init__(self, effects: Effects | None = None) -> None:
        self._effects = effects or Effects()
        self.announced: list[dict[str, Any]] = []
        self.types: list[DetailType] = []
        """The detail type of each."""

    def announce(
        self,
        detail: AnnouncementJson | UndecidableJson,
        at: datetime,
        resource: str,
        detail_type: DetailType = "Approval closed",
    ) -> None:
        self._effects.begin("event_bus.announce")
        event = {"detail": dict(detail), "at": at, "resource": resource}
        self.announced.append(event)
        self.types.append(detail_type)


class FakeSessions:
    """Sessions of the console in memory; one contract suite tests this and the adapter."""

    def __init__(self, effects: Effects | None = None) -> None:
        self._effects = effects or Effects()
        self.items: dict[str, bytes] = {}

    def create(self, session: ConsoleSession) -> None:
        self._effects.begin("sessions.create")
        self.items[session.id] = msgspec.json.encode(session)

    def get(self, session_id: str) -> ConsoleSession | None:
        found = self.items.get(session_id)
        return None if found is None else msgspec.json.decode(found, type=ConsoleSession)

    def replace(self, read: ConsoleSession, changed: ConsoleSession) -> bool:
        self._effects.begin("sessions.replace")
        stored = self.get(read.id)
        if stored is None or (stored.opened_at, stored.ended_at) != (read.opened_at, read.ended_at):
            return False
        self.items[changed.id] = msgspec.json.encode(changed)
        return True

    def opened_since(
        self, since: datetime, most: int, after: str = ""
    ) -> tuple[list[ConsoleSession], str]:
        found = (msgspec.json.decode(item, type=ConsoleSession) for item in self.items.values())
        opened = [(s.opened_at, s.id) for s in found if s.opened_at and s.ended_at is None]
        newest = [(at, one) for at, one in opened if at > since]
        ids, more = listed(newest, most, after, newest=True)
        return [session for session in map(self.get, ids) if session], more


class FakeDeadLetters:
    """SQS: each dead letter goes to `letters`, as read back from its JSON."""

    def __init__(self, effects: Effects | None = None) -> None:
        self._effects = effects or Effects()
        self.letters: list[dict[str, Any]] = []

    def put(self, letter: DeadLetterJson) -> None:
        self._effects.begin("dead_letters.put")
        self.letters.append(msgspec.json.decode(msgspec.json.encode(letter)))


class StillPorts:
    """The `Ports` without adapters: a clock set by hand, secrets without randomness, a log."""

    stage = "test"
    own_executions = "arn:aws:states:us-east-1:000000000000:execution:assent-test:"
    name = ""
    public_url = "https://assent.example.com/api"
    approver_domains: tuple[str, ...] = ("example.com",)
    details_kept: timedelta | None = timedelta(days=30)
    require_policy = False

    def __init__(self) -> None:
        self.time = START
        self.logged: list[dict[str, object]] = []
        self._secrets = 0
        self._lock = threading.Lock()

    def now(self) -> datetime:
        return self.time

    def later(self, **passed: float) -> None:
        """Move the clock on; takes `timedelta`'s arguments."""
        self.time += timedelta(**passed)

    def secret(self) -> str:
        with self._lock:
            self._secrets += 1
            random = hashlib.sha256(str(self._secrets).encode()).digest()[:20]
        return base64.b32encode(random).decode().lower()

    def log(self, event: str, **facts: object) -> None:
        self.logged.append({"event": event, **facts})


class FakePorts(StillPorts):
    """The `Ports` whose adapters are the fakes above."""

    def __init__(self) -> None:
        super().__init__()
        self.effects = Effects()
        self.store = FakeStore(self.effects)
        self.policies = FakePolicies(self.effects)
        self.sessions = FakeSessions(self.effects)
        self.executions = FakeExecutions(self.effects)
        self.mailer = FakeMailer(self.effects)
        self.event_bus = FakeEventBus(self.effects)
        self.dead_letters = FakeDeadLetters(self.effects)

    def token_mailed_to(self, address: str, page: str = "approve") -> str:
        """Return the token of that page's link in the newest mail to that person."""
        text = [email.text for to, email in self.mailer.sent if to == address][-1]
        return text.split(f"/{page}/")[1].split()[0]

    def snapshot(self) -> list[Any]:
        """Return a copy of everything that a use case could have changed, to compare later."""
        return [
            list(self.effects.done),
            dict(self.store._items),
            list(self.mailer.sent),
            list(self.mailer.invitations),
            list(self.executions.answers),
            list(self.event_bus.announced),
            list(self.dead_letters.letters),
            dict(self.executions.inputs),
            dict(self.policies.items),
            dict(self.sessions.items),
        ]
