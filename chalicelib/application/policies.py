"""Policies: written, read and deleted. What was asked under one stays as it is."""

from datetime import datetime, timedelta

from ..domain.approval import Approver
from ..domain.bounds import MOST_WAITING
from ..domain.decidability import in_words, shortages
from ..domain.errors import NotFound, VersionConflict
from ..domain.invitation import Invitation
from ..domain.policy import Policy, PolicyVersion, check_name, groups_of
from ..domain.policy_check import check_policy
from ..presentation.json_types import PersonJson
from .approvers import mail_seen
from .ports import Ports

LATE = timedelta(days=1)
"""People who haven't confirmed an invitation for so long are reported."""


def write_policy(
    ports: Ports,
    name: str,
    untrusted: object,
    *,
    replaces: int | None,
    by: str,
    dry_run: bool = False,
) -> PolicyVersion:
    """Store a new version of a policy and return it; the current one if it says the same.

    `replaces` is the version that its writer has read, 0 for none, None for any. A `dry_run` stores
    nothing. Raises InvalidRequest for a bad name or policy, and VersionConflict if another version
    is current.
    """
    check_name(name)
    policy = check_policy(untrusted, ports.approver_domains)
    newest = ports.policies.newest(name)
    current = None if newest is None or newest.removed else newest
    if current is not None and current.policy == policy:
        return current
    _check_replaces(name, current, replaces)
    number = 1 if newest is None else newest.version + 1
    written = PolicyVersion(name, number, policy, ports.now(), by)
    if dry_run:
        return written
    if not ports.policies.replace(newest, written):
        raise _conflict(name)
    ports.log("policy_written", policy=name, version=number, principal=by)
    return written


def remove_policy(ports: Ports, name: str, *, replaces: int | None, by: str) -> None:
    """Delete a policy: nothing is asked under it any more, and what waits goes on.

    Its versions are kept, and a later policy of that name goes on counting. Raises NotFound, and
    VersionConflict as `write_policy` does.
    """
    current = find_policy(ports, name)
    _check_replaces(name, current, replaces)
    gone = PolicyVersion(name, current.version + 1, current.policy, ports.now(), by, removed=True)
    if not ports.policies.replace(current, gone):
        raise _conflict(name)
    ports.log("policy_deleted", policy=name, version=gone.version, principal=by)


def find_policy(ports: Ports, name: str, version: int | None = None) -> PolicyVersion:
    """Return a policy: that version of it, or the current one; NotFound if there is none."""
    check_name(name)
    if version is not None:
        found = ports.policies.version(name, version)
    else:
        found = ports.policies.newest(name)
    if found is None or (found.removed and version is None):
        which = f"policy {name}" if version is None else f"version {version} of policy {name}"
        raise NotFound(f"There is no {which}.")
    return found


def list_policies(
    ports: Ports, most: int, after: str = ""
) -> tuple[list[tuple[PolicyVersion, int]], str]:
    """Return policies, last written first, each with how many requests wait under it (to 100).

    Also returns where the next page begins.
    """
    found, more = ports.policies.page(most, after)
    return [(one, count_waiting(ports, one.name)) for one in found], more


def count_waiting(ports: Ports, name: str) -> int:
    """Return how many requests wait under the policy of that name, MOST_WAITING at the most."""
    return ports.store.count_waiting_under(name, ports.now(), MOST_WAITING)


def look_at_people(ports: Ports, policy: Policy) -> tuple[list[PersonJson], list[str]]:
    """Return whether mail reaches each person of a policy, and what is wrong, in sentences.

    A group that can't reach its count is wrong; who hasn't confirmed for a day is reported too.
    Costs up to three calls of SNS for each person.
    """
    invitations = ports.store.invitations(policy.people)
    people = [_person(ports, one, invitations.get(one.lower())) for one in policy.people]
    refused = {one["approver"].lower(): one["refusal"] for one in people if "refusal" in one}
    short = shortages(policy.groups, _memberships(policy), refused)
    problems = [in_words([one]) for one in short]
    late = [one["approver"] for one in people if _is_late(one, invitations, ports.now())]
    problems += [f"{one} hasn't confirmed the subscription for more than a day" for one in late]
    return people, problems


def _memberships(policy: Policy) -> list[Approver]:
    members = [Approver(one, groups=groups_of(policy.groups, one)) for one in policy.members]
    return [
        *members,
        *(Approver(one, groups=(policy.escalation_group,)) for one in policy.fallback),
    ]


def _person(ports: Ports, address: str, invitation: Invitation | None) -> PersonJson:
    if invitation is not None and invitation.refusal:
        return {"approver": address, "subscription": "refused", "refusal": invitation.refusal}
    return {"approver": address, **mail_seen(ports, address)}


def _is_late(person: PersonJson, invitations: dict[str, Invitation], now: datetime) -> bool:
    invited = invitations.get(person["approver"].lower())
    return (
        person["subscription"] == "pending"
        and invited is not None
        and now - invited.waits_since > LATE
    )


def _check_replaces(name: str, current: PolicyVersion | None, replaces: int | None) -> None:
    if replaces is not None and replaces != (current.version if current else 0):
        raise _conflict(name)


def _conflict(name: str) -> VersionConflict:
    return VersionConflict(
        f"Policy {name} was written or deleted meanwhile; read it again, and then decide."
    )
