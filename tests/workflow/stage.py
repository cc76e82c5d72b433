"""The ports of a story: who comes between, answers that get lost, and what became of promises."""

import re
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from chalicelib.approval import Approval, Mail
from chalicelib.emails import Email
from chalicelib.errors import Unavailable
from tests.fakes import Answer, Crash, Effects, FakeCallbacks, FakeNotifier, FakePorts, FakeStore

NEWS = "News"
KINDS = {"receipt": "Asked", "outcome": NEWS, "reminder": "Reminder, approval needed"}
"""What a promise is about -> how its mail's subject begins; the others ask."""
ASKS = "Approval needed"

SAID = ("notifier.send", "callbacks.answer")
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
    """How often something was done and its caller can't know it or couldn't write it down."""
    came_between: int = 0

    def begin(self, name: str) -> None:
        """As Effects; whoever comes between comes before the effect."""
        written_down = not (self.done and self.done[-1] in SAID)
        if self.meanwhile is not None and len(self.done) >= self.meanwhile_at:
            other, self.meanwhile = self.meanwhile, None
            self.came_between += 1
            # What they hear of a fault is for them: the call that they came between goes on.
            with suppress(Unavailable):
                other()
        try:
            super().begin(name)
        except Crash:
            self.crashes += 1
            raise
        except Unavailable:
            self.doubtful += not written_down
            raise

    def end(self, name: str, took: bool = True) -> None:
        """Lose the answer to what was done, if told to; what it says may be that it wasn't."""
        if name in self.unheard:
            self.doubtful += name in SAID or not took
            raise Unavailable(f"{name}: no answer; please try again")

    @property
    def disturbances(self) -> int:
        """How many mails may be there twice, at most."""
        return self.crashes + self.doubtful


class Ledger(FakeStore):
    """The store, keeping account of what was promised with each write, and what became of it."""

    def __init__(self, stage: Stage, notifier: "Post") -> None:
        super().__init__(stage)
        self._stage = stage
        self._notifier = notifier
        self.promised: Counter[Key] = Counter()
        self._since: dict[Key, int] = {}

    def create(self, approval: Approval) -> bool:
        took = super().create(approval)
        if took:
            self._entered(None, approval)
        self._stage.end("store.create", took)
        return took

    def replace(self, approval: Approval) -> Approval | None:
        before = self.get(approval.id)
        written = super().replace(approval)
        if written is not None:
            self._entered(before, written)
        self._stage.end("store.replace", written is not None)
        return written

    def _entered(self, before: Approval | None, after: Approval) -> None:
        old, new = _promises(before), _promises(after)
        if before is None:
            asked = {address for _, address, kind in new if kind == ASKS}
            assert asked == open_to(after), "who is asked is promised a mail"
        for key in new - old:
            assert after.outcome == "pending" or key[2] == NEWS, f"promised after the end: {key}"
            self.promised[key] += 1
            self._since[key] = len(self._notifier.sent)
        for key in old - new:
            assert before is not None
            assert self._excused(key, before, after), f"never mailed: {key}"

    def _excused(self, key: Key, before: Approval, after: Approval) -> bool:
        """Whether this promise went for a reason: kept, needless, or given up on record."""
        _, address, kind = key
        if key in self._notifier.kinds_since(self._since[key]):
            return True
        if before.outcome == "pending" != after.outcome and kind != NEWS:
            return True
        if kind not in (NEWS, "Asked") and address not in open_to(after):
            return True
        return any(
            (event.what, event.who) == ("undelivered", address)
            for event in after.events[len(before.events) :]
        )


class Post(FakeNotifier):
    """SNS, noting which mail of which approval each one was, and who was asked too late."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self._stage = stage
        self.store: FakeStore | None = None
        self.late = 0
        self.links: list[tuple[str, str, str]] = []
        """Address, page and link token of every link mailed."""

    def send(self, address: str, email: Email) -> bool:
        took = super().send(address, email)
        if took:
            self._note(address, email)
        self._stage.end("notifier.send")
        return took

    def kinds_since(self, start: int) -> set[Key]:
        return {self.key(to, email) for to, email in self.sent[start:]}

    @staticmethod
    def key(address: str, email: Email) -> Key:
        beginning, _, subject = email.subject.partition(": ")
        asks_or_asked = beginning in (ASKS, *KINDS.values())
        return subject, address, beginning if asks_or_asked else NEWS

    def _note(self, address: str, email: Email) -> None:
        found = re.findall(r"/(approve|cancel)/(\S+)", email.text)
        self.links += [(address, page, token) for page, token in found]
        for page, token in found:
            assert self.store is not None
            approval = self.store.get(token.partition(".")[0])
            assert approval is not None
            self.late += page == "approve" and approval.outcome != "pending"


class Tasks(FakeCallbacks):
    """Step Functions, some of whose answers get lost."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self._stage = stage

    def _answer(self, answer: Answer) -> bool:
        took = super()._answer(answer)
        self._stage.end("callbacks.answer")
        return took


class StagedPorts(FakePorts):
    """The ports of a story."""

    def __init__(self) -> None:
        super().__init__()
        self.stage = self.effects = Stage()
        self.post = self.notifier = Post(self.stage)
        self.ledger = self.store = self.post.store = Ledger(self.stage, self.post)
        self.callbacks = Tasks(self.stage)


def _promises(approval: Approval | None) -> set[Key]:
    """Return what mails are promised; in a story a subject is as good as an id."""
    mails = [p for p in approval.outbox if isinstance(p, Mail)] if approval else []
    kinds = [(mail.to, KINDS.get(mail.about, ASKS)) for mail in mails]
    assert len(kinds) == len(set(kinds)), f"promised twice at once: {kinds}"
    return {(approval.request.subject, *kind) for kind in kinds} if approval else set()


def open_to(approval: Approval) -> set[str]:
    """Return the addresses of those whose answer is waited for."""
    return {approver.address for approver in approval.undecided}
