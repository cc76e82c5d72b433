"""The whole scan: its task gets one correct answer, however functions crash and events repeat."""

import json
import threading
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moto import mock_aws

from examples.document_release.chalicelib import counting, steps
from tests.aws.table import take_turns
from tests.integration.examples.document_release.moto_wiring import EXECUTION, TOKEN, MotoWiring

CARD = "4111 1111 1111 1111"
TEXT = "".join(f"line {n}: {'words ' * 5}{CARD if n % 7 == 0 else ''}\n" for n in range(60))
CARDS = 9
SECOND = "second" + TOKEN


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put three chunks into a batch, so that a short document has several batches."""
    monkeypatch.setattr(counting, "BATCH", 3)


def found(wiring: MotoWiring) -> int:
    """Return the number of card numbers that the complete scan has found."""
    progress = wiring.scans.progress(EXECUTION)
    assert progress is not None
    assert progress.complete
    chunks = list(wiring.scans.scanned_chunks(EXECUTION, progress.chunks))
    assert [chunk.number for chunk in chunks] == list(range(progress.chunks))
    return sum(chunk.counts.get("card number", 0) for chunk in chunks)


def test_the_last_worker_resumes_the_execution(wiring: MotoWiring) -> None:
    """The task is answered once all chunks are scanned, and not before."""
    wiring.split(wiring.upload(TEXT))
    assert len(wiring.events) == 5
    for left in range(4, 0, -1):
        wiring.deliver(wiring.events.pop(0))
        assert wiring.tasks.answers == [], left
    wiring.deliver_all()
    assert wiring.tasks.answers == [(TOKEN, "succeeded", {"chunks": 5})]
    assert found(wiring) == CARDS


@pytest.mark.parametrize("text", ["", "x", "x" * 600, "x" * 601, CARD])
def test_a_short_document_is_one_scan_like_any_other(wiring: MotoWiring, text: str) -> None:
    """An empty document is one chunk."""
    wiring.split(wiring.upload(text))
    wiring.deliver_all()
    assert [answer[1] for answer in wiring.tasks.answers] == ["succeeded"]


def test_events_in_any_order_and_twice_resume_it_once(wiring: MotoWiring) -> None:
    """Delivered backwards and then forwards: chunks are counted, not events."""
    wiring.split(wiring.upload(TEXT))
    events = list(wiring.events)
    for key in [*reversed(events), *events]:
        wiring.deliver(key)
    assert wiring.tasks.answers == [(TOKEN, "succeeded", {"chunks": 5})]
    assert found(wiring) == CARDS


def test_one_event_many_times_is_one_chunk(wiring: MotoWiring) -> None:
    """Repeating the first chunk's event doesn't replace the others."""
    wiring.split(wiring.upload(TEXT))
    first = wiring.events[0]
    for _ in range(10):
        wiring.deliver(first)
    assert wiring.tasks.answers == []


def test_a_lost_event_sent_again_completes_it(wiring: MotoWiring) -> None:
    """The scan is complete when the late event arrives."""
    wiring.split(wiring.upload(TEXT))
    lost = wiring.events.pop(2)
    wiring.deliver_all()
    assert wiring.tasks.answers == []
    wiring.deliver(lost)
    assert wiring.tasks.answers == [(TOKEN, "succeeded", {"chunks": 5})]


@pytest.mark.parametrize("token", [TOKEN, SECOND])
def test_a_retry_of_the_split_sends_a_lost_event_again(wiring: MotoWiring, token: str) -> None:
    """With a new task token, as on AWS, or the old one; full batches aren't written again."""
    document = wiring.upload(TEXT)
    wiring.split(document)
    wiring.events.remove(lost := f"chunks/{EXECUTION}/4")
    wiring.deliver_all()
    wiring.split(document, token)
    assert wiring.events == [f"chunks/{EXECUTION}/3", lost]
    wiring.deliver_all()
    assert wiring.tasks.answers == [(token, "succeeded", {"chunks": 5})]
    assert found(wiring) == CARDS


