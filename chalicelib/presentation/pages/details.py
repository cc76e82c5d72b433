"""The details of a request: the first of them in sight, and what remains behind a fold."""

from itertools import accumulate, takewhile

from markupsafe import Markup

from ...domain.approval import Approval
from ..layout import clusters
from ..wording import count, detail_rows
from .parts import joined

_LINES = 8
"""More lines of details would move the buttons out of a phone's first screen."""
_COLUMNS = 40
"""Characters of a line on a phone; a value beside its label has room for 24."""
_VALUE_COLUMNS = 24

_ROW = Markup('<tr><th scope="row">{}</th><td>{}</td></tr>\n')
_TABLE = Markup('<table dir="auto">\n{}</table>\n')
_PROSE = Markup('<div class="prose" dir="auto">{}</div>\n')
_FOLD = Markup("<details><summary>{}</summary>\n{}</details>\n")


def details(approval: Approval) -> Markup:
    """Return the details under a heading; empty if there are none.

    As many rows or lines as a phone's first screen holds are shown; the rest is folded.
    """
    shown = approval.request.details
    if not shown:
        return Markup("")
    heading = Markup('<h2 class="unseen">Details</h2>\n')
    return heading + (_prose(shown) if isinstance(shown, str) else _table(detail_rows(approval)))


def _table(rows: list[tuple[str, str]]) -> Markup:
    heights = [max(_lines(text, _VALUE_COLUMNS) for text in row) for row in rows]
    ends = list(accumulate(heights))
    fitting = len(list(takewhile(lambda end: end <= _LINES, ends)))
    # A fold takes the room of two lines itself, and the first row is in sight whatever its length.
    kept = len(rows) if ends[-1] <= _LINES + 2 else max(fitting, 1)
    first, rest = rows[:kept], rows[kept:]
    table = _TABLE.format(joined(_row(*row, folded=len(first) == 1) for row in first))
    if not rest:
        return table
    more = _TABLE.format(joined(_ROW.format(*row) for row in rest))
    return table + _FOLD.format(f"{count(len(rest), 'more row')}", more)


def _row(label: str, value: str, *, folded: bool) -> Markup:
    if not folded:
        return _ROW.format(label, value)
    begin, rest = _split(value, _VALUE_COLUMNS)
    return _ROW.format(label, begin + _rest(rest) if rest else value)


def _prose(text: str) -> Markup:
    begin, rest = _split(text, _COLUMNS)
    return _PROSE.format(begin + _rest(rest) if rest else text)


def _rest(text: str) -> Markup:
    characters = f"{len(text):,} more characters"
    return _FOLD.format(characters, text)


def _split(text: str, columns: int) -> tuple[Markup, str]:
    """Return what fits into the lines in sight, and the rest; both together are the text."""
    if _lines(text, columns) <= _LINES + 2:
        return Markup.escape(text), ""
    end = _end(text, columns)
    return Markup.escape(text[:end]), text[end:]


def _end(text: str, columns: int) -> int:
    """Return where the lines in sight end: behind a line or, in a long one, behind a word."""
    end = lines = 0
    for line in text.splitlines(keepends=True):
        taken = _lines(line, columns)
        if lines + taken > _LINES:
            return end + _end_of_words(line, (_LINES - lines) * columns)
        lines, end = lines + taken, end + len(line)
    return end


def _end_of_words(line: str, most: int) -> int:
    """Return where the last word of the first `most` characters ends; without blanks, a cluster."""
    blank = max(line.rfind(" ", 0, most), line.rfind("\t", 0, most))
    if blank > 0:
        return blank + 1
    ends = accumulate(map(len, clusters(line[: most + 1])))
    return max((end for end in ends if end <= most), default=0)


def _lines(text: str, columns: int) -> int:
    """Return how many lines the text takes on a phone, roughly."""
    return sum(max(-(-len(line) // columns), 1) for line in text.splitlines()) or 1
