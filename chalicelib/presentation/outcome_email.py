"""The mail that tells how an approval ended, to its approvers and its requester."""

from ..domain.addresses import same_person
from ..domain.approval import Approval
from ..domain.link_tokens import MailSecrets
from ..domain.outbox_entries import Mail
from ..domain.texts import REASON_CHARACTERS
from .groups import counted_for
from .layout import cut
from .mail_text import PRIVATE_LINK, UNSUBSCRIBE, attributed, inbox_link, letter, quoted
from .wording import cancelled_by, in_mail, next_step, outcome_title, past, was, when

TEXT_BYTES = 256_000
"""SNS takes 262,144 for a message (botocore's model), which leaves room for what it may add."""
_SHORTENED = (
    "Long reasons are shortened here. The links in the mails before this one open a page that has "
    "them whole."
)


def outcome(
    approval: Approval, mail: Mail, secrets: MailSecrets, public_url: str
) -> tuple[str, str]:
    """Return the mail that tells how the approval ended, with every reason given.

    The longest reasons are shortened if SNS wouldn't take the mail, which then says so.
    """
    longest = REASON_CHARACTERS
    while True:
        text = _with_reasons(approval, mail, secrets, public_url, longest)
        if len(text.encode()) <= TEXT_BYTES or longest == 0:
            return outcome_title(approval), text
        longest = longest * 3 // 4


def _with_reasons(
    approval: Approval, mail: Mail, secrets: MailSecrets, public_url: str, longest: int
) -> str:
    to_requester = approval.requester is not None and same_person(
        mail.to, approval.requester.address
    )
    whose = "Your request" if to_requester else "This request"
    who, why = cancelled_by(approval)
    because = [attributed(in_mail(who), cut(why, longest))] if why else []
    counted = counted_for(approval)
    decisions = [
        f"{in_mail(approver.address)} {past(decision.choice)}{counted.get(approver.address, '')} "
        f"on {when(decision.decided_at)}"
        + (f":\n\n{quoted(cut(decision.reason, longest))}" if decision.reason else ".")
        for approver, decision in approval.decisions
    ]
    shortened = [_SHORTENED] if longest < REASON_CHARACTERS else []
    has_link = approval.mail_has_link(mail)
    inbox = [inbox_link(approval, secrets, public_url), PRIVATE_LINK] if has_link else []
    step = next_step(approval, to_requester=to_requester and not has_link)
    return letter(
        f"{whose} {was(approval, mailed=True)}:",
        approval,
        *because,
        *decisions,
        *shortened,
        step or "You don't need to do anything.",
        *inbox,
        UNSUBSCRIBE,
    )