def test_a_retry_of_the_split_answers_a_scan_that_is_complete(
    wiring: MotoWiring,
) -> None:
    """The last worker answered a task that had timed out, and no worker knows the new task."""
    document = wiring.upload(TEXT)
    wiring.split(document)
    wiring.tasks.waiting.clear()
    wiring.deliver_all()
    assert (wiring.tasks.answers, wiring.tasks.refused) == ([], 1)
    wiring.split(document, SECOND)
    assert wiring.tasks.answers == [(SECOND, "succeeded", {"chunks": 5})]
    assert wiring.events == []


def test_an_older_attempt_of_the_split_does_not_overwrite_a_newer_token(wiring: MotoWiring) -> None:
    """An attempt that is delayed finds the token of a later one and writes nothing."""
    document = wiring.upload(TEXT)
    wiring.split(document, SECOND)
    wiring.events.clear()
    wiring.clock -= 1_000
    steps.split(wiring, EXECUTION, document, TOKEN)
    assert wiring.events == []
    progress = wiring.scans.progress(EXECUTION)
    assert progress is not None
    assert progress.task_token == SECOND


def test_the_first_attempt_decides_the_chunk_size(wiring: MotoWiring) -> None:
    """A retry after a change of CHUNK_BYTES splits as before: some chunks are counted already."""
    document = wiring.upload(TEXT)
    wiring.split(document)
    wiring.deliver(wiring.events[0])
    wiring._env = {**wiring._env, "CHUNK_BYTES": "1000"}
    wiring.events.clear()
    wiring.split(document, SECOND)
    assert len(wiring.events) == 5
    wiring.deliver_all()
    assert found(wiring) == CARDS


def test_the_scan_is_stored_before_its_first_chunk(wiring: MotoWiring) -> None:
    """A worker that is faster than the split finds the scan."""
    wiring.split(wiring.upload(TEXT))
    calls = wiring.calls.names
    assert calls.index("UpdateItem") < calls.index("PutObject")


CRASH_POINTS_OF_SPLIT = range(2 * (1 + 1 + 5))
"""Before and after each AWS call of a split of TEXT: read, store the scan, write five chunks."""


@pytest.mark.parametrize("point", CRASH_POINTS_OF_SPLIT)
@pytest.mark.parametrize("token", [TOKEN, SECOND])
def test_a_retry_completes_a_split_that_crashed_anywhere(
    wiring: MotoWiring, point: int, token: str
) -> None:
    """The task fails with its function, so no worker can answer it; the retry does the rest."""
    document = wiring.upload(TEXT)
    assert wiring.crashes(lambda: wiring.split(document), at=point)
    wiring.tasks.waiting.clear()
    wiring.deliver_all()
    wiring.split(document, token)
    wiring.deliver_all()
    assert wiring.tasks.answers == [(token, "succeeded", {"chunks": 5})]
    assert found(wiring) == CARDS


def test_the_split_has_no_other_crash_points(wiring: MotoWiring) -> None:
    """A new AWS call must be added to CRASH_POINTS_OF_SPLIT."""
    document = wiring.upload(TEXT)
    assert not wiring.crashes(lambda: wiring.split(document), at=len(CRASH_POINTS_OF_SPLIT))
    assert wiring.calls.crash_points == len(CRASH_POINTS_OF_SPLIT)


CRASH_POINTS_OF_LAST_WORKER = range(2 * 5)
"""Read the chunk, store its findings, count it, count its batch, answer the task."""


@pytest.mark.parametrize("point", CRASH_POINTS_OF_LAST_WORKER)
def test_a_repeated_event_completes_a_last_worker_that_crashed_anywhere(
    wiring: MotoWiring, point: int
) -> None:
    """Also after the count and before the answer, where a plain counter loses the execution."""
    wiring.split(wiring.upload(TEXT))
    last = wiring.events.pop()
    wiring.deliver_all()
    assert wiring.crashes(lambda: wiring.deliver(last), at=point)
    wiring.deliver(last)
    assert wiring.tasks.answers == [(TOKEN, "succeeded", {"chunks": 5})]
    assert found(wiring) == CARDS


