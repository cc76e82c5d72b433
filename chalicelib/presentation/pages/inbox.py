"""Pages of an approver's inbox: all requests that wait for them, several decided at once."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from ...domain.approval import Approval, Choice
from ...domain.errors import AssentError
from ..wording import (
    asked_again,
    count,
    deadline,
    past,
    progress,
    requester,
    still_needed,
    too_late,
    was,
    weekday,
)
from .details import details
from .fields import FormError, error_attributes, field_error, text_area
from .markup import Markup
from .parts import ROOT, Page, choice_button, fill, joined, page

Result = tuple[Approval, AssentError | None]
"""One approval decided together with others, and the error if it wasn't."""

_SOON = timedelta(hours=4)
_BUTTONS = Markup('<div class="buttons">\n{}\n{}\n</div>\n')
_HINT = (
    "Requests are sorted by deadline. New ones can take a moment to appear here. Selecting decides "
    "nothing yet: the next page shows the selected requests again. "
)
_STRONG = Markup("<strong>{}</strong>")
_NOTHING = Markup("<p>New requests come to you by mail, and appear here within a minute.</p>\n")


def inbox_page(
    address: str,
    approvals: Sequence[Approval],
    *,
    after: str,
    now: datetime,
    error: FormError | None = None,
    token: str = "",
    root: str = ROOT,
) -> Page:
    """Return one page of the inbox; `after` is where the next page begins, "" if there is none.

    With the link token it leads to the page of the reader's delegation.
    """
    away = Markup('<p><a class="link" href="{}delegation/{}">Delegate while you are away</a></p>')
    heading = _inbox_heading(len(approvals), more=bool(after))
    selectable = [a.id for a in approvals if not a.request.code_required]
    first = selectable[0] if selectable else ""
    more = Markup('<p><a class="other" href="?after={}">Show later deadlines</a></p>')
    return page(
        heading,
        None,
        fill(
            "inbox",
            address=address,
            heading=heading,
            nothing="" if approvals or after else _NOTHING,
            error=field_error("chosen", error) if selectable else "",
            items=joined(_item(a, now, error if a.id == first else None) for a in approvals),
            buttons=_buttons() if selectable else "",
            more=more.format(after) if after else "",
            away=away.format(root, token) if token else "",
            hint=_HINT if selectable else "",
        ),
        error,
        ("chosen",) if selectable else (),
    )


def confirm_page(
    address: str,
    approvals: Sequence[Approval],
    choice: Choice,
    *,
    closed: int,
    token: str,
    root: str = ROOT,
    now: datetime,
    reason: str = "",
    error: FormError | None = None,
) -> Page:
    """Return the page whose button decides these; `closed` selected ones wait no longer."""
    hidden = Markup('<input type="hidden" name="chosen" value="{}">\n')
    others = (
        f"; {closed} of the selected no longer wait{'s' if closed == 1 else ''}" if closed else ""
    )
    button = f"{choice.capitalize()} {count(len(approvals), 'request')}"
    required = any(approval.needs_reason(choice) for approval in approvals)
    return page(
        f"{button}?",
        choice,
        fill(
            "bulk_confirm",
            lead=f"Please look once more{others}",
            heading=f"{button}?",
            items=joined(_confirmed_item(approval, now) for approval in approvals),
            hidden=joined(hidden.format(approval.id) for approval in approvals),
            choice=choice,
            reason=text_area("reason", "Reason for all of them", reason, error, required=required),
            button=choice_button(choice, button),
            address=address,
            token=token,
            root=root,
        ),
        error,
        ("reason",),
    )


