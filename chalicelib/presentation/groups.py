"""The groups of a policy in words: what each needs, who counts in it, and which still wait."""

from ..domain.approval import Approval, Approver
from ..domain.standings import GroupStanding, counted_in, standings

ALONE = "alone (break-glass)"
"""How a person approved who did so without the groups."""
_NAMED = 3
"""More people are counted and not named."""


def are_named(approval: Approval) -> bool:
    """Return whether the approval has groups of a policy, and not the unnamed one alone."""
    return approval.request.policy is not None


def policy_of(approval: Approval) -> str:
    """Return the policy that it was asked under: `production-release, version 3`; or ""."""
    applied = approval.request.policy
    return f"{applied.name}, version {applied.version}" if applied else ""


def role_in_groups(approver: Approver, approval: Approval) -> str:
    """Return for which groups this approver may decide: `for security or operations`; or ""."""
    if not are_named(approval) or not approver.groups:
        return ""
    names = approval.request.group_names
    return f"for {_either([names[at] for at in approver.groups])}"


def counted_for(approval: Approval) -> dict[str, str]:
    """Return `{approver: what their approval counts for}`: ` for security`, ` alone (...)`."""
    found = {who: f" for {name}" for who, name in counted_in(approval).items() if name}
    alone = approval.broken_glass
    return found if alone is None else {**found, alone.address: f" {ALONE}"}


def any_of(addresses: list[str], noun: str) -> str:
    """Return any one of the people in words: `ada@... or grace@...`, `any of 7 approvers`."""
    return _either(addresses) if len(addresses) <= _NAMED else f"any of {len(addresses)} {noun}"


def groups_needed(approval: Approval) -> str:
    """Return what each group needs: `1 of 2 in security and 2 of 3 in operations`."""
    groups = approval.request.groups
    parts = [
        f"{group.needed} of {_size(approval, at)} in {group.name}"
        for at, group in enumerate(groups)
    ]
    return _all(parts)


def groups_so_far(approval: Approval) -> str:
    """Return how far each group is: `security 1 of 1, operations 0 of 2`."""
    return ", ".join(
        f"{one.name} {len(one.approved)} of {one.needed}" for one in standings(approval)
    )


def groups_waiting(approval: Approval) -> str:
    """Return what the open groups still need: `1 approval for security, from sam@example.com`."""
    return _all([_still(one) for one in standings(approval) if not one.is_filled])


def _still(one: GroupStanding) -> str:
    left = one.needed - len(one.approved)
    people = [approver.address for approver in one.undecided]
    who = any_of(people, "people") or "nobody"
    return f"{left} approval{'' if left == 1 else 's'} for {one.name}, from {who}"


def _size(approval: Approval, at: int) -> int:
    return sum(at in approver.groups for approver in approval.active_approvers)


def _either(names: list[str]) -> str:
    return " or ".join([", ".join(names[:-1]), names[-1]] if names[1:] else names)


def _all(parts: list[str]) -> str:
    return " and ".join(["; ".join(parts[:-1]), parts[-1]] if parts[2:] else parts)
