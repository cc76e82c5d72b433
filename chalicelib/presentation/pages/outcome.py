"""How an approval ended, or how it stands, for a reader who has nothing to press."""

from datetime import datetime
from functools import partial

from markupsafe import Markup

from ...domain.approval import Approval, Approver, Choice
from ..wording import cancel_reason, next_step, past, progress, too_late, was, when
from .answers import answers
from .parts import Mood, details, facts, fill, joined, page

_EXPIRED = "This request has expired"
_OUTCOME_ALONE = Markup(
    '<p class="small">This ended long ago, so its details and reasons are not shown any more.</p>'
)


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


def reassigned_page(asked: str) -> str:
    """Return the page for a replaced approver: who is asked now, and nothing of the approval."""
    heading = f"{asked} was asked instead of you"
    text = "This link decides nothing any more, and shows nothing of the request."
    small = "You may close this page."
    return page(heading, None, fill("problem", heading=heading, text=text, small=small))


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


def _lead(approval: Approval, heading: str) -> str:
    """Return what the outcome means for an approver who hasn't decided."""
    if approval.outcome == "expired" or heading == _EXPIRED:
        return "It is too late to answer"
    if approval.superseded_by is not None:
        return "A newer request has replaced this one"
    return "No answer is needed from you any more"


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
