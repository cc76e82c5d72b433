"""A state machine as a picture: its states as a tree, coloured by what happened in an execution.

A state stands below the one that leads to it first: the next one under it, those of choices and
caught errors a step to the right before that. A further way to a state is a line with its name.
States inside of Parallel and Map aren't drawn.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ...domain.execution_history import ExecutionHistory, StateRun
from ..layout import cut
from ..pages.markup import Markup
from ..pages.parts import joined
from ..wording import when

_ROW, _BOX, _STEP, _WIDTH = 50, 28, 22, 330
"""Heights of a line and its box, the step to the right of each level, and the width, in pixels."""
_CHARACTERS = 28
"""A longer name doesn't fit into its box."""
_DEEPEST = 6
"""So many steps to the right at the most: boxes have to hold their names."""
_SVG = Markup(
    '<div class="wide" role="region" aria-label="Workflow" tabindex="0">\n'
    '<svg class="states" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
    'role="img" aria-label="The states of the workflow; the table below says the same">\n'
    "{lines}</svg>\n</div>\n"
)
_LINE = Markup('<path class="way" d="M{x} {top}V{y}H{to}"/>\n')
_STATE = Markup(
    '<g class="{status}"><rect x="{x}" y="{y}" width="{width}" height="{box}" rx="6"/>'
    '<text x="{text_x}" y="{text_y}">{sign}{name}</text></g>\n'
)
_WAY = Markup('<text class="label" x="{x}" y="{y}">{words}</text>\n')
_WORDS = {"passed": "passed", "failed": "failed", "waits": "waiting", "stopped": "stopped"}
_SIGNS = {"passed": "✓ ", "failed": "✕ ", "waits": "… ", "stopped": "■ "}
_TABLE = Markup(
    "<details><summary>The states as a table</summary>\n<table>\n<thead><tr>"
    '<th scope="col">State</th><th scope="col">What happened</th><th scope="col">When</th></tr>'
    "</thead>\n<tbody>\n{}</tbody>\n</table>\n</details>\n"
)
_TABLE_ROW = Markup('<tr><th scope="row">{}</th><td>{}</td><td>{}</td></tr>\n')


class Line(NamedTuple):
    """One line of the picture."""

    name: str
    depth: int
    above: int = 0
    """The number of the line that leads here."""
    way: str = ""
    """How: the error that is caught, or a choice; "" if always."""
    is_again: bool = False
    """Whether the state itself stands in another line."""
    ends: str = ""
    """The state that ends the workflow here; the line is its end."""


def state_picture(history: ExecutionHistory) -> Markup:
    """Return the picture, and a table of the states that were entered."""
    lines = _lines(history.definition)
    runs = {run.name: run for run in history.states}
    drawn = joined(
        _drawn(lines, number, _status(line, runs, history)) for number, line in enumerate(lines)
    )
    height = _ROW * len(lines) + 4
    rows = joined(
        _TABLE_ROW.format(s.name, _happened(s), when(s.entered_at)) for s in history.states
    )
    return _SVG.format(width=_WIDTH, height=height, lines=drawn) + _TABLE.format(rows)


def _lines(definition: Mapping[str, Any]) -> list[Line]:
    """Return the lines, each state after one that leads to it."""
    states: Mapping[str, Any] = definition.get("States", {})
    lines, seen = list[Line](), set[str]()
    ahead = [Line(str(definition.get("StartAt")), 0)]
    while ahead:
        line = ahead.pop()
        if line.name not in states:
            continue
        number = len(lines)
        lines.append(line._replace(is_again=line.name in seen))
        if line.name in seen:
            continue
        seen.add(line.name)
        state: Mapping[str, Any] = states[line.name]
        right = min(line.depth + 1, _DEEPEST)
        if state.get("End") is True:
            lines.append(Line("End", right, number, ends=line.name))
        if "Next" in state:
            ahead.append(Line(str(state["Next"]), line.depth, number))
        ways = [Line(name, right, number, way) for name, way in _ways(state)]
        ahead += reversed(ways)
    return lines


def _ways(state: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the states that one leads to by a choice or an error, and how."""
    for choice in state.get("Choices", ()):
        yield str(choice.get("Next")), "if its condition is met"
    if "Default" in state:
        yield str(state["Default"]), "otherwise"
    for catch in state.get("Catch", ()):
        yield str(catch.get("Next")), "on " + ", ".join(map(str, catch.get("ErrorEquals", ())))


def _status(line: Line, runs: Mapping[str, StateRun], history: ExecutionHistory) -> str:
    """Return the class of a line's box."""
    if line.is_again:
        return "again"
    if line.ends:
        last = history.states[-1].name if history.states else ""
        return "passed" if history.has_succeeded and last == line.ends else ""
    return runs[line.name].status if line.name in runs else ""


def _drawn(lines: list[Line], number: int, status: str) -> Markup:
    line, above = lines[number], lines[lines[number].above]
    x, y = 2 + line.depth * _STEP, number * _ROW + _ROW - _BOX
    parts = []
    if number:
        corner, top = 2 + above.depth * _STEP + 10, line.above * _ROW + _ROW
        to = y + _BOX // 2 if line.depth > above.depth else y
        parts.append(_LINE.format(x=corner, top=top, y=to, to=max(x, corner)))
    if line.way:
        parts.append(_WAY.format(x=x + 2, y=y - 5, words=cut(line.way, _CHARACTERS + 8)))
    parts.append(
        _STATE.format(
            status=status,
            x=x,
            y=y,
            width=_WIDTH - x - 2,
            box=_BOX,
            text_x=x + 8,
            text_y=y + 19,
            sign=_SIGNS.get(status, ""),
            name=cut(line.name, _CHARACTERS) + (", as above" if line.is_again else ""),
        )
    )
    return joined(parts)


def _happened(run: StateRun) -> str:
    return f"ended with {run.error}" if run.error else _WORDS[run.status]
