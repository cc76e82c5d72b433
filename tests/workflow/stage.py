"""The ports of a story: who comes between, answers that get lost, and what became of promises."""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from chalicelib import links
from chalicelib.approval import LINKS_KEPT, LINKS_OF_ONE_MAIL, REQUESTER, Approval, Mail
from chalicelib.emails import Email
from chalicelib.errors import Unavailable
from tests.fakes import (
    Answer,
    Crash,
    Effects,
    FakeCallbacks,
    FakeEventBus,
    FakeNotifier,
    FakePorts,
    FakeStore,
)

NEWS = "News"
KINDS = {"receipt": "Asked", "outcome": NEWS, "reminder": "Reminder, approval needed"}
"""What a promise is about -> how its mail's subject begins; the others ask."""
ASKS = "Approval needed"

SAID = ("notifier.send", "callbacks.answer", "event_bus.announce")
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


class Ledger(FakeStore):
    """The store, keeping account of what was promised with each write, and what became of it."""

    def __init__(self, stage: Stage, notifier: "Post") -> None:
        super().__init__(stage)
        self._stage = stage
        self._notifier = notifier
        self.promised: Counter[Key] = Counter()
        self.taken_back: set[str] = set()
        """Hashes of links that were mailed, and that newer ones have taken the place of."""
        self._since: dict[Key, int] = {}

    def create(self, approval: Approval) -> bool:
        took = super().create(approval)
        if took:
            self._entered(None, approval)
        self._stage.end("store.create", took)
        return took

    def replace(self, read: Approval, changed: Approval) -> Approval | None:
        before = self.get(changed.id)
        written = super().replace(read, changed)
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
        if before is not None:
            self._follow_links(before, after)

    def _follow_links(self, before: Approval, after: Approval) -> None:
        """Note which links that were mailed this write takes back; only two kinds may go.

        The second of LINKS_KEPT, for it is the oldest but one. And the last of LINKS_OF_ONE_MAIL,
        for that mail is tried once more, as nobody heard that it had arrived.
        """
        tried = {
            mail.role: self._since[_key(before, mail)]
            for mail in _mails(before)
            if before.holds_link(mail) and mail.links >= LINKS_OF_ONE_MAIL
        }
        left = _links_held(after)
        for role, hashes in _links_held(before).items():
            mailed = {h: at for h, at in self._notifier.mailed.items() if h in hashes}
            for gone in mailed.keys() - set(left[role]):
                oldest = len(hashes) == LINKS_KEPT and gone == hashes[1]
                again = role in tried and mailed[gone] >= tried[role] and gone == hashes[-1]
                assert oldest or again, f"a link that was mailed to {role} is taken back"
                self.taken_back.add(gone)

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
        self.mailed: dict[str, int] = {}
        """Hash of each of them -> which mail of all it was in."""

    def send(self, address: str, email: Email) -> bool:
        took = super().send(address, email)
        if took:
            self._note(address, email)
        self._stage.end("notifier.send", took)
        return took

    def kinds_since(self, start: int) -> set[Key]:
        return {self.key(to, email) for to, email in self.sent[start:]}

    @staticmethod
    def key(address: str, email: Email) -> Key:
        beginning, _, subject = email.subject.partition(": ")
        asks_or_asked = beginning in (ASKS, *KINDS.values())
        return subject, address, beginning if asks_or_asked else NEWS

    def _note(self, address: str, email: Email) -> None:
        found = re.findall(r"/(approve|cancel|mine)/(\S+)", email.text)
        self.links += [(address, page, token) for page, token in found]
        for page, token in found:
            self.mailed[stored_of(page, token)] = len(self.sent) - 1
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


class Bus(FakeEventBus):
    """EventBridge, some of whose answers get lost."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self._stage = stage

    def announce(self, detail: Mapping[str, Any], at: datetime, resource: str) -> None:
        super().announce(detail, at, resource)
        self._stage.end("event_bus.announce")


class StagedPorts(FakePorts):
    """The ports of a story."""

    def __init__(self) -> None:
        super().__init__()
        self.stage = self.effects = Stage()
        self.post = self.notifier = Post(self.stage)
        self.ledger = self.store = self.post.store = Ledger(self.stage, self.post)
        self.callbacks = Tasks(self.stage)
        self.event_bus = Bus(self.stage)


def _mails(approval: Approval) -> list[Mail]:
    return [promise for promise in approval.outbox if isinstance(promise, Mail)]


def _key(approval: Approval, mail: Mail) -> Key:
    """Return what it will be known by; in a story a subject is as good as an id."""
    return approval.request.subject, mail.to, KINDS.get(mail.about, ASKS)


def _promises(approval: Approval | None) -> set[Key]:
    """Return what mails are promised."""
    keys = [_key(approval, mail) for mail in _mails(approval)] if approval else []
    assert len(keys) == len(set(keys)), f"promised twice at once: {keys}"
    return set(keys)


def _links_held(approval: Approval) -> dict[str, tuple[str, ...]]:
    """Return the hashes of everybody's links, by their role."""
    held = {approver.address: approver.link_hashes for approver in approval.approvers}
    asking = approval.requester
    return held | ({} if asking is None else {REQUESTER: asking.link_hashes})


def stored_of(page: str, token: str) -> str:
    """Return what is stored of a link; of a list's, what is stored of its decision link."""
    secret = links.read_token(token)[1]
    return links.digest(links.decision_secret(secret) if page == "mine" else secret)


def open_to(approval: Approval) -> set[str]:
    """Return the addresses of those whose answer is waited for."""
    return {approver.address for approver in approval.undecided}
