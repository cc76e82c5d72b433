"""Telling: approver and delegate are mailed when a delegation is written or ended.

Only people who have confirmed their subscription are told: nobody is invited for it.
"""

from ..domain.delegation import Delegation, lease_telling, told
from ..domain.errors import AssentError, Refused
from .ports import Ports


def tell(ports: Ports, address: str) -> None:
    """Tell who is still to be told of this approver's delegation, if that is due.

    Two ticks at once tell nobody twice: the write that leases it succeeds for one of them. People
    whom SNS can't mail now stay untold, for a later tick.
    """
    read = ports.store.delegation(address)
    leased = None if read is None else lease_telling(read, ports.now())
    if read is None or leased is None or not ports.store.replace_delegation(address, read, leased):
        return
    untold = tuple(person for person in leased.untold if not _tell(ports, address, leased, person))
    ports.store.replace_delegation(address, leased, told(leased, untold))


def _tell(ports: Ports, address: str, delegation: Delegation, person: str) -> bool:
    """Return whether this person is told, or can't be."""
    from ..presentation.delegation_emails import write_email  # noqa: PLC0415 (cold start)

    try:
        if ports.mailer.subscription(person) == "confirmed":
            ports.mailer.send(person, write_email(address, delegation, person, name=ports.name))
    except AssentError as e:
        ports.log("delivery_failed", entry="delegation", why=e.message)
        return isinstance(e, Refused)
    return True
