"""Refusals: why an approval takes no decision or command, as the error that says so."""

from datetime import datetime, timedelta

from .addresses import is_among
from .approval import OUTCOME_OF, Approval, Approver, Choice, find_person
from .errors import (
    AlreadyDecided,
    AssentError,
    Cancelled,
    Expired,
    InvalidRequest,
    Reassigned,
    WrongCode,
)
from .link_tokens import wrong_codes
from .policy import groups_of
from .timestamps import iso

WRONG_CODES = 5
"""So many wrong codes lock a link for good; the next mail brings another."""

_CANCELLED = "This request was cancelled; no answer is needed."
_ASKED_AGAIN = "A newer request has replaced this one: answer the newer mail, or use your inbox."

_LOCKED = (
    "this link is locked. Use the link and the code of a newer mail; if there is none, ask for a "
    "reminder."
)


def changes_nothing(
    approval: Approval, approver: Approver, choice: Choice, *, break_glass: bool = False
) -> bool:
    """Return whether this approver chose that already, or others closed it with that outcome.

    Approving alone is more than having approved for a group, while others are still waited for.
    """
    if approver.decision is not None:
        alone = break_glass and not approver.decision.break_glass
        return approver.decision.choice == choice and not (alone and approval.outcome == "pending")
    return approver.replaced_by is None and approval.outcome == OUTCOME_OF[choice]


def why_cannot_decide(approval: Approval, approver: Approver, now: datetime) -> AssentError | None:
    """Return why this approver can't decide any more; None while they can."""
    if approver.decision is not None:
        return AlreadyDecided("You have decided on this already; a decision is final.")
    if approver.replaced_by is not None:
        return Reassigned(f"{approval.asked_instead_of(approver)} has been asked instead of you.")
    if approval.outcome in ("approved", "rejected"):
        return AlreadyDecided(f"This was {approval.outcome} already, by others.")
    if approval.outcome == "cancelled":
        return Cancelled(_ASKED_AGAIN if approval.superseded_by else _CANCELLED)
    if approval.outcome == "expired" or now >= approval.expires_at:
        return Expired("The time for answering has passed.")
    return None


def check_can_decide(approval: Approval, approver: Approver, now: datetime) -> None:
    """Raise the error of `why_cannot_decide` if there is one."""
    over = why_cannot_decide(approval, approver, now)
    if over is not None:
        raise over


def check_break_glass(
    approval: Approval, approver: Approver, choice: Choice, *, break_glass: bool
) -> None:
    """Raise InvalidRequest, naming `breakGlass`, if this approver can't decide that way.

    An approver in no group may approve alone, and nothing else.
    """
    field = "breakGlass"
    if break_glass and choice != "approve":
        raise InvalidRequest(f"{field}: nobody rejects alone; leave it out", field=field)
    if break_glass and not approval.may_break_glass(approver):
        raise InvalidRequest(f"{field}: you may not approve this alone; leave it out", field=field)
    if not break_glass and not approver.groups:
        raise InvalidRequest(
            f"{field}: you are in no group, and may only approve this alone, in an emergency",
            field=field,
        )


def is_locked(approver: Approver, link_hash: str) -> bool:
    """Return whether WRONG_CODES were tried with that link."""
    return wrong_codes(approver, link_hash) >= WRONG_CODES


def check_not_locked(approver: Approver, link_hash: str) -> None:
    """Raise WrongCode if the link is locked."""
    if is_locked(approver, link_hash):
        raise WrongCode(f"Too many wrong codes: {_LOCKED}")


def wrong_code(approver: Approver, link_hash: str) -> WrongCode:
    """Return the error of a wrong code that is counted already; it says how many tries are left."""
    left = WRONG_CODES - wrong_codes(approver, link_hash)
    if left <= 0:
        return WrongCode(f"This is not the code from your mail, and it was the last try: {_LOCKED}")
    tries = "1 try is" if left == 1 else f"{left} tries are"
    return WrongCode(f"This is not the code from your mail; {tries} left with this link.")


def check_open(approval: Approval, now: datetime) -> None:
    """Raise AlreadyDecided or Expired if the approval isn't open."""
    if approval.outcome not in ("pending", "expired"):
        raise AlreadyDecided(f"This was {approval.outcome} already.")
    if approval.outcome == "expired" or now >= approval.expires_at:
        raise Expired("The time for answering has passed.")


def check_longest_wait(approval: Approval, expires_at: datetime) -> None:
    """Raise InvalidRequest, naming `expiresIn`, if its policy doesn't let it wait until then."""
    applied = approval.request.policy
    longest = applied.policy.expires_in if applied else None
    if applied is None or longest is None:
        return
    last = approval.created_at + timedelta(seconds=longest)
    if expires_at > last:
        raise InvalidRequest(
            f"expiresIn: policy {applied.name} lets a request wait until {iso(last)} at the most",
            field="expiresIn",
        )


def check_operator_may_ask(approval: Approval, leaving: Approver, to: str) -> None:
    """Raise InvalidRequest, naming `to`, if an operator can't have that person asked instead.

    Under a policy only people whom it names for each group of the leaving one: operators may start
    executions, so they would pick the approvers of their own requests.
    """
    applied = approval.request.policy
    if applied is None:
        return
    policy = applied.policy
    named = set(groups_of(policy.groups, to))
    if is_among(to, policy.fallback):
        named.add(policy.escalation_group)
    if not named >= set(leaving.groups):
        raise InvalidRequest(
            f"to: policy {applied.name} doesn't name {to} for that group. {leaving.address} may "
            "reassign it by their own link; or cancel it and have the policy changed",
            field="to",
        )


def check_can_be_asked(approval: Approval, address: str) -> None:
    """Raise InvalidRequest, naming `to`, if that person can't be asked too.

    An approver who was replaced can be asked again, and so can one who may only approve alone.
    """
    found = find_person(approval.active_approvers, address)
    if found is not None and found.groups:
        raise InvalidRequest(f"to: {address} is asked already", field="to")
    if is_among(address, approval.request.barred):
        raise InvalidRequest(
            f"to: {address} asks, and may not approve their own request", field="to"
        )
