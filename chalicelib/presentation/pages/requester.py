"""The page on which a requester follows the request, has others reminded and cancels."""

from datetime import datetime

from markupsafe import Markup

from ...domain.approval import Approval, Approver
from .answers import answers, reminder
from .fields import FormError, text_area
from .parts import details, facts, fill, page


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
