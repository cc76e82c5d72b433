"""The scan as a whole: whatever happens to functions and events, it is answered rightly, once."""

import json
import threading
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moto import mock_aws

from examples.document_release.chalicelib import counting, steps
from tests.aws.table import take_turns
from tests.examples.document_release.world import EXECUTION, TOKEN, World

CARD = "4111 1111 1111 1111"
TEXT = "".join(f"line {n}: {'words ' * 5}{CARD if n % 7 == 0 else ''}\n" for n in range(60))
CARDS = 9
SECOND = "second" + TOKEN


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have three chunks share a counter, so that a short document has several."""
    monkeypatch.setattr(counting, "BATCH", 3)


def found(world: World) -> Any:
    """Return what the scan has found, as the question will say it."""
    progress = world.counting.find(EXECUTION)
    assert progress is not None
    assert progress.complete
    looked = list(world.counting.looked(EXECUTION, progress.chunks))
    assert [chunk.number for chunk in looked] == list(range(progress.chunks))
    return sum(chunk.kinds.get("card number", 0) for chunk in looked)


def test_the_last_worker_resumes_the_execution(world: World) -> None:
    """With all chunks looked at, and not before."""
    world.cut(world.put(TEXT))
    assert len(world.events) == 5
    for left in range(4, 0, -1):
        world.deliver(world.events.pop(0))
        assert world.waiting.answers == [], left
    world.deliver_all()
    assert world.waiting.answers == [(TOKEN, "succeeded", {"chunks": 5})]
    assert found(world) == CARDS


@pytest.mark.parametrize("text", ["", "x", "x" * 600, "x" * 601, CARD])
def test_a_short_document_is_one_scan_like_any_other(world: World, text: str) -> None:
    """Down to the empty one."""
    world.cut(world.put(text))
    world.deliver_all()
    assert [answer[1] for answer in world.waiting.answers] == ["succeeded"]


def test_events_in_any_order_and_twice_resume_it_once(world: World) -> None:
    """Backwards, then once more forwards: the count is of chunks, not of events."""
    world.cut(world.put(TEXT))
    events = list(world.events)
    for key in [*reversed(events), *events]:
        world.deliver(key)
    assert world.waiting.answers == [(TOKEN, "succeeded", {"chunks": 5})]
    assert found(world) == CARDS


def test_one_event_many_times_is_one_chunk(world: World) -> None:
    """However often the first is delivered, the others are still missing."""
    world.cut(world.put(TEXT))
    first = world.events[0]
    for _ in range(10):
        world.deliver(first)
    assert world.waiting.answers == []


def test_a_lost_event_sent_again_completes_it(world: World) -> None:
    """Late is as good as in time."""
    world.cut(world.put(TEXT))
    lost = world.events.pop(2)
    world.deliver_all()
    assert world.waiting.answers == []
    world.deliver(lost)
    assert world.waiting.answers == [(TOKEN, "succeeded", {"chunks": 5})]


@pytest.mark.parametrize("token", [TOKEN, SECOND])
def test_a_lost_event_is_sent_again_by_the_next_try(world: World, token: str) -> None:
    """Whether that has a new task token, as on AWS, or the old one: only what is missing is cut."""
    document = world.put(TEXT)
    world.cut(document)
    world.events.remove(lost := f"chunks/{EXECUTION}/4")
    world.deliver_all()
    world.cut(document, token)
    assert world.events == [f"chunks/{EXECUTION}/3", lost]
    world.deliver_all()
    assert world.waiting.answers == [(token, "succeeded", {"chunks": 5})]
    assert found(world) == CARDS


def test_a_scan_that_was_complete_before_its_next_try_is_answered_by_that(world: World) -> None:
    """The last worker answered a task whose time was just up: nobody would tell the new one."""
    document = world.put(TEXT)
    world.cut(document)
    world.waiting.tokens.clear()
    world.deliver_all()
    assert (world.waiting.answers, world.waiting.refused) == ([], 1)
    world.cut(document, SECOND)
    assert world.waiting.answers == [(SECOND, "succeeded", {"chunks": 5})]
    assert world.events == []


def test_an_old_try_that_goes_on_late_does_not_bring_its_token_back(world: World) -> None:
    """It was asked before the one that waits now; it steps back, and writes nothing."""
    document = world.put(TEXT)
    world.cut(document, SECOND)
    world.events.clear()
    world.clock -= 1_000
    steps.cut(world, EXECUTION, document, TOKEN)
    assert world.events == []
    progress = world.counting.find(EXECUTION)
    assert progress is not None
    assert progress.task_token == SECOND


def test_another_chunk_size_between_two_tries_changes_nothing(world: World) -> None:
    """How the document is cut was settled by the first: half of it is counted that way."""
    document = world.put(TEXT)
    world.cut(document)
    world.deliver(world.events[0])
    world._env = {**world._env, "CHUNK_BYTES": "1000"}
    world.events.clear()
    world.cut(document, SECOND)
    assert len(world.events) == 5
    world.deliver_all()
    assert found(world) == CARDS


def test_before_there_is_a_chunk_its_scan_is_written_down(world: World) -> None:
    """A worker may be faster than the function that splits; it finds what it counts for."""
    world.cut(world.put(TEXT))
    calls = world.effects.done
    assert calls.index("UpdateItem") < calls.index("PutObject")


def moments_of_cut() -> range:
    """Return every moment in splitting `TEXT`: before and after each of its calls."""
    return range(2 * (1 + 1 + 5))


@pytest.mark.parametrize("moment", moments_of_cut())
@pytest.mark.parametrize("token", [TOKEN, SECOND])
def test_a_split_that_dies_anywhere_ends_well_when_it_is_tried_again(
    world: World, moment: int, token: str
) -> None:
    """The task fails with its function, whatever its workers say; the next try does the rest."""
    document = world.put(TEXT)
    assert world.dying(moment, lambda: world.cut(document))
    world.waiting.tokens.clear()
    world.deliver_all()
    world.cut(document, token)
    world.deliver_all()
    assert world.waiting.answers == [(token, "succeeded", {"chunks": 5})]
    assert found(world) == CARDS


def test_no_moment_of_a_split_is_left_out(world: World) -> None:
    """The tests above would miss a call that is added: it belongs there."""
    assert not world.dying(len(moments_of_cut()), lambda: world.cut(world.put(TEXT)))
    assert world.effects.moments == len(moments_of_cut())


MOMENTS_OF_THE_LAST = range(2 * 5)
"""Read the chunk, write its findings, count it, count its batch, answer."""


@pytest.mark.parametrize("moment", MOMENTS_OF_THE_LAST)
def test_a_last_worker_that_dies_anywhere_is_finished_by_its_event_sent_again(
    world: World, moment: int
) -> None:
    """Counted and not yet answered is the moment that loses executions elsewhere."""
    world.cut(world.put(TEXT))
    last = world.events.pop()
    world.deliver_all()
    assert world.dying(moment, lambda: world.deliver(last))
    world.deliver(last)
    assert world.waiting.answers == [(TOKEN, "succeeded", {"chunks": 5})]
    assert found(world) == CARDS


@pytest.mark.parametrize("moment", MOMENTS_OF_THE_LAST)
def test_a_last_worker_that_dies_for_good_is_made_good_by_the_next_try(
    world: World, moment: int
) -> None:
    """Its event is given up: the task's time runs out, and the split sends it again."""
    document = world.put(TEXT)
    world.cut(document)
    last = world.events.pop()
    world.deliver_all()
    assert world.dying(moment, lambda: world.deliver(last))
    if not world.waiting.answers:
        world.cut(document, SECOND)
        world.deliver_all()
    assert [answer[1] for answer in world.waiting.answers] == ["succeeded"]
    assert found(world) == CARDS


