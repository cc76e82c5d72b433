"""Splits a document into chunks that can be scanned independently of each other.

Each chunk has a body, which no other chunk has, and a margin of its neighbours' text on either
side. A finding belongs to the chunk in whose body it begins, and ends within that chunk's margin
(`patterns.REACH`). So the chunks together find exactly what a scan of the whole document would.
"""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import NamedTuple

MARGIN = 512
"""Bytes of its neighbours' text on either side of a chunk's body; more than `patterns.REACH`."""


class Chunk(NamedTuple):
    """`data` is `before` bytes of margin, then `body` bytes of body, then the second margin.

    The body begins at byte `start` of the document.
    """

    number: int
    start: int
    before: int
    body: int
    data: bytes


def count(document_bytes: int, chunk_bytes: int) -> int:
    """Return the number of chunks of a document with that size; an empty document has one."""
    return max(1, -(-document_bytes // chunk_bytes))


def split(parts: Iterable[bytes], chunk_bytes: int, margin: int = MARGIN) -> Iterator[Chunk]:
    """Yield the chunks of a document that comes in parts, each as soon as it is complete.

    No more than one chunk, its margins and one part are in memory at a time.
    """
    buffer = bytearray()
    number = before = 0
    end_of_document = (b"", 0)  # after which there is no margin
    for part, after in chain(((part, margin) for part in parts), [end_of_document]):
        buffer += part
        while len(buffer) > (end := before + chunk_bytes) + after:
            yield Chunk(
                number, number * chunk_bytes, before, chunk_bytes, bytes(buffer[: end + margin])
            )
            number, before = number + 1, min(margin, end)
            del buffer[: end - before]
    yield Chunk(number, number * chunk_bytes, before, len(buffer) - before, bytes(buffer))
