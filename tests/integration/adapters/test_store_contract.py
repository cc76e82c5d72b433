"""One contract for both stores: the tests' fake, and DynamoDbStore on the template's table."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar
from zlib import crc32

import pytest
from msgspec.structs import replace

from chalicelib.adapters.dynamodb_items import SHARDS
from chalicelib.application.ports import ApprovalStore
from chalicelib.domain import link_tokens, outbox, transitions
from chalicelib.domain.approval import Approval
from chalicelib.domain.delegation import Delegation, lease_telling, to_be_told, told
from chalicelib.domain.invitation import Invitation
from chalicelib.domain.outbox_entries import LEASE, Announce
from chalicelib.domain.validation import check_request
from tests.aws.table import real_store
from tests.aws.task_tokens import TASK_TOKENS
from tests.builders import after_tick, new_approval, people, request_body
from tests.fakes import EXECUTION, START, TOKEN, FakeStore
from tests.policies import approval_of_request, policy_version, request_under

T = TypeVar("T")
LATER = START + timedelta(days=400)
SECOND = timedelta(seconds=1)


@pytest.fixture(params=["fake", "dynamodb"])
def store(request: pytest.FixtureRequest) -> ApprovalStore:
    """Return an empty store."""
    if request.param == "fake":
        return FakeStore()
    request.getfixturevalue("account")
    return real_store()


def approval(
    token: str = TOKEN, execution: str = EXECUTION, at: datetime = START, **fields: object
) -> Approval:
    """Return a new approval with the id that belongs to this task token."""
    request = check_request(request_body(**fields), ("example.com",))
    return new_approval(request, token, execution, at)


def due_by(store: ApprovalStore, moment: datetime) -> list[str]:
    """Return the ids of due approvals, sorted, because shards are read in no fixed order."""
    return sorted(store.due(moment))


def delivered(pending: Approval) -> Approval:
    """Return the approval cancelled, with an empty outbox."""
    closed = transitions.cancel(pending, "ada@example.com", reason="", now=START, via="api")
    return outbox.announced(outbox.resumed(closed, "", START, "api"), Announce(START), START, "api")


def test_a_created_approval_is_read_back(store: ApprovalStore) -> None:
    """Every field is as it was written, text of any language too."""
    new = approval(subject="Größe 分 🙂", details={"a": 1.5, "b": True, "c": "x\ny"}, expiresIn=60)
    assert store.create(new) is True
    assert store.get(new.id) == new


def test_a_task_token_is_read_back_unchanged(store: ApprovalStore) -> None:
    """Whatever characters it has, up to 2,048 of them."""
    for token in TASK_TOKENS:
        new = approval(token)
        assert store.create(new)
        stored = store.get(new.id)
        assert stored is not None
        assert stored.task_token == token


def test_an_unknown_id_is_none(store: ApprovalStore) -> None:
    """Well formed or not."""
    assert store.get(link_tokens.approval_id("never")) is None
    assert store.get("APPROVAL#x é") is None


def test_a_write_counts_the_version_and_returns_what_is_stored(store: ApprovalStore) -> None:
    """`replace` returns what `get` then finds."""
    new = approval()
    store.create(new)
    written = store.replace(new, delivered(new))
    assert written == replace(delivered(new), version=new.version + 1)
    assert store.get(new.id) == written


def test_a_version_conflict_answers_none_and_changes_nothing(store: ApprovalStore) -> None:
    """A change of an older version is refused."""
    old = approval()
    store.create(old)
    first = store.replace(old, replace(old, outcome="approved"))
    assert first is not None
    assert store.replace(old, replace(old, outcome="rejected")) is None
    assert store.get(old.id) == first


@pytest.mark.parametrize("version", [0, 1])
def test_replacing_a_missing_approval_answers_none_and_creates_nothing(
    store: ApprovalStore, version: int
) -> None:
    """A missing item has no version that could be the one read."""
    missing = replace(approval(), version=version)
    assert store.replace(missing, delivered(missing)) is None
    assert store.get(missing.id) is None


def test_a_newer_version_is_a_conflict_too(store: ApprovalStore) -> None:
    """The condition is equality, not order."""
    new = approval()
    store.create(new)
    assert store.replace(replace(new, version=new.version + 1), delivered(new)) is None
    assert store.get(new.id) == new


def test_creating_again_answers_false_and_changes_nothing(store: ApprovalStore) -> None:
    """A request delivered twice finds the approval as it is, changed since or not."""
    new = approval(subject="first")
    assert store.create(new)
    assert store.create(approval(subject="second")) is False
    assert store.get(new.id) == new
    written = store.replace(new, delivered(new))
    assert store.create(new) is False
    assert store.get(new.id) == written


def test_one_of_many_writes_of_a_version_succeeds(store: ApprovalStore) -> None:
    """The others get None, and nothing of theirs is stored."""
    new = approval()
    store.create(new)
    won = race(8, lambda n: store.replace(new, replace(new, execution_arn=f"{EXECUTION}{n}")))
    winners = [written for written in won if written is not None]
    assert len(winners) == 1
    assert store.get(new.id) == winners[0]


def test_one_of_many_creations_of_an_id_succeeds(store: ApprovalStore) -> None:
    """A request delivered many times at once makes one approval."""
    won = race(8, lambda n: store.create(approval(subject=f"delivery {n}")))
    assert won.count(True) == 1
    stored = store.get(approval().id)
    assert stored is not None
    assert stored.request.subject == f"delivery {won.index(True)}"


def test_reading_again_after_a_conflict_loses_no_change(
    store: ApprovalStore,
) -> None:
    """There are as many versions as threads."""
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


def test_due_approvals_are_found_in_every_shard(store: ApprovalStore) -> None:
    """The tick queries every partition that a write may choose."""
    ids = sorted(approval(f"token {n}").id for n in range(40))
    assert len({shard(found) for found in ids}) == SHARDS, "forty ids should reach every shard"
    for n in range(40):
        store.create(approval(f"token {n}"))
    assert due_by(store, LATER) == ids


def test_due_approvals_of_a_shard_come_earliest_first(store: ApprovalStore) -> None:
    """Under overload the longest wait ends first."""
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


def test_an_approval_is_due_at_its_second(store: ApprovalStore) -> None:
    """Not a second before, and from then on."""
    new = approval()
    assert new.due_at is not None
    store.create(new)
    assert due_by(store, new.due_at - SECOND) == []
    assert due_by(store, new.due_at) == [new.id]
    assert due_by(store, new.due_at + SECOND) == [new.id]


def test_an_approval_with_an_empty_outbox_is_due_at_its_deadline(store: ApprovalStore) -> None:
    """The tick then closes it as expired."""
    new = replace(approval(expiresIn=60), outbox=())
    store.create(new)
    assert due_by(store, START + timedelta(seconds=59)) == []
    assert due_by(store, START + timedelta(seconds=60)) == [new.id]


def test_a_closed_approval_with_an_empty_outbox_is_never_due(store: ApprovalStore) -> None:
    """The index holds only approvals that need the tick."""
    new, other = approval(), approval("other")
    store.create(new)
    store.create(other)
    store.replace(new, delivered(new))
    assert due_by(store, LATER) == [other.id]


def test_a_closed_approval_whose_task_waits_is_due(store: ApprovalStore) -> None:
    """From the end of the lease on; until then its writer resumes the task."""
    new = approval()
    store.create(new)
    closed = transitions.cancel(new, "ada@example.com", reason="", now=START, via="api")
    store.replace(new, outbox.announced(closed, Announce(START), START, "api"))
    assert due_by(store, START + LEASE - SECOND) == []
    assert due_by(store, START + LEASE) == [new.id]


def test_a_write_moves_the_due_time(store: ApprovalStore) -> None:
    """The index follows the approval: due once, at the new time."""
    new = approval()
    store.create(new)
    claimed = after_tick(new, START + LEASE)
    store.replace(new, claimed)
    assert claimed.due_at is not None
    assert due_by(store, claimed.due_at - SECOND) == []
    assert due_by(store, claimed.due_at) == [new.id]


def test_due_approvals_may_change_while_they_are_read(store: ApprovalStore) -> None:
    """The tick writes each one as it comes to it; each is still met once."""
    ids = [approval(f"token {n}").id for n in range(24)]
    for n in range(24):
        store.create(approval(f"token {n}"))
    met = []
    for found in store.due(LATER):
        met.append(found)
        current = store.get(found)
        assert current is not None
        store.replace(current, delivered(current))
    assert sorted(met) == sorted(ids)
    assert due_by(store, LATER) == []


def test_all_approvals_of_an_execution_are_found_newest_first(store: ApprovalStore) -> None:
    """A retried or redriven execution asks more than once."""
    for n in (1, 3, 2):
        store.create(approval(f"token {n}", at=START + timedelta(minutes=n)))
    store.create(approval("elsewhere", execution=EXECUTION + "0", at=LATER))
    expected = [approval(f"token {n}").id for n in (3, 2, 1)]
    assert [found.id for found in store.of_execution(EXECUTION)] == expected


def test_of_an_execution_that_asks_in_a_loop_the_newest_hundred_are_found(
    store: ApprovalStore,
) -> None:
    """One call reads as many approvals."""
    for n in range(103):
        store.create(approval(f"token {n}", at=START + timedelta(minutes=n)))
    expected = [approval(f"token {n}").id for n in range(102, -1, -1)]
    assert [found.id for found in store.of_execution(EXECUTION)] == expected[:100]
    assert list(store.ids_of_execution(EXECUTION)) == expected


def test_an_execution_without_a_request_has_no_approval(store: ApprovalStore) -> None:
    """Also if another execution's name begins the same."""
    store.create(approval(execution=EXECUTION + "0"))
    assert store.of_execution(EXECUTION) == []