def test_no_moment_of_the_last_worker_is_left_out(world: World) -> None:
    """As above."""
    world.cut(world.put(TEXT))
    last = world.events.pop()
    world.deliver_all()
    assert not world.dying(len(MOMENTS_OF_THE_LAST), lambda: world.deliver(last))
    assert world.effects.moments == len(MOMENTS_OF_THE_LAST)


@pytest.mark.parametrize("bad", range(5))
def test_a_chunk_that_cant_be_read_fails_the_task_by_name_once(world: World, bad: int) -> None:
    """With the byte in the cause; however often it is delivered, nothing else is ever answered."""
    data = bytearray(TEXT.encode())
    data[bad * 600 + 100] = 0xFF
    world.cut(world.put(bytes(data)))
    events = list(world.events)
    for key in events * 2:
        world.deliver(key)
    cause = f"chunk {bad}: byte {bad * 600 + 100:,} is no UTF-8 text"
    assert world.waiting.answers == [(TOKEN, "UnreadableChunk", cause)]
    progress = world.counting.find(EXECUTION)
    assert progress is not None
    assert not progress.complete


def test_a_chunk_that_is_gone_fails_the_task_by_name(world: World) -> None:
    """Somebody deleted it before its worker came."""
    world.cut(world.put(TEXT))
    world.s3.delete_object(Bucket="documents", Key=f"chunks/{EXECUTION}/2")
    world.deliver_all()
    ((token, error, cause),) = world.waiting.answers
    assert (token, error) == (TOKEN, "UnreadableChunk")
    assert cause == f"chunk 2: chunks/{EXECUTION}/2 can't be read: NoSuchKey"


@pytest.mark.parametrize("moment", range(2 * 3))
def test_a_worker_that_dies_over_a_bad_chunk_fails_the_task_the_next_time(
    world: World, moment: int
) -> None:
    """Read, look up who waits, fail: at each of them."""
    world.cut(world.put(b"\xff"))
    (key,) = world.events
    assert world.dying(moment, lambda: world.deliver(key))
    world.deliver(key)
    assert [answer[1] for answer in world.waiting.answers] == ["UnreadableChunk"]


