"""One contract, held by the Store that the tests use and by the one that runs on DynamoDB."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import TypeVar
from zlib import crc32

import pytest
from msgspec.structs import replace

from chalicelib.adapters.dynamodb_items import SHARDS
from chalicelib.application.ports import ApprovalStore
from chalicelib.domain import link_tokens, outbox, transitions
from chalicelib.domain.approval import Approval
from chalicelib.domain.delegation import Delegation
from chalicelib.domain.outbox_entries import LEASE
from chalicelib.domain.validation import check_request
from tests.asking import body, new_approval, people, ticked
from tests.aws.table import real_store
from tests.fakes import EXECUTION, START, TOKEN, FakeStore

T = TypeVar("T")
LATER = START + timedelta(days=400)
SECOND = timedelta(seconds=1)


@pytest.fixture(params=["fake", "dynamodb"])
def store(request: pytest.FixtureRequest) -> ApprovalStore:
    """Return an empty store, of either kind."""
    if request.param == "fake":
        return FakeStore()
    request.getfixturevalue("account")
    return real_store()


def approval(
    token: str = TOKEN, execution: str = EXECUTION, at: datetime = START, **fields: object
) -> Approval:
    """Return a new approval with the id that belongs to this task token."""
    request = check_request(body(**fields), ("example.com",))
    return new_approval(request, token, execution, at)


def due_by(store: ApprovalStore, moment: datetime) -> list[str]:
    """Return what is due, sorted: the order across shards is nobody's promise."""
    return sorted(store.due(moment))


def settled(pending: Approval) -> Approval:
    """Return the approval withdrawn, and all that this promised done."""
    closed = transitions.cancel(pending, "ada@example.com", reason="", now=START, via="api")
    return outbox.announced(outbox.resumed(closed, "", START, "api"), START, "api")


def test_what_is_created_is_got(store: ApprovalStore) -> None:
    """Every field comes back as it was written, text of any language too."""
    new = approval(subject="Größe 分 🙂", details={"a": 1.5, "b": True, "c": "x\ny"}, expiresIn=60)
    assert store.create(new) is True
    assert store.get(new.id) == new


def test_what_was_never_created_is_not_got(store: ApprovalStore) -> None:
    """An unknown id is None, whatever it looks like."""
    assert store.get(link_tokens.approval_id("never")) is None
    assert store.get("APPROVAL#x é") is None


def test_creating_twice_answers_false_and_keeps_the_first(store: ApprovalStore) -> None:
    """The same request, delivered again, changes nothing."""
    first = approval(subject="first")
    assert store.create(first)
    assert store.create(approval(subject="second")) is False
    assert store.get(first.id) == first


def test_replacing_counts_the_version_and_returns_what_is_stored(store: ApprovalStore) -> None:
    """What `replace` returns is what `get` finds, one version on."""
    new = approval()
    store.create(new)
    written = store.replace(new, settled(new))
    assert written == replace(settled(new), version=new.version + 1)
    assert store.get(new.id) == written


def test_a_lost_race_answers_none_and_changes_nothing(store: ApprovalStore) -> None:
    """A change made from an older version is refused."""
    old = approval()
    store.create(old)
    first = store.replace(old, replace(old, outcome="approved"))
    assert first is not None
    assert store.replace(old, replace(old, outcome="rejected")) is None
    assert store.get(old.id) == first


@pytest.mark.parametrize("version", [0, 1])
def test_replacing_what_is_not_there_answers_none_and_creates_nothing(
    store: ApprovalStore, version: int
) -> None:
    """Without an item there is no version to be the one that was read."""
    missing = replace(approval(), version=version)
    assert store.replace(missing, settled(missing)) is None
    assert store.get(missing.id) is None


def test_a_version_from_the_future_is_refused(store: ApprovalStore) -> None:
    """The condition is equality, not order."""
    new = approval()
    store.create(new)
    assert store.replace(replace(new, version=new.version + 1), settled(new)) is None
    assert store.get(new.id) == new


def test_creating_does_not_overwrite_what_has_been_changed_since(store: ApprovalStore) -> None:
    """A late second delivery finds a decided approval and leaves it so."""
    new = approval()
    store.create(new)
    written = store.replace(new, settled(new))
    assert store.create(new) is False
    assert store.get(new.id) == written


