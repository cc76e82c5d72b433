"""A policy: who may approve and how, by a name that requests give; somebody else writes it.

Each writing makes a new version. An approval keeps a copy of the version it was asked under.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct
from msgspec.structs import replace

from .addresses import Address, is_among, same_person
from .bounds import (
    Approvers,
    Count,
    Duration,
    ReasonRequired,
    ReminderInterval,
)
from .errors import InvalidRequest

MOST_GROUPS = 10
MOST_PEOPLE = 40
"""How many people a policy may name: with its copy, an approval still fits into one item."""
MOST_MEMBERSHIPS = 80
"""A person in two groups has two memberships."""
MOST_REQUESTERS = 20
NAME_FORM = (
    "1 to 64 lower-case letters, digits and hyphens, beginning and ending with a letter or digit"
)
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?")


class Group(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, rename="camel"):
    """People of whom some number must approve. A request without a policy has one, unnamed."""

    name: Annotated[str, Meta(min_length=1, max_length=40)]
    approvers: Approvers
    approvals_needed: Count | Literal["all"] = 1

    @property
    def needed(self) -> int:
        """How many approvals it needs; of `all`, as many as it has people."""
        needed = self.approvals_needed
        return len(self.approvers) if needed == "all" else needed

    def without(self, people: tuple[str, ...]) -> "Group":
        """Return the group without these people; it needs as many approvals as with them."""
        left = others(self.approvers, people)
        return replace(self, approvers=left, approvals_needed=self.needed)


class GroupEscalation(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """The fallback approvers of a group, asked too if the approval is pending `after` seconds."""

    after: Duration
    approvers: Approvers
    group: str = ""
    """Its name; may be left out where the policy has one group."""


class Policy(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """What a policy says; docs/api.md explains each field."""

    description: Annotated[str, Meta(max_length=500)] = ""
    groups: Annotated[tuple[Group, ...], Meta(min_length=1, max_length=MOST_GROUPS)]
    requesters: Annotated[tuple[Address, ...], Meta(max_length=MOST_REQUESTERS)] = ()
    """Addresses, or `*@example.com` for all of a domain; empty for everybody."""
    rejections_needed: Count = 1
    reason_required: ReasonRequired = "onReject"
    code_required: bool = False
    allow_self_approval: bool = False
    expires_in: Duration | None = None
    """The longest that a request may wait; None leaves it to the request."""
    remind_every: ReminderInterval | None = None
    escalation: GroupEscalation | None = None
    break_glass: Annotated[tuple[Address, ...], Meta(max_length=MOST_PEOPLE)] = ()
    """The people who may approve alone, in an emergency and with a reason."""

    @property
    def escalation_group(self) -> int:
        """The position of the group that its escalation adds people to."""
        name = self.escalation.group if self.escalation else ""
        return next((at for at, group in enumerate(self.groups) if group.name == name), 0)

    @property
    def members(self) -> tuple[str, ...]:
        """The people of all groups, each once."""
        people = (address for group in self.groups for address in group.approvers)
        return tuple({address.lower(): address for address in people}.values())

    @property
    def fallback(self) -> tuple[str, ...]:
        """The fallback approvers; none without an escalation."""
        return self.escalation.approvers if self.escalation else ()

    @property
    def people(self) -> tuple[str, ...]:
        """All whom it names, each once: members, fallback approvers, who may approve alone."""
        everybody = (*self.members, *self.fallback, *self.break_glass)
        return tuple({address.lower(): address for address in everybody}.values())

    def may_ask(self, requester: str) -> bool:
        """Return whether that person may ask under this policy."""
        return not self.requesters or any(
            same_person(one, requester)
            or (one.startswith("*@") and requester.lower().endswith(one[1:].lower()))
            for one in self.requesters
        )


class PolicyVersion(Struct, frozen=True, omit_defaults=True, rename="camel"):
    """A policy as stored; `version` counts its writings, removals included."""

    name: str
    version: int
    policy: Policy
    written_at: datetime
    written_by: str
    """The IAM principal that signed the call."""
    removed: bool = False


class AppliedPolicy(Struct, frozen=True, omit_defaults=True, rename="camel"):
    """The version of a policy that a request was made under, and a copy of it."""

    name: str
    version: int
    policy: Policy


def groups_of(groups: Sequence[Group], address: str) -> tuple[int, ...]:
    """Return the positions of the groups that this person is in."""
    return tuple(at for at, group in enumerate(groups) if is_among(address, group.approvers))


def check_name(name: object) -> str:
    """Return the name of a policy; raise InvalidRequest, naming `policy`, if none can have it."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise InvalidRequest(f"policy: a policy's name has {NAME_FORM}", field="policy")
    return name


def others(people: tuple[str, ...], left_out: tuple[str, ...]) -> tuple[str, ...]:
    """Return these people without those who are left out."""
    return tuple(one for one in people if not is_among(one, left_out))
