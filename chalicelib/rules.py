"""CORE: what people may do to an approval: ask, decide, withdraw, ask again, give time, pass on.

Each rule takes an approval and what happened, and returns the approval as it is afterwards, with
what that promises to do in its `outbox`; or raises why not. The order of effects is workflow.py's.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal

from msgspec.structs import replace

from .approval import (
    LEASE,
    WRONG_CODES,
    About,
    Approval,
    Approver,
    Choice,
    Decision,
    Door,
    Event,
    Mail,
    among,
)
from .errors import AlreadyDecided, Cancelled, Expired, InvalidRequest, Reassigned, WrongCode
from .request import MOST_APPROVERS, Request, same_person


def ask(
    approval_id: str,
    task_token: str,
    execution_arn: str,
    request: Request,
    link_hashes: Mapping[str, str],
    now: datetime,
    via: Door,
    requester: Approver | None = None,
    code_hashes: Mapping[str, str] | None = None,
    stand_ins: Mapping[str, str] | None = None,
) -> Approval:
    """Return a new pending approval that promises each approver a mail, and the requester.

    `stand_ins` says who is asked instead of whom: `{delegate: absent person}`.
    """
    asked_by = request.requested_by or execution_arn
    instead = {away: delegate for delegate, away in (stand_ins or {}).items()}
    people = {instead.get(to, to): to for to in request.approvers}
    mails = tuple(Mail(to, now + LEASE) for to in people)
    delegated = tuple(
        Event(now, "delegated", away, via, f"{away} -> {delegate}")
        for away, delegate in instead.items()
    )
    codes = code_hashes if code_hashes is not None and request.code_required else {}
    receipt = () if requester is None else (Mail(requester.address, now, about="receipt"),)
    every, escalation = request.remind_every, request.escalation
    return Approval(
        id=approval_id,
        task_token=task_token,
        execution_arn=execution_arn,
        request=request,
        approvers=tuple(
            Approver(
                to,
                (link_hashes[to],),
                code_hashes=(codes[to],) if codes else (),
                stands_in_for=away if to in (stand_ins or {}) else None,
            )
            for to, away in people.items()
        ),
        created_at=now,
        expires_at=now + timedelta(seconds=request.expires_in),
        events=(Event(now, "requested", asked_by, via), *delegated),
        outbox=(*mails, *receipt),
        requester=requester,
        remind_at=None if every is None else now + timedelta(seconds=every),
        escalate_at=None if escalation is None else now + timedelta(seconds=escalation.after),
    )


def decide(
    approval: Approval, address: str, choice: Choice, reason: str, now: datetime, via: Door
) -> Approval:
    """Return the approval with this approver's decision, closed if that makes the outcome certain.

    Raises what `refuse_if_over` does if the approval no longer takes it, and InvalidRequest if a
    reason is required and missing.
    """
    approver = approval.approver(address)
    refuse_if_over(approval, approver, choice, now)
    if not reason and approval.needs_reason(choice):
        raise InvalidRequest("reason: please say why, it is required", field="reason")
    changed = approval.having(replace(approver, decision=Decision(choice, now, reason)))
    # Who has decided needs no mail asking them to.
    changed = changed.without(Mail(approver.address, now))
    done = {"approve": "approved", "reject": "rejected"}[choice]
    changed = changed.recording(Event(now, done, approver.address, via))
    outcome = tally(changed)
    return changed if outcome == "pending" else changed.closed(outcome, now, address)


def wrong_code(
    approval: Approval, address: str, choice: Choice, now: datetime, via: Door
) -> Approval:
    """Return the approval with one more wrong code of this approver on record.

    Raises what `refuse_if_over` does, and WrongCode once there were WRONG_CODES.
    """
    approver = approval.approver(address)
    refuse_if_over(approval, approver, choice, now)
    refuse_if_locked(approver)
    changed = approval.having(replace(approver, wrong_codes=approver.wrong_codes + 1))
    return changed.recording(Event(now, "wrongCode", approver.address, via))


def refuse_if_locked(approver: Approver) -> None:
    """Raise WrongCode if there were too many wrong ones since the last mail."""
    if approver.wrong_codes >= WRONG_CODES:
        raise WrongCode("Too many wrong codes: wait for the next mail, or ask for a reminder.")


def tally(approval: Approval) -> Literal["pending", "approved", "rejected"]:
    """Return the outcome that the decisions make certain, as early as they do.

    Approved with `approvalsNeeded`; rejected with `rejectionsNeeded`, or once those who are
    still to decide can't make up the approvals needed.
    """
    if approval.approvals >= approval.approvals_needed:
        return "approved"
    if approval.rejections >= approval.request.rejections_needed:
        return "rejected"
    if approval.approvals + len(approval.undecided) < approval.approvals_needed:
        return "rejected"
    return "pending"


def refuse_if_over(approval: Approval, approver: Approver, choice: Choice, now: datetime) -> None:
    """Raise what tells this approver why `choice` can't be taken any more, if it can't."""
    if approver.decision is not None:
        same = approver.decision.choice == choice
        raise AlreadyDecided("You have decided on this already; a decision is final.", same=same)
    if approver.replaced_by is not None:
        raise Reassigned(f"{approval.who_has_it(approver)} has been asked instead of you.")
    if approval.outcome in ("approved", "rejected"):
        same = (approval.outcome == "approved") == (choice == "approve")
        raise AlreadyDecided(f"This was {approval.outcome} already, by others.", same=same)
    if approval.outcome == "cancelled":
        raise Cancelled("This request was withdrawn; no answer is needed.")
    if approval.outcome == "expired" or now >= approval.expires_at:
        raise Expired("The time for answering has passed.")


def cancel(approval: Approval, by: str, reason: str, now: datetime, via: Door) -> Approval:
    """Return the approval withdrawn; raise AlreadyDecided or Expired if it isn't open."""
    _refuse_if_closed(approval, "cancelled", now)
    changed = approval.recording(Event(now, "cancelled", by, via, reason))
    return changed.closed("cancelled", now, by)