def test_an_execution_keeps_its_closed_approval(store: ApprovalStore) -> None:
    """Operators look up the outcome afterwards."""
    new = approval()
    store.create(new)
    store.replace(new, delivered(new))
    assert [found.id for found in store.of_execution(EXECUTION)] == [new.id]


def race(threads: int, act: Callable[[int], T]) -> list[T]:
    """Return what `act` returned in each thread; all of them begin together."""
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
    """Return the shard of the indexes that an approval is in."""
    return crc32(approval_id.encode()) % SHARDS


def test_a_delegation_is_stored_until_the_next_one_replaces_it(store: ApprovalStore) -> None:
    """By the approver, in any case of the address; it isn't found as an approval."""
    first = Delegation("grace@example.com", START, START + timedelta(days=1))
    later = Delegation("linus@example.com", START, START + timedelta(days=2))
    assert store.delegation("ada@example.com") is None
    store.put_delegation("Ada@example.com", first)
    assert store.delegation("ada@example.com") == first
    store.put_delegation("ada@example.com", later)
    assert store.delegation("ada@example.com") == later
    assert list(store.due(START + timedelta(days=9))) == []


def test_a_delegation_is_due_until_its_people_are_told(store: ApprovalStore) -> None:
    """Under the approver's address, whatever characters that has."""
    address = "A#b+c@example.com"
    plain = Delegation(
        "linus@example.com", START, START + timedelta(days=2), "ill", "x", "arn", at=START
    )
    written = to_be_told(address, plain, START)
    store.put_delegation(address, written)
    assert store.delegation(address) == written
    assert list(store.due(START - timedelta(seconds=1))) == []
    assert list(store.due(START)) == [address.lower()]
    leased = lease_telling(written, START)
    assert leased is not None
    assert store.replace_delegation(address, written, leased)
    assert not store.replace_delegation(address, written, leased), "another tick has it"
    assert list(store.due(START)) == []
    assert store.replace_delegation(address, leased, told(leased, ()))
    assert list(store.due(START + timedelta(days=9))) == []


