"""Erasure: an approval without personal data. That it was decided stays on record.

Addresses become placeholders that still tell people apart, so that counts and events stay
readable. Texts that people wrote are removed, and so are the hashes of links and codes.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime

from msgspec.structs import replace

from .approval import Approval, Approver
from .errors import NotSettled
from .events import SYSTEM, Channel, Event
from .policy import AppliedPolicy

SUBJECT = "(erased)"
_HOST = "erased.invalid"
_OTHERS = f"operator@{_HOST}"
_WITHOUT_PEOPLE = frozenset(
    {"mailed", "undelivered", "extended", "resumed", "approved", "announced"}
)
"""Events whose note is Assent's own and names nobody."""


def erase(approval: Approval, by: str, now: datetime, via: Channel) -> Approval:
    """Return the approval without personal data; unchanged if that was done already.

    Raises NotSettled while it is pending, or while its outcome is still to be delivered.
    """
    if approval.erased_at is not None:
        return approval
    if approval.outcome == "pending":
        raise NotSettled("This is pending: have it decided or cancel it, then erase it.")
    if not approval.is_delivered:
        raise NotSettled("Its outcome is still being delivered; please try again later.")
    names = _placeholders(approval)
    request, requester, escalation = approval.request, approval.requester, None
    if request.escalation is not None:
        people = _renamed(request.escalation.approvers, names)
        escalation = replace(request.escalation, approvers=people)
    changed = replace(
        approval,
        task_token="",
        request=replace(
            request,
            subject=SUBJECT,
            details="",
            approvers=_renamed(request.approvers, names),
            requested_by=_renamed_one(request.requested_by, names),
            escalation=escalation,
            policy=_policy_without_people(request.policy, names),
        ),
        approvers=tuple(_without_person(one, names) for one in approval.approvers),
        requester=None if requester is None else _without_person(requester, names),
        events=tuple(_without_words(event, approval, names) for event in approval.events),
        erased_at=now,
    )
    return changed.with_event(Event(now, "erased", by, via, principal=by))


def _people(approval: Approval) -> Iterator[str]:
    """Yield every address in the approval, in the order in which they are numbered."""
    request = approval.request
    yield from (approver.address for approver in approval.approvers)
    yield from request.approvers
    yield from request.fallback
    if request.policy is not None:
        yield from request.policy.policy.people


def _placeholders(approval: Approval) -> dict[str, str]:
    """Return the placeholder of each address, by the address in lower case."""
    people = dict.fromkeys(address.lower() for address in _people(approval))
    names = {person: f"approver-{n}@{_HOST}" for n, person in enumerate(people, 1)}
    requester = (approval.request.requested_by or "").lower()
    return {requester: f"requester@{_HOST}"} | names


def _renamed_one(address: str | None, names: Mapping[str, str]) -> str | None:
    return None if address is None else names.get(address.lower(), _OTHERS)


def _renamed(addresses: tuple[str, ...], names: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(names[address.lower()] for address in addresses)


def _policy_without_people(
    applied: AppliedPolicy | None, names: Mapping[str, str]
) -> AppliedPolicy | None:
    if applied is None:
        return None
    policy, escalation = applied.policy, applied.policy.escalation
    if escalation is not None:
        escalation = replace(escalation, approvers=_renamed(escalation.approvers, names))
    groups = (replace(g, approvers=_renamed(g.approvers, names)) for g in policy.groups)
    changed = replace(
        policy,
        description="",
        groups=tuple(groups),
        requesters=(),
        escalation=escalation,
        break_glass=_renamed(policy.break_glass, names),
    )
    return replace(applied, policy=changed)


def _without_person(person: Approver, names: Mapping[str, str]) -> Approver:
    decision = person.decision
    return replace(
        person,
        address=names.get(person.address.lower(), _OTHERS),
        link_hashes=(),
        code_hashes=(),
        wrong_codes_by_link={},
        dead_hashes=(),
        note="",
        note_by="",
        instead_of=_renamed_one(person.instead_of, names),
        replaced_by=_renamed_one(person.replaced_by, names),
        stands_in_for=_renamed_one(person.stands_in_for, names),
        decision=None if decision is None else replace(decision, reason="", shown=""),
    )


def _without_words(event: Event, approval: Approval, names: Mapping[str, str]) -> Event:
    ours = event.who == SYSTEM and event.what == "cancelled"
    note = event.note if ours or event.what in _WITHOUT_PEOPLE else ""
    who = event.who
    if who not in (SYSTEM, approval.execution_arn):
        who = names.get(who.lower(), _OTHERS)
    principal = _OTHERS if event.principal else ""
    return replace(event, who=who, note=note, why="", principal=principal)
