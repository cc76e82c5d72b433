"""CORE: the approval and every rule.

Frozen values and pure functions: each rule takes an approval and what happened, and returns the
approval as it is afterwards, with what that promises to do in its `outbox`. Nothing here knows
AWS, the clock or randomness; `workflow.py` brings those and keeps the promises.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from .errors import AlreadyDecided, Cancelled, Expired, InvalidRequest
from .request import Request, same_person

Choice = Literal["approve", "reject"]
Outcome = Literal["pending", "approved", "rejected", "expired", "cancelled"]
MailState = Literal["waiting", "sent", "failed"]
Undelivered = Literal["invited", "unconfirmed", "refused"]
"""Why a mail can't be sent: the approver was only just invited, hasn't confirmed, SNS refuses."""
Door = Literal["page", "api", "function", "tick"]

LEASE = timedelta(seconds=90)
"""How long whoever wrote a promise has for keeping it before a tick may take it over.

Longer than the time-out of the functions that write promises (60 s), so none is still at it.
"""
LONGEST_PAUSE = timedelta(minutes=5)
"""The longest pause between two tries of one promise."""
LINKS_KEPT = 20
"""How many of an approver's links stay good; more than the mails that one can get."""

SYSTEM = "assent"
"""Who acts when no person does."""


class Decision(Struct, frozen=True, rename="camel"):
    """One approver's answer; final."""

    choice: Choice
    decided_at: datetime
    reason: str = ""


class Approver(Struct, frozen=True, rename="camel"):
    """A person who may decide; `link_hashes` are SHA-256 of the secrets mailed to them."""

    address: str
    link_hashes: tuple[str, ...] = ()
    mail: MailState = "waiting"
    decision: Decision | None = None


class Event(Struct, frozen=True, rename="camel"):
    """One line of the record: what happened when, by whom, through which door."""

    at: datetime
    what: str
    who: str
    via: Door
    note: str = ""


class Mail(Struct, frozen=True, tag=True, rename="camel"):
    """A promise to mail `to` their decision links; the tick keeps it from `due_at` on."""

    to: str
    due_at: datetime
    tries: int = 0


class Resume(Struct, frozen=True, tag=True, rename="camel"):
    """A promise to answer the task token with the outcome."""

    due_at: datetime
    tries: int = 0


Promise = Mail | Resume


class Approval(Struct, frozen=True, rename="camel"):
    """One request for an answer and all that came of it. `version` counts its writes."""

    id: str
    task_token: str
    execution_arn: str
    request: Request
    approvers: tuple[Approver, ...]
    created_at: datetime
    expires_at: datetime
    outcome: Outcome = "pending"
    closed_at: datetime | None = None
    settled_at: datetime | None = None
    events: tuple[Event, ...] = ()
    outbox: tuple[Promise, ...] = ()
    version: int = 0

    def __repr__(self) -> str:
        """Name the approval without its task token, for whatever prints it."""
        return f"<Approval {self.id} {self.outcome} v{self.version}>"

    @property
    def approvals_needed(self) -> int:
        """How many must approve: k of n."""
        asked = self.request.approvals_needed
        return len(self.approvers) if asked == "all" else asked

    @property
    def approvals(self) -> int:
        """How many have approved."""
        return self._count("approve")

    @property
    def rejections(self) -> int:
        """How many have rejected."""
        return self._count("reject")

    @property
    def decisions(self) -> list[tuple[Approver, Decision]]:
        """Who decided what, in the order of the record."""
        votes = ("approved", "rejected")
        order = {e.who: place for place, e in enumerate(self.events) if e.what in votes}
        made = [(a, a.decision) for a in self.approvers if a.decision is not None]
        return sorted(made, key=lambda pair: order.get(pair[0].address, -1))

    @property
    def due_at(self) -> datetime | None:
        """When something has to happen next, or None if nothing will."""
        times = [promise.due_at for promise in self.outbox]
        if self.outcome == "pending":
            times.append(self.expires_at)
        return min(times, default=None)

    def approver(self, address: str) -> Approver:
        """Return the approver with that address; KeyError if there is none."""
        for approver in self.approvers:
            if same_person(approver.address, address):
                return approver
        raise KeyError(address)

    def _count(self, choice: Choice) -> int:
        return sum(a.decision is not None and a.decision.choice == choice for a in self.approvers)