def waits_for(store: ApprovalStore, person: str, now: datetime = START) -> list[str]:
    """Return the ids in that person's inbox, read in pages of two."""
    found, after = store.waiting_for(person, now, 2)
    ids = [one.id for one in found]
    while after:
        found, after = store.waiting_for(person, now, 2, after)
        ids += [one.id for one in found]
    return ids


def test_an_inbox_shows_the_earliest_deadline_first(store: ApprovalStore) -> None:
    """Each approval once over all pages, none of other people; in any case of the address."""
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


def test_the_last_page_of_an_inbox_names_no_next_one(store: ApprovalStore) -> None:
    """Also if it is full."""
    for n in range(4):
        store.create(approval(f"token {n}"))
    found, after = store.waiting_for("ada@example.com", START, 4)
    assert (len(found), after) == (4, "")
    assert store.waiting_for("nobody@example.com", START, 4) == ([], "")


def test_an_approval_past_its_deadline_is_in_no_inbox(store: ApprovalStore) -> None:
    """Whether or not a tick has expired it."""
    new = approval(expiresIn=60)
    store.create(new)
    assert waits_for(store, "ada@example.com", new.expires_at - SECOND) == [new.id]
    assert waits_for(store, "ada@example.com", new.expires_at) == []


def test_a_decided_approval_leaves_the_inbox(store: ApprovalStore) -> None:
    """It stays in the others' until it is closed."""
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


