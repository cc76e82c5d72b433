"""CORE: what operators send to change an approval; `POST /approvals/{id}/<operation>`.

`by` says who does it, as an e-mail address; where there is none, the door fills in the caller's
IAM principal. `reason` and `note` say why.
"""

from msgspec import Struct

from .request import Address, Span


class Operation(Struct, frozen=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """What all have: `by`, whoever does it."""

    by: Address | None = None


class Remind(Operation, frozen=True):
    """Mail those who haven't answered again."""

    reason: str = ""


class Cancel(Operation, frozen=True):
    """Withdraw the request."""

    reason: str = ""


class Extend(Operation, frozen=True, kw_only=True, rename="camel"):
    """Set the deadline to so many seconds from now."""

    expires_in: Span
    reason: str = ""


class Reassign(Operation, frozen=True, kw_only=True):
    """Ask one person instead of another."""

    from_: Address
    to: Address
    note: str = ""