@pytest.mark.parametrize("point", CRASH_POINTS_OF_LAST_WORKER)
def test_a_retry_of_the_split_completes_a_last_worker_whose_event_is_dropped(
    wiring: MotoWiring, point: int
) -> None:
    """The task times out, and the retry makes S3 send the event again."""
    document = wiring.upload(TEXT)
    wiring.split(document)
    last = wiring.events.pop()
    wiring.deliver_all()
    assert wiring.crashes(lambda: wiring.deliver(last), at=point)
    if not wiring.tasks.answers:
        wiring.split(document, SECOND)
        wiring.deliver_all()
    assert [answer[1] for answer in wiring.tasks.answers] == ["succeeded"]
    assert found(wiring) == CARDS


def test_the_last_worker_has_no_other_crash_points(wiring: MotoWiring) -> None:
    """A new AWS call must be added to CRASH_POINTS_OF_LAST_WORKER."""
    wiring.split(wiring.upload(TEXT))
    last = wiring.events.pop()
    wiring.deliver_all()
    assert not wiring.crashes(lambda: wiring.deliver(last), at=len(CRASH_POINTS_OF_LAST_WORKER))
    assert wiring.calls.crash_points == len(CRASH_POINTS_OF_LAST_WORKER)


@pytest.mark.parametrize("bad", range(5))
def test_an_unreadable_chunk_fails_the_task_once(wiring: MotoWiring, bad: int) -> None:
    """The cause names the byte, and repeated events send no other answer."""
    data = bytearray(TEXT.encode())
    data[bad * 600 + 100] = 0xFF
    wiring.split(wiring.upload(bytes(data)))
    events = list(wiring.events)
    for key in events * 2:
        wiring.deliver(key)
    cause = f"chunk {bad}: byte {bad * 600 + 100:,} is no UTF-8 text"
    assert wiring.tasks.answers == [(TOKEN, "UnreadableChunk", cause)]
    progress = wiring.scans.progress(EXECUTION)
    assert progress is not None
    assert not progress.complete


def test_a_missing_chunk_fails_the_task(wiring: MotoWiring) -> None:
    """The chunk was deleted before its worker read it."""
    wiring.split(wiring.upload(TEXT))
    wiring.s3.delete_object(Bucket="documents", Key=f"chunks/{EXECUTION}/2")
    wiring.deliver_all()
    ((token, error, cause),) = wiring.tasks.answers
    assert (token, error) == (TOKEN, "UnreadableChunk")
    assert cause == f"chunk 2: chunks/{EXECUTION}/2 can't be read: NoSuchKey"


@pytest.mark.parametrize("point", range(2 * 3))
def test_a_repeated_event_completes_a_worker_that_crashed_over_an_unreadable_chunk(
    wiring: MotoWiring, point: int
) -> None:
    """Before and after each AWS call: read the chunk, read the task token, fail the task."""
    wiring.split(wiring.upload(b"\xff"))
    (key,) = wiring.events
    assert wiring.crashes(lambda: wiring.deliver(key), at=point)
    wiring.deliver(key)
    assert [answer[1] for answer in wiring.tasks.answers] == ["UnreadableChunk"]


def test_a_missing_document_fails_the_task(wiring: MotoWiring) -> None:
    """The version was deleted meanwhile; the task doesn't wait for its time-out."""
    document = wiring.upload(TEXT)
    wiring.s3.delete_object(Bucket="documents", Key=document.key, VersionId=document.version)
    wiring.split(document)
    ((_, error, cause),) = wiring.tasks.answers
    assert error == "UnreadableDocument"
    assert cause == "incoming/report.txt can't be read: NoSuchVersion"


