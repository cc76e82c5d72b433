"""The pages on which an approver decides, or reassigns the request."""

from datetime import datetime

from ...domain.approval import Approval, Approver, Choice
from ..wording import answer_the_newer
from .fields import FormError, code_field, email_field, text_area
from .parts import ROOT, details, facts, fill, notice_box, page


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
