"""Bulk deciding: an approver's inbox, and several requests decided at once.

The inbox link stands in every mail to an approver. Each decision is then made by itself, one after
the other, so that one that is refused doesn't hold up the others.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from ..domain import link_tokens, refusals, transitions
from ..domain.approval import Approval, Choice, find_person
from ..domain.errors import (
    AssentError,
    Expired,
    InvalidRequest,
    NotFound,
    Reassigned,
    Unavailable,
    WrongCode,
)
from ..domain.texts import check_reason
from .deciding import load_linked
from .outbox_relay import resume
from .ports import Ports
from .saving import save, too_many_conflicts, versions

PAGE_SIZE = 25
"""How many requests one page shows, and one call decides."""
LINK_LIFETIME = timedelta(days=7)
"""An inbox link opens the inbox for so long after the request of its own mail has ended."""
TIME_LIMIT = timedelta(seconds=22)
"""One call answers within this time, so that neither Lambda (28 s) nor API Gateway gives up: it
begins another decision only if twice the time of the longest one so far is left."""

_UNKNOWN = "We can't say yet whether this was recorded; please look at the inbox again."


class Inbox(NamedTuple):
    """One page of requests that wait for an approver."""

    address: str
    approvals: list[Approval]
    after: str
    """Where the next page begins; "" if this is the last one."""
    began: datetime
    """When the call began."""
    missing: tuple[str, ...] = ()
    """Selected ids that are no requests to the approver; `not_found` is the error of each."""


class Result(NamedTuple):
    """One decision of several: the approval as stored now, and the error if it was refused."""

    approval: Approval
    error: AssentError | None


def inbox(ports: Ports, token: str, after: str = "") -> Inbox:
    """Return one page of an approver's inbox; raises what `reader_of` does."""
    began, address = ports.now(), reader_of(ports, token)
    found, more = ports.store.waiting_for(address, ports.now(), PAGE_SIZE, after)
    return Inbox(address, [a for a in found if is_waiting_for(a, address)], more, began)


def select(ports: Ports, token: str, approval_ids: Sequence[str]) -> Inbox:
    """Return those of these approvals of which the reader of an inbox link is or was an approver.

    The other ids are `missing`: erased, deleted by their time-to-live, or about other people.
    Which of these is not told, so nobody learns whether an id exists. Raises what `reader_of` does,
    and InvalidRequest if there are no ids, too many, a malformed one, or none of the reader's.
    """
    began, address = ports.now(), reader_of(ports, token)
    ids = list(dict.fromkeys(approval_ids))
    if not ids:
        raise InvalidRequest("chosen: please select at least one request", field="chosen")
    if len(ids) > PAGE_SIZE:
        raise InvalidRequest(f"chosen: {PAGE_SIZE} requests at most", field="chosen")
    found = ports.store.get_many(ids) if all(map(link_tokens.is_id, ids)) else []
    own = {a.id: a for a in found if find_person(a.approvers, address)}
    if not own:
        raise InvalidRequest("chosen: you were not asked about all of these", field="chosen")
    missing = tuple(one for one in ids if one not in own)
    return Inbox(address, list(own.values()), "", began, missing)


def decide_all(ports: Ports, selected: Inbox, choice: Choice, reason: str) -> list[Result]:
    """Decide each selected approval and return the result of each; `missing` ones have none.

    A repeated decision counts as recorded; an outcome that others made doesn't. Raises
    InvalidRequest for a bad reason, or if one of them requires a reason and there is none: nothing
    is written then.
    """
    reason = check_reason(reason)
    if not reason and any(approval.needs_reason(choice) for approval in selected.approvals):
        raise InvalidRequest("reason: please say why, it is required", field="reason")
    results, start = [], ports.now()
    longest = max(start - selected.began, timedelta(seconds=1))
    for approval in selected.approvals:
        if start - selected.began + 2 * longest > TIME_LIMIT:
            late = Unavailable("There was no time left for this one; please select it again.")
            results.append(Result(approval, late))
            continue
        results.append(_decide(ports, approval, selected.address, choice, reason, start))
        ended = ports.now()
        longest, start = max(longest, ended - start), ended
    return results


def not_found() -> NotFound:
    """Return the error for a selected id that is no request to the reader."""
    return NotFound("This request is gone, or you were not asked about it.")


def is_waiting_for(approval: Approval, address: str) -> bool:
    """Return whether the approval waits for that person's decision."""
    return find_person(approval.waits_for, address) is not None


def _decide(
    ports: Ports, seen: Approval, address: str, choice: Choice, reason: str, began: datetime
) -> Result:
    current = seen
    try:
        for current in versions(ports, seen.id):
            approver, now = current.approver(address), ports.now()
            if approver.decision is not None and approver.decision.choice == choice:
                return Result(current, None)
            refusals.check_can_decide(current, approver, now)
            if current.request.code_required:
                raise WrongCode("It needs the code from its own mail; please decide it there.")
            changed = transitions.decide(
                current, approver.address, choice, reason=reason, now=now, via="list"
            )
            if saved := save(ports, current, changed):
                decided = resume(ports, saved, "list", began)
                ports.log("decided", approvalId=seen.id, via="list")
                return Result(decided, None)
        raise too_many_conflicts()
    except Unavailable:
        return Result(seen, Unavailable(_UNKNOWN))
    except AssentError as e:
        return Result(current, e)


def reader_of(ports: Ports, token: str) -> str:
    """Return the address of the approver this inbox link was mailed to.

    Raises NotFound for a bad link, Reassigned if another person was asked instead of them, and
    Expired once LINK_LIFETIME is over: an old mail doesn't open new requests.
    """
    approval, inbox_secret = load_linked(ports, token)
    approver = link_tokens.approver_of(approval, link_tokens.decision_secret(inbox_secret))
    if approver.replaced_by is not None:
        raise Reassigned(
            f"{approval.asked_instead_of(approver)} was asked instead of you, so the links of this "
            "mail are dead. Your inbox opens from any other mail to you."
        )
    ended = approval.closed_at or approval.expires_at
    if ports.now() > ended + LINK_LIFETIME:
        raise Expired("This mail is too old. Your inbox opens from any newer mail to you.")
    return approver.address
