"""Words and phrases that mails, pages and audit reports share."""

import re
from datetime import datetime, timedelta

from ..domain.addresses import same_person
from ..domain.approval import OPERATOR, OUTCOME_OF, Approval, Approver, Choice
from ..domain.events import SYSTEM, Event
from .groups import (
    ALONE,
    any_of,
    are_named,
    groups_needed,
    groups_so_far,
    groups_waiting,
    policy_of,
)

_ENDED = {
    "ABORTED": "was stopped",
    "TIMED_OUT": "timed out",
    "FAILED": "failed",
    "SUCCEEDED": "finished without an answer",
}
"""How an execution ended, by Step Functions' status."""
_PLAIN_ADDRESS = re.compile(r"[\w+'-]+(\.[\w+'-]+)*@[\w.-]+", re.ASCII)
"""What nearly all addresses are made of. The other signs that one may have stand in paths, queries
and passwords of links."""
_PRINCIPAL = re.compile(r"arn:[\w:/+=,.@-]+", re.ASCII)
_LIKE_A_SITE = re.compile(r"(?<![a-z0-9])(www|ftp)\.", re.IGNORECASE)
_LINKING = re.compile(r"[.@]")
_HALF_A_YEAR = timedelta(days=180)

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def when(moment: datetime) -> str:
    """Return a UTC time that readers of any country understand: `29 Nov 2026, 17:31 UTC`."""
    return f"{moment.day} {_MONTHS[moment.month - 1]} {moment:%Y, %H:%M} UTC"


