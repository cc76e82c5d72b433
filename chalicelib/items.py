"""ADAPTER: what stands in the table, as DynamoDB writes it: approvals, and who they wait for.

One item holds an approval whole, as JSON, beside the keys of the table's indexes. A small one for
each person says that it waits for their answer (docs/decisions/0011).
"""

from typing import Any
from zlib import crc32

import msgspec

from .approval import Approval
from .views import iso

Item = dict[str, Any]

SHARDS = 8
"""Partitions of each index; docs/scaling.md says how to raise it."""


def key_of(approval_id: str) -> Item:
    """Return the key of an approval's item."""
    return {"pk": {"S": f"APPROVAL#{approval_id}"}}


def away_key(address: str) -> Item:
    """Return the key of the item that holds somebody's absence."""
    return {"pk": {"S": f"ABSENCE#{address.lower()}"}}


def waiting_key(approval_id: str, person: str, expires_at: str) -> Item:
    """Return the item, and the keys in table and index, that say that it waits for that person."""
    pk = {"S": f"WAITING#{approval_id}#{person}"}
    return {"pk": pk, "approver": {"S": person}, "expiresAt": {"S": expires_at}}


def id_in(item: Any) -> str:
    """Return the id of the approval that an item, of either kind, is about."""
    pk: str = item["pk"]["S"]
    return pk.split("#")[1]


def item_of(approval: Approval) -> Item:
    """Return an approval's item."""
    shard = str(crc32(approval.id.encode()) % SHARDS)
    item = key_of(approval.id) | {
        "approval": {"S": msgspec.json.encode(approval).decode()},
        "version": {"N": str(approval.version)},
        "executionArn": {"S": approval.execution_arn},
        "createdAt": {"S": iso(approval.created_at)},
        "outcomeShard": {"S": f"{approval.outcome}#{shard}"},
    }
    if approval.due_at is not None:
        item |= {"dueShard": {"S": shard}, "dueAt": {"S": iso(approval.due_at)}}
    return item


def approval_in(item: Any) -> Approval:
    """Return the approval whose item that is."""
    return msgspec.json.decode(item["approval"]["S"], type=Approval)


def waiting_items(approval: Approval | None) -> dict[str, Item]:
    """Return the items that say whose answer an approval waits for, by that person's address."""
    if approval is None:
        return {}
    until = iso(approval.expires_at) or ""
    people = [approver.address.lower() for approver in approval.waits_for]
    return {person: waiting_key(approval.id, person, until) for person in people}


def waiting_changes(read: Approval | None, changed: Approval) -> list[Item]:
    """Return the items to put so that they say who `changed` waits for, no longer `read`."""
    before, after = waiting_items(read), waiting_items(changed)
    # Without its keys an item is out of the index; without a right to delete, no function can
    # lose an approval. The table's time-to-live clears it away.
    gone = {"goneAt": {"N": str(int(changed.created_at.timestamp()))}}
    return [
        *(item for person, item in after.items() if before.get(person) != item),
        *({"pk": item["pk"]} | gone for person, item in before.items() if person not in after),
    ]
