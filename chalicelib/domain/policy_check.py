"""The check of a policy: untrusted JSON into a `Policy`, or the error naming the wrong field."""

from unicodedata import category, normalize

from msgspec.structs import replace

from .addresses import check_address, check_people, is_among
from .decoding import convert
from .errors import InvalidRequest, Undecidable
from .groups import unfilled
from .policy import MOST_MEMBERSHIPS, MOST_PEOPLE, Group, Policy, groups_of
from .texts import is_blank, many_lines

_SIGNS = "-_&+,'() "
"""Beside letters, digits and marks a group's name has these signs alone: it stands in mails, whose
programs make links of names with dots, and nobody tells names apart by what can't be seen."""


class _Untrusted(Policy, frozen=True, forbid_unknown_fields=True):
    """A policy as sent; unknown fields are refused, since its writer may rely on them."""


def check_policy(untrusted: object, domains: tuple[str, ...]) -> Policy:
    """Return the `Policy` in `untrusted` (decoded JSON).

    `domains` are the mail domains that may be asked; `("*",)` allows any. Raises InvalidRequest,
    naming the first wrong field, and Undecidable if nobody could ever approve under it.
    """
    sent = convert(untrusted, _Untrusted)
    policy = Policy(**{name: getattr(sent, name) for name in Policy.__struct_fields__})
    policy = replace(
        policy,
        description=many_lines(policy.description, "description").strip(),
        groups=tuple(_group(group, at) for at, group in enumerate(policy.groups)),
        requesters=tuple(_requester(one, at) for at, one in enumerate(policy.requesters)),
    )
    policy = check_people_of(policy, domains)
    _check_names(policy)
    _check_numbers(policy)
    _check_escalation(policy)
    _check_can_be_filled(policy)
    return policy


def check_people_of(policy: Policy, domains: tuple[str, ...]) -> Policy:
    """Return the policy with each address as it is stored; InvalidRequest for a wrong one."""
    escalation = policy.escalation
    if escalation is not None:
        fallback = check_people(escalation.approvers, "escalation.approvers", domains)
        escalation = replace(escalation, approvers=fallback)
    groups = (
        replace(group, approvers=check_people(group.approvers, f"groups[{at}].approvers", domains))
        for at, group in enumerate(policy.groups)
    )
    return replace(
        policy,
        groups=tuple(groups),
        escalation=escalation,
        break_glass=check_people(policy.break_glass, "breakGlass", domains),
    )


def _group(group: Group, at: int) -> Group:
    field = f"groups[{at}].name"
    name = group.name.strip()
    if is_blank(name):
        raise InvalidRequest(f"{field}: must not be blank", field=field)
    if not all(sign in _SIGNS or category(sign)[0] in "LMN" for sign in name):
        wrong = f"{field}: has other signs than letters, digits, blanks and {_SIGNS.strip()}"
        raise InvalidRequest(wrong, field=field)
    return replace(group, name=name)


def _requester(one: str, at: int) -> str:
    field = f"requesters[{at}]"
    if one.strip().startswith("*@"):
        return "*" + check_address(f"x{one.strip()[1:]}", field, ("*",))[1:]
    return check_address(one, field, ("*",))


def _check_names(policy: Policy) -> None:
    names = [_looks(group.name) for group in policy.groups]
    for at, name in enumerate(names):
        if name in names[:at]:
            field = f"groups[{at}].name"
            raise InvalidRequest(f"{field}: two groups have the name {name}", field=field)


def _looks(name: str) -> str:
    """Return the name without what makes no difference to its reader: case, forms of letters."""
    return " ".join(normalize("NFKC", name).casefold().split())


def _check_numbers(policy: Policy) -> None:
    for at, group in enumerate(policy.groups):
        if group.needed > len(group.approvers):
            field, most = f"groups[{at}].approvalsNeeded", len(group.approvers)
            wrong = f"{field}: {group.needed} is more than the {most} approvers of {group.name}"
            raise InvalidRequest(wrong, field=field)
    if policy.rejections_needed > len(policy.members):
        most = len(policy.members)
        wrong = f"rejectionsNeeded: {policy.rejections_needed} is more than the {most} approvers"
        raise InvalidRequest(wrong, field="rejectionsNeeded")
    if len(policy.people) > MOST_PEOPLE:
        wrong = f"groups: with escalation and breakGlass, more than {MOST_PEOPLE} people"
        raise InvalidRequest(wrong, field="groups")
    if sum(len(group.approvers) for group in policy.groups) > MOST_MEMBERSHIPS:
        wrong = f"groups: name people more than {MOST_MEMBERSHIPS} times, all groups together"
        raise InvalidRequest(wrong, field="groups")


def _check_escalation(policy: Policy) -> None:
    escalation = policy.escalation
    if escalation is None:
        return
    names = [group.name for group in policy.groups]
    if escalation.group not in names and (escalation.group or len(names) > 1):
        wrong = f"escalation.group: must be one of {', '.join(names)}"
        raise InvalidRequest(wrong, field="escalation.group")
    for at, person in enumerate(escalation.approvers):
        if is_among(person, policy.members):
            field = f"escalation.approvers[{at}]"
            raise InvalidRequest(f"{field}: {person} is in a group already", field=field)
    if policy.expires_in is not None and escalation.after >= policy.expires_in:
        wrong = (
            f"escalation.after: {escalation.after} seconds must be less than expiresIn, which is "
            f"{policy.expires_in}"
        )
        raise InvalidRequest(wrong, field="escalation.after")


def _check_can_be_filled(policy: Policy) -> None:
    """Raise Undecidable if the groups share so many people that not all can be filled.

    Fallback approvers don't count: they are asked later, and only if nobody has decided.
    """
    memberships = [groups_of(policy.groups, person) for person in policy.members]
    short = unfilled([group.needed for group in policy.groups], memberships)
    if short:
        names = ", ".join(policy.groups[at].name for at, _ in short)
        raise Undecidable(
            f"groups: {names} can't reach its count, because an approval counts in one group and "
            "others need the same people; name more people, or lower approvalsNeeded",
            field="groups",
        )