def receipt_page(
    choice: Choice,
    results: Sequence[Result],
    token: str,
    root: str = ROOT,
    *,
    missing: Sequence[AssentError] = (),
) -> Page:
    """Return the page that says for each request whether the decision was recorded.

    Those that were not recorded come first. `missing` has an error for each selected request that
    can't be shown.
    """
    recorded = [approval for approval, error in results if error is None]
    failed = [(a.request.subject, error.message, a.id) for a, error in results if error is not None]
    failed += [("A request that can't be shown", error.message, "") for error in missing]
    late, number = sum(map(too_late, recorded)), len(recorded) + len(failed)
    of = "" if len(recorded) == number else f" of {number}"
    heading = f"You {past(choice)} {len(recorded)}{of} request{'s' if number > 1 else ''}"
    heading = heading + _how_many_late(late, len(recorded)) if recorded else "Nothing was recorded"
    done = [(a.request.subject, _result(a, choice), a.id) for a in recorded]
    were = "was" if len(failed) == 1 else "were"
    not_done = f"{count(len(failed), 'decision')} {were} not recorded"
    content = fill(
        "bulk_receipt",
        heading=heading,
        failed=_part(not_done, failed, ' class="wrong"') if failed else "",
        recorded=_part("Recorded", done) if done else "",
        token=token,
        root=root,
    )
    if failed:
        return Page(f"Error: {heading}", "wrong", content)
    return page(heading, choice if len(recorded) > late else None, content)


def _buttons() -> Markup:
    return _BUTTONS.format(
        choice_button("approve", "Review to approve", chosen=True),
        choice_button("reject", "Review to reject", chosen=True, outline=True),
    )


def _part(heading: str, lines: Sequence[tuple[str, str, str]], attributes: str = "") -> Markup:
    """Return a list of subjects, each with its result and, for questions about it, its id."""
    item = Markup(
        '<li><strong dir="auto">{}</strong><span class="fact">{}</span>'
        '<span class="fact">{}</span></li>\n'
    )
    items = joined(
        item.format(subject, said, f"Reference: {named}" if named else "")
        for subject, said, named in lines
    )
    shown = Markup('<h2{}>{}</h2>\n<ul class="decisions">\n{}</ul>\n')
    return shown.format(Markup(attributes), heading, items)  # noqa: S704 (our own)


def _how_many_late(late: int, recorded: int) -> str:
    if late == 0:
        return ""
    if recorded == 1:
        return ", but too late"
    return f", {'all' if late == recorded else late} of them too late"


def _inbox_heading(number: int, *, more: bool) -> str:
    if number == 0:
        return "No request on this page waits any more" if more else "No request waits for you"
    waiting = f"{count(number, 'request')} {'waits' if number == 1 else 'wait'} for you"
    return waiting + (", and more later" if more else "")


def _item(approval: Approval, now: datetime, error: FormError | None) -> Markup:
    """Return one request; the page's first checkbox has the id and the focus of an error."""
    subject = Markup('<span dir="auto">{}</span>').format(approval.request.subject)
    box = Markup('<input type="checkbox" name="chosen" value="{}"{}>').format(
        approval.id, Markup(' id="chosen"') + error_attributes("chosen", error) if error else ""
    )
    selectable = Markup('<label class="choice">{}{}</label>').format(box, subject)
    if approval.request.code_required:
        coded = Markup('<p class="choice">{}</p>\n<p class="fact">{}</p>')
        selectable = coded.format(
            subject, "This request needs a code: open the link in its own mail to decide."
        )
    folded = Markup("<details><summary>Details</summary>\n{}</details>\n")
    shown = details(approval, headed=False)
    more = folded.format(shown) if shown else ""
    return Markup("<li>{}\n{}{}</li>\n").format(selectable, _facts(approval, now), more)


def _confirmed_item(approval: Approval, now: datetime) -> Markup:
    item = Markup('<li><strong dir="auto">{}</strong>\n{}{}</li>\n')
    return item.format(approval.request.subject, _facts(approval, now), details(approval))


def _facts(approval: Approval, now: datetime) -> Markup:
    day, left = deadline(approval, now)
    soon = _STRONG.format(left) if approval.expires_at - now < _SOON else left
    again = asked_again(approval)
    lines = [
        f"Asked by {requester(approval)} on {weekday(approval.created_at, now)}",
        Markup("Answer by {}{}").format(day, Markup(" ({})").format(soon) if left else ""),
        *([f"So far {progress(approval)}"] if approval.decisions else []),
        *([f"Older request: {again}. Please answer the newer one."] if again else []),
    ]
    fact = Markup('<p class="fact">{}</p>\n')
    return joined(fact.format(line) for line in lines)


def _result(approval: Approval, choice: Choice) -> str:
    done = f"{past(choice).capitalize()}{' too late' if too_late(approval) else ''}."
    if approval.outcome == "pending":
        return f"{done} {still_needed(approval)} You get a mail when it is decided."
    return f"{done} The request {was(approval)}."
