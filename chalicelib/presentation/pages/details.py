"""The details of a request: the first of them in sight, and what remains behind a fold."""

from itertools import accumulate, takewhile

from ...domain.approval import Approval
from ..excerpt import COLUMNS, excerpt, height
from ..wording import count, detail_rows
from .markup import NOTHING, Markup
from .parts import joined

_LINES = 8
"""More lines of details would move the buttons out of a phone's first screen."""
_VALUE_COLUMNS = 24
"""Characters of a line for which a value has room beside its label."""

_HEADED = Markup('<h2 class="unseen">Details</h2>\n{}')
_ROW = Markup('<tr><th scope="row">{}</th><td>{}</td></tr>\n')
_TABLE = Markup('<table dir="auto">\n{}</table>\n')
_PROSE = Markup('<div class="prose" dir="auto">{}</div>\n')
_FOLD = Markup("<details><summary>{}</summary>\n{}</details>\n")


def details(approval: Approval, *, headed: bool = True) -> Markup:
    """Return the details, under a heading unless they have one already; empty if there are none.

    As many rows or lines as a phone's first screen holds are shown; the rest is folded.
    """
    shown = approval.request.details
    if not shown:
        return NOTHING
    rows = _prose(shown) if isinstance(shown, str) else _table(detail_rows(approval))
    return _HEADED.format(rows) if headed else rows


def _table(rows: list[tuple[str, str]]) -> Markup:
    heights = [max(height(text, _VALUE_COLUMNS) for text in row) for row in rows]
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
    return _ROW.format(label, _begun(value, _VALUE_COLUMNS))


def _prose(text: str) -> Markup:
    return _PROSE.format(_begun(text, COLUMNS))


def _begun(text: str, columns: int) -> Markup:
    """Return the text, of which only the beginning is in sight if it is long."""
    begin, rest = excerpt(text, _LINES, columns)
    fold = _FOLD.format(f"{len(rest):,} more characters", rest) if rest else NOTHING
    return Markup.escape(begin) + fold