def test_a_reassigned_approval_moves_to_another_inbox(store: ApprovalStore) -> None:
    """A new deadline counts there at once."""
    new = approval(expiresIn=60)
    store.create(new)
    to, by = "grace@example.com", "ada@example.com"
    reassigned = store.replace(
        new, transitions.reassign(new, by, to, by=by, note="", now=START, via="page")
    )
    assert reassigned is not None
    assert (waits_for(store, by), waits_for(store, to)) == ([], [new.id])
    store.replace(reassigned, transitions.extend(reassigned, by, 600, now=START, via="api"))
    assert waits_for(store, to, START + timedelta(seconds=599)) == [new.id]
    assert waits_for(store, to, START + timedelta(seconds=600)) == []


def test_an_approval_comes_back_to_the_inbox_of_a_person_who_is_asked_again(
    store: ApprovalStore,
) -> None:
    """However often it goes to and fro."""
    current: Approval | None = approval()
    assert current is not None
    store.create(current)
    ada, grace = "ada@example.com", "grace@example.com"
    for from_, to in ((ada, grace), (grace, ada), (ada, grace), (grace, ada)):
        moved = transitions.reassign(current, from_, to, by=to, note="", now=START, via="page")
        current = store.replace(current, moved)
        assert current is not None
        assert (waits_for(store, from_), waits_for(store, to)) == ([], [current.id])


def test_a_version_conflict_changes_no_inbox(store: ApprovalStore) -> None:
    """Approval and waiting entries are written in one transaction, or not at all."""
    new = approval()
    store.create(new)
    stale = replace(new, version=7)
    assert store.replace(stale, delivered(stale)) is None
    assert waits_for(store, "ada@example.com") == [new.id]
    assert store.create(approval(approvers=["grace@example.com"])) is False
    assert waits_for(store, "grace@example.com") == []


def test_many_approvals_are_read_in_the_given_order(store: ApprovalStore) -> None:
    """Missing ones are left out."""
    for n in range(3):
        store.create(approval(f"token {n}"))
    ids = [link_tokens.approval_id(f"token {n}") for n in (2, 9, 0)]
    assert [one.id for one in store.get_many(ids)] == [ids[0], ids[2]]
    assert store.get_many([]) == []


