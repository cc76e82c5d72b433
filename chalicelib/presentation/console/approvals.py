"""The console's first page: which approvals wait, for whom and why; and those that are decided."""

from collections.abc import Sequence
from typing import NamedTuple

from ...domain.approval import Approval
from ...domain.decidability import why_undecidable
from ..groups import are_named, groups_so_far
from ..pages.fields import FormError, error_attributes, field_error
from ..pages.markup import NOTHING, Markup
from ..pages.parts import Page, joined
from ..wording import (
    answer_by,
    asked_again,
    count,
    deadline,
    outcome_title,
    requester,
    when,
)
from .frame import Visit, approver_href, console_page, fill, next_page, options
from .people import people

LISTS = {
    "waiting": "Waiting",
    "overdue": "Overdue",
    "soon": "Due soon",
    "decided": "Decided",
}
"""Value of `show` -> the name of the list."""
SEARCHES = {
    "approver": "approver (address)",
    "requester": "requester (address)",
    "id": "reference",
    "execution": "execution (name or ARN)",
    "policy": "policy (name)",
}
"""Value of `by` -> what is looked for."""
PEOPLE = 6
"""More approvers of an approval aren't named in the list."""

_MEANING = {
    "waiting": "Requests that are not decided yet, newest first.",
    "overdue": "Requests for which Assent itself is late: a mail, an answer to the workflow or an "
    "event should have gone out ten minutes ago. The tick may be failing: see the alarms.",
    "soon": "Requests whose deadline is less than a day away, earliest first.",
    "decided": "Requests that were approved, rejected, cancelled or have expired, newest first.",
}
_TAB = Markup('<li><a href="?show={}"{}>{}</a></li>\n')
_ITEM = Markup(
    '<li class="card">\n<h2><a href="{root}console/approvals/{id}" dir="auto">{subject}</a></h2>\n'
    '<p class="state {outcome}">{state}</p>\n<p class="fact">{asked}</p>\n{again}{people}</li>\n'
)
_WAITING = Markup(
    '<li><a href="{}console/approvals/{}" dir="auto">{}</a>'
    '<span class="fact">Answer by {}</span></li>\n'
)
_WAITINGS = Markup('<ul class="decisions">\n{}</ul>\n')
_PERSON = Markup('<a class="link" href="{}">Does mail reach {}?</a>')
_FACT = Markup('<p class="fact">{}</p>\n')


class Wanted(NamedTuple):
    """What is shown: the list of that name, or, if a text is given, what it finds as a `by`."""

    show: str
    by: str
    text: str


def approvals_page(
    visit: Visit,
    wanted: Wanted,
    approvals: Sequence[Approval],
    *,
    more: str,
    error: FormError | None = None,
) -> Page:
    """Return one page of a list; `more` is the query of the next one, "" if there is none."""
    searched = bool(wanted.text)
    named = _found_by(wanted) if searched else LISTS[wanted.show]
    tabs = joined(
        _TAB.format(show, Markup(' aria-current="page"') if _is(wanted, show) else "", name)
        for show, name in LISTS.items()
    )
    content = fill(
        "approvals",
        tabs=tabs,
        options=options(SEARCHES, wanted.by),
        text=wanted.text,
        problem=field_error("q", error),
        attributes=error_attributes("q", error),
        heading=f"{named}: {_how_many(len(approvals), more=bool(more))}",
        meaning=_meaning(visit, wanted, error),
        items=joined(_item(visit, approval, wanted) for approval in approvals),
        more=next_page(more),
    )
    return console_page(visit, "", named, content, error=error, fields=("q",))


def state(approval: Approval, visit: Visit) -> str:
    """Return the outcome and when, or how far it is and how much time is left."""
    if approval.outcome != "pending":
        at = f" on {when(approval.closed_at)}" if approval.closed_at else ""
        return f"{outcome_title(approval)}{at}"
    day, left = deadline(approval, visit.at)
    until = f"{left[3:]} left, until {day}" if left else f"Its deadline was {day}"
    so_far = f"{approval.approve_count} of {count(approval.approvals_needed, 'approval')}"
    if are_named(approval):
        so_far = groups_so_far(approval)
    against = f", {count(approval.reject_count, 'rejection')}" if approval.reject_count else ""
    return f"{until}; {so_far}{against}"


def waiting_list(visit: Visit, approvals: Sequence[Approval]) -> Markup:
    """Return these approvals as links, each with its deadline; empty if there are none."""
    items = joined(
        _WAITING.format(visit.root, one.id, one.request.subject, answer_by(one, visit.at))
        for one in approvals
    )
    return _WAITINGS.format(items) if items else NOTHING


def cannot_be_approved(approval: Approval) -> str:
    """Return that nobody can approve a pending request any more, and why; "" while somebody can."""
    why = why_undecidable(approval)
    return f"Can't be approved any more: {why}" if why else ""


def _meaning(visit: Visit, wanted: Wanted, error: FormError | None) -> Markup | str:
    """Return what is in a list; for an approver who was looked for, the way to their page."""
    if not wanted.text:
        return _MEANING[wanted.show]
    if wanted.by != "approver" or error is not None:
        return ""
    return _PERSON.format(approver_href(visit, wanted.text), wanted.text)


def _is(wanted: Wanted, show: str) -> bool:
    return not wanted.text and wanted.show == show


def _how_many(number: int, *, more: bool) -> str:
    return f"{count(number, 'request')}{', and more' if more else ''}"


def _found_by(wanted: Wanted) -> str:
    """Return what was looked for; decided requests don't wait for an approver any more."""
    return {
        "approver": f"Waiting for {wanted.text}",
        "requester": f"Asked by {wanted.text}",
        "execution": "Asked by this execution",
        "policy": f"Waiting under policy {wanted.text}",
    }.get(wanted.by, "With this reference")


def _late(approval: Approval) -> str:
    """Return what is overdue, and since when."""
    if approval.due_at is None:
        return ""
    kinds = {type(entry).__name__ for entry in approval.outbox if entry.due_at == approval.due_at}
    what = {"Resume": "the answer to the workflow", "Announce": "the event", "Mail": "a mail"}
    late = " and ".join(words for kind, words in what.items() if kind in kinds)
    return f"Late since {when(approval.due_at)}: {late or 'its deadline or a reminder'}"


def _item(visit: Visit, approval: Approval, wanted: Wanted) -> Markup:
    again = asked_again(approval)
    late = _late(approval) if _is(wanted, "overdue") else ""
    return _ITEM.format(
        root=visit.root,
        id=approval.id,
        subject=approval.request.subject,
        outcome=approval.outcome,
        state=state(approval, visit),
        asked=f"Asked by {requester(approval)} on {when(approval.created_at)}",
        again=joined(
            _FACT.format(f"{one}.")
            for one in (late, again and f"Older request: {again}", cannot_be_approved(approval))
            if one
        ),
        people=people(approval, PEOPLE),
    )
