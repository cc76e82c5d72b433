"""Chunks are counted exactly once, at the same cost each in a document of any size."""

import pytest

from examples.document_release.chalicelib.counting import BATCH
from examples.document_release.chalicelib.scan import Finding, ScannedChunk
from tests.aws.table import calls
from tests.integration.examples.document_release.moto_wiring import EXECUTION, TOKEN, MotoWiring

NOW = 1_795_000_000_000


def begin(wiring: MotoWiring, chunks: int) -> None:
    """Begin a scan with that many chunks."""
    wiring.scans.begin(EXECUTION, chunks=chunks, chunk_bytes=600, task_token=TOKEN, now=NOW)


@pytest.mark.parametrize("chunks", [1, BATCH - 1, BATCH, BATCH + 1, 3 * BATCH])
def test_a_scan_is_complete_with_its_last_chunk(wiring: MotoWiring, chunks: int) -> None:
    """At every size around a batch; counting the last chunk again gives the same answer."""
    begin(wiring, chunks)
    for number in range(chunks - 1):
        progress = wiring.scans.count(EXECUTION, number, chunks=chunks, now=NOW)
        assert progress is None or not progress.complete
    for _ in range(2):
        progress = wiring.scans.count(EXECUTION, chunks - 1, chunks=chunks, now=NOW)
        assert progress is not None
        assert (progress.complete, progress.task_token, progress.chunks) == (True, TOKEN, chunks)


def test_a_chunk_costs_two_writes_and_a_batch_one_more(wiring: MotoWiring) -> None:
    """No write is a transaction, and none grows with the document."""
    begin(wiring, 10 * BATCH)
    made = calls(wiring.dynamodb)
    for number in range(BATCH):
        wiring.scans.record(EXECUTION, ScannedChunk(number, 0, {}, []), NOW)
        wiring.scans.count(EXECUTION, number, chunks=10 * BATCH, now=NOW)
    names = [name for name, _ in made]
    assert names == ["PutItem", "UpdateItem"] * BATCH + ["UpdateItem"]


def test_a_full_counter_is_smaller_than_one_unit(wiring: MotoWiring) -> None:
    """DynamoDB bills writes by the KB: a full batch of the largest numbers stays below one."""
    scan = "n" * 80
    wiring.scans.begin(scan, chunks=10_000, chunk_bytes=600, task_token=TOKEN, now=NOW)
    for number in range(10_000 - BATCH, 10_000):
        answer = wiring.dynamodb.update_item(
            TableName="scans",
            Key={"pk": {"S": f"{scan}#{number // BATCH}"}, "sk": {"N": "-1"}},
            UpdateExpression="SET expiresAt = :e ADD done :n",
            ExpressionAttributeValues={":n": {"NS": [str(number)]}, ":e": {"N": str(NOW)}},
            ReturnConsumedCapacity="TOTAL",
            ReturnValues="ALL_NEW",
        )
    done = answer["Attributes"]["done"]["NS"]
    assert len(done) == BATCH
    # A number takes a byte for every two digits and one or two more; names and keys are added.
    assert sum(4 for _ in done) + 80 + 4 + 60 < 1024


def test_findings_are_read_in_the_documents_order(wiring: MotoWiring) -> None:
    """Whichever chunk was scanned first; with the first findings, and the count of all."""
    begin(wiring, BATCH + 2)
    found = [Finding("card number", at, 0, f"**** {at}") for at in range(10)]
    for number in (BATCH + 1, 3, BATCH, 0):
        wiring.scans.record(
            EXECUTION, ScannedChunk(number, number + 1, {"card number": 15}, found), NOW
        )
    chunks = list(wiring.scans.scanned_chunks(EXECUTION, BATCH + 2))
    assert [chunk.number for chunk in chunks] == [0, 3, BATCH, BATCH + 1]
    assert chunks[0] == ScannedChunk(0, 1, {"card number": 15}, found)


def test_scans_are_counted_separately(wiring: MotoWiring) -> None:
    """Even if the name of one begins with the name of another."""
    for scan in ("a", "a#0", "a-b"):
        wiring.scans.begin(scan, chunks=2, chunk_bytes=600, task_token=f"token of {scan}", now=NOW)
    _, last = [wiring.scans.count("a", number, chunks=2, now=NOW) for number in (0, 1)]
    assert last is not None
    assert last.task_token == "token of a"
    other = wiring.scans.progress("a-b")
    assert other is not None
    assert other.full_batches == frozenset()


def test_every_item_expires(wiring: MotoWiring) -> None:
    """After 90 days, when Step Functions forgets the execution's history too."""
    begin(wiring, 1)
    wiring.scans.record(EXECUTION, ScannedChunk(0, 0, {}, []), NOW)
    wiring.scans.count(EXECUTION, 0, chunks=1, now=NOW)
    items = wiring.dynamodb.scan(TableName="scans")["Items"]
    assert [item["expiresAt"]["N"] for item in items] == [str(NOW // 1000 + 90 * 86_400)] * 3
