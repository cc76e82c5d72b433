"""Finds sensitive data in a chunk of text: card numbers, e-mail addresses, IBANs, keys.

The kinds of findings are in `patterns.py`. A finding holds a mask, never the data itself.
"""

import codecs
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from .chunks import Chunk
from .patterns import RULES

MAX_FINDINGS = 10
"""The number of findings that are kept of a chunk; all are counted."""


class Finding(NamedTuple):
    """A finding at byte `offset` of the document, on line `line` of the chunk, both from 0."""

    kind: str
    offset: int
    line: int
    mask: str


class UnreadableError(Exception):
    """A document or chunk is missing, too large or no text; the message says which."""


class ScannedChunk(NamedTuple):
    """The lines of a chunk's body, its findings counted by kind, and the first of them."""

    number: int
    lines: int
    counts: Mapping[str, int]
    findings: Sequence[Finding]


def scan(chunk: Chunk) -> ScannedChunk:
    """Return what was found in the chunk's body; raise UnreadableError as `find` does."""
    findings = find(chunk)
    return ScannedChunk(
        number=chunk.number,
        lines=chunk.data.count(b"\n", chunk.before, chunk.before + chunk.body),
        counts=Counter(finding.kind for finding in findings),
        findings=findings[:MAX_FINDINGS],
    )


def find(chunk: Chunk) -> list[Finding]:
    """Return the findings that begin in the chunk's body, in order.

    Raises UnreadableError if the body isn't UTF-8 or has a NUL (as UTF-16 does): nothing can be
    said about text that can't be read.
    """
    _refuse_unreadable(chunk)
    end = chunk.before + chunk.body
    found = {match for match in _matches(chunk.data) if chunk.before <= match[0] < end}
    findings = []
    line, counted = 0, chunk.before
    for place, kind, mask in sorted(found):
        line += chunk.data.count(b"\n", counted, place)
        counted = place
        findings.append(Finding(kind, chunk.start + place - chunk.before, line, mask))
    return findings


def _refuse_unreadable(chunk: Chunk) -> None:
    """Raise UnreadableError if the body is no text. The margins are checked with their bodies."""
    first = chunk.start - chunk.before
    end = chunk.before + chunk.body
    cut = 0  # the margin may begin in the middle of a character
    while chunk.before and cut < 3 and chunk.data[cut] & 0xC0 == 0x80:
        cut += 1
    try:
        codecs.getincrementaldecoder("utf-8")().decode(chunk.data[cut:])
    except UnicodeDecodeError as e:
        if chunk.before <= (wrong := cut + e.start) < end:
            raise UnreadableError(f"byte {first + wrong:,} is no UTF-8 text") from None
    if (nul := chunk.data.find(b"\0", chunk.before, end)) >= 0:
        raise UnreadableError(f"byte {first + nul:,} is a NUL, which no text has")


def _matches(data: bytes) -> Iterator[tuple[int, str, str]]:
    """Yield the place, kind and mask of each finding."""
    for kind, candidates, mask_at in RULES:
        for place in candidates.finditer(data):
            mask = mask_at(data, place.start())
            if mask is not None:
                yield place.start(), kind, mask