def test_a_value_got_is_not_changed_by_later_writes(store: ApprovalStore) -> None:
    """What was read stays what was read."""
    new = approval()
    store.create(new)
    got = store.get(new.id)
    assert got is not None
    store.replace(got, settled(got))
    assert got == new


def test_of_many_threads_that_replace_one_version_exactly_one_wins(store: ApprovalStore) -> None:
    """The others are told None; what is stored is the winner's."""
    new = approval()
    store.create(new)
    won = race(8, lambda n: store.replace(new, replace(new, execution_arn=f"{EXECUTION}{n}")))
    winners = [written for written in won if written is not None]
    assert len(winners) == 1
    assert store.get(new.id) == winners[0]


def test_of_many_threads_that_create_one_id_exactly_one_wins(store: ApprovalStore) -> None:
    """A request delivered many times at once makes one approval."""
    won = race(8, lambda n: store.create(approval(subject=f"delivery {n}")))
    assert won.count(True) == 1
    stored = store.get(approval().id)
    assert stored is not None
    assert stored.request.subject == f"delivery {won.index(True)}"


def test_threads_that_read_again_after_a_lost_race_all_get_their_change_in(
    store: ApprovalStore,
) -> None:
    """No update is lost: as many versions as threads."""
    store.create(approval())

    def change(_: int) -> bool:
        while True:
            current = store.get(approval().id)
            assert current is not None
            if store.replace(current, current) is not None:
                return True

    assert race(6, change) == [True] * 6
    stored = store.get(approval().id)
    assert stored is not None
    assert stored.version == 6


def test_what_is_due_is_found_in_every_shard(store: ApprovalStore) -> None:
    """No id is in a partition that nobody asks."""
    ids = sorted(approval(f"token {n}").id for n in range(40))
    assert len({shard(found) for found in ids}) == SHARDS, "forty ids should reach every shard"
    for n in range(40):
        store.create(approval(f"token {n}"))
    assert due_by(store, LATER) == ids


def test_what_is_due_comes_earliest_first_within_a_shard(store: ApprovalStore) -> None:
    """Whoever has waited longest is served first."""
    made = {}
    for n, minutes in enumerate([50, 10, 40, 20, 30] * 5):
        new = approval(f"token {n}", at=START + timedelta(minutes=minutes))
        made[new.id] = new
        store.create(new)
    found = list(store.due(LATER))
    assert sorted(found) == sorted(made)
    for number in range(SHARDS):
        moments = [made[i].due_at for i in found if shard(i) == number]
        assert moments == sorted(m for m in moments if m is not None)


def test_an_approval_is_due_exactly_at_its_second(store: ApprovalStore) -> None:
    """Not a second before, and from then on."""
    new = approval()
    assert new.due_at is not None
    store.create(new)
    assert due_by(store, new.due_at - SECOND) == []
    assert due_by(store, new.due_at) == [new.id]
    assert due_by(store, new.due_at + SECOND) == [new.id]


def test_what_waits_for_its_expiry_is_due_then(store: ApprovalStore) -> None:
    """A pending approval with nothing left to send is due when its time is over."""
    new = replace(approval(expiresIn=60), outbox=())
    store.create(new)
    assert due_by(store, START + timedelta(seconds=59)) == []
    assert due_by(store, START + timedelta(seconds=60)) == [new.id]


def test_what_is_closed_and_settled_is_never_due(store: ApprovalStore) -> None:
    """The index holds only what something must happen to."""
    new, other = approval(), approval("other")
    store.create(new)
    store.create(other)
    store.replace(new, settled(new))
    assert due_by(store, LATER) == [other.id]


def test_what_is_closed_but_whose_task_waits_is_due(store: ApprovalStore) -> None:
    """A promise to resume the task is work to do."""
    new = approval()
    store.create(new)
    closed = transitions.cancel(new, "ada@example.com", reason="", now=START, via="api")
    store.replace(new, outbox.announced(closed, START, "api"))
    assert due_by(store, START + LEASE - SECOND) == []
    assert due_by(store, START + LEASE) == [new.id]


def test_a_change_moves_when_it_is_due(store: ApprovalStore) -> None:
    """The index follows the approval: due once, and at the new time."""
    new = approval()
    store.create(new)
    claimed = ticked(new, START + LEASE)
    store.replace(new, claimed)
    assert claimed.due_at is not None
    assert due_by(store, claimed.due_at - SECOND) == []
    assert due_by(store, claimed.due_at) == [new.id]