def test_a_document_that_is_too_large_fails_the_task(
    wiring: MotoWiring, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No chunk is written."""
    monkeypatch.setattr(steps, "MAX_CHUNKS", 4)
    wiring.split(wiring.upload(TEXT))
    ((_, error, cause),) = wiring.tasks.answers
    assert error == "UnreadableDocument"
    assert cause == f"{len(TEXT):,} bytes are more than the limit of 2,400"
    assert wiring.events == []


def test_the_version_of_the_event_is_scanned(wiring: MotoWiring) -> None:
    """Another document uploaded under the same name changes nothing."""
    document = wiring.upload(TEXT)
    wiring.upload("harmless")
    wiring.split(document)
    wiring.deliver_all()
    assert found(wiring) == CARDS


@pytest.mark.parametrize(
    "key", ["chunks/", "chunks/x", "chunks/x/", "chunks/x/one", "chunks/x/1/2", "chunks/ü/1"]
)
def test_an_object_that_is_no_chunk_is_ignored(wiring: MotoWiring, key: str) -> None:
    """A failure would only be retried."""
    wiring.deliver(key)
    assert wiring.calls.names == []


def test_a_chunk_of_an_expired_scan_answers_no_task(wiring: MotoWiring) -> None:
    """The event comes after the scan's items have expired."""
    wiring.split(wiring.upload("x"))
    wiring.dynamodb.delete_item(TableName="scans", Key={"pk": {"S": EXECUTION}, "sk": {"N": "-1"}})
    wiring.deliver_all()
    wiring.s3.put_object(Bucket="documents", Key="chunks/nobody/0", Body=b"\xff", Metadata=METADATA)
    wiring.deliver("chunks/nobody/0")
    assert wiring.tasks.answers == []


METADATA = {"start": "0", "before": "0", "body": "1", "of": "1"}


@pytest.mark.parametrize("workers", [2, 8])
def test_concurrent_workers_resume_the_execution_once(wiring: MotoWiring, workers: int) -> None:
    """Every event twice, on several threads: only the last worker's answer is accepted."""
    wiring.split(wiring.upload(TEXT * 3))
    take_turns(wiring.dynamodb)
    events = [key for key in wiring.events for _ in range(2)]
    failed: list[BaseException] = []

    def work(keys: list[str]) -> None:
        try:
            for key in keys:
                wiring.deliver(key)
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
    assert [answer[1] for answer in wiring.tasks.answers] == ["succeeded"]
    assert found(wiring) == 3 * CARDS


def test_neither_logs_nor_keys_hold_the_task_token_or_a_finding(wiring: MotoWiring) -> None:
    """The table alone holds the token, and it holds findings only as masks."""
    wiring.split(wiring.upload(TEXT))
    wiring.deliver_all()
    logged = json.dumps(wiring.logged)
    keys = [o["Key"] for o in wiring.s3.list_objects_v2(Bucket="documents")["Contents"]]
    heads = [wiring.s3.head_object(Bucket="documents", Key=key)["Metadata"] for key in keys]
    items = wiring.dynamodb.scan(TableName="scans")["Items"]
    assert TOKEN not in logged + json.dumps([keys, heads])
    assert [TOKEN in json.dumps(item) for item in items].count(True) == 1
    for secret in (CARD, "4111"):
        assert secret not in logged + json.dumps(items)


MOVES = st.one_of(
    st.tuples(st.just("deliver"), st.integers(0, 20)),
    st.tuples(st.just("double"), st.integers(0, 20)),
    st.tuples(st.just("lose"), st.integers(0, 20)),
    st.tuples(st.just("crash"), st.integers(0, 20)),
    st.tuples(st.just("retry"), st.integers(0, 20)),
)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(moves=st.lists(MOVES, max_size=15), new_tokens=st.booleans())
def test_any_sequence_of_faults_ends_with_one_answer(
    moves: list[tuple[str, int]], new_tokens: bool
) -> None:
    """Events lost, repeated and late, functions that crash anywhere: a last retry completes it."""
    with mock_aws():
        wiring = MotoWiring(chunk_bytes=400)
        document = wiring.upload(TEXT)
        wiring.split(document, "token 0")
        for step, (move, number) in enumerate(moves):
            if wiring.tasks.answers:
                break
            _apply(wiring, document, move, number, f"token {step + 1}" if new_tokens else "token 0")
        if not wiring.tasks.answers:
            wiring.events.clear()
            wiring.split(document, "last token")
            wiring.deliver_all()
        assert [answer[1] for answer in wiring.tasks.answers] == ["succeeded"]
        assert found(wiring) == CARDS


def _apply(wiring: MotoWiring, document: Any, move: str, number: int, token: str) -> None:
    if move == "retry":
        wiring.crashes(lambda: wiring.split(document, token), at=number)
    elif wiring.events:
        key = wiring.events[number % len(wiring.events)]
        if move == "crash":
            wiring.crashes(lambda: wiring.deliver(key), at=number % 10)
            return
        if move in ("deliver", "double"):
            wiring.deliver(key)
        if move != "double":
            wiring.events.remove(key)
