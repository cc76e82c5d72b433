"""CORE: approval -> HTML, for the people who follow a decision link.

`many.py` has the pages of the list, `parts.py` what all of them are made of.
"""

from datetime import datetime

from markupsafe import Markup

from ..approval import Approval, Approver, Choice
from ..errors import AssentError
from ..wording import past, progress, was, when, withdrawn_because
from .parts import CODE, HEADERS, details, error_box, facts, filled, joined, page

__all__ = ["HEADERS", "answer", "ask", "cancel", "pass_on", "problem", "withdrawn"]

_EXPIRED = "This request has expired"


def ask(
    approval: Approval,
    approver: Approver,
    choice: Choice,
    token: str,
    reason: str = "",
    error: str = "",
) -> str:
    """Return the page with the button that decides; `error` says why the last press didn't."""
    other: Choice = "reject" if choice == "approve" else "approve"
    must = approval.needs_reason(choice)
    return page(
        f"{choice.capitalize()}: {approval.request.subject}",
        choice,
        filled(
            "ask",
            subject=approval.request.subject,
            facts=facts(approval),
            details=details(approval),
            error=error_box(error),
            code=CODE if approval.request.code_required else "",
            reason_label="Reason (required)" if must else "Reason (optional)",
            required=Markup(" required") if must else "",
            # HTML drops a line break at the start of a textarea.
            reason="\n" + reason,
            button=choice.capitalize(),
            other=f"{other.capitalize()} instead",
            other_link=f"../{other}/{token}",
            token=token,
            address=approver.address,
        ),
    )


def answer(approval: Approval, approver: Approver, now: datetime) -> str:
    """Return the page for a link whose holder has nothing to decide (any more): what came of it."""
    own = approver.decision
    heading = _headline(approval, now)
    if approver.replaced_by is not None:
        heading = f"{approval.who_has_it(approver)} was asked instead of you"
    if own is None:
        late = approval.outcome == "expired" or heading == _EXPIRED
        lead = "It is too late to answer" if late else "No answer is needed from you any more"
        return _answer(approval, lead, heading, "", now)
    if approval.outcome in ("pending", past(own.choice)):
        lead, heading = f"Recorded on {when(own.decided_at)}", f"You {past(own.choice)} this"
        return _answer(approval, lead, heading, own.choice, now)
    # What came of it is what they came to see, where it isn't what they wanted.
    mood = {"approved": "approve", "rejected": "reject"}.get(approval.outcome, "")
    lead = f"You {past(own.choice)} it on {when(own.decided_at)}"
    return _answer(approval, lead, heading.removesuffix(" already"), mood, now)


def _answer(approval: Approval, lead: str, heading: str, mood: str, now: datetime) -> str:
    return page(
        f"{heading}: {approval.request.subject}",
        mood,
        filled(
            "answer",
            lead=lead,
            heading=heading,
            subject=approval.request.subject,
            text=_consequence(approval, now),
            decisions=_decisions(approval),
            facts=facts(approval),
            details=details(approval),
        ),
    )


def pass_on(
    approval: Approval,
    approver: Approver,
    token: str,
    to: str = "",
    note: str = "",
    error: str = "",
) -> str:
    """Return the page on which an approver names somebody to be asked instead."""
    return page(
        f"Pass on: {approval.request.subject}",
        "",
        filled(
            "pass",
            subject=approval.request.subject,
            error=error_box(error),
            to=to,
            code=CODE if approval.request.code_required else "",
            note="\n" + note,
            token=token,
            address=approver.address,
        ),
    )


def cancel(approval: Approval, requester: Approver, reason: str = "", error: str = "") -> str:
    """Return the page on which the requester withdraws the request."""
    return page(
        f"Withdraw: {approval.request.subject}",
        "reject",
        filled(
            "cancel",
            subject=approval.request.subject,
            facts=facts(approval),
            details=details(approval),
            error=error_box(error),
            reason="\n" + reason,
            address=requester.address,
        ),
    )


def withdrawn(approval: Approval, now: datetime) -> str:
    """Return what the requester sees when there is nothing to withdraw (any more)."""
    heading = _headline(approval, now)
    return _answer(approval, "Your request", heading, "", now)


def problem(error: AssentError, reference: str) -> str:
    """Return the page for an error that isn't about one approval: a bad link, a fault."""
    heading = {404: "Nothing found here", 413: "That is too much text"}.get(
        error.status, "That didn't work" if error.status < 500 else "Please try again in a moment"
    )
    small = f"If you ask somebody about this, give them the reference {reference}."
    return page(heading, "", filled("notice", heading=heading, text=error.message, small=small))


def _headline(approval: Approval, now: datetime) -> str:
    if approval.outcome == "pending":
        return _EXPIRED if now >= approval.expires_at else "This is still open"
    return {
        "approved": "This was approved already",
        "rejected": "This was rejected already",
        "expired": _EXPIRED,
        "cancelled": "This request was withdrawn",
    }[approval.outcome]


def _consequence(approval: Approval, now: datetime) -> str:
    """Return what came of it, or what it waits for."""
    if approval.outcome == "pending" and now < approval.expires_at:
        return f"It waits for others now: {progress(approval)}."
    if approval.outcome in ("pending", "expired"):
        return f"Nobody can answer any more since {when(approval.expires_at)}."
    result = f"The request {was(approval)}. {withdrawn_because(approval)}".strip()
    if any(e.what == "resumed" and e.note for e in approval.events):
        return (
            f"{result} The workflow is not waiting any more: it was told, or had ended by itself."
        )
    told = "has been told." if approval.settled_at else "will be told within a few minutes."
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
