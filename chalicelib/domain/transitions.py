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
from .asking_people import Authors, ask_too, delegated, people_of, people_to_ask
from .errors import InvalidRequest
from .events import OPERATORS, Channel, Event
from .item_size import check_has_room
from .link_tokens import SecretHashes, wrong_codes
from .outbox_entries import LEASE, Mail, same_entry
from .refusals import (
    changes_nothing,
    check_break_glass,
    check_can_be_asked,
    check_can_decide,
    check_longest_wait,
    check_not_locked,
    check_open,
    check_operator_may_ask,
)
from .request import Request
from .shown import shown_hash
from .standings import can_fill
from .timestamps import iso

BREAK_GLASS = "break-glass"
"""The note of the event `approved` of an approver who approved alone."""


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
    authors: Authors | None = None,
) -> Approval:
    """Return a new pending approval whose outbox mails each approver, and the requester.

    `hashes` has an entry for each person asked; `delegates` is `{delegate: absent approver}`, and
    `authors` says who wrote each absent approver's delegation, as `delegation.author_of` does.
    """
    people = people_of(request, delegates or {})
    receipt = () if requester is None else (Mail(requester.address, now, about="receipt"),)
    escalation = request.escalation
    return Approval(
        id=approval_id,
        task_token=task_token,
        execution_arn=execution_arn,
        request=request,
        approvers=tuple(
            replace(
                person,
                link_hashes=(hashes[person.address].link,),
                code_hashes=(hashes[person.address].code,) if request.code_required else (),
            )
            for person in people
        ),
        created_at=now,
        expires_at=now + timedelta(seconds=request.expires_in),
        events=(
            Event(now, "requested", request.requested_by or execution_arn, via),
            *delegated(people, authors or {}, now, via),
        ),
        outbox=(*(Mail(person.address, now + LEASE) for person in people), *receipt),
        requester=requester,
        remind_at=_later(now, request.remind_every),
        escalate_at=_later(now, escalation.after if escalation else None),
    )


def decide(
    approval: Approval,
    address: str,
    choice: Choice,
    *,
    reason: str,
    now: datetime,
    via: Channel,
    break_glass: bool = False,
) -> Approval:
    """Return the approval with this approver's decision, closed if that makes the outcome certain.

    `break_glass` approves alone. Unchanged if that choice is the case already (`changes_nothing`).
    Raises what `check_can_decide` and `check_break_glass` do, and InvalidRequest if a reason is
    required and missing.
    """
    approver = approval.approver(address)
    if changes_nothing(approval, approver, choice, break_glass=break_glass):
        return approval
    check_can_decide(approval, approver, now)
    check_break_glass(approval, approver, choice, break_glass=break_glass)
    if not reason and (break_glass or approval.needs_reason(choice)):
        raise InvalidRequest("reason: please say why, it is required", field="reason")
    decision = Decision(choice, now, reason, shown_hash(approval.request), break_glass)
    changed = approval.with_approver(replace(without_codes(approver), decision=decision))
    changed = changed.without_question_to(approver.address)
    note = BREAK_GLASS if break_glass else ""
    changed = changed.with_event(Event(now, OUTCOME_OF[choice], approver.address, via, note))
    outcome = tally(changed)
    return changed if outcome == "pending" else changed.closed(outcome, now, address)


def tally(approval: Approval) -> Literal["pending", "approved", "rejected"]:
    """Return the outcome that the decisions made so far determine.

    `approved` once each group has its count, or somebody approved alone; `rejected` at
    `rejectionsNeeded` rejections, or when the approvers asked so far can't fill some group any
    more; else `pending`. Fallback approvers who haven't been asked yet don't count.
    """
    groups, approved = approval.request.groups, approval.approved
    if approval.broken_glass is not None or can_fill(groups, approved):
        return "approved"
    if approval.reject_count >= approval.request.rejections_needed:
        return "rejected"
    if not can_fill(groups, [*approved, *approval.undecided]):
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

    An operator's reminder also goes to those who may only approve alone: their link may be lost, or
    locked. Raises AlreadyDecided or Expired if it is closed.
    """
    check_open(approval, now)
    reminded = Event(now, "reminded", by, via, why=reason, principal=principal)
    return add_reminders(approval, now, everybody=via in OPERATORS).with_event(reminded)


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

    Its outbox tells the approvers who haven't decided, and the requester. Raises AlreadyDecided or
    Expired if it is closed, and InvalidRequest if the deadline wouldn't be later than it is.
    """
    check_open(approval, now)
    expires_at = now + timedelta(seconds=expires_in)
    if expires_at <= approval.expires_at:
        left = int((approval.expires_at - now).total_seconds())
        raise InvalidRequest(
            f"expiresIn: the deadline is {iso(approval.expires_at)} already, {left} seconds from "
            "now; extending moves it to a later time only",
            field="expiresIn",
        )
    check_longest_wait(approval, expires_at)
    extended = Event(now, "extended", by, via, f"until {iso(expires_at)}", reason, principal)
    changed = replace(approval.with_event(extended), expires_at=expires_at)
    return _add_receipt(add_reminders(changed, now, extended=True), now)


