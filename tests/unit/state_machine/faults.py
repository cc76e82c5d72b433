"""Faults: adapters that crash, answer Unavailable, lose an answer, or are interrupted.

Each class wraps an adapter, a fake or a real one, and records what it was asked and answered.
"""

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from chalicelib.application.ports import ApprovalStore, DetailType, EventBus, Executions, Mailer
from chalicelib.domain import link_tokens
from chalicelib.domain.errors import Refused, Unavailable
from chalicelib.presentation.json_types import AnnouncementJson, UndecidableJson
from chalicelib.presentation.mail_text import Email
from tests.effects import Crash, Effects
from tests.fakes import Answer

ASKS = "Approval needed"
ALONE = "For emergencies"
"""The first words of what is mailed in its place to a person in no group."""
OUTCOME = "Outcome"
SUBJECTS = {"receipt": "Asked", "outcome": OUTCOME, "reminder": "Reminder, approval needed"}
"""Kind of a mail -> the first words of its subject. All other kinds begin with ASKS; the subject of
an outcome begins with the outcome itself."""
EXTENDED = {
    "More time": "receipt",
    "More time, approval needed": "reminder",
    "Cannot be approved": "receipt",
}
"""First words of the subject of a mail about something new -> its kind."""

IRREVOCABLE = ("mailer.send", "executions.answer", "event_bus.announce")
"""Effects outside the table. A crash before they are recorded may make one of them happen twice."""

MailKey = tuple[str, str, str]
"""Subject of the request, recipient, and the first words of the mail's subject."""


@dataclass
class Faults(Effects):
    """Every effect in order, with the faults to inject between and after them."""

    interruption: Callable[[], object] | None = None
    """Another action, which comes between two effects."""
    interrupt_at: int = 0
    lost_answers: set[str] = field(default_factory=set)
    """Effects that happen, although their caller gets Unavailable."""
    crashes: int = 0
    uncertain: int = 0
    """How often an irrevocable effect may have happened and couldn't be recorded."""
    interruptions: int = 0
    unrecorded: bool = False
    """Whether an irrevocable effect has happened that isn't recorded yet."""

    def begin(self, name: str) -> None:
        """Run the interruption if it is due; then crash, fail, or note that the effect happens."""
        if self.interruption is not None and len(self.done) >= self.interrupt_at:
            interruption, self.interruption = self.interruption, None
            self.interruptions += 1
            unrecorded, self.unrecorded = self.unrecorded, False
            # A fault that the interrupting action meets is not a fault of the interrupted one.
            with suppress(Unavailable):
                interruption()
            self.unrecorded = unrecorded
        try:
            super().begin(name)
        except Crash:
            self.crashes += 1
            self.unrecorded = False
            raise
        except Unavailable:
            self._count_uncertain()
            raise

    def end(self, name: str, *, happened: bool = True) -> None:
        """Lose the answer to an effect, if its name is among `lost_answers`."""
        if happened:
            self.unrecorded = name in IRREVOCABLE
        if name in self.lost_answers:
            self._count_uncertain()
            raise Unavailable(f"{name}: no answer; please try again")

    @property
    def possible_duplicates(self) -> int:
        """How many mails and announcements may have been sent twice, at most."""
        return self.crashes + self.uncertain

    def clear(self) -> None:
        """Inject no fault any more."""
        self.crash_at, self.interruption = None, None
        self.faulty, self.lost_answers = set(), set()

    def _count_uncertain(self) -> None:
        self.uncertain += self.unrecorded
        self.unrecorded = False


