"""How an approval ended, or how it stands, for a reader who has nothing to press."""

from datetime import datetime

from ...domain.approval import Approval, Approver, Choice
from ..wording import cancelled_by, next_step, past, still_needed, too_late, was, when
from .answers import answers
from .details import details
from .fields import FormError
from .markup import Markup
from .parts import Mood, Page, about, decisions, fill, page, quotation

_EXPIRED = "This request has expired"
_OUTCOME_ALONE = Markup(
    '<p class="small">This ended long ago, so its details and reasons are not shown any more.</p>\n'
)


def outcome_for_approver(
    approval: Approval,
    approver: Approver,
    now: datetime,
    *,
    outcome_alone: bool = False,
    refused: FormError | None = None,
) -> Page:
    """Return the page for an approver who has nothing to decide (any more).

    `outcome_alone` says that details and reasons have been left out of this approval; `refused`
    says that the last press changed nothing, and why.
    """
    heading, mood = _for_approver(approval, approver, now)
    texts = (
        _consequence(approval, now),
        _own_part(approval, approver, now),
        next_step(approval, to_requester=False),
    )
    return _outcome_page(
        approval,
        heading=heading,
        text=" ".join(filter(None, texts)),
        shown=decisions(approval),
        mood=mood,
        outcome_alone=outcome_alone,
        refused=refused,
    )


def outcome_for_requester(
    approval: Approval,
    now: datetime,
    *,
    outcome_alone: bool = False,
    refused: FormError | None = None,
) -> Page:
    """Return the page by which a requester sees how it ended, and who had decided."""
    return _outcome_page(
        approval,
        heading=_heading(approval, now),
        text=f"{_consequence(approval, now)} {next_step(approval, to_requester=True)}",
        shown=answers(approval),
        mood=None,
        outcome_alone=outcome_alone,
        refused=refused,
    )


def reassigned_page(
    asked: str, *, just_now: bool = False, refused: FormError | None = None
) -> Page:
    """Return the page for a replaced approver: who is asked now, and nothing of the approval."""
    heading, mailed = f"{asked} was asked instead of you", ""
    if just_now:
        heading = f"You reassigned this to {asked}"
        mailed = f"{asked} gets a mail with links of their own within a few minutes. "
    text = (
        f"{mailed}Your links decide nothing any more, and show nothing of the request. To be asked "
        f"again, ask {asked} to reassign it to you."
    )
    small = "You may close this page."
    return page(heading, None, fill("problem", heading=heading, text=text, small=small), refused)


def _outcome_page(
    approval: Approval,
    *,
    heading: str,
    text: str,
    shown: Markup,
    mood: Mood,
    outcome_alone: bool,
    refused: FormError | None,
) -> Page:
    who, why = cancelled_by(approval)
    return page(
        f"{heading}: {approval.request.subject}",
        None if refused else mood,
        fill(
            "outcome",
            heading=heading,
            about=about(approval),
            text=Markup("<p>{}</p>\n").format(text.strip()),
            said=quotation(who, why) if why else "",
            decisions=shown,
            details=_OUTCOME_ALONE if outcome_alone else details(approval),
            reference=approval.id,
        ),
        refused,
    )


def _for_approver(approval: Approval, approver: Approver, now: datetime) -> tuple[str, Mood]:
    """Return heading and colour: the approver's own choice, unless the outcome is another."""
    own = approver.decision
    if own is not None and approval.outcome in ("pending", past(own.choice)):
        in_vain = too_late(approval)
        heading = f"You {past(own.choice)} this{', but too late' if in_vain else ''}"
        return heading, None if in_vain else own.choice
    moods: dict[str, Choice] = {"approved": "approve", "rejected": "reject"}
    decided = own is not None and not too_late(approval)
    return _heading(approval, now), moods.get(approval.outcome) if decided else None


def _own_part(approval: Approval, approver: Approver, now: datetime) -> str:
    """Return what an approver had decided against the outcome, or that they needn't decide."""
    if approval.outcome == "pending" and now < approval.expires_at:
        return ""
    if approver.decision is not None:
        agrees = approval.outcome in ("pending", past(approver.decision.choice))
        return "" if agrees else f"You had {past(approver.decision.choice)} it."
    if approval.outcome in ("pending", "expired"):
        return "It is too late to decide."
    return "" if approval.superseded_by else "You don't need to decide any more."


def _heading(approval: Approval, now: datetime) -> str:
    if approval.outcome == "pending":
        return _EXPIRED if now >= approval.expires_at else "This is still open"
    if approval.superseded_by is not None:
        return "This was asked again"
    if too_late(approval):
        return f"This was {approval.outcome}, but too late"
    return {
        "approved": f"This was approved{' alone' if approval.broken_glass else ''}",
        "rejected": "This was rejected",
        "expired": _EXPIRED,
        "cancelled": "This request was cancelled",
    }[approval.outcome]


def _consequence(approval: Approval, now: datetime) -> str:
    """Return how the approval ended and whether the workflow knows, or what is still missing."""
    if approval.outcome == "pending" and now < approval.expires_at:
        return f"{still_needed(approval)} You get a mail when it is decided."
    if approval.outcome in ("pending", "expired"):
        return f"The deadline passed on {when(approval.expires_at)}."
    # The list of decisions tells when it was approved or rejected.
    result = f"The request {was(approval, with_time=approval.outcome == 'cancelled')}."
    if approval.is_in_vain:
        return result
    if any(e.what == "resumed" and e.note for e in approval.events):
        return f"{result} The workflow was not waiting any more: it had been told, or had ended."
    told = "has been told." if approval.resumed_at else "will be told within a few minutes."
    return f"{result} The workflow {told}"
