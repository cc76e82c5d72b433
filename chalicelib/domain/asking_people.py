"""Asking people: an approver for each address, their delegate while they are absent, and the mails.

The same for a new request, an escalation and a reassignment, also for a person who is asked again.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from msgspec.structs import replace

from .approval import Approval, Approver, find_person
from .events import SYSTEM, Channel, Event
from .outbox_entries import Mail, MailKind
from .policy import groups_of
from .request import Request

Authors = Mapping[str, tuple[str, str]]
"""`{absent approver: who wrote the delegation, and the IAM principal if that was an operator}`."""

DEAD_LINKS_KEPT = 10
"""Of a person who is asked again, how many dead links are still told from unknown ones."""


def people_to_ask(addresses: Iterable[str], delegates: Mapping[str, str]) -> tuple[Approver, ...]:
    """Return an approver for each address, who is the delegate if the person is absent.

    `delegates` is `{delegate: absent approver}`.
    """
    delegate_of = {absent: delegate for delegate, absent in delegates.items()}
    return tuple(
        Approver(delegate_of[address], stands_in_for=address)
        if address in delegate_of
        else Approver(address)
        for address in addresses
    )


def people_of(request: Request, delegates: Mapping[str, str]) -> tuple[Approver, ...]:
    """Return all whom a new request asks: its groups' people, then who may approve alone.

    A delegate has the groups of the absent approver.
    """
    asked = tuple(
        in_groups(person, groups_of(request.groups, person.stands_in_for or person.address))
        for person in people_to_ask(request.approvers, delegates)
    )
    alone = (one for one in request.break_glass if find_person(asked, one) is None)
    return (*asked, *(Approver(address, groups=()) for address in alone))


def in_groups(person: Approver, groups: tuple[int, ...]) -> Approver:
    """Return the approver with these groups.

    Equal ones stay as they are: msgspec leaves out the default itself alone, and not its equal.
    """
    return person if person.groups == groups else replace(person, groups=groups)


def ask_too(
    approval: Approval,
    people: tuple[Approver, ...],
    about: MailKind,
    now: datetime,
    via: Channel,
    authors: Authors,
) -> Approval:
    """Return the approval with these approvers too, and a mail to each in its outbox.

    A person who was replaced takes their old place again, and the links they had stay dead; the
    same for one who might only approve alone so far, whose mail of then is not sent any more.
    """
    for event in delegated(people, authors, now, via):
        approval = approval.with_event(event)
    for person in people:
        before = find_person(approval.approvers, person.address)
        if before is None:
            approval = replace(approval, approvers=(*approval.approvers, person))
        else:
            approval = approval.without_question_to(before.address)
            dead = (*before.dead_hashes, *before.link_hashes)[-DEAD_LINKS_KEPT:]
            approval = approval.with_approver(replace(person, dead_hashes=dead))
    mails = tuple(Mail(person.address, now, about=about) for person in people)
    return replace(approval, outbox=(*approval.outbox, *mails))


def delegated(
    people: Iterable[Approver], authors: Authors, now: datetime, via: Channel
) -> Iterator[Event]:
    """Yield the event of each delegate among these people; its actor wrote the delegation."""
    for person in people:
        if (absent := person.stands_in_for) is not None:
            by, principal = authors.get(absent, (SYSTEM, ""))
            who = f"{absent} -> {person.address}"
            yield Event(now, "delegated", by, via, who, principal=principal)
