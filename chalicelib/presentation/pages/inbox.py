"""Pages of an approver's inbox: all requests that wait for them, several decided at once."""

from collections.abc import Sequence
from datetime import datetime

from markupsafe import Markup

from ...domain.approval import Approval, Choice
from ...domain.errors import AssentError
from ..wording import asked_again, count, deadline, past, progress, requester, too_late, was, when
from .fields import FormError, error_attributes, field_error, text_area
from .parts import ROOT, details, fill, joined, page

Result = tuple[Approval, AssentError | None]
"""One approval decided together with others, and the error if it wasn't."""

_LOOK_AGAIN = "Please look once more"
_BUTTONS = Markup(
    '<div class="buttons">\n'
    '<button class="approve" name="choice" value="approve">Approve selected …</button>\n'
    '<button class="reject" name="choice" value="reject">Reject selected …</button>\n'
    "</div>"
)


def inbox_page(
    address: str,
    approvals: Sequence[Approval],
    *,
    after: str,
    now: datetime,
    error: FormError | None = None,
    token: str = "",
    root: str = ROOT,
) -> str:
    """Return one page of the inbox; `after` is where the next page begins, "" if there is none.

    With the link token it leads to the page of the reader's delegation.
    """
    away = Markup('<p class="small">Are you away? <a href="{}delegation/{}">Delegate</a>.</p>')
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
            error=field_error("chosen", error) if selectable else "",
            items=joined(_item(a, now, error if a.id == first else None) for a in approvals),
            buttons=_BUTTONS if selectable else "",
            more=more.format(after) if after else "",
            away=away.format(root, token) if token else "",
        ),
        error,
        ("chosen",) if selectable else (),
    )


def confirm_page(
    approvals: Sequence[Approval],
    choice: Choice,
    *,
    closed: int,
    token: str,
    root: str = ROOT,
    now: datetime,
    reason: str = "",
    error: FormError | None = None,
) -> str:
    """Return the page whose button decides these; `closed` selected ones wait no longer."""
    item = Markup('<li><strong dir="auto">{}</strong>{}</li>\n')
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
            lead=_LOOK_AGAIN + others,
            heading=f"{button}?",
            items=joined(item.format(a.request.subject, _facts(a, now)) for a in approvals),
            hidden=joined(hidden.format(approval.id) for approval in approvals),
            choice=choice,
            reason=text_area("reason", "Reason for all of them", reason, error, required=required),
            button=button,
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
) -> str:
    """Return the page that says for each request whether the decision was recorded.

    `missing` has an error for each selected request that can't be shown.
    """
    recorded, number = sum(error is None for _, error in results), len(results) + len(missing)
    late = sum(error is None and too_late(approval) for approval, error in results)
    lead = "Recorded" if recorded else "Nothing was recorded just now"
    of = "" if recorded == number else f" of {number}"
    heading = f"You {past(choice)} {recorded}{of} request{'s' if number > 1 else ''}"
    heading += _how_many_late(late, recorded)
    item = Markup('<li><strong dir="auto">{}</strong>: <span class="reason">{}</span></li>\n')
    lines = [
        *(item.format(a.request.subject, _result(a, choice, error)) for a, error in results),
        *(item.format("A request that can't be shown", error.message) for error in missing),
    ]
    return page(
        heading,
        choice if recorded > late else None,
        fill(
            "bulk_receipt", lead=lead, heading=heading, items=joined(lines), token=token, root=root
        ),
    )


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
    folded = Markup("<details><summary>Details</summary>\n{}\n</details>")
    shown = details(approval, unfolded=True)
    more = folded.format(shown) if shown else ""
    return Markup("<li>{}\n{}\n{}</li>\n").format(selectable, _facts(approval, now), more)


def _facts(approval: Approval, now: datetime) -> Markup:
    so_far = f"; so far {progress(approval)}" if approval.decisions else ""
    again = asked_again(approval)
    older = f"Older request: {again}. Please answer the newer one." if again else ""
    lines = (
        f"Asked by {requester(approval)} on {when(approval.created_at)}",
        f"Answer by {deadline(approval, now)}{so_far}",
        older,
    )
    fact = Markup('<p class="fact">{}</p>\n')
    return joined(fact.format(line) for line in lines if line)


def _result(approval: Approval, choice: Choice, error: AssentError | None) -> str:
    if error is not None:
        return error.message
    done = past(choice).capitalize()
    if too_late(approval):
        done += " too late"
    if approval.outcome == "pending":
        return f"{done}. It is waiting for other approvers: {progress(approval)}."
    return f"{done}. The request {was(approval)}."
