"""The beginning of a text that may be long, by the lines that a phone makes of it."""

from itertools import accumulate

from .layout import clusters

COLUMNS = 40
"""Characters of a line on a phone."""


def excerpt(text: str, lines: int, columns: int = COLUMNS) -> tuple[str, str]:
    """Return what fits into so many lines, and the rest; both together are the text.

    Two more lines are no rest: a fold or a pointer would take as much room.
    """
    if height(text, columns) <= lines + 2:
        return text, ""
    end = taken = 0
    for line in text.splitlines(keepends=True):
        needed = height(line, columns)
        if taken + needed > lines:
            end += _end_of_words(line, (lines - taken) * columns)
            break
        taken, end = taken + needed, end + len(line)
    return text[:end], text[end:]


def height(text: str, columns: int = COLUMNS) -> int:
    """Return how many lines the text takes on a phone, roughly."""
    return sum(max(-(-len(line) // columns), 1) for line in text.splitlines()) or 1


def _end_of_words(line: str, most: int) -> int:
    """Return where the last word of the first `most` characters ends; without blanks, a cluster."""
    blank = max(line.rfind(" ", 0, most), line.rfind("\t", 0, most))
    if blank > 0:
        return blank + 1
    ends = accumulate(map(len, clusters(line[: most + 1])))
    return max((end for end in ends if end <= most), default=0)