def remind(approval: Approval, by: str, now: datetime, via: Door, why: str = "") -> Approval:
    """Return the approval with a mail promised, now, to each who hasn't answered."""
    _refuse_if_closed(approval, "", now)
    return promise_reminders(approval, now).recording(Event(now, "reminded", by, via, why=why))


def extend(
    approval: Approval, by: str, expires_in: int, now: datetime, via: Door, why: str = ""
) -> Approval:
    """Return the approval with its deadline that many seconds from now."""
    _refuse_if_closed(approval, "", now)
    expires_at = now + timedelta(seconds=expires_in)
    note = f"until {expires_at:%Y-%m-%dT%H:%M:%SZ}"
    changed = approval.recording(Event(now, "extended", by, via, note, why))
    return replace(changed, expires_at=expires_at)


def reassign(
    approval: Approval, one: str, other: str, by: str, note: str, now: datetime, via: Door
) -> Approval:
    """Return the approval with `other` asked instead of `one`, whose links are dead from now on.

    Unchanged if just that was done before. Raises InvalidRequest, naming `from` or `to`, if one of
    the two doesn't fit.
    """
    _refuse_if_closed(approval, "", now)
    leaving = among(approval.approvers, one)
    if leaving is not None and same_person(leaving.replaced_by or "", other):
        return approval
    if leaving is None or leaving.replaced_by is not None:
        raise InvalidRequest(f"from: {one} is not asked to approve this", field="from")
    if leaving.decision is not None:
        raise InvalidRequest(f"from: {one} has decided already; a decision is final", field="from")
    _refuse_as_approver(approval, other)
    changed = approval.having(replace(leaving, replaced_by=other))
    changed = changed.without(Mail(leaving.address, now))
    passed = f"{leaving.address} -> {other}"
    changed = changed.recording(Event(now, "reassigned", by, via, passed))
    return add(changed, (Approver(other, note=note),), "reassignment", now)


def add(approval: Approval, people: tuple[Approver, ...], about: About, now: datetime) -> Approval:
    """Return the approval with these people asked too, each promised a mail."""
    mails = tuple(Mail(person.address, now, about=about) for person in people)
    return replace(
        approval,
        approvers=(*approval.approvers, *people),
        outbox=(*approval.outbox, *mails),
    )


def promise_reminders(approval: Approval, now: datetime) -> Approval:
    """Return the approval with a mail promised to each who hasn't answered.

    Whoever has a mail coming anyway gets that one alone.
    """
    coming = {p.to for p in approval.outbox if isinstance(p, Mail) and p.asks}
    whom = (a.address for a in approval.undecided if a.address not in coming)
    mails = tuple(Mail(to, now, about="reminder") for to in whom)
    return replace(approval, outbox=(*approval.outbox, *mails))


def _refuse_as_approver(approval: Approval, other: str) -> None:
    if among(approval.approvers, other) is not None:
        raise InvalidRequest(f"to: {other} is or was asked already", field="to")
    asker = approval.request.requested_by or ""
    if same_person(asker, other) and not approval.request.allow_self_approval:
        raise InvalidRequest(f"to: {other} asks, and may not approve their own request", field="to")
    if len(approval.approvers) >= MOST_APPROVERS:
        raise InvalidRequest(f"to: {MOST_APPROVERS} people have been asked already", field="to")


def _refuse_if_closed(approval: Approval, wanted: str, now: datetime) -> None:
    if approval.outcome == "expired" or (
        approval.outcome == "pending" and now >= approval.expires_at
    ):
        raise Expired("The time for answering has passed.")
    if approval.outcome != "pending":
        same = approval.outcome == wanted
        raise AlreadyDecided(f"This was {approval.outcome} already.", same=same)