def reassign(
    approval: Approval,
    from_: str,
    to: str,
    *,
    by: str,
    note: str,
    now: datetime,
    via: Channel,
    delegates: Mapping[str, str] | None = None,
    authors: Authors | None = None,
    principal: str = "",
) -> Approval:
    """Return the approval with `to` asked instead of `from_`, whose links decide nothing any more.

    `delegates` is `{delegate: to}` while `to` is absent, and `authors` says who wrote that
    delegation. A person who was replaced before can be asked again, with fresh links. Unchanged if
    just that was done already. Raises AlreadyDecided or Expired if it is closed, and
    InvalidRequest, naming `from` or `to`, if one of the two can't be reassigned.
    """
    check_open(approval, now)
    leaving = find_person(approval.approvers, from_)
    if leaving is not None and is_replaced_by(approval, leaving, to):
        return approval
    if leaving is None or leaving.replaced_by is not None:
        raise InvalidRequest(f"from: {from_} is not asked to approve this", field="from")
    if leaving.decision is not None:
        raise InvalidRequest(
            f"from: {from_} has decided already; a decision is final", field="from"
        )
    if not leaving.groups:
        raise InvalidRequest(
            f"from: {from_} is in no group, and may only approve alone; that can't be reassigned",
            field="from",
        )
    check_can_be_asked(approval, to)
    if via in OPERATORS:
        check_operator_may_ask(approval, leaving, to)
    (person,) = people_to_ask((to,), delegates or {})
    address = _as_stored(approval, person.address)
    author = OPERATOR if via in OPERATORS else by
    person = replace(
        person,
        address=address,
        note=note,
        note_by=author if note else "",
        instead_of=leaving.address,
        groups=leaving.groups,
    )
    who = f"{leaving.address} -> {to}"
    moved = Event(now, "reassigned", by, via, who, note, principal)
    changed = approval.with_approver(replace(without_codes(leaving), replaced_by=person.address))
    changed = changed.without_question_to(leaving.address).with_event(moved)
    changed = ask_too(changed, (person,), "reassignment", now, via, authors or {})
    check_has_room(changed)
    return changed


def is_replaced_by(approval: Approval, leaving: Approver, to: str) -> bool:
    """Return whether that person, or their delegate, was asked instead of this approver."""
    if leaving.replaced_by is None:
        return False
    asked = approval.approver(leaving.replaced_by)
    return same_person(asked.address, to) or same_person(asked.stands_in_for or "", to)


def add_reminders(
    approval: Approval, now: datetime, *, extended: bool = False, everybody: bool = False
) -> Approval:
    """Return the approval with a mail to each undecided approver in its outbox.

    `everybody` adds those who may only approve alone. An approver to whom another mail is due
    already gets that one alone.
    """
    coming = {e.to for e in approval.outbox if isinstance(e, Mail) and e.asks}
    waiting = [a for a in approval.active_approvers if a.decision is None]
    people = (a.address for a in waiting if (a.groups or everybody) and a.address not in coming)
    mails = tuple(Mail(to, now, about="reminder", extended=extended) for to in people)
    return replace(approval, outbox=(*approval.outbox, *mails))


def _add_receipt(approval: Approval, now: datetime) -> Approval:
    """Return the approval with a mail of the new deadline to its requester, if mail reaches them.

    Nobody is invited for it, and a receipt that is due already tells the new deadline.
    """
    requester = approval.requester
    if requester is None or requester.mail != "sent":
        return approval
    mail = Mail(requester.address, now, about="receipt", extended=True)
    coming = any(same_entry(mail, entry) for entry in approval.outbox)
    return approval if coming else replace(approval, outbox=(*approval.outbox, mail))


def _as_stored(approval: Approval, address: str) -> str:
    """Return the address as the approval has it already, else as it is."""
    known = find_person(approval.approvers, address)
    return address if known is None else known.address


def _later(now: datetime, seconds: int | None) -> datetime | None:
    return None if seconds is None else now + timedelta(seconds=seconds)
