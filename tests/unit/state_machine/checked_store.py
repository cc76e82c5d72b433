"""The checked store: checks with each write that no outbox entry and no mailed link is lost."""

from collections import Counter

from chalicelib.application.ports import ApprovalStore
from chalicelib.domain.approval import Approval
from chalicelib.domain.outbox import LINKS_KEPT, LINKS_OF_ONE_MAIL
from chalicelib.domain.outbox_entries import REQUESTER, Mail
from tests.unit.state_machine.faults import (
    ASKS,
    OUTCOME,
    SUBJECTS,
    Faults,
    FaultyMailer,
    MailKey,
)


class CheckedStore:
    """The store; compares the mails in the outbox before and after each write with those sent."""

    def __init__(self, faults: Faults, store: ApprovalStore, mailer: FaultyMailer) -> None:
        self._faults, self._store, self._mailer = faults, store, mailer
        self.get, self.get_many = store.get, store.get_many
        self.waiting_for, self.due, self.of_execution = (
            store.waiting_for,
            store.due,
            store.of_execution,
        )
        self.by_outcome, self.decided = store.by_outcome, store.decided
        self.ids_of_execution = store.ids_of_execution
        self.by_requester, self.by_deadline = store.by_requester, store.by_deadline
        self.due_since = store.due_since
        self.waiting_under, self.count_waiting_under = (
            store.waiting_under,
            store.count_waiting_under,
        )
        self.invitations, self.invitation = store.invitations, store.invitation
        self.put_approver, self.drop_approver = store.put_approver, store.drop_approver
        self.approvers, self.count_waiting = store.approvers, store.count_waiting
        self.delegation, self.put_delegation = store.delegation, store.put_delegation
        self.replace_delegation = store.replace_delegation
        self._stored: dict[str, Approval | None] = {}
        self.task_tokens: dict[str, str] = {}
        """Approval -> its task token, which the approval itself loses with the answer."""
        self.entered: Counter[MailKey] = Counter()
        """How often each mail has entered an outbox."""
        self.revoked: set[str] = set()
        """Hashes of links that were mailed and have since been replaced by newer ones."""
        self._entered_at: dict[MailKey, int] = {}
        """How many mails had been sent when this one entered the outbox."""

    def create(self, approval: Approval) -> bool:
        self._faults.begin("store.create")
        created = self._store.create(approval)
        if created:
            self._stored[approval.id] = None
            self.task_tokens[approval.id] = approval.task_token
            self._check(None, approval)
        self._faults.end("store.create", happened=created)
        return created

    def replace(self, read: Approval, changed: Approval) -> Approval | None:
        self._faults.begin("store.replace")
        before = self.get(changed.id)
        written = self._store.replace(read, changed)
        self._stored[changed.id] = None
        if written is not None:
            self._check(before, written)
        self._faults.end("store.replace", happened=written is not None)
        return written

    def all(self) -> list[Approval]:
        """Return all stored approvals; each is read once after it was written."""
        for approval_id, read in self._stored.items():
            self._stored[approval_id] = read or self.get(approval_id)
        return [approval for approval in self._stored.values() if approval is not None]

    def _check(self, before: Approval | None, after: Approval) -> None:
        old, new = _outbox_mails(before), _outbox_mails(after)
        if before is None:
            asked = {address for _, address, kind in new if kind == ASKS}
            assert asked == undecided(after), "an approver gets no mail"
        for key in new - old:
            assert after.outcome == "pending" or key[2] == OUTCOME, f"entered after the end: {key}"
            self.entered[key] += 1
            self._entered_at[key] = len(self._mailer.sent)
        for key in old - new:
            assert before is not None
            assert self._may_leave(key, before, after), f"never mailed: {key}"
        if before is not None:
            self._check_links(before, after)

    def _check_links(self, before: Approval, after: Approval) -> None:
        """Note which mailed links this write revokes; only two kinds may be revoked.

        The second of LINKS_KEPT, which is the oldest but the first. And the last of
        LINKS_OF_ONE_MAIL, because that mail is tried once more without having been recorded.
        """
        retried = {
            mail.secrets_key: self._entered_at[_key(before, mail)]
            for mail in _mails(before)
            if before.mail_has_link(mail) and mail.links >= LINKS_OF_ONE_MAIL
        }
        left = _link_hashes(after)
        for person, hashes in _link_hashes(before).items():
            mailed = {h: at for h, at in self._mailer.mail_of_link.items() if h in hashes}
            for gone in mailed.keys() - set(left[person]):
                oldest = len(hashes) == LINKS_KEPT and gone == hashes[1]
                again = person in retried and mailed[gone] >= retried[person] and gone == hashes[-1]
                assert oldest or again, f"a link that was mailed to {person} is revoked"
                self.revoked.add(gone)

    def _may_leave(self, key: MailKey, before: Approval, after: Approval) -> bool:
        """Return whether a mail may leave the outbox: sent, pointless, or recorded as given up."""
        _, address, kind = key
        if key in self._mailer.keys_since(self._entered_at[key]):
            return True
        if before.outcome == "pending" != after.outcome and kind != OUTCOME:
            return True
        if kind not in (OUTCOME, SUBJECTS["receipt"]) and address not in undecided(after):
            return True
        return any(
            (event.what, event.who) == ("undelivered", address)
            for event in after.events[len(before.events) :]
        )


def undecided(approval: Approval) -> set[str]:
    """Return the addresses of active approvers without a decision, also those in no group."""
    return {a.address for a in approval.active_approvers if a.decision is None}


def _mails(approval: Approval) -> list[Mail]:
    return [entry for entry in approval.outbox if isinstance(entry, Mail)]


def _key(approval: Approval, mail: Mail) -> MailKey:
    """Return the key of a mail, from its outbox entry; in a story each subject is unique."""
    return approval.request.subject, mail.to, SUBJECTS.get(mail.about, ASKS)


def _outbox_mails(approval: Approval | None) -> set[MailKey]:
    keys = [_key(approval, mail) for mail in _mails(approval)] if approval else []
    assert len(keys) == len(set(keys)), f"one mail twice in the outbox: {keys}"
    return set(keys)


def _link_hashes(approval: Approval) -> dict[str, tuple[str, ...]]:
    """Return the hashes of everybody's links, by their `Mail.secrets_key`.

    The dead ones of a person who was asked again are among them: they are told from unknown ones.
    """
    hashes = {a.address: (*a.dead_hashes, *a.link_hashes) for a in approval.approvers}
    requester = approval.requester
    return hashes | ({} if requester is None else {REQUESTER: requester.link_hashes})