def test_a_document_that_is_gone_fails_the_task_by_name(world: World) -> None:
    """Its version was deleted meanwhile; nobody waits for chunks that never come."""
    document = world.put(TEXT)
    world.s3.delete_object(Bucket="documents", Key=document.key, VersionId=document.version)
    world.cut(document)
    ((_, error, cause),) = world.waiting.answers
    assert error == "UnreadableDocument"
    assert cause == "incoming/report.txt can't be read: NoSuchVersion"


def test_a_document_too_large_is_refused_by_name(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anything is written."""
    monkeypatch.setattr(steps, "MOST_CHUNKS", 4)
    world.cut(world.put(TEXT))
    ((_, error, cause),) = world.waiting.answers
    assert error == "UnreadableDocument"
    assert cause == f"{len(TEXT):,} bytes are more than can be cut, 2,400"
    assert world.events == []


def test_what_is_scanned_is_the_version_that_came_in(world: World) -> None:
    """Whatever is put under the same name meanwhile."""
    document = world.put(TEXT)
    world.put("nothing of the kind")
    world.cut(document)
    world.deliver_all()
    assert found(world) == CARDS


@pytest.mark.parametrize(
    "key", ["chunks/", "chunks/x", "chunks/x/", "chunks/x/one", "chunks/x/1/2", "chunks/ü/1"]
)
def test_a_stray_object_among_the_chunks_is_passed_over(world: World, key: str) -> None:
    """It is nobody's chunk, and no reason to fail again and again."""
    world.deliver(key)
    assert world.effects.done == []


def test_a_chunk_of_no_scan_counts_for_nobody(world: World) -> None:
    """Its items are long gone, when a very late event comes."""
    world.cut(world.put("x"))
    world.dynamodb.delete_item(TableName="scans", Key={"pk": {"S": EXECUTION}, "sk": {"N": "-1"}})
    world.deliver_all()
    world.s3.put_object(Bucket="documents", Key="chunks/nobody/0", Body=b"\xff", Metadata=FACTS)
    world.deliver("chunks/nobody/0")
    assert world.waiting.answers == []


FACTS = {"start": "0", "before": "0", "body": "1", "of": "1"}


@pytest.mark.parametrize("workers", [2, 8])
def test_workers_that_race_resume_it_once(world: World, workers: int) -> None:
    """Every event twice, all at once: the last one knows that it is the last."""
    world.cut(world.put(TEXT * 3))
    take_turns(world.dynamodb)
    events = [key for key in world.events for _ in range(2)]
    failed: list[BaseException] = []

    def work(mine: list[str]) -> None:
        try:
            for key in mine:
                world.deliver(key)
        except BaseException as e:  # noqa: BLE001 (a thread's failure must reach the test)
            failed.append(e)

    threads = [
        threading.Thread(target=work, args=(events[first::workers],)) for first in range(workers)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert [answer[1] for answer in world.waiting.answers] == ["succeeded"]
    assert found(world) == 3 * CARDS


def test_neither_log_nor_key_holds_the_token_or_what_was_found(world: World) -> None:
    """The token is in the table alone; a finding is masked even there."""
    world.cut(world.put(TEXT))
    world.deliver_all()
    logged = json.dumps(world.logged)
    keys = [o["Key"] for o in world.s3.list_objects_v2(Bucket="documents")["Contents"]]
    heads = [world.s3.head_object(Bucket="documents", Key=key)["Metadata"] for key in keys]
    items = world.dynamodb.scan(TableName="scans")["Items"]
    assert TOKEN not in logged + json.dumps([keys, heads])
    assert [TOKEN in json.dumps(item) for item in items].count(True) == 1
    for secret in (CARD, "4111"):
        assert secret not in logged + json.dumps(items)


MOVES = st.one_of(
    st.tuples(st.just("deliver"), st.integers(0, 20)),
    st.tuples(st.just("double"), st.integers(0, 20)),
    st.tuples(st.just("lose"), st.integers(0, 20)),
    st.tuples(st.just("die"), st.integers(0, 20)),
    st.tuples(st.just("try again"), st.integers(0, 20)),
)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(moves=st.lists(MOVES, max_size=15), new_tokens=st.booleans())
def test_any_story_ends_with_one_answer(moves: list[tuple[str, int]], new_tokens: bool) -> None:
    """Events lost, doubled and late, functions dying anywhere: a last good try completes it."""
    with mock_aws():
        world = World(chunk_bytes=400)
        document = world.put(TEXT)
        world.cut(document, "token 0")
        for step, (move, number) in enumerate(moves):
            if world.waiting.answers:
                break
            _make(world, document, move, number, f"token {step + 1}" if new_tokens else "token 0")
        if not world.waiting.answers:
            world.events.clear()
            world.cut(document, "the last")
            world.deliver_all()
        assert [answer[1] for answer in world.waiting.answers] == ["succeeded"]
        assert found(world) == CARDS


def _make(world: World, document: Any, move: str, number: int, token: str) -> None:
    if move == "try again":
        world.dying(number, lambda: world.cut(document, token))
    elif world.events:
        key = world.events[number % len(world.events)]
        if move == "die":
            world.dying(number % 10, lambda: world.deliver(key))
            return
        if move in ("deliver", "double"):
            world.deliver(key)
        if move != "double":
            world.events.remove(key)
