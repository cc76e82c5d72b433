"""The page on which a requester follows the request, has others reminded and cancels."""

from datetime import datetime

from ...domain.approval import Approval, Approver
from ...domain.decidability import why_undecidable
from ..wording import deadline, when
from .answers import answers, reminder
from .details import details
from .fields import FormError, text_area
from .markup import Markup
from .parts import Page, choice_button, fill, notice_box, page, quorum_line


def requester_page(
    approval: Approval,
    requester: Approver,
    *,
    now: datetime,
    reason: str = "",
    reminded: bool = False,
    error: FormError | None = None,
) -> Page:
    """Return the page on which the requester sees who has decided, reminds and cancels.

    `reminded` says that the last press had the approvers reminded.
    """
    notice = Markup('<p class="notice" role="status" tabindex="-1" autofocus>{}</p>\n')
    done = "The approvers who have not decided get another mail within a few minutes."
    title = "Reminder on its way" if reminded else "Your request"
    day, left = deadline(approval, now)
    return page(
        f"{title}: {approval.request.subject}",
        None,
        fill(
            "requester",
            subject=approval.request.subject,
            asks=Markup("You asked on {}. It has to be decided by <strong>{}</strong>{}.").format(
                when(approval.created_at), day, f" ({left})" if left else ""
            ),
            quorum=quorum_line(approval),
            notice=notice.format(done) if reminded else notice_box(_trouble(approval)),
            answers=answers(approval),
            reminder=reminder(approval, now),
            details=details(approval),
            reason=text_area("reason", "Reason", reason, error),
            button=choice_button("reject", "Cancel request", outline=True),
            address=requester.address,
            reference=approval.id,
        ),
        error,
        ("reason",),
    )


def _trouble(approval: Approval) -> str:
    """Return that nobody can approve the request any more, and why; "" while somebody can."""
    if not (why := why_undecidable(approval)):
        return ""
    return (
        f"This can't be approved any more: {why}. Cancel it and ask others, or ask the people who "
        "run Assent to reassign it."
    )