def test_approvals_are_listed_by_outcome_newest_first(store: ApprovalStore) -> None:
    """Each one once over all pages and shards, also within the same second."""
    made = []
    for n in range(20):
        new = approval(f"token {n}", at=START + timedelta(seconds=n // 4))
        made.append(new)
        store.create(new)
    store.replace(made[7], delivered(made[7]))
    pending = sorted(
        (one for n, one in enumerate(made) if n != 7),
        key=lambda one: (one.created_at, one.id),
        reverse=True,
    )
    for most in (3, 19, 50):
        found, after = store.by_outcome("pending", most)
        pages = 1
        while after:
            more, after = store.by_outcome("pending", most, after)
            found, pages = [*found, *more], pages + 1
        assert found == [one.id for one in pending], most
        assert pages == -(-19 // most)
    assert store.by_outcome("cancelled", 5) == ([made[7].id], "")
    assert store.by_outcome("expired", 5) == ([], "")


def pages(list_page: Callable[[str], tuple[list[str], str]]) -> list[str]:
    """Return the ids of all pages of a list."""
    found, after = list_page("")
    while after:
        more, after = list_page(after)
        assert more
        found = [*found, *more]
    return found


def test_what_a_person_asked_is_listed_newest_first(store: ApprovalStore) -> None:
    """By the address in any case, of any outcome, each once over all pages."""
    made = []
    for n in range(9):
        who = "Margaret@example.com" if n % 3 else "other@example.com"
        new = approval(f"token {n}", at=START + timedelta(seconds=n // 2), requestedBy=who)
        store.create(new)
        made.append(new)
    store.create(approval("nobody's"))
    store.replace(made[1], delivered(made[1]))
    theirs = [one for n, one in enumerate(made) if n % 3]
    expected = sorted(theirs, key=lambda one: (one.created_at, one.id), reverse=True)
    for most in (1, 2, 50):
        found = pages(partial(store.by_requester, "MARGARET@example.com", most))
        assert found == [one.id for one in expected]


def test_near_deadlines_are_listed_earliest_first(store: ApprovalStore) -> None:
    """Of pending approvals alone, each once over all pages and shards, and none that is later."""
    made = []
    for n in range(12):
        new = approval(f"token {n}", expiresIn=60 + n // 3)
        store.create(new)
        made.append(new)
    store.replace(made[4], delivered(made[4]))
    until = START + timedelta(seconds=62)
    near = [one for n, one in enumerate(made) if n != 4 and one.expires_at <= until]
    expected = sorted(near, key=lambda one: (one.expires_at, one.id))
    for most in (1, 3, 50):
        found = pages(partial(store.by_deadline, until, most))
        assert found == [one.id for one in expected]


def test_what_is_due_since_long_is_listed_longest_first(store: ApprovalStore) -> None:
    """No approver of whose delegation people are to be told is among it."""
    made = []
    for n in range(6):
        new = approval(f"token {n}", at=START + timedelta(minutes=n))
        store.create(new)
        made.append(new)
    absence = Delegation("grace@example.com", START, LATER)
    store.put_delegation("ada@example.com", to_be_told("ada@example.com", absence, START))
    dated = sorted((one.due_at, one.id) for one in made if one.due_at is not None)
    until = dated[3][0]
    for most in (1, 2, 50):
        found = pages(partial(store.due_since, until, most))
        assert found == [one for at, one in dated if at <= until]
    assert store.due_since(START - SECOND, 5) == ([], "")


def test_invited_approvers_are_listed_last_invited_first(store: ApprovalStore) -> None:
    """By the address in any case, each once over all pages; who was removed isn't listed."""
    for n in range(6):
        store.put_approver(f"P{n}@example.com", Invitation(START + timedelta(seconds=n // 2)))
    store.put_approver("p0@example.com", Invitation(LATER))
    store.drop_approver("P3@example.com", LATER)
    expected = [f"p{n}@example.com" for n in (0, 5, 4, 2, 1)]
    for most in (1, 2, 50):
        assert pages(partial(store.approvers, most)) == expected


def test_an_invitation_is_read_back(store: ApprovalStore) -> None:
    """One by one and many at once; of who isn't listed, or is no more, there is none."""
    first, refused = Invitation(LATER, since=START), Invitation(START, "InvalidParameter")
    store.put_approver("Ada@example.com", first)
    store.put_approver("grace@example.com", refused)
    store.put_approver("gone@example.com", Invitation(START))
    store.drop_approver("gone@example.com", LATER)
    assert store.invitation("ada@example.com") == first
    assert store.invitation("gone@example.com") is None
    asked = ["ADA@example.com", "grace@example.com", "gone@example.com", "never@example.com"]
    expected = {"ada@example.com": first, "grace@example.com": refused}
    assert store.invitations(asked) == expected
    assert store.invitations([]) == {}


def test_what_waits_under_a_policy_is_found_until_it_is_closed(store: ApprovalStore) -> None:
    """By deadline, and counted; the entry of the policy is written with each approval."""
    under = policy_version()
    made = [
        approval_of_request(request_under(under, expiresIn=60 * (9 - n)), f"token {n}")
        for n in range(3)
    ]
    for one in made:
        assert store.create(one)
    found, more = store.waiting_under(under.name, START, 2)
    assert [one.id for one in found] == [made[2].id, made[1].id]
    assert [one.id for one in store.waiting_under(under.name, START, 2, more)[0]] == [made[0].id]
    assert store.count_waiting_under(under.name, START, 100) == 3
    assert store.count_waiting_under("another", START, 100) == 0
    closed = transitions.cancel(made[1], "x", reason="", now=START, via="api")
    assert store.replace(made[1], closed)
    assert store.count_waiting_under(under.name, START, 100) == 2


def test_what_waits_for_a_person_is_counted_up_to_a_limit(store: ApprovalStore) -> None:
    for n in range(4):
        store.create(approval(f"token {n}"))
    assert store.count_waiting("ADA@example.com", START, 100) == 4
    assert store.count_waiting("ada@example.com", START, 3) == 3
    assert store.count_waiting("nobody@example.com", START, 100) == 0
