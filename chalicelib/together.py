"""USE CASES: all that waits for one approver, and several of it decided at once.

The link of the list stands in every mail to an approver. It says who reads; each decision is then
made as on its own page, one after the other, so that one which can't be taken is in no other's way.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from . import links, rules
from .approval import Approval, Choice, among
from .errors import (
    AlreadyDecided,
    AssentError,
    Expired,
    InvalidRequest,
    Reassigned,
    Unavailable,
    WrongCode,
)
from .ports import Ports
from .request import check_reason
from .settle import change, resume
from .workflow import linked_to

SHOWN = 25
"""How many stand on one page, and are decided at once."""
GOOD_FOR = timedelta(days=7)
"""How long after its own request has ended a mail's link still opens the list."""
PATIENCE = timedelta(seconds=22)
"""Within this time one call has to answer, so that neither Lambda (28 s) nor API Gateway gives up:
another decision is begun only while the longest one so far would fit in twice."""


_UNKNOWN = "We can't say yet whether this was recorded; please look at the list again."


class Waiting(NamedTuple):
    """One page of what waits for an approver; `after` is where the next begins, "" if none does."""

    address: str
    approvals: list[Approval]
    after: str
    began: datetime
    """When it was begun to look."""


class Told(NamedTuple):
    """What came of one of those decided together: the approval as it is, and why not if so."""

    approval: Approval
    error: AssentError | None


def waiting(ports: Ports, token: str, after: str = "") -> Waiting:
    """Return what waits for the holder of a list's link; raises what `reader` does."""
    began, address = ports.now(), reader(ports, token)
    found, more = ports.store.waiting(address, ports.now(), SHOWN, after)
    return Waiting(address, [a for a in found if waits_for(a, address)], more, began)


def reader(ports: Ports, token: str) -> str:
    """Return the approver whom this list's link was mailed to.

    Raises NotFound if it is nobody's, Reassigned if somebody else was asked instead of them, and
    Expired GOOD_FOR after that request has ended: an old mail doesn't open what is new.
    """
    found, root = linked_to(ports, token)
    holder = links.holder(found, links.decision_secret(root))
    if holder.replaced_by is not None:
        raise Reassigned(
            f"{found.who_has_it(holder)} was asked instead of you, so the links of this mail are "
            "dead. The list opens from any other mail of yours."
        )
    ended = found.closed_at or found.expires_at
    if ports.now() > ended + GOOD_FOR:
        raise Expired("This mail is too old. The list opens from any newer mail of yours.")
    return holder.address


def chosen(ports: Ports, token: str, approval_ids: Sequence[str]) -> Waiting:
    """Return these approvals, about which the holder of a list's link is or was asked.

    Raises what `reader` does, and InvalidRequest if there are none, too many, or others among them.
    """
    began, address = ports.now(), reader(ports, token)
    ids = list(dict.fromkeys(approval_ids))
    if not ids:
        raise InvalidRequest("chosen: please choose at least one request", field="chosen")
    if len(ids) > SHOWN:
        raise InvalidRequest(f"chosen: {SHOWN} requests at most", field="chosen")
    found = ports.store.get_many(ids) if all(map(links.is_id, ids)) else []
    if len(found) < len(ids) or not all(among(a.approvers, address) for a in found):
        raise InvalidRequest("chosen: you were not asked about all of these", field="chosen")
    return Waiting(address, found, "", began)


def decide(ports: Ports, seen: Waiting, choice: Choice, reason: str) -> list[Told]:
    """Decide each of what was chosen, and return what came of each.

    One that has this person's same decision already is as good as decided now. Raises
    InvalidRequest for an unfit reason, or if one of them needs a reason and there is none; nothing
    is written then. Afterwards each stands alone.
    """
    reason = check_reason(reason)
    if not reason and any(approval.needs_reason(choice) for approval in seen.approvals):
        raise InvalidRequest("reason: please say why, it is required", field="reason")
    told, start = [], ports.now()
    longest = max(start - seen.began, timedelta(seconds=1))
    for approval in seen.approvals:
        if start - seen.began + 2 * longest > PATIENCE:
            late = Unavailable("There was no time left for this one; please choose it again.")
            told.append(Told(approval, late))
            continue
        told.append(_decide_one(ports, approval, seen.address, choice, reason))
        ended = ports.now()
        longest, start = max(longest, ended - start), ended
    return told


def _decide_one(ports: Ports, seen: Approval, address: str, choice: Choice, reason: str) -> Told:
    def rule(current: Approval) -> Approval:
        approver, now = current.approver(address), ports.now()
        rules.refuse_if_over(current, approver, choice, now)
        if current.request.code_required:
            raise WrongCode("It takes the code from its own mail; please decide it there.")
        return rules.decide(current, approver.address, choice, reason, now, "list")

    try:
        decided = resume(ports, change(ports, seen.id, rule), "list")
    except AlreadyDecided as e:
        now = ports.store.get(seen.id) or seen
        own = now.approver(address).decision
        return Told(now, None if own is not None and own.choice == choice else e)
    except Unavailable:
        return Told(seen, Unavailable(_UNKNOWN))
    except AssentError as e:
        return Told(seen, e)
    ports.log("decided", approvalId=seen.id, via="list")
    return Told(decided, None)


def waits_for(approval: Approval, address: str) -> bool:
    """Return whether that person's answer is wanted."""
    return among(approval.waits_for, address) is not None
