"""The approval: one request for an answer, and all that happened to it, as frozen values.

`transitions.py` changes it for people, `workflow.py` as its execution ends or asks again,
`deadlines.py` as time passes, `outbox.py` as its outbox is delivered, `erasure.py` at last. All of
them are pure functions from one approval to the next.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct, field
from msgspec.structs import replace

from .addresses import is_among, same_person
from .events import ABOUT_MAIL, Event, append
from .outbox_entries import LEASE, Announce, Mail, OutboxEntry, Resume, same_entry
from .request import Request

Choice = Literal["approve", "reject"]
Outcome = Literal["pending", "approved", "rejected", "expired", "cancelled"]
DECIDED: tuple[Outcome, ...] = ("approved", "rejected", "expired", "cancelled")
"""Every outcome but pending."""
MailState = Literal["waiting", "sent", "failed"]

OPERATOR = "operator"
"""An operator as the author of a note; no e-mail address equals it."""

OUTCOME_OF: dict[Choice, Literal["approved", "rejected"]] = {
    "approve": "approved",
    "reject": "rejected",
}


class Decision(Struct, frozen=True, omit_defaults=True, rename="camel"):
    """One approver's answer; final."""

    choice: Choice
    decided_at: datetime
    reason: str = ""
    shown: str = ""
    """SHA-256 of what its page showed (`shown.py`); empty if an earlier version stored it."""
    break_glass: bool = False
    """Whether it approved alone, without the groups' approvals."""


class Approver(Struct, frozen=True, omit_defaults=True, rename="camel"):
    """A person who may decide, or the requester; `link_hashes` are SHA-256 of mailed secrets."""

    address: str
    link_hashes: tuple[str, ...] = ()
    mail: MailState = "waiting"
    decision: Decision | None = None
    replaced_by: str | None = None
    """The person asked instead; the links of this approver then decide nothing."""
    code_hashes: tuple[str, ...] = ()
    """SHA-256 of task token and code together; removed, like `wrong_codes_by_link`, when this
    approver decides or is replaced."""
    wrong_codes: int = 0
    """What earlier versions counted for all links together: each link of then begins with it."""
    wrong_codes_by_link: dict[str, int] = {}
    """`{link hash: wrong codes}`; WRONG_CODES of them lock that link, and no other."""
    stands_in_for: str | None = None
    """The absent approver whose delegate this person is."""
    note: str = ""
    """What the person who reassigned the request wrote to this approver."""
    note_by: str = ""
    """Who wrote the note: the replaced approver's address, or OPERATOR. Empty if there is none, or
    if an earlier version stored it."""
    instead_of: str | None = None
    """The approver in whose place a reassignment had this person asked."""
    dead_hashes: tuple[str, ...] = ()
    """Hashes of links mailed before this person was replaced and then asked again."""
    groups: tuple[int, ...] = (0,)
    """Positions of their groups in `Request.groups`. Nobody waits for a person without a group:
    they may approve alone."""


