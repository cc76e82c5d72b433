"""A document split into chunks: no byte is lost, and no more is read than needed."""

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from examples.document_release.chalicelib.chunks import Chunk, count, split

PARTS = st.lists(st.binary(min_size=1, max_size=12), max_size=12)


@settings(deadline=None)
@given(parts=PARTS, chunk_bytes=st.integers(1, 20), margin=st.integers(0, 30))
def test_the_bodies_are_the_document_and_the_margins_their_surroundings(
    parts: list[bytes], chunk_bytes: int, margin: int
) -> None:
    """In whatever parts it comes, each byte is in one body, and in its neighbours' margins."""
    document = b"".join(parts)
    chunks = list(split(parts, chunk_bytes, margin))
    assert [chunk.number for chunk in chunks] == list(range(count(len(document), chunk_bytes)))
    assert b"".join(_body(chunk) for chunk in chunks) == document
    for chunk in chunks:
        assert chunk.start == chunk.number * chunk_bytes
        first = max(0, chunk.start - margin)
        assert chunk.before == chunk.start - first
        assert chunk.data == document[first : chunk.start + chunk.body + margin]


@pytest.mark.parametrize(("size", "number"), [(0, 1), (1, 1), (10, 1), (11, 2), (20, 2), (21, 3)])
def test_the_last_chunk_may_be_short(size: int, number: int) -> None:
    """An empty document is one chunk."""
    assert count(size, 10) == number
    assert len(list(split([b"x" * size], 10))) == number


def test_no_more_is_read_than_the_next_chunk_needs() -> None:
    """A reader that takes one chunk at a time holds one chunk of a document of any size."""
    read = 0

    def parts() -> Iterator[bytes]:
        nonlocal read
        while True:  # a document without an end
            read += 100
            yield b"x" * 100

    chunks = split(parts(), 1_000, margin=50)
    for number in range(1, 5):
        chunk = next(chunks)
        assert len(chunk.data) <= 1_100
        assert read <= number * 1_000 + 50 + 100


def _body(chunk: Chunk) -> bytes:
    return chunk.data[chunk.before : chunk.before + chunk.body]
