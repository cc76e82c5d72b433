"""A delegation as JSON, for operators and for the approver's own page."""

from typing import NotRequired, TypedDict

import msgspec

from ..domain.delegation import Delegation
from ..domain.timestamps import iso

# `from` is a keyword of Python, hence the functional form.
DelegationJson = TypedDict(
    "DelegationJson",
    {
        "delegate": str,
        "from": str,
        "until": str,
        "reason": NotRequired[str],
        "by": NotRequired[str],
        "principal": NotRequired[str],
        "at": NotRequired[str],
    },
)
"""`principal` signed an operator's call; `by` is whom the operator named, or the approver.

`from` and `until` are as they were sent; what earlier versions stored has no author and no time.
"""


class OwnDelegationJson(TypedDict):
    """The answer of an approver's own delegation page: what is or will be in force, if anything."""

    approver: str
    absence: DelegationJson | None


def delegation_json(delegation: Delegation) -> DelegationJson:
    """Return the delegation with its author, as `GET /approvers/{email}` answers."""
    view: DelegationJson = {
        "delegate": delegation.delegate,
        "from": msgspec.to_builtins(delegation.from_),
        "until": msgspec.to_builtins(delegation.until),
    }
    if delegation.reason:
        view["reason"] = delegation.reason
    if delegation.by and delegation.by != delegation.principal:
        view["by"] = delegation.by
    if delegation.principal:
        view["principal"] = delegation.principal
    if delegation.at is not None:
        view["at"] = iso(delegation.at)
    return view