class FaultyMailer:
    """SNS; records every mail and every link in it."""

    def __init__(self, faults: Faults, mailer: Mailer, store: ApprovalStore) -> None:
        self._faults, self._mailer, self._store = faults, mailer, store
        self.subscription, self.forget = mailer.subscription, mailer.forget
        self.confirm = mailer.confirm
        self.refuses = False
        self.sent: list[tuple[str, Email]] = []
        self.late = 0
        """Mails that asked for a decision after the outcome."""
        self.links: list[tuple[str, str, str]] = []
        """Address, page and link token of every link mailed."""
        self.mail_of_link: dict[str, int] = {}
        """Stored hash of every link mailed -> the place of its mail in `sent`."""

    def invite(self, address: str) -> None:
        self._faults.begin("mailer.invite")
        if self.refuses:
            raise Refused("SNS", "InvalidParameter")
        self._mailer.invite(address)

    def send(self, address: str, email: Email) -> None:
        self._faults.begin("mailer.send")
        if not self.refuses:
            self._mailer.send(address, email)
            self._record(address, email)
        self._faults.end("mailer.send", happened=not self.refuses)
        if self.refuses:
            raise Refused("SNS", "InvalidParameter")

    def keys_since(self, start: int) -> set[MailKey]:
        """Return the keys of all mails from that place in `sent` on."""
        return {self.key(to, email) for to, email in self.sent[start:]}

    @staticmethod
    def key(address: str, email: Email) -> MailKey:
        """Return the key of a mail, from its text."""
        beginning, _, subject = email.subject.partition(": ")
        beginning = SUBJECTS.get(EXTENDED.get(beginning, ""), beginning)
        beginning = ASKS if beginning == ALONE else beginning
        known = beginning in (ASKS, *SUBJECTS.values())
        return subject, address, beginning if known else OUTCOME

    def _record(self, address: str, email: Email) -> None:
        found = re.findall(r"/(approve|cancel|inbox)/(\S+)", email.text)
        self.links += [(address, page, token) for page, token in found]
        for page, token in found:
            self.mail_of_link[stored_hash(page, token)] = len(self.sent)
            approval = self._store.get(token.partition(".")[0])
            assert approval is not None
            self.late += page == "approve" and approval.outcome != "pending"
        self.sent.append((address, email))


class FaultyExecutions:
    """Step Functions; records every answer to a task token, and every one it refused."""

    def __init__(self, faults: Faults, executions: Executions) -> None:
        self._faults, self._executions = faults, executions
        self.start, self.describe = executions.start, executions.describe
        self.history, self.find = executions.history, executions.find
        self.answers: list[Answer] = []
        self.refused: list[Answer] = []

    def succeed_task(self, task_token: str, output: str) -> bool | None:
        self._faults.begin("executions.answer")
        taken = self._executions.succeed_task(task_token, output)
        return self._record(Answer(task_token, output=output), taken=taken)

    def fail_task(self, task_token: str, error: str, cause: str) -> bool | None:
        self._faults.begin("executions.answer")
        taken = self._executions.fail_task(task_token, error, cause)
        return self._record(Answer(task_token, error=error, cause=cause), taken=taken)

    def _record(self, answer: Answer, *, taken: bool | None) -> bool | None:
        (self.answers if taken else self.refused).append(answer)
        self._faults.end("executions.answer")
        return taken


class FaultyEventBus:
    """EventBridge; records every announcement with its time."""

    def __init__(self, faults: Faults, event_bus: EventBus) -> None:
        self._faults, self._event_bus = faults, event_bus
        self.announced: list[tuple[Mapping[str, Any], datetime]] = []
        self.undecidable: list[Mapping[str, Any]] = []

    def announce(
        self,
        detail: AnnouncementJson | UndecidableJson,
        at: datetime,
        resource: str,
        detail_type: DetailType = "Approval closed",
    ) -> None:
        self._faults.begin("event_bus.announce")
        self._event_bus.announce(detail, at, resource, detail_type)
        if detail_type == "Approval closed":
            self.announced.append((detail, at))
        else:
            self.undecidable.append(detail)
        self._faults.end("event_bus.announce")


def stored_hash(page: str, token: str) -> str:
    """Return the stored hash of a link. An inbox link is stored by its mail's decision link."""
    secret = link_tokens.read_token(token)[1]
    return link_tokens.digest(link_tokens.decision_secret(secret) if page == "inbox" else secret)