def ask(
    approval_id: str,
    task_token: str,
    execution_arn: str,
    request: Request,
    link_hashes: Mapping[str, str],
    now: datetime,
    via: Door,
) -> Approval:
    """Return a new pending approval that promises each approver a mail."""
    asked_by = request.requested_by or execution_arn
    return Approval(
        id=approval_id,
        task_token=task_token,
        execution_arn=execution_arn,
        request=request,
        approvers=tuple(Approver(to, (link_hashes[to],)) for to in request.approvers),
        created_at=now,
        expires_at=now + timedelta(seconds=request.expires_in),
        events=(Event(now, "requested", asked_by, via),),
        outbox=tuple(Mail(to, now + LEASE) for to in request.approvers),
    )


def decide(
    approval: Approval, address: str, choice: Choice, reason: str, now: datetime, via: Door
) -> Approval:
    """Return the approval with this approver's decision, closed if that makes the outcome certain.

    Raises AlreadyDecided, Expired or Cancelled if the approval no longer takes it (`standing`
    says the same), and InvalidRequest if a reason is required and missing.
    """
    approver = approval.approver(address)
    refuse_if_over(approval, approver, choice, now)
    required = approval.request.reason_required
    if not reason and (required == "always" or (required == "onReject" and choice == "reject")):
        raise InvalidRequest("reason: please say why, it is required", field="reason")
    changed = _with(approval, replace(approver, decision=Decision(choice, now, reason)))
    # Who has decided needs no mail asking them to.
    changed = _keep(changed, Mail(approver.address, now))
    done = {"approve": "approved", "reject": "rejected"}[choice]
    changed = _record(changed, Event(now, done, approver.address, via))
    outcome = tally(changed)
    return changed if outcome == "pending" else _close(changed, outcome, now)


def tally(approval: Approval) -> Literal["pending", "approved", "rejected"]:
    """Return the outcome that the decisions make certain, as early as they do.

    Approved with `approvalsNeeded`; rejected with `rejectionsNeeded`, or once those who are
    still to decide can't make up the approvals needed.
    """
    undecided = len(approval.approvers) - approval.approvals - approval.rejections
    if approval.approvals >= approval.approvals_needed:
        return "approved"
    if approval.rejections >= approval.request.rejections_needed:
        return "rejected"
    if approval.approvals + undecided < approval.approvals_needed:
        return "rejected"
    return "pending"


def refuse_if_over(approval: Approval, approver: Approver, choice: Choice, now: datetime) -> None:
    """Raise what tells this approver why `choice` can't be taken any more, if it can't."""
    if approver.decision is not None:
        same = approver.decision.choice == choice
        raise AlreadyDecided("You have decided on this already; a decision is final.", same=same)
    if approval.outcome in ("approved", "rejected"):
        same = (approval.outcome == "approved") == (choice == "approve")
        raise AlreadyDecided(f"This was {approval.outcome} already, by others.", same=same)
    if approval.outcome == "cancelled":
        raise Cancelled("This request was withdrawn; no answer is needed.")
    if approval.outcome == "expired" or now >= approval.expires_at:
        raise Expired("The time for answering has passed.")


def cancel(approval: Approval, by: str, reason: str, now: datetime, via: Door) -> Approval:
    """Return the approval withdrawn; raise AlreadyDecided or Expired if it isn't open."""
    if approval.outcome != "pending":
        same = approval.outcome == "cancelled"
        raise AlreadyDecided(f"This was {approval.outcome} already.", same=same)
    if now >= approval.expires_at:
        raise Expired("The time for answering has passed.")
    return _close(_record(approval, Event(now, "cancelled", by, via, reason)), "cancelled", now)