class Approval(Struct, frozen=True, omit_defaults=True, rename="camel"):
    """One request for an answer, and all that happened to it. `version` counts its writes."""

    id: str
    task_token: str
    execution_arn: str
    request: Request
    approvers: tuple[Approver, ...]
    created_at: datetime
    expires_at: datetime
    outcome: Outcome = "pending"
    closed_at: datetime | None = None
    resumed_at: datetime | None = field(default=None, name="settledAt")
    """When the task token was answered."""
    events: tuple[Event, ...] = ()
    outbox: tuple[OutboxEntry, ...] = ()
    version: int = 0
    requester: Approver | None = None
    """The requester, if mail may reach them: notified at start and end, and may cancel."""
    remind_at: datetime | None = None
    reminders: int = 0
    escalate_at: datetime | None = None
    folded_events: int = 0
    task_waited: bool | None = None
    """Whether the task still waited when it was answered; None while that isn't known."""
    execution_ended: str | None = None
    """The status with which the execution ended while this was pending."""
    superseded_by: str | None = None
    """The id of the approval that the same execution requested later in the place of this one."""
    asked_again_at: datetime | None = None
    """When the same execution requested the same again while this was pending."""
    erased_at: datetime | None = None
    """When personal data was erased from it."""
    undecidable_since: datetime | None = None
    """When the tick found that some group can't reach its count any more; None while it can."""

    def __repr__(self) -> str:
        """Name the approval without its task token: a representation may be printed."""
        return f"<Approval {self.id} {self.outcome} v{self.version}>"

    @property
    def approvals_needed(self) -> int:
        """The quorum: how many must approve, in all groups together."""
        return sum(group.needed for group in self.request.groups)

    @property
    def active_approvers(self) -> tuple[Approver, ...]:
        """The approvers who weren't replaced."""
        return tuple(approver for approver in self.approvers if approver.replaced_by is None)

    @property
    def undecided(self) -> tuple[Approver, ...]:
        """The active approvers of a group without a decision."""
        return tuple(a for a in self.active_approvers if a.groups and a.decision is None)

    @property
    def waits_for(self) -> tuple[Approver, ...]:
        """The undecided approvers of a pending approval; nobody once it is closed."""
        return self.undecided if self.outcome == "pending" else ()

    @property
    def approved(self) -> tuple[Approver, ...]:
        """The approvers who have approved."""
        return self._who_chose("approve")

    @property
    def approve_count(self) -> int:
        """How many approvers have approved."""
        return len(self.approved)

    @property
    def reject_count(self) -> int:
        """How many approvers have rejected."""
        return len(self._who_chose("reject"))

    @property
    def decisions(self) -> list[tuple[Approver, Decision]]:
        """Each decision with its approver, in the order of the audit trail."""
        kinds = OUTCOME_OF.values()
        order = {e.who: place for place, e in enumerate(self.events) if e.what in kinds}
        made = [(a, a.decision) for a in self.approvers if a.decision is not None]
        return sorted(made, key=lambda pair: order.get(pair[0].address, -1))

    @property
    def fallback(self) -> tuple[str, ...]:
        """The fallback approvers who are still to be asked for their group.

        A person who may only approve alone so far is asked, and so is an undecided approver of
        other groups.
        """
        if self.escalate_at is None:
            return ()
        group, waiting = self.request.escalation_group, self.active_approvers

        def is_to_be_asked(address: str) -> bool:
            if find_person(self.approvers, address) is None:
                return True
            person = find_person(waiting, address)
            return person is not None and not person.decision and group not in person.groups

        return tuple(filter(is_to_be_asked, self.request.fallback))

    @property
    def broken_glass(self) -> Approver | None:
        """The approver who approved alone; None if nobody did."""
        alone = (a for a in self.approvers if a.decision is not None and a.decision.break_glass)
        return next(alone, None)

    @property
    def due_at(self) -> datetime | None:
        """When the tick has something to do next; None if never."""
        times = [entry.due_at for entry in self.outbox]
        if self.outcome == "pending":
            later = (self.expires_at, self.remind_at, self.escalate_at)
            times += [time for time in later if time is not None]
        return min(times, default=None)

    @property
    def is_delivered(self) -> bool:
        """Whether it is closed, and all that its outcome caused is delivered or given up."""
        return self.outcome != "pending" and not self.outbox

    @property
    def is_in_vain(self) -> bool:
        """Whether the workflow was not waiting for the outcome any more.

        An emulator takes the answer of a workflow that ended (docs/fidelity.md, S32), so that the
        end decides, and not the answer.
        """
        ended_or_asked_again = self.execution_ended is not None or self.superseded_by is not None
        return self.task_waited is False or ended_or_asked_again

    def needs_reason(self, choice: Choice) -> bool:
        """Return whether that choice requires a reason."""
        required = self.request.reason_required
        return required == "always" or (required == "onReject" and choice == "reject")

    def _who_chose(self, choice: Choice) -> tuple[Approver, ...]:
        return tuple(a for a in self.approvers if a.decision and a.decision.choice == choice)

    def may_break_glass(self, approver: Approver) -> bool:
        """Return whether this approver may approve alone."""
        return is_among(approver.address, self.request.break_glass)

    def approver(self, address: str) -> Approver:
        """Return the approver with that address; raise KeyError if there is none."""
        found = find_person(self.approvers, address)
        if found is None:
            raise KeyError(address)
        return found

    def asked_instead_of(self, approver: Approver) -> str:
        """Return the address asked now in the place of this approver, after every reassignment."""
        while approver.replaced_by is not None:
            approver = self.approver(approver.replaced_by)
        return approver.address

    def last_mail_event(self, address: str) -> Event | None:
        """Return the last event about a mail to that address: sent, or why not; None if none."""
        own = (e for e in reversed(self.events) if e.who == address and e.what in ABOUT_MAIL)
        return next(own, None)

    def recipient(self, mail: Mail) -> Approver:
        """Return the person a mail goes to: the requester, or one of the approvers."""
        asked = find_person(self.active_approvers, mail.to) is not None
        to_requester = mail.about == "receipt" or not (mail.asks or asked)
        return self.requester if to_requester and self.requester else self.approver(mail.to)

    def mail_has_link(self, mail: Mail) -> bool:
        """Return whether that mail holds a link: an outcome does for active approvers alone."""
        return mail.about != "outcome" or find_person(self.active_approvers, mail.to) is not None

    def with_approver(self, changed: Approver) -> "Approval":
        """Return the approval with this approver in the place of the one with its address."""
        approvers = tuple(changed if a.address == changed.address else a for a in self.approvers)
        return replace(self, approvers=approvers)

    def with_recipient(self, mail: Mail, changed: Approver) -> "Approval":
        """Return the approval with the recipient of that mail changed."""
        if self.recipient(mail) is self.requester:
            return replace(self, requester=changed)
        return self.with_approver(changed)

    def with_event(self, event: Event) -> "Approval":
        """Return the approval with one more event; beyond a bound, older ones become a count."""
        events, folded = append(self.events, event)
        return replace(self, events=events, folded_events=self.folded_events + folded)

    def without_entry(self, entry: OutboxEntry) -> "Approval":
        """Return the approval without that outbox entry; itself if it holds none like it."""
        left = tuple(other for other in self.outbox if not same_entry(entry, other))
        return self if len(left) == len(self.outbox) else replace(self, outbox=left)

    def without_question_to(self, address: str) -> "Approval":
        """Return the approval without the mail that would ask that approver to decide."""
        kept = (e for e in self.outbox if not (isinstance(e, Mail) and e.asks and e.to == address))
        return replace(self, outbox=tuple(kept))

    def closed(
        self, outcome: Outcome, now: datetime, by: str = "", *, lease: timedelta = LEASE
    ) -> "Approval":
        """Return the approval closed; its outbox resumes the task, announces and notifies.

        The closing process leases the Resume. The rest is for the tick, and due when the task is
        answered, at the latest when the lease is over: before, it isn't known whether the task
        still waited. The outbox is replaced, so undelivered mails are dropped. The requester and
        the active approvers are notified, except `by`, the person who closed it; approvers in no
        group are notified only if somebody approved alone.
        """
        broken = self.broken_glass is not None
        active = [a for a in self.active_approvers if a.groups or broken]
        people = [a.address for a in active if a.link_hashes]
        if self.requester is not None:
            people = [self.requester.address, *people]
        notified = {person.lower(): person for person in people if not same_person(person, by)}
        due_at = now + lease
        mails = tuple(Mail(to, due_at, about="outcome") for to in notified.values())
        outbox = (Resume(due_at), Announce(due_at), *mails)
        return replace(self, outcome=outcome, closed_at=now, outbox=outbox)


def without_codes(approver: Approver) -> Approver:
    """Return the approver without what only an undecided one needs: an item has 400 KB."""
    return replace(approver, code_hashes=(), wrong_codes_by_link={})


def find_person(people: Iterable[Approver], address: str) -> Approver | None:
    """Return the person with that address, in any case, or None."""
    return next((person for person in people if same_person(person.address, address)), None)
