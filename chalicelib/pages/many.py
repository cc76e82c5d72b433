"""CORE: approvals -> HTML: all that waits for one approver, and several decided at once."""

from collections.abc import Sequence
from datetime import datetime

from markupsafe import Markup

from ..approval import Approval, Choice
from ..errors import AssentError
from ..wording import count, past, progress, requester, span, was, when
from .parts import details, error_box, filled, joined, page

Line = tuple[Approval, AssentError | None]
"""One of those decided together, and why it wasn't if so."""

_NOTHING = "Nothing waits for your decision"
_LOOK = "Please look once more"


def waiting(
    address: str,
    approvals: Sequence[Approval],
    after: str,
    now: datetime,
    error: str = "",
) -> str:
    """Return the list; `after` is where the next page begins, `error` why the last press failed."""
    number = count(len(approvals), "request")
    some = f"{number} {'waits' if len(approvals) == 1 else 'wait'} for you"
    heading = some + (", and more later" if after else "")
    if not approvals:
        heading = "Nothing on this page waits any more" if after else _NOTHING
    choosable = any(not approval.request.code_required for approval in approvals)
    more = Markup('<p><a class="other" href="?after={}">Show what is due later</a></p>')
    return page(
        heading,
        "",
        filled(
            "waiting",
            address=address,
            heading=heading,
            error=error_box(error),
            items=joined(_choice(approval, now) for approval in approvals),
            buttons=_BUTTONS if choosable else "",
            more=more.format(after) if after else "",
        ),
    )


def confirm(
    approvals: Sequence[Approval],
    gone: int,
    choice: Choice,
    token: str,
    now: datetime,
    reason: str = "",
    error: str = "",
) -> str:
    """Return the page whose button decides all of these; `gone` more don't wait any longer."""
    must = any(approval.needs_reason(choice) for approval in approvals)
    number = count(len(approvals), "request")
    item = Markup('<li><strong dir="auto">{}</strong>{}</li>\n')
    hidden = Markup('<input type="hidden" name="chosen" value="{}">\n')
    others = f"; {gone} of the chosen no longer wait{'s' if gone == 1 else ''}" if gone else ""
    deed = f"{choice.capitalize()} {number}"
    return page(
        f"{deed}?",
        choice,
        filled(
            "confirm",
            lead=_LOOK + others,
            heading=f"{deed}?",
            items=joined(item.format(a.request.subject, _about(a, now)) for a in approvals),
            error=error_box(error),
            hidden=joined(hidden.format(approval.id) for approval in approvals),
            choice=choice,
            reason_label="Reason for all of them " + ("(required)" if must else "(optional)"),
            required=Markup(" required") if must else "",
            reason="\n" + reason,
            button=deed,
            token=token,
        ),
    )


def receipt(choice: Choice, lines: Sequence[Line], token: str) -> str:
    """Return what came of each of those decided together."""
    done = sum(error is None for _, error in lines)
    lead = "Recorded" if done else "Nothing was recorded just now"
    of = "" if done == len(lines) else f" of {len(lines)}"
    heading = f"You {past(choice)} {done}{of} request{'s' if len(lines) > 1 else ''}"
    item = Markup('<li><strong dir="auto">{}</strong>: <span class="reason">{}</span></li>\n')
    return page(
        heading,
        choice if done else "",
        filled(
            "told",
            lead=lead,
            heading=heading,
            items=joined(item.format(a.request.subject, _told(a, choice, e)) for a, e in lines),
            token=token,
        ),
    )


_BUTTONS = Markup(
    '<div class="buttons">\n'
    '<button class="approve" name="choice" value="approve">Approve the chosen …</button>\n'
    '<button class="reject" name="choice" value="reject">Reject the chosen …</button>\n'
    "</div>"
)


def _choice(approval: Approval, now: datetime) -> Markup:
    subject = Markup('<span dir="auto">{}</span>').format(approval.request.subject)
    box = Markup('<input type="checkbox" name="chosen" value="{}">').format(approval.id)
    chosen = Markup('<label class="choice">{}{}</label>').format(box, subject)
    if approval.request.code_required:
        coded = Markup('<p class="choice">{}</p>\n<p class="fact">{}</p>')
        chosen = coded.format(subject, "It takes the code from its own mail: decide it there.")
    folded = Markup("<details><summary>Details</summary>\n{}\n</details>")
    shown = details(approval, whole=True)
    more = folded.format(shown) if shown else ""
    return Markup("<li>{}\n{}\n{}</li>\n").format(chosen, _about(approval, now), more)


def _about(approval: Approval, now: datetime) -> Markup:
    left = span(approval.expires_at - now)
    so_far = f"; so far {progress(approval)}" if approval.decisions else ""
    return Markup('<p class="fact">Asked by {}</p>\n<p class="fact">{}</p>').format(
        requester(approval),
        f"Answer by {when(approval.expires_at)} (in {left}){so_far}",
    )


def _told(approval: Approval, choice: Choice, error: AssentError | None) -> str:
    if error is not None:
        return error.message
    if approval.outcome == "pending":
        return f"{past(choice).capitalize()}. It waits for others now: {progress(approval)}."
    return f"{past(choice).capitalize()}. The request {was(approval)}."
