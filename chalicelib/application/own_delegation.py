"""An approver's own delegation: set and ended by the inbox link of any mail to them.

A decision link doesn't do: one that was forwarded opens no inbox.
"""

from typing import NamedTuple

from ..domain.delegation import Delegation, form_of_days
from ..domain.texts import clean
from . import approvers
from .bulk_deciding import reader_of
from .ports import Ports


class OwnDelegation(NamedTuple):
    """An approver, and the delegation that is or will be in force for them, if any."""

    address: str
    delegation: Delegation | None


def find(ports: Ports, token: str) -> OwnDelegation:
    """Return the delegation of the approver this inbox link was mailed to.

    Raises what `reader_of` does.
    """
    address = reader_of(ports, token)
    return OwnDelegation(address, approvers.current_delegation(ports, address, ports.now()))


def delegate(
    ports: Ports, token: str, to: str, *, first: str, last: str, reason: str
) -> OwnDelegation:
    """Store a delegation by the approver of this inbox link.

    It holds from the beginning of the day `first` (empty: from now) to the end of `last`, days in
    UTC as YYYY-MM-DD. Raises InvalidRequest, naming the field, and what `reader_of` does.
    """
    address = reader_of(ports, token)
    sent = form_of_days(clean(to), first=first, last=last, reason=reason, now=ports.now())
    written = approvers.store_delegation(ports, address, sent, by=address)
    return OwnDelegation(address, written)


def end(ports: Ports, token: str) -> OwnDelegation:
    """End the delegation of the approver of this inbox link; nothing if there is none."""
    address = reader_of(ports, token)
    approvers.end_delegation(ports, address, by=address)
    return OwnDelegation(address, None)
