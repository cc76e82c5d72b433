"""The console's page of figures: how many requests were decided, how, and how fast."""

from datetime import timedelta

from ...domain.approval import DECIDED
from ...domain.figures import LIMITS, Figures
from ..pages.markup import NOTHING, Markup
from ..pages.parts import Page, joined
from ..wording import count, duration, when
from .charts import Bar, chart
from .frame import Visit, console_page, fill

_FACT = Markup("<div><dt>{}</dt><dd>{}</dd></div>\n")
_UNCOVERED = Markup(
    '<p class="fact">What was asked before {} is not counted, so earlier days are incomplete.</p>\n'
)
_SERIES = [(outcome, outcome) for outcome in DECIDED]


def figures_page(visit: Visit, figures: Figures, *, most: int, most_waiting: int) -> Page:
    """Return the page; so many approvals were counted at the most."""
    outcomes = figures.outcomes
    facts = [
        ("Median time to decide", _time(figures.median)),
        ("95% are decided within", _time(figures.percentile_95)),
        *((outcome.capitalize(), str(outcomes[outcome])) for outcome in DECIDED),
        ("Mails that wait", str(figures.waiting_mails)),
    ]
    days = [
        Bar(f"{day:%Y-%m-%d}", f"{day:%d}", [counted[o] for o in DECIDED])
        for day, counted in figures.days
    ]
    spans = [
        Bar(name, short, [number])
        for (name, short), number in zip(_names(), figures.spans, strict=True)
    ]
    content = fill(
        "figures",
        counted=f"{count(outcomes.total(), 'decided request').capitalize()}, those asked last, "
        f"{most} at most",
        uncovered=_uncovered(figures) if outcomes.total() == most else NOTHING,
        most_waiting=most_waiting,
        facts=joined(_FACT.format(*fact) for fact in facts),
        days=chart("days", "Closed on each of the last days (UTC)", _SERIES, days),
        spans=chart("spans", "Time to decide", [("decisions", "decisions")], spans),
    )
    return console_page(visit, "/figures", "Figures", content)


def _uncovered(figures: Figures) -> Markup:
    """Return which days may be incomplete: older requests aren't counted."""
    if figures.oldest is None:
        return NOTHING
    return _UNCOVERED.format(when(figures.oldest))


def _time(time: timedelta | None) -> str:
    return "–" if time is None else duration(time)


def _names() -> list[tuple[str, str]]:
    """Return a name of each span, and a short one."""
    upper = [(f"up to {duration(limit)}", _short(limit)) for limit in LIMITS]
    longest = LIMITS[-1]
    return [*upper, (f"more than {duration(longest)}", _short(longest).replace("≤", ">"))]


def _short(limit: timedelta) -> str:
    minutes = int(limit.total_seconds()) // 60
    if minutes < 60:
        return f"≤{minutes} min"
    return f"≤{minutes // 60} h" if minutes < 1_440 else f"≤{minutes // 1_440} d"
