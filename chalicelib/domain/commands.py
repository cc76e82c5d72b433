"""Commands: what operators send to change an approval, as `POST /approvals/{id}/<command>`.

`by` names the person who acts, as an e-mail address. It is a claim: the IAM principal that signed
the call is recorded beside it, and in its place if there is none. `reason` and `note` say why.
"""

from msgspec import Struct

from .addresses import Address
from .bounds import Duration


class Command(Struct, frozen=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """The field that all commands have."""

    by: Address | None = None


class Remind(Command, frozen=True):
    """Send another mail to each approver who hasn't decided."""

    reason: str = ""


class Cancel(Command, frozen=True):
    """Take the request back."""

    reason: str = ""


class Extend(Command, frozen=True, kw_only=True, rename="camel"):
    """Move the deadline to `expires_in` seconds from now."""

    expires_in: Duration
    reason: str = ""


class Reassign(Command, frozen=True, kw_only=True):
    """Ask one person instead of another."""

    from_: Address
    to: Address
    note: str = ""