def duration(time: timedelta) -> str:
    """Return a duration in its largest unit, rounded down: `6 days`."""
    seconds = max(int(time.total_seconds()), 0)
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= 2 * length or (seconds >= length and unit != "day"):
            return count(seconds // length, unit)
    return "less than a minute"


def count(number: int, noun: str) -> str:
    """Return `no request`, `1 request`, `2 requests`."""
    return f"{number or 'no'} {noun}" if number < 2 else f"{number} {noun}s"


def capital(sentence: str) -> str:
    """Return a sentence with a capital, unless it begins with an address."""
    return sentence if "@" in sentence.split(" ", 1)[0] else sentence[:1].upper() + sentence[1:]


def in_mail(who: str) -> str:
    """Return an address or name as it may stand in a mail.

    Mail programs make a link of `www.example.com/x@example.org`, which is an address and leads to
    another site. Such a one is written `www[.]example[.]com/x[@]example[.]org`.
    """
    plain = _PLAIN_ADDRESS.fullmatch(who) or _PRINCIPAL.fullmatch(who)
    if plain and not _LIKE_A_SITE.search(who):
        return who
    return _LINKING.sub(r"[\g<0>]", who)


def requester(approval: Approval) -> str:
    """Return the requester's address, or the state machine's name if the request names nobody."""
    state_machine = approval.execution_arn.split(":")[6:7]
    return approval.request.requested_by or f"the workflow {''.join(state_machine)}"


def note_author(approver: Approver) -> str:
    """Return who wrote the note to this approver: `an operator`, or the replaced approver."""
    return "an operator" if approver.note_by == OPERATOR else approver.note_by


def asked_again(approval: Approval) -> str:
    """Return that the workflow has asked again since; empty if it hasn't."""
    if approval.asked_again_at is None:
        return ""
    return f"the workflow asked again on {when(approval.asked_again_at)}"


def answer_the_newer(approval: Approval) -> str:
    """Return what an approver should do instead of answering here; empty if nothing else."""
    again = asked_again(approval)
    advice = "Please answer the newer request; an answer here may have no effect."
    return f"{again[0].upper()}{again[1:]}. {advice}" if again else ""


def weekday(moment: datetime, now: datetime) -> str:
    """Return a time with its weekday, and with its year unless that is obvious.

    `Sun 29 Nov, 17:31 UTC`
    """
    year = "" if abs(moment - now) < _HALF_A_YEAR else f" {moment.year}"
    day = f"{_DAYS[moment.weekday()]} {moment.day} {_MONTHS[moment.month - 1]}"
    return f"{day}{year}, {moment:%H:%M} UTC"


def deadline(approval: Approval, now: datetime) -> tuple[str, str]:
    """Return the deadline and, while the approval is open, what is left: `in 24 hours` or ""."""
    is_open = approval.outcome == "pending" and now < approval.expires_at
    left = f"in {duration(approval.expires_at - now)}" if is_open else ""
    return weekday(approval.expires_at, now), left


def answer_by(approval: Approval, now: datetime) -> str:
    """Return the deadline in one piece: `Mon 23 Nov, 09:00 UTC (in 24 hours)`."""
    day, left = deadline(approval, now)
    return f"{day} ({left})" if left else day


def quorum(approval: Approval) -> str:
    """Return the quorum and how far it is, if several are asked; empty if one is."""
    so_far = f" So far: {progress(approval)}." if approval.decisions else ""
    if are_named(approval):
        policy, needs = policy_of(approval), groups_needed(approval)
        return f"Policy {policy}, needs {needs}; {_ending(approval)}.{so_far}"
    k, n = approval.approvals_needed, len(approval.active_approvers)
    if n == 1 and k == 1:
        return ""
    return f"{k} of {n} approvers must approve; {_ending(approval)}.{so_far}"


def still_needed(approval: Approval) -> str:
    """Return what an open approval waits for: `1 more approval is needed, from ada@...`."""
    if are_named(approval):
        return f"Still needed: {groups_waiting(approval)}."
    left = approval.approvals_needed - approval.approve_count
    people = [approver.address for approver in approval.undecided]
    who, verb = any_of(people, "approvers"), "is" if left == 1 else "are"
    return f"{count(left, 'more approval')} {verb} needed, from {who}."


def needed(approval: Approval, reader: str = "") -> str:
    """Return the quorum, and how many rejections end the approval, for the reader's address."""
    if are_named(approval):
        return f"approval by {groups_needed(approval)}; {_ending(approval)}"
    k, n = approval.approvals_needed, len(approval.active_approvers)
    if n == 1:
        only = approval.active_approvers[0].address
        return "your approval" if same_person(only, reader) else f"approval by {only}"
    return f"approval by {k} of {n} approvers; {_ending(approval)}"


def progress(approval: Approval) -> str:
    """Return how many approvers have decided: `1 approval, no rejection`."""
    if not approval.approve_count and not approval.reject_count:
        return "nobody has decided"
    if are_named(approval):
        against = approval.reject_count
        rejected = f", {count(against, 'rejection')}" if against else ""
        return f"{groups_so_far(approval)}{rejected}"
    return (
        f"{count(approval.approve_count, 'approval')}, {count(approval.reject_count, 'rejection')}"
    )


def _ending(approval: Approval) -> str:
    most = approval.request.rejections_needed
    return f"{count(most, 'rejection')} end{'s' if most == 1 else ''} it"


def past(choice: Choice) -> str:
    """Return the choice in the past tense: `approved`, `rejected`."""
    return OUTCOME_OF[choice]


def was(approval: Approval, *, mailed: bool = False, with_time: bool = True) -> str:
    """Return outcome and time: `was approved on ...`; who or what cancelled or replaced it.

    Says so if a decision came when the workflow didn't wait for it any more. `mailed` has the
    address written as `in_mail` does.
    """
    at = f" on {when(approval.closed_at)}" if approval.closed_at and with_time else ""
    if approval.outcome == "expired":
        return f"expired{at}, before it was decided"
    if approval.outcome == "cancelled":
        return _was_cancelled(approval, at, mailed=mailed)
    alone = f" {ALONE}" if approval.broken_glass is not None else ""
    return f"was {approval.outcome}{alone}{at}{_in_vain(approval)}"


def outcome_title(approval: Approval) -> str:
    """Return the outcome in a word or three: `Approved`, `Approved too late`, `Asked again`."""
    if approval.superseded_by is not None:
        return "Asked again"
    alone = " alone" if approval.broken_glass is not None else ""
    return f"{approval.outcome.capitalize()}{alone}{' too late' if too_late(approval) else ''}"


def too_late(approval: Approval) -> bool:
    """Return whether it was decided when the workflow was not waiting any more."""
    return approval.outcome in OUTCOME_OF.values() and approval.is_in_vain


def next_step(approval: Approval, *, to_requester: bool) -> str:
    """Return what a reader should do after this outcome; empty if there is nothing to do.

    `to_requester` is whether the reader is the requester, and no approver.
    """
    if approval.superseded_by is not None:
        if to_requester:
            return "The approvers answer the newer request instead."
        return "Please answer the newer mail, or use your inbox."
    ask_again = "ask again" if to_requester else "it has to be asked again"
    if too_late(approval):
        return f"Nothing will happen because of it; {ask_again} if it is still needed."
    undecided = approval.outcome == "expired" or approval.execution_ended is not None
    return "Ask again if it is still needed." if undecided and to_requester else ""


def cancelled_by(approval: Approval) -> tuple[str, str]:
    """Return who cancelled, and their reason; both empty if no person did."""
    if approval.outcome != "cancelled" or _cancellation(approval).who == SYSTEM:
        return "", ""
    return _cancellation(approval).who, _cancellation(approval).note


def detail_rows(approval: Approval) -> list[tuple[str, str]]:
    """Return labelled details as rows of text; empty if the details are plain text."""
    details = approval.request.details
    if isinstance(details, str):
        return []
    return [(label, _value(value)) for label, value in details.items()]


def _was_cancelled(approval: Approval, at: str, *, mailed: bool) -> str:
    if approval.execution_ended is not None:
        return f"was cancelled{at}, because its workflow {_how_it_ended(approval)}"
    if approval.superseded_by is not None:
        return f"was replaced by a newer one{at}, because its workflow asked again"
    who = _cancellation(approval).who
    return f"was cancelled by {in_mail(who) if mailed else who}{at}{_in_vain(approval)}"


def _how_it_ended(approval: Approval) -> str:
    return _ENDED.get(approval.execution_ended or "", "has ended")


def _in_vain(approval: Approval) -> str:
    return ", but the workflow was not waiting any more" if approval.is_in_vain else ""


def _cancellation(approval: Approval) -> Event:
    return next(e for e in reversed(approval.events) if e.what == "cancelled")


def _value(value: str | bool | float) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
