"""Text in lines: wrapped and cut between grapheme clusters, measured in columns or bytes.

A grapheme cluster is a character as readers see it: a letter with its accents, a flag, a Thai or
Indic syllable, a family of emoji. wcwidth has Unicode's tables of them.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from itertools import accumulate, groupby

COLUMNS = 78
LINE_BYTES = 900
"""A line of a mail has 998 bytes at most (RFC 5322), of which encodings may need some."""

_EACH_ITS_OWN = "\u0300"
"""The first character that may belong to the one before it."""
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_UNBREAKABLE = "\u00a0\u2007\u202f"
_LINK = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,15}://[!-~]{1,900}")
"""A link is never broken; a line of a mail has 998 bytes at most (RFC 5322)."""


def clusters(text: str) -> Iterator[str]:
    """Return the grapheme clusters of the text."""
    if max(text, default="") < _EACH_ITS_OWN:
        return iter(text)
    from wcwidth import iter_graphemes  # noqa: PLC0415 (most texts don't pay for its tables)

    return iter_graphemes(text)


def columns(text: str) -> int:
    """Return the columns that the text takes; a wide character takes two."""
    if max(text, default="") < _EACH_ITS_OWN:
        return len(text)
    from wcwidth import wcswidth  # noqa: PLC0415 (as above)

    return max(wcswidth(text), 0)


def cut(text: str, most: int, mark: str = "…") -> str:
    """Return the text, or its beginning and the mark; never more than `most` characters."""
    if len(text) <= most:
        return text
    room = max(most - len(mark), 0)
    ends = accumulate(map(len, clusters(text[: room + 1])), initial=0)
    return text[: max(end for end in ends if end <= room)].rstrip() + mark


def flow(text: str, mark: str = "") -> str:
    """Return the text in one line after the mark, which the reader's mail program wraps.

    A text longer than LINE_BYTES has several. Tabs and line breaks become blanks.
    """
    return wrap(text, mark, width=LINE_BYTES, size=_bytes)


def wrap(
    text: str, indent: str = "", *, width: int = COLUMNS, size: Callable[[str], int] = columns
) -> str:
    """Return the text in lines of at most that width, each after the indent.

    A longer link has a line of its own. Tabs and line breaks become blanks.
    """
    lines, line, gap = list[str](), indent, ""
    begun = False
    for atom in _atoms(_UNPRINTABLE.sub(" ", text), width - size(indent), size):
        if _is_blank(atom):
            gap += atom
            continue
        if size(line + gap + atom) > width:
            if begun:
                lines.append(line)
                line = indent
            gap = ""
        line, gap, begun = line + gap + atom, "", True
    return "\n".join([*lines, line] if begun else lines)


def _bytes(text: str) -> int:
    return len(text.encode())


def _atoms(text: str, width: int, size: Callable[[str], int]) -> Iterator[str]:
    """Yield runs of blanks, and the words between in the parts that a line may not break."""
    for blank, run in groupby(clusters(text), _is_blank):
        word = "".join(run)
        if blank or size(word) <= width:
            yield word
            continue
        starts = [0, *accumulate(map(len, clusters(word)))]
        done = 0
        for link in _LINK.finditer(word):
            start, end = _inside(starts, link.start()), _inside(starts, link.end())
            yield from _fitting(word[done:start], width, size)
            yield word[start:end]
            done = end
        yield from _fitting(word[done:], width, size)


def _fitting(word: str, width: int, size: Callable[[str], int]) -> Iterator[str]:
    """Yield the word, or its clusters if no line can hold it."""
    if not word:
        return
    yield from [word] if size(word) <= width else clusters(word)


def _inside(starts: list[int], place: int) -> int:
    """Return the place at which the cluster there starts."""
    return starts[bisect_right(starts, place) - 1]


def _is_blank(text: str) -> bool:
    return text.isspace() and text not in _UNBREAKABLE
