"""Lists of approvals for operators: by outcome, by person, by deadline; page by page, by an index.

An index follows the table by a moment, so an approval that has changed since is left out.
"""

from datetime import timedelta
from typing import NamedTuple

from ..domain.addresses import check_address
from ..domain.approval import Approval, Outcome
from ..domain.link_tokens import id_in
from ..domain.policy import check_name
from .ports import Ports

SOON = timedelta(days=1)
"""A deadline is soon if it is so near."""
ARN_CHARACTERS = 256
"""No execution's ARN is longer (botocore's model), and DynamoDB takes no key of any length."""
LATE = timedelta(minutes=10)
"""Something is overdue if a tick should have done it so long ago; ticks run each minute."""


class ApprovalsPage(NamedTuple):
    """One page of an operator's list; `after` is where the next one begins, "" if this is last."""

    approvals: list[Approval]
    after: str


def by_outcome(ports: Ports, outcome: Outcome, most: int, after: str = "") -> ApprovalsPage:
    """Return approvals with that outcome, newest first, at most `most`."""
    ids, more = ports.store.by_outcome(outcome, most, after)
    found = ports.store.get_many(ids)
    return ApprovalsPage([a for a in found if a.outcome == outcome], more)


def waiting_for(ports: Ports, address: str, most: int, after: str = "") -> ApprovalsPage:
    """Return approvals that wait for that person, earliest deadline first, at most `most`."""
    person = check_address(address, "approver", ("*",))
    return ApprovalsPage(*ports.store.waiting_for(person, ports.now(), most, after))


def waiting_under(ports: Ports, policy: str, most: int, after: str = "") -> ApprovalsPage:
    """Return approvals that wait under the policy of that name, earliest deadline first."""
    name = check_name(policy)
    return ApprovalsPage(*ports.store.waiting_under(name, ports.now(), most, after))


def requested_by(ports: Ports, address: str, most: int, after: str = "") -> ApprovalsPage:
    """Return approvals that this person asked for, of any outcome, newest first."""
    person = check_address(address, "requestedBy", ("*",))
    ids, more = ports.store.by_requester(person, most, after)
    found = ports.store.get_many(ids)
    return ApprovalsPage([a for a in found if a.erased_at is None], more)


def decided(ports: Ports, most: int, after: str = "") -> ApprovalsPage:
    """Return approvals of any outcome but pending, those asked last first."""
    ids, more = ports.store.decided(most, after)
    return ApprovalsPage(ports.store.get_many(ids), more)


def with_id(ports: Ports, approval_id: str) -> ApprovalsPage:
    """Return the approval of that id, if there is one."""
    wanted = id_in(approval_id)
    found = ports.store.get(wanted) if wanted else None
    return ApprovalsPage([found] if found else [], "")


def of_execution(ports: Ports, named: str) -> ApprovalsPage:
    """Return what an execution asked, newest first, by its ARN, or by its name if it is ours."""
    arn = named if named.startswith("arn:") else ports.own_executions + named
    if len(arn) > ARN_CHARACTERS:
        return ApprovalsPage([], "")
    return ApprovalsPage(ports.store.of_execution(arn), "")


def overdue(ports: Ports, most: int, after: str = "") -> ApprovalsPage:
    """Return approvals of which a tick should have delivered something, longest ago first."""
    late = ports.now() - LATE
    ids, more = ports.store.due_since(late, most, after)
    found = ports.store.get_many(ids)
    return ApprovalsPage([a for a in found if a.due_at is not None and a.due_at <= late], more)


def due_soon(ports: Ports, most: int, after: str = "") -> ApprovalsPage:
    """Return pending approvals whose deadline is near, by it."""
    soon = ports.now() + SOON
    ids, more = ports.store.by_deadline(soon, most, after)
    found = ports.store.get_many(ids)
    pending = [a for a in found if a.outcome == "pending" and a.expires_at <= soon]
    return ApprovalsPage(pending, more)