def advance(approval: Approval, link_hashes: Mapping[str, str], now: datetime) -> Approval:
    """Return the approval with what is due at `now` taken on: expired, and promises claimed.

    A claimed promise is due again only after a pause that doubles with each try, so that of two
    ticks at once one keeps it, and one that always fails is not in the others' way. Each mail
    claimed gets its approver a fresh link (the first one's secret died with whoever made it).
    """
    if approval.outcome == "pending" and now >= approval.expires_at:
        expired = Event(now, "expired", SYSTEM, "tick")
        return _close(_record(approval, expired), "expired", now)
    claimed = {p: _claim(p, now) for p in approval.outbox if p.due_at <= now}
    mailed = {promise.to for promise in claimed if isinstance(promise, Mail)}
    return replace(
        approval,
        outbox=tuple(claimed.get(p, p) for p in approval.outbox),
        approvers=tuple(
            replace(a, link_hashes=(*a.link_hashes, link_hashes[a.address])[-LINKS_KEPT:])
            if a.address in mailed
            else a
            for a in approval.approvers
        ),
    )


def mailed(approval: Approval, promise: Mail, now: datetime, via: Door) -> Approval:
    """Return the approval with this mail sent; unchanged if that was known."""
    kept = _keep(approval, promise)
    if kept is approval:
        return approval
    kept = _with(kept, replace(kept.approver(promise.to), mail="sent"))
    return _record(kept, Event(now, "mailed", promise.to, via))


def deferred(
    approval: Approval, promise: Mail, unsent_hash: str, why: Undelivered, now: datetime, via: Door
) -> Approval:
    """Return the approval with it on record, once, why this mail couldn't be sent.

    The promise stays. The link that certainly nobody got is taken back.
    """
    approver = approval.approver(promise.to)
    left = tuple(stored for stored in approver.link_hashes if stored != unsent_hash)
    changed = _with(approval, replace(approver, link_hashes=left))
    if _keep(approval, promise) is approval:
        return changed  # The promise was kept, or dropped, meanwhile.
    mail: MailState = "failed" if why == "refused" else "waiting"
    changed = _with(changed, replace(changed.approver(promise.to), mail=mail))
    known = any(e.what == why and e.who == promise.to for e in approval.events)
    return changed if known else _record(changed, Event(now, why, promise.to, via))


def resumed(approval: Approval, note: str, now: datetime, via: Door) -> Approval:
    """Return the approval with its task answered; unchanged if that was known."""
    for promise in approval.outbox:
        if isinstance(promise, Resume):
            kept = _keep(approval, promise)
            kept = _record(kept, Event(now, "resumed", SYSTEM, via, note))
            return kept if kept.outbox else replace(kept, settled_at=now)
    return approval


def _close(approval: Approval, outcome: Outcome, now: datetime) -> Approval:
    # Mails that ask are dropped: there is nothing left to ask.
    return replace(approval, outcome=outcome, closed_at=now, outbox=(Resume(now + LEASE),))


def _claim(promise: Promise, now: datetime) -> Promise:
    pause = min(LEASE * 2 ** min(promise.tries, 10), LONGEST_PAUSE)
    return replace(promise, tries=promise.tries + 1, due_at=now + pause)


def _keep(approval: Approval, promise: Promise) -> Approval:
    """Return the approval without that promise, whoever claimed it since."""

    def is_it(other: Promise) -> bool:
        if isinstance(promise, Mail):
            return isinstance(other, Mail) and other.to == promise.to
        return isinstance(other, Resume)

    left = tuple(p for p in approval.outbox if not is_it(p))
    return approval if len(left) == len(approval.outbox) else replace(approval, outbox=left)


def _with(approval: Approval, changed: Approver) -> Approval:
    approvers = tuple(changed if a.address == changed.address else a for a in approval.approvers)
    return replace(approval, approvers=approvers)


def _record(approval: Approval, event: Event) -> Approval:
    return replace(approval, events=(*approval.events, event))
