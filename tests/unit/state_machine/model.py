"""What was promised in a story, and what became of it: an account of every write."""

from collections import Counter

from chalicelib.application.ports import ApprovalStore
from chalicelib.domain.approval import Approval
from chalicelib.domain.outbox import LINKS_KEPT, LINKS_OF_ONE_MAIL
from chalicelib.domain.outbox_entries import REQUESTER, Mail
from tests.unit.state_machine.faults import ASKS, KINDS, NEWS, Key, Post, Stage


class Ledger:
    """The store, keeping account of what was promised with each write, and what became of it."""

    def __init__(self, stage: Stage, store: ApprovalStore, post: Post) -> None:
        self._stage, self._store, self._post = stage, store, post
        self.get, self.get_many = store.get, store.get_many
        self.waiting_for, self.due, self.of_execution = (
            store.waiting_for,
            store.due,
            store.of_execution,
        )
        self.by_outcome = store.by_outcome
        self.delegation, self.put_delegation = store.delegation, store.put_delegation
        self._stored: dict[str, Approval | None] = {}
        self.promised: Counter[Key] = Counter()
        self.taken_back: set[str] = set()
        """Hashes of links that were mailed, and that newer ones have taken the place of."""
        self._since: dict[Key, int] = {}

    def create(self, approval: Approval) -> bool:
        self._stage.begin("store.create")
        took = self._store.create(approval)
        if took:
            self._stored[approval.id] = None
            self._entered(None, approval)
        self._stage.end("store.create", took)
        return took

    def replace(self, read: Approval, changed: Approval) -> Approval | None:
        self._stage.begin("store.replace")
        before = self.get(changed.id)
        written = self._store.replace(read, changed)
        self._stored[changed.id] = None
        if written is not None:
            self._entered(before, written)
        self._stage.end("store.replace", written is not None)
        return written

    def all(self) -> list[Approval]:
        """Return all that is stored. Each is read again after a write, and only then."""
        for approval_id, read in self._stored.items():
            self._stored[approval_id] = read or self.get(approval_id)
        return [approval for approval in self._stored.values() if approval is not None]

    def _entered(self, before: Approval | None, after: Approval) -> None:
        old, new = _promises(before), _promises(after)
        if before is None:
            asked = {address for _, address, kind in new if kind == ASKS}
            assert asked == open_to(after), "who is asked is promised a mail"
        for key in new - old:
            assert after.outcome == "pending" or key[2] == NEWS, f"promised after the end: {key}"
            self.promised[key] += 1
            self._since[key] = len(self._post.sent)
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
            mail.secrets_key: self._since[_key(before, mail)]
            for mail in _mails(before)
            if before.mail_has_link(mail) and mail.links >= LINKS_OF_ONE_MAIL
        }
        left = _links_held(after)
        for role, hashes in _links_held(before).items():
            mailed = {h: at for h, at in self._post.mailed.items() if h in hashes}
            for gone in mailed.keys() - set(left[role]):
                oldest = len(hashes) == LINKS_KEPT and gone == hashes[1]
                again = role in tried and mailed[gone] >= tried[role] and gone == hashes[-1]
                assert oldest or again, f"a link that was mailed to {role} is taken back"
                self.taken_back.add(gone)

    def _excused(self, key: Key, before: Approval, after: Approval) -> bool:
        """Whether this promise went for a reason: kept, needless, or given up on record."""
        _, address, kind = key
        if key in self._post.kinds_since(self._since[key]):
            return True
        if before.outcome == "pending" != after.outcome and kind != NEWS:
            return True
        if kind not in (NEWS, "Asked") and address not in open_to(after):
            return True
        return any(
            (event.what, event.who) == ("undelivered", address)
            for event in after.events[len(before.events) :]
        )


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


def open_to(approval: Approval) -> set[str]:
    """Return the addresses of those whose answer is waited for."""
    return {approver.address for approver in approval.undecided}
