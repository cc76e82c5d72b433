"""Pages behind the links of one approval: decide, reassign, follow, and how it ended."""

from datetime import datetime
from functools import partial

from markupsafe import Markup

from ...domain.approval import Approval, Approver, Choice
from ...domain.errors import AssentError
from ..wording import (
    answer_the_newer,
    cancel_reason,
    next_step,
    past,
    progress,
    too_late,
    was,
    when,
)
from .answers import answers, reminder
from .fields import FormError, code_field, email_field, text_area
from .parts import ROOT, Mood, details, facts, fill, joined, notice_box, page

_EXPIRED = "This request has expired"
_OUTCOME_ALONE = Markup(
    '<p class="small">This ended long ago, so its details and reasons are not shown any more.</p>'
)


def decide_page(
    approval: Approval,
    approver: Approver,
    choice: Choice,
    *,
    token: str,
    now: datetime,
    root: str = ROOT,
    reason: str = "",
    code: str = "",
    error: FormError | None = None,
) -> str:
    """Return the page whose button decides; `error` says why the last press failed."""
    coded = approval.request.code_required
    other: Choice = "reject" if choice == "approve" else "approve"
    return page(
        f"{choice.capitalize()}: {approval.request.subject}",
        choice,
        fill(
            "decide",
            subject=approval.request.subject,
            facts=facts(approval, now, approver.address),
            details=details(approval),
            notice=notice_box(answer_the_newer(approval)),
            code=code_field(code, error) if coded else "",
            reason=text_area(
                "reason", "Reason", reason, error, required=approval.needs_reason(choice)
            ),
            button=choice.capitalize(),
            other=f"{other.capitalize()} instead",
            other_link=f"{root}{other}/{token}",
            token=token,
            root=root,
            address=approver.address,
        ),
        error,
        ("reason", "code") if coded else ("reason",),
    )


def reassign_page(
    approval: Approval,
    approver: Approver,
    *,
    token: str,
    root: str = ROOT,
    to: str = "",
    note: str = "",
    code: str = "",
    error: FormError | None = None,
) -> str:
    """Return the page on which an approver names the person to be asked instead."""
    coded = approval.request.code_required
    return page(
        f"Reassign: {approval.request.subject}",
        None,
        fill(
            "reassign",
            subject=approval.request.subject,
            to=email_field("to", "Their e-mail address", to, error),
            code=code_field(code, error) if coded else "",
            note=text_area("note", "A note to them", note, error),
            token=token,
            root=root,
            address=approver.address,
        ),
        error,
        ("to", "note", "code") if coded else ("to", "note"),
    )


def requester_page(
    approval: Approval,
    requester: Approver,
    *,
    now: datetime,
    reason: str = "",
    reminded: bool = False,
    error: FormError | None = None,
) -> str:
    """Return the page on which the requester sees who has answered, reminds and cancels.

    `reminded` says that the last press had the approvers reminded.
    """
    notice = Markup('<p class="notice" role="status" tabindex="-1" autofocus>{}</p>\n')
    done = "The approvers who have not answered get another mail within a few minutes."
    title = "Reminder on its way" if reminded else "Your request"
    asked = details(approval)
    return page(
        f"{title}: {approval.request.subject}",
        None,
        fill(
            "requester",
            subject=approval.request.subject,
            notice=notice.format(done) if reminded else "",
            facts=facts(approval, now),
            answers=answers(approval),
            reminder=reminder(approval, now),
            details=Markup("<h2>Details</h2>\n{}\n").format(asked) if asked else "",
            reason=text_area("reason", "Reason", reason, error),
            address=requester.address,
        ),
        error,
        ("reason",),
    )


def reassigned_page(asked: str) -> str:
    """Return the page for a replaced approver: who is asked now, and nothing of the approval."""
    heading = f"{asked} was asked instead of you"
    text = "This link decides nothing any more, and shows nothing of the request."
    small = "You may close this page."
    return page(heading, None, fill("problem", heading=heading, text=text, small=small))


