"""The size of an approval's item, of which DynamoDB takes 409,600 bytes.

A request of the largest size can always be decided: each of its fields has a limit. Reassignments
have no limit in number, so one is refused if too little room would be left for what may follow.
"""

import msgspec
from msgspec import Struct
from msgspec.structs import fields, replace

from .approval import Approval, find_person
from .asking_people import DEAD_LINKS_KEPT
from .errors import InvalidRequest
from .events import EVENTS_KEPT, NEVER_FOLDED, PRINCIPALS_KEPT, REASONS_KEPT
from .outbox import LINKS_KEPT
from .texts import REASON_BYTES

ITEM_BYTES = 409_600
# Bytes of JSON, rounded up, without addresses and texts that people wrote:
_EVENT, _MAIL, _PERSON, _DECISION, _HASH = 145, 140, 360, 180, 46
_ATTRIBUTES = 1_500
"""The keys of table and indexes beside the JSON."""
_ADDRESS = 254
"""The longest address: of a delegate or an operator, of whom nothing is known yet."""
_PRINCIPAL = 640
"""The longest ARN of an IAM principal, who may be an event's `who` too."""


def check_has_room(approval: Approval) -> None:
    """Raise InvalidRequest, naming `to`, if what may follow could outgrow the item."""
    if largest(approval) > ITEM_BYTES:
        raise InvalidRequest(
            "to: this request was reassigned so often that its record is full; use a shorter note, "
            "or cancel the request and ask again",
            field="to",
        )


def largest(approval: Approval) -> int:
    """Return the bytes that the item takes at most, if it isn't reassigned again.

    Everybody decides with the longest reason, every mail is retried, delegates of all fallback
    approvers are asked, operators remind, extend and cancel with the longest reasons. A decision
    removes the hashes and counts of its approver's codes, and takes more bytes than they did.
    """
    later = [a for a in approval.fallback if find_person(approval.approvers, a) is None]
    again = len(approval.fallback) - len(later)  # who may only approve alone so far
    waiting = [a for a in approval.active_approvers if a.decision is None]
    deciding = len(waiting) + len(later)
    kept = [event for event in approval.events if event.what in NEVER_FOLDED]
    folded = [event for event in approval.events if event.what not in NEVER_FOLDED]
    coming = deciding + 3  # each decision; cancelled or expired, resumed, erased
    return (
        len(msgspec.json.encode(replace(approval, events=(), outbox=())))
        + sum(map(_left_out, (approval, approval.request, *approval.approvers)))
        + len(msgspec.json.encode(kept))
        + max(EVENTS_KEPT - len(kept), coming) * (_EVENT + _ADDRESS)
        + sum(len(msgspec.json.encode(event.note)) for event in folded)
        + 2 * PRINCIPALS_KEPT
        - PRINCIPALS_KEPT * _ADDRESS // _PRINCIPAL  # `principal` and `who`
        + 2 * _PRINCIPAL  # cancelled, which is never folded
        + sum(_PERSON + 2 * _ADDRESS + 4 * len(address) for address in later)
        + deciding * (_DECISION + REASON_BYTES)
        + sum(LINKS_KEPT - len(person.link_hashes) for person in waiting) * _HASH
        + len(later) * LINKS_KEPT * _HASH
        + again * (DEAD_LINKS_KEPT * _HASH + _MAIL + _ADDRESS)
        + sum(_MAIL + len(person.address) for person in approval.active_approvers)
        + (len(later) + 4) * (_MAIL + _ADDRESS)
        + REASONS_KEPT * REASON_BYTES  # who cancels does so in the place of a last decision
        + 2 * len(approval.execution_arn)
        + _ATTRIBUTES
    )


def _left_out(stored: Struct) -> int:
    """Return the bytes of fields that are empty, and so aren't in the JSON yet."""
    return sum(
        len(f'"{field.encode_name}":null,')
        for field in fields(stored)
        if not getattr(stored, field.name)
    )