def test_what_is_due_can_be_changed_while_it_is_walked_through(store: ApprovalStore) -> None:
    """The tick settles each one as it comes to it; every one is still met once."""
    ids = [approval(f"token {n}").id for n in range(24)]
    for n in range(24):
        store.create(approval(f"token {n}"))
    met = []
    for found in store.due(LATER):
        met.append(found)
        current = store.get(found)
        assert current is not None
        store.replace(current, settled(current))
    assert sorted(met) == sorted(ids)
    assert due_by(store, LATER) == []


def test_the_first_approval_of_an_execution_is_found(store: ApprovalStore) -> None:
    """A later one that names the same execution can't take its place."""
    for n in (1, 3, 2):
        store.create(approval(f"token {n}", at=START + timedelta(minutes=n)))
    store.create(approval("elsewhere", execution=EXECUTION + "0", at=LATER))
    assert store.of_execution(EXECUTION) == approval("token 1").id


def test_an_execution_that_has_not_asked_has_no_approval(store: ApprovalStore) -> None:
    """None, also if another execution's name begins the same."""
    store.create(approval(execution=EXECUTION + "0"))
    assert store.of_execution(EXECUTION) is None


def test_an_execution_keeps_its_approval_once_it_is_settled(store: ApprovalStore) -> None:
    """What came of it can be looked up afterwards."""
    new = approval()
    store.create(new)
    store.replace(new, settled(new))
    assert store.of_execution(EXECUTION) == new.id


@dataclass(frozen=True)
class Crowd:
    """More approvals in one shard than DynamoDB returns in one answer (1 MB)."""

    ids: list[str]

    @classmethod
    def fill(cls, store: ApprovalStore) -> "Crowd":
        """Create 80 approvals of 16 KB in the shard of the first, each due a minute later."""
        details = "x" * 16_000
        home = shard(approval("token 0").id)
        tokens = (f"token {n}" for n in count())
        same = (token for token in tokens if shard(link_tokens.approval_id(token)) == home)
        ids = []
        for minute, token in zip(range(80), same, strict=False):
            at = START + timedelta(minutes=minute)
            new = approval(token, at=at, details=details)
            store.create(new)
            ids.append(new.id)
        return cls(ids)


def test_what_is_due_is_found_beyond_one_page(store: ApprovalStore) -> None:
    """1 MB is where DynamoDB stops, not where the work does."""
    crowd = Crowd.fill(store)
    assert list(store.due(LATER)) == crowd.ids


