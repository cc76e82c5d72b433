"""The meter: capacity units of reads, as DynamoDB charges them."""

from bench.meter import read_units, size


def test_reads_are_charged_by_size() -> None:
    """Each 4 KB, begun or full, is one unit; an item's size is its names plus its values."""
    assert [read_units(n) for n in (0, 1, 4_096, 4_097, 40_960)] == [1, 1, 1, 2, 10]
    assert size({"pk": {"S": "é"}, "version": {"N": "12"}}) == 2 + 2 + 7 + 2
