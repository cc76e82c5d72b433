"""Transitions: what people do to an approval: request, decide, cancel, remind, extend, reassign.

Each takes an approval and what happened, and returns the next approval, with the effects that this
promised in its outbox; or it raises the error that says why not. `by` is who acts: an approver, the
requester, or what an operator claims to be, whose IAM principal is then `principal`.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal

from msgspec.structs import replace

from .addresses import same_person
from .approval import (
    OPERATOR,
    OUTCOME_OF,
    Approval,
    Approver,
    Choice,
    Decision,
    find_person,
    without_codes,
)
from .errors import InvalidRequest
from .events import SYSTEM, Channel, Event
from .link_tokens import SecretHashes, wrong_codes
from .outbox_entries import LEASE, Mail, MailKind
from .refusals import (
    changes_nothing,
    check_can_be_asked,
    check_can_decide,
    check_not_locked,
    check_open,
)
from .request import Request
from .timestamps import iso


def request_approval(
    *,
    approval_id: str,
    task_token: str,
    execution_arn: str,
    request: Request,
    hashes: Mapping[str, SecretHashes],
    now: datetime,
    via: Channel,
    requester: Approver | None = None,
    delegates: Mapping[str, str] | None = None,
    authors: Mapping[str, tuple[str, str]] | None = None,
) -> Approval:
    """Return a new pending approval whose outbox mails each approver, and the requester.

    `hashes` has an entry for each person asked; `delegates` is `{delegate: absent approver}`, and
    `authors` says who wrote each absent approver's delegation, as `delegation.author_of` does.
    """
    delegates, authors = delegates or {}, authors or {}
    delegate_of = {absent: delegate for delegate, absent in delegates.items()}
    people = [delegate_of.get(address, address) for address in request.approvers]
    receipt = () if requester is None else (Mail(requester.address, now, about="receipt"),)
    escalation = request.escalation
    return Approval(
        id=approval_id,
        task_token=task_token,
        execution_arn=execution_arn,
        request=request,
        approvers=tuple(
            Approver(
                to,
                (hashes[to].link,),
                code_hashes=(hashes[to].code,) if request.code_required else (),
                stands_in_for=delegates.get(to),
            )
            for to in people
        ),
        created_at=now,
        expires_at=now + timedelta(seconds=request.expires_in),
        events=(
            Event(now, "requested", request.requested_by or execution_arn, via),
            *(
                _delegated(now, via, absent, delegate, authors.get(absent, (SYSTEM, "")))
                for absent, delegate in delegate_of.items()
            ),
        ),
        outbox=(*(Mail(to, now + LEASE) for to in people), *receipt),
        requester=requester,
        remind_at=_later(now, request.remind_every),
        escalate_at=_later(now, escalation.after if escalation else None),
    )


def decide(
    approval: Approval, address: str, choice: Choice, *, reason: str, now: datetime, via: Channel
) -> Approval:
    """Return the approval with this approver's decision, closed if that makes the outcome certain.

    Unchanged if that choice is the case already (`changes_nothing`). Raises what `check_can_decide`
    does, and InvalidRequest if a reason is required and missing.
    """
    approver = approval.approver(address)
    if changes_nothing(approval, approver, choice):
        return approval
    check_can_decide(approval, approver, now)
    if not reason and approval.needs_reason(choice):
        raise InvalidRequest("reason: please say why, it is required", field="reason")
    decided = replace(without_codes(approver), decision=Decision(choice, now, reason))
    changed = approval.with_approver(decided)
    changed = changed.without_question_to(approver.address)
    changed = changed.with_event(Event(now, OUTCOME_OF[choice], approver.address, via))
    outcome = tally(changed)
    return changed if outcome == "pending" else changed.closed(outcome, now, address)


def tally(approval: Approval) -> Literal["pending", "approved", "rejected"]:
    """Return the outcome that the decisions made so far determine.

    `approved` at `approvalsNeeded` approvals; `rejected` at `rejectionsNeeded` rejections, or when
    the approvers asked so far can't reach the quorum any more; else `pending`. Fallback approvers
    who haven't been asked yet don't count.
    """
    if approval.approve_count >= approval.approvals_needed:
        return "approved"
    if approval.reject_count >= approval.request.rejections_needed:
        return "rejected"
    if approval.approve_count + len(approval.undecided) < approval.approvals_needed:
        return "rejected"
    return "pending"


def record_wrong_code(
    approval: Approval, address: str, link_hash: str, now: datetime, via: Channel
) -> Approval:
    """Return the approval with one more wrong code tried with this approver's link.

    Raises what `check_can_decide` does, and WrongCode once there were WRONG_CODES.
    """
    approver = approval.approver(address)
    check_can_decide(approval, approver, now)
    check_not_locked(approver, link_hash)
    counted = {
        **approver.wrong_codes_by_link,
        link_hash: wrong_codes(approver, link_hash) + 1,
    }
    changed = approval.with_approver(replace(approver, wrong_codes_by_link=counted))
    return changed.with_event(Event(now, "wrongCode", approver.address, via))


def cancel(
    approval: Approval, by: str, *, reason: str, now: datetime, via: Channel, principal: str = ""
) -> Approval:
    """Return the approval cancelled; unchanged if it is already.

    Raises AlreadyDecided or Expired if it has another outcome.
    """
    if approval.outcome == "cancelled":
        return approval
    check_open(approval, now)
    changed = approval.with_event(Event(now, "cancelled", by, via, reason, principal=principal))
    return changed.closed("cancelled", now, by)


def remind(
    approval: Approval,
    by: str,
    *,
    now: datetime,
    via: Channel,
    reason: str = "",
    principal: str = "",
) -> Approval:
    """Return the approval with a mail, due now, to each undecided approver.

    Raises AlreadyDecided or Expired if it is closed.
    """
    check_open(approval, now)
    reminded = Event(now, "reminded", by, via, why=reason, principal=principal)
    return add_reminders(approval, now).with_event(reminded)


def extend(
    approval: Approval,
    by: str,
    expires_in: int,
    *,
    now: datetime,
    via: Channel,
    reason: str = "",
    principal: str = "",
) -> Approval:
    """Return the approval with its deadline `expires_in` seconds from now.

    Raises AlreadyDecided or Expired if it is closed.
    """
    check_open(approval, now)
    expires_at = now + timedelta(seconds=expires_in)
    extended = Event(now, "extended", by, via, f"until {iso(expires_at)}", reason, principal)
    return replace(approval.with_event(extended), expires_at=expires_at)


def reassign(
    approval: Approval,
    from_: str,
    to: str,
    *,
    by: str,
    note: str,
    now: datetime,
    via: Channel,
    principal: str = "",
) -> Approval:
    """Return the approval with `to` asked instead of `from_`, whose links decide nothing any more.

    Unchanged if just that was done already. Raises AlreadyDecided or Expired if it is closed, and
    InvalidRequest, naming `from` or `to`, if one of the two can't be reassigned.
    """
    check_open(approval, now)
    leaving = find_person(approval.approvers, from_)
    if leaving is not None and same_person(leaving.replaced_by or "", to):
        return approval
    if leaving is None or leaving.replaced_by is not None:
        raise InvalidRequest(f"from: {from_} is not asked to approve this", field="from")
    if leaving.decision is not None:
        raise InvalidRequest(
            f"from: {from_} has decided already; a decision is final", field="from"
        )
    check_can_be_asked(approval, to)
    changed = approval.with_approver(replace(without_codes(leaving), replaced_by=to))
    changed = changed.without_question_to(leaving.address)
    who = f"{leaving.address} -> {to}"
    changed = changed.with_event(Event(now, "reassigned", by, via, who, principal=principal))
    author = OPERATOR if via == "api" else by
    asked = Approver(to, note=note, note_by=author if note else "")
    return add_approvers(changed, (asked,), "reassignment", now)


def add_approvers(
    approval: Approval, people: tuple[Approver, ...], about: MailKind, now: datetime
) -> Approval:
    """Return the approval with these approvers too, and a mail to each in its outbox."""
    mails = tuple(Mail(person.address, now, about=about) for person in people)
    return replace(
        approval,
        approvers=(*approval.approvers, *people),
        outbox=(*approval.outbox, *mails),
    )


def add_reminders(approval: Approval, now: datetime) -> Approval:
    """Return the approval with a mail to each undecided approver in its outbox.

    An approver to whom another mail is due already gets that one alone.
    """
    coming = {e.to for e in approval.outbox if isinstance(e, Mail) and e.asks}
    people = (a.address for a in approval.undecided if a.address not in coming)
    mails = tuple(Mail(to, now, about="reminder") for to in people)
    return replace(approval, outbox=(*approval.outbox, *mails))


def _delegated(
    now: datetime, via: Channel, absent: str, delegate: str, author: tuple[str, str]
) -> Event:
    by, principal = author
    return Event(now, "delegated", by, via, f"{absent} -> {delegate}", principal=principal)


def _later(now: datetime, seconds: int | None) -> datetime | None:
    return None if seconds is None else now + timedelta(seconds=seconds)
