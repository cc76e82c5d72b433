"""Decidability: whether each group can still reach its count, and who is missing if not."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from msgspec.structs import replace

from .addresses import is_among
from .approval import Approval, Approver, find_person
from .errors import Undecidable
from .events import SYSTEM, Event
from .groups import unfilled
from .outbox_entries import Announce, Mail, OutboxEntry, same_entry
from .policy import Group, groups_of
from .request import Request

BAD_ADDRESS = "InvalidParameter"
"""SNS's name for a refusal of the address itself; others are about the topic or the account."""


class Shortage(NamedTuple):
    """A group that can't reach its count: who counts or can count in it, and who is missing.

    `shares` says that more of its people could approve, and are needed in another group.
    """

    group: Group
    able: tuple[str, ...]
    missing: tuple[str, ...]
    shares: bool = False


def shortages(
    groups: Sequence[Group], people: Sequence[Approver], refused: Collection[str]
) -> list[Shortage]:
    """Return the groups that these people can't fill without those whom SNS refuses.

    `refused` has addresses in lower case. All of them are missing: groups may share people.
    """
    able = [person for person in people if person.address.lower() not in refused]
    short = unfilled([g.needed for g in groups], [person.groups for person in able])
    missing = tuple(p.address for p in people if p.groups and p.address.lower() in refused)
    return [
        Shortage(
            groups[g],
            tuple(able[person].address for person in counted),
            missing,
            shares=any(g in p.groups and at not in counted for at, p in enumerate(able)),
        )
        for g, counted in short
    ]


def check_decidable(
    request: Request, people: Sequence[Approver], refused: Mapping[str, str]
) -> None:
    """Raise Undecidable, naming group and people, if these people could never approve it.

    They must be enough without the fallback approvers, since `transitions.tally` counts people who
    were asked; in the place of people whom SNS refuses, fallback approvers count. `refused` is
    `{address in lower case: the name of SNS's refusal}`.
    """
    later = _later(request, people, request.fallback)
    found = shortages(request.groups, people, ()) or shortages(request.groups, later, refused)
    if not found:
        return
    short = found[0]
    barred = [one for one in request.barred if _is_named(request, one)]
    why = [f"{one} (asks, and may not approve their own request)" for one in barred]
    why += [f"{one} (SNS refuses this address: {refused[one.lower()]})" for one in short.missing]
    field = "policy" if request.policy else "approvers"
    missing = f"; missing: {', '.join(why)}" if why else ""
    raise Undecidable(f"{field}: {said(short)}{missing}", field=field)


def why_undecidable(approval: Approval) -> str:
    """Return why a pending approval can't be approved any more, in words; "" if it can be."""
    return in_words(trouble(approval))


def trouble(approval: Approval) -> list[Shortage]:
    """Return the groups by which the tick found an approval undecidable, as they are now.

    Empty once a reassignment has mended it, before the tick takes the mark away.
    """
    return find_shortages(approval) if approval.undecidable_since is not None else []


def in_words(found: list[Shortage]) -> str:
    """Return which groups can't reach their count, and whose addresses SNS refuses."""
    return ". ".join(
        said(short) + (f"; SNS refuses {', '.join(short.missing)}" if short.missing else "")
        for short in found
    )


def find_shortages(approval: Approval) -> list[Shortage]:
    """Return the groups of a pending approval that can't reach their count any more.

    SNS refuses the addresses of the missing people. Fallback approvers who are still to be asked
    count.
    """
    if approval.outcome != "pending":
        return []
    request = approval.request
    refused = {a.address.lower() for a in approval.undecided if is_refused(approval, a)}
    people = _later(request, [*approval.approved, *approval.undecided], approval.fallback)
    return shortages(request.groups, people, refused)


def look_again(approval: Approval, now: datetime) -> Approval:
    """Return the approval marked as undecidable, or not any more, if that has changed.

    Its outbox then tells the event bus, and the requester, if mail has reached them: by the receipt
    that is on its way, or by another, as every receipt says so from then on.
    """
    short = find_shortages(approval)
    if bool(short) == (approval.undecidable_since is not None) or approval.outcome != "pending":
        return approval
    if not short:
        changed = replace(approval, undecidable_since=None)
        changed = changed.without_entry(Announce(now, undecidable=True))
        return changed.with_event(Event(now, "decidable", SYSTEM, "tick"))
    changed = replace(approval, undecidable_since=now)
    changed = changed.with_event(Event(now, "undecidable", SYSTEM, "tick", short[0].group.name))
    entries: list[OutboxEntry] = [Announce(now, undecidable=True)]
    if approval.requester is not None and approval.requester.mail == "sent":
        entries.append(Mail(approval.requester.address, now, about="receipt"))
    new = (e for e in entries if not any(same_entry(e, other) for other in changed.outbox))
    return replace(changed, outbox=(*changed.outbox, *new))


def is_refused(approval: Approval, approver: Approver) -> bool:
    """Return whether SNS refuses the address of that approver for good, and they have no link."""
    last = approval.last_mail_event(approver.address)
    refused = last is not None and (last.what, last.note) == ("refused", BAD_ADDRESS)
    return refused and not approver.link_hashes


def said(short: Shortage) -> str:
    """Return what a group lacks, in words."""
    name = short.group.name
    whose = f"group {name} needs" if name else "the request needs"
    needed = short.group.needed
    who = f"only {' and '.join(short.able)} can give one" if short.able else "nobody can give one"
    once = ", because an approval counts in one group" if short.shares else ""
    return f"{whose} {needed} approval{'' if needed == 1 else 's'}, and {who}{once}"


def _later(request: Request, people: Sequence[Approver], fallback: Sequence[str]) -> list[Approver]:
    """Return these people as they will count once the fallback approvers were asked too."""
    group = request.escalation_group
    counting = [
        replace(one, groups=(*one.groups, group))
        if is_among(one.address, fallback) and one.decision is None and group not in one.groups
        else one
        for one in people
    ]
    new = (address for address in fallback if find_person(people, address) is None)
    return [*counting, *(Approver(address, groups=(group,)) for address in new)]


def _is_named(request: Request, person: str) -> bool:
    """Return whether the policy has that person in a group."""
    return request.policy is not None and bool(groups_of(request.policy.policy.groups, person))