def race(threads: int, act: Callable[[int], T]) -> list[T]:
    """Return what `act` returned in each of the threads, which all begin together."""
    start = threading.Barrier(threads)
    returned: dict[int, T] = {}

    def run(number: int) -> None:
        start.wait(timeout=10)
        returned[number] = act(number)

    running = [threading.Thread(target=run, args=(n,)) for n in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join(timeout=30)
    return [returned[n] for n in range(threads)]


def shard(approval_id: str) -> int:
    """Return the partition of the indexes that an approval belongs to."""
    return crc32(approval_id.encode()) % SHARDS


def test_an_absence_is_kept_until_the_next_one_is_written(store: ApprovalStore) -> None:
    """By the person, however their address is written; approvals are not mixed up with it."""
    absence = Delegation("grace@example.com", START, START + timedelta(days=1))
    later = Delegation("linus@example.com", START, START + timedelta(days=2))
    assert store.delegation("ada@example.com") is None
    store.put_delegation("Ada@example.com", absence)
    assert store.delegation("ada@example.com") == absence
    store.put_delegation("ada@example.com", later)
    assert store.delegation("ada@example.com") == later
    assert list(store.due(START + timedelta(days=9))) == []


def waits_for(store: ApprovalStore, person: str, now: datetime = START) -> list[str]:
    """Return the ids of all that waits for that person, page by page of two."""
    found, after = store.waiting_for(person, now, 2)
    ids = [one.id for one in found]
    while after:
        found, after = store.waiting_for(person, now, 2, after)
        ids += [one.id for one in found]
    return ids


def test_what_waits_for_somebody_is_listed_earliest_deadline_first(store: ApprovalStore) -> None:
    """Page after page, each approval once, those of others not; by whatever spelling."""
    made = {}
    for n, seconds in enumerate([500, 100, 300, 100, 200]):
        new = approval(f"token {n}", expiresIn=seconds)
        made[new.id] = new
        store.create(new)
    store.create(approval("other", approvers=["grace@example.com"]))
    found = waits_for(store, "ADA@example.com")
    assert sorted(found) == sorted(made)
    deadlines = [made[one].expires_at for one in found]
    assert deadlines == sorted(deadlines)


def test_the_last_page_says_that_it_is_the_last(store: ApprovalStore) -> None:
    """Also where it is full."""
    for n in range(4):
        store.create(approval(f"token {n}"))
    found, after = store.waiting_for("ada@example.com", START, 4)
    assert (len(found), after) == (4, "")
    assert store.waiting_for("nobody@example.com", START, 4) == ([], "")


def test_what_is_past_its_deadline_waits_for_nobody(store: ApprovalStore) -> None:
    """Whether or not a tick has been there."""
    new = approval(expiresIn=60)
    store.create(new)
    assert waits_for(store, "ada@example.com", new.expires_at - SECOND) == [new.id]
    assert waits_for(store, "ada@example.com", new.expires_at) == []


def test_whoever_has_decided_is_waited_for_no_more(store: ApprovalStore) -> None:
    """The others are, until it is closed."""
    new = approval(approvers=people(3), approvalsNeeded=2)
    store.create(new)
    one, two, three = people(3)
    decided = transitions.decide(new, one, "approve", reason="", now=START, via="page")
    first = store.replace(new, decided)
    assert first is not None
    assert [waits_for(store, who) for who in people(3)] == [[], [new.id], [new.id]]
    store.replace(
        first, transitions.decide(first, two, "approve", reason="", now=START, via="page")
    )
    assert [waits_for(store, who) for who in (one, two, three)] == [[], [], []]


def test_whoever_is_asked_instead_is_waited_for(store: ApprovalStore) -> None:
    """And a new deadline counts at once."""
    new = approval(expiresIn=60)
    store.create(new)
    to, by = "grace@example.com", "ada@example.com"
    passed = store.replace(
        new, transitions.reassign(new, by, to, by=by, note="", now=START, via="page")
    )
    assert passed is not None
    assert (waits_for(store, by), waits_for(store, to)) == ([], [new.id])
    store.replace(passed, transitions.extend(passed, by, 600, now=START, via="api"))
    assert waits_for(store, to, START + timedelta(seconds=599)) == [new.id]
    assert waits_for(store, to, START + timedelta(seconds=600)) == []


def test_a_lost_race_changes_nobody_s_list(store: ApprovalStore) -> None:
    """Approval and list are written in one step, or not at all."""
    new = approval()
    store.create(new)
    stale = replace(new, version=7)
    assert store.replace(stale, settled(stale)) is None
    assert waits_for(store, "ada@example.com") == [new.id]
    assert store.create(approval(approvers=["grace@example.com"])) is False
    assert waits_for(store, "grace@example.com") == []


def test_many_are_read_at_once_in_the_order_asked_for(store: ApprovalStore) -> None:
    """What isn't there is left out."""
    for n in range(3):
        store.create(approval(f"token {n}"))
    ids = [link_tokens.approval_id(f"token {n}") for n in (2, 9, 0)]
    assert [one.id for one in store.get_many(ids)] == [ids[0], ids[2]]
    assert store.get_many([]) == []


def test_approvals_are_listed_by_outcome_newest_first(store: ApprovalStore) -> None:
    """Page after page each one once, also of the same second, over all shards."""
    made = []
    for n in range(20):
        new = approval(f"token {n}", at=START + timedelta(seconds=n // 4))
        made.append(new)
        store.create(new)
    store.replace(made[7], settled(made[7]))
    pending = sorted(
        (one for n, one in enumerate(made) if n != 7),
        key=lambda one: (one.created_at, one.id),
        reverse=True,
    )
    for most in (1, 3, 19, 50):
        found, after = store.by_outcome("pending", most)
        pages = 1
        while after:
            more, after = store.by_outcome("pending", most, after)
            found, pages = [*found, *more], pages + 1
        assert found == [one.id for one in pending], most
        assert pages == -(-19 // most)
    assert store.by_outcome("cancelled", 5) == ([made[7].id], "")
    assert store.by_outcome("expired", 5) == ([], "")
