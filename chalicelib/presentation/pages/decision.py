"""The pages on which an approver decides, or reassigns the request."""

from datetime import datetime

from ...domain.approval import Approval, Approver, Choice
from ..standing import asked_as
from ..wording import answer_the_newer, requester
from .details import details
from .fields import FormError, code_field, email_field, text_area
from .parts import ROOT, Page, asks, choice_button, fill, notice_box, page, quorum_line

_LOCKED = FormError(
    "Nothing was recorded: too many wrong codes were typed with it.", heading="This link is locked"
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
) -> Page:
    """Return the page whose button decides; `error` says why the last press failed."""
    coded = approval.request.code_required
    other: Choice = "reject" if choice == "approve" else "approve"
    role = asked_as(approver, approval)
    return page(
        f"{choice.capitalize()}: {approval.request.subject}",
        choice,
        fill(
            "decide",
            subject=approval.request.subject,
            asks=asks(approval, now),
            quorum=quorum_line(approval),
            notice=notice_box(answer_the_newer(approval)),
            details=details(approval),
            code=code_field(code, error) if coded else "",
            reason=text_area(
                "reason", "Reason", reason, error, required=approval.needs_reason(choice)
            ),
            address=approver.address,
            instead=f", {role}" if role else "",
            button=choice_button(choice, choice.capitalize()),
            other=f"{other.capitalize()} instead",
            other_link=f"{root}{other}/{token}",
            token=token,
            root=root,
        ),
        error,
        ("reason", "code") if coded else ("reason",),
    )


def locked_page(approval: Approval, now: datetime) -> Page:
    """Return the page of a link with which too many wrong codes were typed: it decides nothing."""
    people = "the people who run Assent"
    asker = approval.requester and requester(approval)
    return page(
        f"Locked: {approval.request.subject}",
        None,
        fill(
            "locked",
            subject=approval.request.subject,
            asks=asks(approval, now),
            details=details(approval),
            who=f"{asker} or {people}" if asker else people,
        ),
        _LOCKED,
    )


def reassign_page(
    approval: Approval,
    approver: Approver,
    *,
    token: str,
    now: datetime,
    root: str = ROOT,
    to: str = "",
    note: str = "",
    code: str = "",
    error: FormError | None = None,
) -> Page:
    """Return the page on which an approver names the person to be asked instead."""
    coded = approval.request.code_required
    return page(
        f"Reassign: {approval.request.subject}",
        None,
        fill(
            "reassign",
            subject=approval.request.subject,
            asks=asks(approval, now),
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