def outcome_for_approver(
    approval: Approval, approver: Approver, now: datetime, *, outcome_alone: bool = False
) -> str:
    """Return the page for an approver who has nothing to decide (any more).

    `outcome_alone` says that details and reasons have been left out of this approval.
    """
    own, show = approver.decision, partial(_outcome_page, now=now, outcome_alone=outcome_alone)
    heading = _heading(approval, now)
    step = next_step(approval, to_requester=False)
    if own is None:
        lead = _lead(approval, heading)
        return show(approval, lead=lead, heading=heading, step=step, mood=None)
    if approval.outcome in ("pending", past(own.choice)):
        in_vain = ", but too late" if too_late(approval) else ""
        heading = f"You {past(own.choice)} this{in_vain}"
        lead = f"Recorded on {when(own.decided_at)}"
        mood = None if in_vain else own.choice
        return show(approval, lead=lead, heading=heading, step=step, mood=mood)
    # The outcome isn't the approver's own choice, so the outcome comes first.
    moods: dict[str, Choice] = {"approved": "approve", "rejected": "reject"}
    lead = f"You {past(own.choice)} it on {when(own.decided_at)}"
    heading = heading.removesuffix(" already")
    mood = None if too_late(approval) else moods.get(approval.outcome)
    return show(approval, lead=lead, heading=heading, step=step, mood=mood)


def outcome_for_requester(approval: Approval, now: datetime, *, outcome_alone: bool = False) -> str:
    """Return the page by which a requester sees how it ended, and who had answered."""
    return _outcome_page(
        approval,
        lead="Your request",
        heading=_heading(approval, now).removesuffix(" already"),
        step=next_step(approval, to_requester=True),
        mood=None,
        now=now,
        outcome_alone=outcome_alone,
        shown=answers(approval),
    )


def problem_page(error: AssentError, reference: str) -> str:
    """Return the page for an error that isn't about one approval: a bad link, a fault."""
    heading = {
        404: "Nothing found here",
        410: "This link is out of date",
        413: "That is too much text",
    }.get(
        error.status, "That didn't work" if error.status < 500 else "Please try again in a moment"
    )
    small = f"If you ask somebody about this, give them the reference {reference}."
    return page(heading, None, fill("problem", heading=heading, text=error.message, small=small))


def _lead(approval: Approval, heading: str) -> str:
    """Return what the outcome means for an approver who hasn't decided."""
    if approval.outcome == "expired" or heading == _EXPIRED:
        return "It is too late to answer"
    if approval.superseded_by is not None:
        return "A newer request has replaced this one"
    return "No answer is needed from you any more"


def _outcome_page(
    approval: Approval,
    *,
    lead: str,
    heading: str,
    step: str,
    mood: Mood,
    now: datetime,
    outcome_alone: bool,
    shown: Markup | None = None,
) -> str:
    return page(
        f"{heading}: {approval.request.subject}",
        mood,
        fill(
            "outcome",
            lead=lead,
            heading=heading,
            subject=approval.request.subject,
            text=f"{_consequence(approval, now)} {step}".strip(),
            decisions=_decisions(approval) if shown is None else shown,
            facts=facts(approval, now),
            details=_OUTCOME_ALONE if outcome_alone else details(approval),
        ),
    )


def _heading(approval: Approval, now: datetime) -> str:
    if approval.outcome == "pending":
        return _EXPIRED if now >= approval.expires_at else "This is still open"
    if approval.superseded_by is not None:
        return "This was asked again"
    if too_late(approval):
        return f"This was {approval.outcome}, but too late"
    return {
        "approved": "This was approved already",
        "rejected": "This was rejected already",
        "expired": _EXPIRED,
        "cancelled": "This request was cancelled",
    }[approval.outcome]


def _consequence(approval: Approval, now: datetime) -> str:
    """Return how the approval ended and whether the workflow knows, or what is still missing."""
    if approval.outcome == "pending" and now < approval.expires_at:
        return f"It is waiting for other approvers: {progress(approval)}."
    if approval.outcome in ("pending", "expired"):
        return f"The deadline passed on {when(approval.expires_at)}."
    result = f"The request {was(approval)}. {cancel_reason(approval)}".strip()
    if approval.is_in_vain:
        return result
    if any(e.what == "resumed" and e.note for e in approval.events):
        return f"{result} The workflow was not waiting any more: it had been told, or had ended."
    told = "has been told." if approval.resumed_at else "will be told within a few minutes."
    return f"{result} The workflow {told}"


def _decisions(approval: Approval) -> Markup:
    if not approval.decisions:
        return Markup("")
    reason = Markup('<span class="reason" dir="auto">{}</span>')
    item = Markup("<li><strong>{}</strong> {} on {}{}</li>\n")
    return Markup('<ul class="decisions">\n{}</ul>').format(
        joined(
            item.format(
                a.address, past(d.choice), when(d.decided_at), d.reason and reason.format(d.reason)
            )
            for a, d in approval.decisions
        )
    )
