"""The pages on which an approver decides, or reassigns the request."""

from datetime import datetime

from ...domain.approval import Approval, Approver, Choice
from ..standing import asked_as
from ..wording import answer_the_newer, requester
from .details import details
from .fields import FormError, code_field, email_field, text_area
from .markup import NOTHING, Markup
from .parts import ROOT, Page, asks, choice_button, fill, notice_box, page, quorum_line

_LOCKED = FormError(
    "Nothing was recorded: too many wrong codes were typed with it.", heading="This link is locked"
)


_OTHER = Markup(
    '<button type="submit" class="other" formaction="{}{}/{}" name="show" value="yes"'
    " formnovalidate>{} instead</button>\n"
)
_REASSIGN = Markup('<p><a class="link" href="{}reassign/{}">Reassign to somebody else</a></p>\n')
_OR_ALONE = Markup(
    '<p class="notice apart">In an emergency you may approve this alone, without the others\' '
    "approvals. Give a reason: everybody who is asked is told, and the record says so.</p>\n"
    '<button class="approve outline check" name="breakGlass" value="yes" formnovalidate>'
    "Approve alone</button>\n"
)
_ONLY_ALONE = (
    "You don't need to do anything: others decide this. In an emergency you may approve it alone. "
    "Everybody who is asked is told, and the record says so."
)
_ALONE_BUTTON = Markup(
    '<button class="approve check" name="breakGlass" value="yes" formaction="{}approve/{}">'
    "Approve alone</button>"
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
    role = asked_as(approver, approval)
    other: Choice = "reject" if choice == "approve" else "approve"
    button, required = choice_button(choice, choice.capitalize()), approval.needs_reason(choice)
    others = _OTHER.format(root, other, token, other.capitalize())
    if not approver.groups:
        choice, required, others = "approve", True, NOTHING
        button = _ALONE_BUTTON.format(root, token)
    elif choice == "approve" and approval.may_break_glass(approver):
        others += _OR_ALONE
    return page(
        f"{choice.capitalize()}: {approval.request.subject}",
        choice,
        fill(
            "decide",
            subject=approval.request.subject,
            asks=asks(approval, now),
            quorum=quorum_line(approval),
            notice=notice_box(answer_the_newer(approval))
            + notice_box("" if approver.groups else _ONLY_ALONE),
            details=details(approval),
            code=code_field(code, error) if coded else "",
            reason=text_area("reason", "Reason", reason, error, required=required),
            address=approver.address,
            instead=f", {role}" if role else "",
            button=button,
            other=others,
            reassign=_REASSIGN.format(root, token) if approver.groups else "",
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
