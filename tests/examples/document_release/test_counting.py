"""What counting costs: the same for each chunk, however many there are."""

import pytest

from examples.document_release.chalicelib.counting import BATCH
from examples.document_release.chalicelib.scan import Finding, Looked
from tests.aws.table import calls
from tests.examples.document_release.world import EXECUTION, TOKEN, World

NOW = 1_795_000_000_000


def begun(world: World, chunks: int) -> None:
    """Begin a scan of that many chunks."""
    world.counting.begin(EXECUTION, chunks, 600, TOKEN, NOW)


@pytest.mark.parametrize("chunks", [1, BATCH - 1, BATCH, BATCH + 1, 3 * BATCH])
def test_it_is_complete_with_its_last_chunk(world: World, chunks: int) -> None:
    """At every size around a batch; whoever counts the last again is told again."""
    begun(world, chunks)
    for number in range(chunks - 1):
        told = world.counting.count(EXECUTION, number, chunks, NOW)
        assert told is None or not told.complete
    for _ in range(2):
        told = world.counting.count(EXECUTION, chunks - 1, chunks, NOW)
        assert told is not None
        assert (told.complete, told.task_token, told.chunks) == (True, TOKEN, chunks)


def test_a_chunk_costs_two_writes_and_a_batch_one_more(world: World) -> None:
    """None of them is a transaction, none grows with the document."""
    begun(world, 10 * BATCH)
    made = calls(world.dynamodb)
    for number in range(BATCH):
        world.counting.record(EXECUTION, Looked(number, 0, {}, []), NOW)
        world.counting.count(EXECUTION, number, 10 * BATCH, NOW)
    names = [name for name, _ in made]
    assert names == ["PutItem", "UpdateItem"] * BATCH + ["UpdateItem"]


def test_a_full_counter_is_smaller_than_one_unit(world: World) -> None:
    """A write is billed by the KB: at its fullest, at the largest numbers, a counter is below."""
    scan = "n" * 80
    world.counting.begin(scan, 10_000, 600, TOKEN, NOW)
    for number in range(10_000 - BATCH, 10_000):
        answer = world.dynamodb.update_item(
            TableName="scans",
            Key={"pk": {"S": f"{scan}#{number // BATCH}"}, "sk": {"N": "-1"}},
            UpdateExpression="SET expiresAt = :e ADD done :n",
            ExpressionAttributeValues={":n": {"NS": [str(number)]}, ":e": {"N": str(NOW)}},
            ReturnConsumedCapacity="TOTAL",
            ReturnValues="ALL_NEW",
        )
    done = answer["Attributes"]["done"]["NS"]
    assert len(done) == BATCH
    # A number takes a byte for each two digits and one or two more; names and keys come on top.
    assert sum(4 for _ in done) + 80 + 4 + 60 < 1024


def test_what_a_chunk_holds_comes_back_in_the_documents_order(world: World) -> None:
    """Whoever was first; with the first findings by place, and all of them by number."""
    begun(world, BATCH + 2)
    found = [Finding("card number", at, 0, f"**** {at}") for at in range(10)]
    for number in (BATCH + 1, 3, BATCH, 0):
        looked = Looked(number, number + 1, {"card number": 15}, found)
        world.counting.record(EXECUTION, looked, NOW)
    back = list(world.counting.looked(EXECUTION, BATCH + 2))
    assert [chunk.number for chunk in back] == [0, 3, BATCH, BATCH + 1]
    assert back[0] == Looked(0, 1, {"card number": 15}, found)


def test_two_scans_are_nothing_to_each_other(world: World) -> None:
    """Not even where one's name begins with the other's."""
    for scan in ("a", "a#0", "a-b"):
        world.counting.begin(scan, 2, 600, f"token of {scan}", NOW)
    told = [world.counting.count("a", number, 2, NOW) for number in (0, 1)]
    assert told[1] is not None
    assert told[1].task_token == "token of a"
    other = world.counting.find("a-b")
    assert other is not None
    assert other.full == frozenset()


def test_every_item_goes_by_itself_in_the_end(world: World) -> None:
    """After as long as Step Functions keeps an execution's history."""
    begun(world, 1)
    world.counting.record(EXECUTION, Looked(0, 0, {}, []), NOW)
    world.counting.count(EXECUTION, 0, 1, NOW)
    items = world.dynamodb.scan(TableName="scans")["Items"]
    assert [item["expiresAt"]["N"] for item in items] == [str(NOW // 1000 + 90 * 86_400)] * 3
