"""CORE: a document -> chunks that can be looked at apart, so that nothing is lost between two.

Each chunk has a body, which is its own, and a margin of its neighbours' text on either side. What
begins in a body is found by that chunk and by no other, and ends within its margin (`scan.REACH`).
So the chunks together find what the whole would, and each thing once.
"""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import NamedTuple

MARGIN = 512
"""Bytes of its neighbours' text that a chunk has on either side; more than `scan.REACH`."""


class Chunk(NamedTuple):
    """`data` is `before` bytes of margin, `body` bytes of the chunk's own, and margin again.

    The body begins at byte `start` of the document.
    """

    number: int
    start: int
    before: int
    body: int
    data: bytes


def count(document_bytes: int, chunk_bytes: int) -> int:
    """Return how many chunks a document of that size has; an empty one has one."""
    return max(1, -(-document_bytes // chunk_bytes))


def chunks(parts: Iterable[bytes], chunk_bytes: int, margin: int = MARGIN) -> Iterator[Chunk]:
    """Yield the chunks of the document that `parts` are, each as soon as it is complete.

    No more than one chunk, its margins and one part are held at a time.
    """
    held = bytearray()
    number = before = 0
    at_the_end = (b"", 0)  # there, no margin follows
    for part, after in chain(((part, margin) for part in parts), [at_the_end]):
        held += part
        while len(held) > (end := before + chunk_bytes) + after:
            yield Chunk(
                number, number * chunk_bytes, before, chunk_bytes, bytes(held[: end + margin])
            )
            number, before = number + 1, min(margin, end)
            del held[: end - before]
    yield Chunk(number, number * chunk_bytes, before, len(held) - before, bytes(held))
