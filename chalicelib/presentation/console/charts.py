"""Small charts as SVG, each with a table behind it that says the same."""

from collections.abc import Sequence
from typing import NamedTuple

from ..pages.markup import Markup
from ..pages.parts import joined

_WIDTH, _HEIGHT, _FOOT, _TOP = 340, 150, 20, 14
"""Of a chart, of the labels below its bars, and of the numbers above them, in pixels."""
_CHART = Markup(
    '<figure class="chart">\n<figcaption id="{id}">{title}</figcaption>\n'
    '<svg viewBox="0 0 {width} {height}" role="img" aria-labelledby="{id}">\n'
    "{bars}</svg>\n"
    "<details><summary>The same as a table</summary>\n<table>\n<thead><tr>{heads}</tr></thead>\n"
    "<tbody>\n{rows}</tbody>\n</table>\n</details>\n</figure>\n"
)
_PART = Markup('<rect class="{}" x="{}" y="{}" width="{}" height="{}"/>\n')
_NUMBER = Markup('<text class="number" x="{}" y="{}">{}</text>\n')
_LABEL = Markup('<text class="label" x="{}" y="{}">{}</text>\n')
_HEAD = Markup('<th scope="col">{}</th>')
_ROW = Markup('<tr><th scope="row">{}</th>{}</tr>\n')
_CELL = Markup("<td>{}</td>")


class Bar(NamedTuple):
    """One bar; `short` stands below it, `name` in the table."""

    name: str
    short: str
    parts: Sequence[int]


def chart(
    chart_id: str, title: str, series: Sequence[tuple[str, str]], bars: Sequence[Bar]
) -> Markup:
    """Return a chart of bars, each stacked of its parts; `series` has a part's class and name."""
    highest = max((sum(bar.parts) for bar in bars), default=0)
    step = _WIDTH / max(len(bars), 1)
    drawn = joined(_drawn(bar, place, step, highest, series) for place, bar in enumerate(bars))
    heads = joined(_HEAD.format(name) for name in ("", *(name for _, name in series)))
    rows = joined(
        _ROW.format(bar.name, joined(_CELL.format(part) for part in bar.parts)) for bar in bars
    )
    return _CHART.format(
        id=chart_id,
        title=title,
        width=_WIDTH,
        height=_HEIGHT,
        bars=drawn,
        heads=heads,
        rows=rows,
    )


def _drawn(
    bar: Bar, place: int, step: float, highest: int, series: Sequence[tuple[str, str]]
) -> Markup:
    room = _HEIGHT - _FOOT - _TOP
    floor: float = _HEIGHT - _FOOT
    x, middle, drawn = place * step + step * 0.12, place * step + step / 2, []
    for part, (look, _) in zip(bar.parts, series, strict=True):
        height = room * part / highest if highest else 0
        floor -= height
        if part:
            drawn.append(_PART.format(look, *_rounded(x, floor, step * 0.76, height)))
    if sum(bar.parts):
        drawn.append(_NUMBER.format(*_rounded(middle, floor - 3), sum(bar.parts)))
    drawn.append(_LABEL.format(*_rounded(middle, _HEIGHT - 5), bar.short))
    return joined(drawn)


def _rounded(*pixels: float) -> tuple[float, ...]:
    return tuple(round(one, 1) for one in pixels)
