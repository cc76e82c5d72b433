"""The items that an approval is stored as."""

from datetime import timedelta

from msgspec.structs import replace

from chalicelib.adapters.dynamodb_items import SHARDS, approval_item, waiting_changes
from chalicelib.domain import link_tokens
from tests.builders import an_approval, cancelled, people
from tests.fakes import START, TOKEN


def test_an_approval_that_is_not_due_has_no_key_of_the_due_index() -> None:
    """So the tick's query doesn't find it; the index holds only what needs a delivery."""
    pending = an_approval()
    assert {"dueShard", "dueAt"} <= approval_item(pending).keys()
    item = approval_item(replace(pending, outcome="approved", outbox=()))
    assert {"dueShard", "dueAt"}.isdisjoint(item)
    assert item["outcomeShard"]["S"].startswith("approved#")


def test_the_task_token_is_in_one_attribute_and_in_no_key() -> None:
    """It is a credential: a program that lists, counts or exports keys doesn't see it."""
    pending = an_approval(approvers=people(3))
    items = [approval_item(pending), *waiting_changes(None, pending)]
    found = [(item["pk"]["S"], name) for item in items for name in item if TOKEN in str(item[name])]
    assert found == [(f"APPROVAL#{pending.id}", "approval")]


def test_approvals_are_spread_over_every_shard() -> None:
    """The same shard in both indexes, chosen by the id."""
    ids = [link_tokens.approval_id(f"token {n}") for n in range(100)]
    items = [approval_item(replace(an_approval(), id=one)) for one in ids]
    shards = [item["dueShard"]["S"] for item in items]
    assert set(shards) == set(map(str, range(SHARDS)))
    assert [item["outcomeShard"]["S"] for item in items] == [f"pending#{one}" for one in shards]


def test_a_closed_approval_expires_its_waiting_entries() -> None:
    """Without the index's keys they are in no inbox; the table's time-to-live removes them."""
    pending = an_approval(approvers=people(3))
    changes = waiting_changes(pending, replace(pending, outcome="approved"))
    assert [item["pk"]["S"] for item in changes] == [
        f"WAITING#{pending.id}#{person}" for person in people(3)
    ]
    assert all(item.keys() == {"pk", "goneAt"} for item in changes)
    assert {int(item["goneAt"]["N"]) for item in changes} == {int(pending.created_at.timestamp())}


def test_a_delivered_approval_expires_when_its_retention_is_over() -> None:
    """Counted from its outcome; without a retention it is kept for ever."""
    closed = cancelled(an_approval(), now=START + timedelta(days=1))
    delivered = replace(closed, outbox=())
    assert "goneAt" not in approval_item(delivered)
    gone = START + timedelta(days=31)
    item = approval_item(delivered, timedelta(days=30))
    assert item["goneAt"] == {"N": str(int(gone.timestamp()))}


def test_what_is_pending_or_undelivered_never_expires() -> None:
    """A month without Step Functions or EventBridge loses no outcome."""
    pending = an_approval()
    closed = cancelled(pending)
    undelivered = [replace(closed, outbox=(entry,)) for entry in closed.outbox]
    assert len(undelivered) == 3
    for approval in (pending, replace(pending, outbox=()), closed, *undelivered):
        assert "goneAt" not in approval_item(approval, timedelta(days=1))


def test_a_new_deadline_changes_every_waiting_entry() -> None:
    """It orders the inbox. If neither deadline nor people change, no waiting entry is put."""
    pending = an_approval(approvers=people(2))
    later = replace(pending, expires_at=pending.expires_at.replace(year=2030))
    assert [item["expiresAt"]["S"][:4] for item in waiting_changes(pending, later)] == ["2030"] * 2
    assert waiting_changes(pending, replace(pending, outbox=())) == []
