"""Items of the table, as DynamoDB writes them: approvals, waiting entries, delegations, approvers.

One item holds an approval whole, as JSON, beside the keys of the table's indexes. A small waiting
entry for each person whose decision it waits for makes the inbox one query (docs/decisions/0011).
"""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from zlib import crc32

import msgspec

from ..domain.approval import Approval
from ..domain.delegation import Delegation
from ..domain.invitation import Invitation
from ..domain.timestamps import iso

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

Item = dict[str, "AttributeValueTypeDef"]

SHARDS = 8
"""Partitions of each index; docs/scaling.md says how to raise it."""


DEADLINES = "deadline#"
"""A shard of pending approvals in the index `approver`; no address begins so."""


APPROVERS = "approvers#"
"""The partition of approvers in the index `requester`; no address begins so."""


def approval_key(approval_id: str) -> Item:
    """Return the key of an approval's item."""
    return {"pk": {"S": f"APPROVAL#{approval_id}"}}


def delegation_key(address: str) -> Item:
    """Return the key of an approver's delegation."""
    return {"pk": {"S": f"ABSENCE#{address.lower()}"}}


def policy_partition(name: str) -> str:
    """Return the partition of what waits under that policy, in the index of waiting entries."""
    return f"policy#{name}"


def waiting_entry(approval_id: str, person: str, expires_at: str) -> Item:
    """Return the waiting entry of that person, which is also its key in table and index."""
    pk = f"WAITING#{approval_id}#{person}"
    return {"pk": {"S": pk}, "approver": {"S": person}, "expiresAt": {"S": expires_at}}


def approval_id_of(item: Any) -> str:
    """Return the approval's id from the key of an approval or of a waiting entry.

    From the key of a delegation or of an approver, the approver's address.
    """
    pk: str = item["pk"]["S"]
    kind, _, rest = pk.partition("#")
    return rest if kind in ("ABSENCE", "APPROVER") else rest.partition("#")[0]


def approval_item(approval: Approval, retention: timedelta | None = None) -> Item:
    """Return an approval's item.

    Once the approval is delivered, the table's time-to-live deletes the item `retention` after it
    was closed. What is still to be delivered never expires.
    """
    shard = str(crc32(approval.id.encode()) % SHARDS)
    item = approval_key(approval.id) | {
        "approval": {"S": msgspec.json.encode(approval).decode()},
        "version": {"N": str(approval.version)},
        "executionArn": {"S": approval.execution_arn},
        "createdAt": {"S": iso(approval.created_at)},
        "outcomeShard": {"S": f"{approval.outcome}#{shard}"},
    }
    if approval.outcome == "pending":
        # In the index of waiting entries too, which is sorted by deadline: as nobody's.
        item |= {"approver": {"S": f"{DEADLINES}{shard}"}}
        item |= {"expiresAt": {"S": iso(approval.expires_at)}}
    asker = approval.request.requested_by
    if asker is not None and approval.erased_at is None:
        item |= {"requester": {"S": asker.lower()}}
    if approval.due_at is not None:
        item |= {"dueShard": {"S": shard}, "dueAt": {"S": iso(approval.due_at)}}
    if retention is not None and approval.closed_at is not None and approval.is_delivered:
        item |= _gone_at(approval.closed_at + retention)
    return item


def with_write_id(item: Item, write_id: str) -> Item:
    """Return the item with a random id of its write, by which the writer recognises it."""
    return item | {"writeId": {"S": write_id}}


def write_id_of(item: Any) -> str | None:
    """Return the id of the write that made the item; None if it was stored without one."""
    found: str | None = item.get("writeId", {}).get("S")
    return found


def approval_in(item: Any) -> Approval:
    """Return the approval that an item holds."""
    return msgspec.json.decode(item["approval"]["S"], type=Approval)


def delegation_item(address: str, delegation: Delegation) -> Item:
    """Return the item of an approver's delegation.

    Who wrote it stands beside it, in an attribute of its own: after a rollback, older code refuses
    fields of a delegation that it doesn't know. An item with nothing to tell isn't in the index.
    """
    fields = msgspec.to_builtins(delegation)
    absence = {name: fields.pop(name) for name in ("delegate", "from", "until")}
    item = delegation_key(address) | {"absence": {"S": msgspec.json.encode(absence).decode()}}
    if delegation.at is not None:
        item |= {"authorship": {"S": msgspec.json.encode(fields).decode()}}
    if delegation.tell_at is not None:
        shard = str(crc32(address.lower().encode()) % SHARDS)
        item |= {"dueShard": {"S": shard}, "dueAt": {"S": iso(delegation.tell_at)}}
    return item


def delegation_in(item: Any) -> Delegation:
    """Return the delegation that an item holds; earlier versions stored no author."""
    absence = msgspec.json.decode(item["absence"]["S"])
    authorship = msgspec.json.decode(item["authorship"]["S"]) if "authorship" in item else {}
    return msgspec.convert(absence | authorship, Delegation)


def approver_item(address: str, invitation: Invitation) -> Item:
    """Return the item that lists an approver, by the time of their newest invitation."""
    item = approver_key(address) | {
        "requester": {"S": APPROVERS},
        "createdAt": {"S": iso(invitation.at)},
    }
    if invitation.since is not None:
        item |= {"invitedSince": {"S": iso(invitation.since)}}
    return item | {"refusal": {"S": invitation.refusal}} if invitation.refusal else item


def invitation_in(item: Any) -> Invitation | None:
    """Return the newest invitation that an approver's item holds; None if they aren't listed."""
    if "createdAt" not in item:
        return None
    since = datetime.fromisoformat(item["invitedSince"]["S"]) if "invitedSince" in item else None
    at = datetime.fromisoformat(item["createdAt"]["S"])
    return Invitation(at, item.get("refusal", {}).get("S", ""), since)


def removed_approver_item(address: str, now: datetime) -> Item:
    """Return the item of an approver who isn't listed any more; the time-to-live deletes it."""
    return approver_key(address) | _gone_at(now)


def approver_key(address: str) -> Item:
    """Return the key of the item that lists an approver."""
    return {"pk": {"S": f"APPROVER#{address.lower()}"}}


def waiting_changes(read: Approval | None, changed: Approval) -> list[Item]:
    """Return the items to put so that the waiting entries of `read` become those of `changed`."""
    before, after = _waiting_entries(read), _waiting_entries(changed)
    # An item without the index's keys isn't in the index. Putting it needs no right to delete, so
    # no function can lose an approval; the table's time-to-live removes it.
    expired = _gone_at(changed.created_at)
    put = [item for person, item in after.items() if before.get(person) != item]
    gone = [item for person, item in before.items() if person not in after]
    return [*put, *({"pk": item["pk"]} | expired for item in gone)]


def _gone_at(moment: datetime) -> Item:
    """Return the attribute that has the table's time-to-live delete an item after that time."""
    return {"goneAt": {"N": str(int(moment.timestamp()))}}


def _waiting_entries(approval: Approval | None) -> dict[str, Item]:
    """Return the waiting entries of an approval, by the person's address in lower case.

    One more is nobody's, and stands for its policy.
    """
    if approval is None:
        return {}
    people = [approver.address.lower() for approver in approval.waits_for]
    if approval.outcome == "pending" and approval.request.policy is not None:
        people.append(policy_partition(approval.request.policy.name))
    until = iso(approval.expires_at)
    return {person: waiting_entry(approval.id, person, until) for person in people}
