"""The rules of a policy, for a check without an API. Tests hold them to the API's own check.

The API checks one thing more: that the stage may ask addresses of these mail domains.
"""

import re
from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any
from unicodedata import category, normalize

from .shapes import (
    Problem,
    either,
    list_of,
    object_of,
    or_null,
    text,
    true_or_false,
    whole_number,
)

MOST_PEOPLE = 40
MOST_MEMBERSHIPS = 80
"""A person in two groups has two memberships."""
YEAR = 31_536_000
NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?")
_WORD = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"(?=.{{1,64}}@){_WORD}(\.{_WORD})*@{_LABEL}(\.{_LABEL})+")
_CONTROL = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
_BREAK = re.compile("[\t\n\r]")
_NOTHING_VISIBLE = re.compile(
    "[\\s\u2800\u3164\uffa0\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200c-\u200f"
    "\ufe00-\ufe0f\U0001bca0-\U0001bca3\U000e0100-\U000e01ef\x00-\x08\x0e-\x1b\x1f\x7f-\x84"
    "\x86-\x9f\xad\u200b\u202a-\u202e\u2060-\u206f\ufeff\ufff0-\ufff8\U0001d173-\U0001d17a"
    "\U000e0000-\U000e00ff\U000e01f0-\U000e0fff]*"
)
"""White space and characters without a look of their own, as the API has them."""

_SIGNS = "-_&+,'() "
"""The signs that a group's name may have beside letters, digits and marks."""
_ADDRESS_TEXT = text(3, 254)
_COUNT = whole_number(1, 50)
_PEOPLE = list_of(_ADDRESS_TEXT, 1, 50)
_GROUP = object_of(
    {"name": text(1, 40), "approvers": _PEOPLE, "approvalsNeeded": either(["all"], _COUNT)},
    required=("name", "approvers"),
)
_ESCALATION = object_of(
    {"after": whole_number(60, YEAR), "approvers": _PEOPLE, "group": text(most=10**9)},
    required=("after", "approvers"),
)
_POLICY = object_of(
    {
        "description": text(most=500),
        "groups": list_of(_GROUP, 1, 10),
        "requesters": list_of(_ADDRESS_TEXT, 0, 20),
        "rejectionsNeeded": _COUNT,
        "reasonRequired": either(["never", "onReject", "always"]),
        "codeRequired": true_or_false,
        "allowSelfApproval": true_or_false,
        "expiresIn": or_null(whole_number(60, YEAR)),
        "remindEvery": or_null(whole_number(300, YEAR)),
        "escalation": or_null(_ESCALATION),
        "breakGlass": list_of(_ADDRESS_TEXT, 0, MOST_PEOPLE),
    },
    required=("groups",),
)

Json = dict[str, Any]


def find_problem(document: object) -> Problem | None:
    """Return the first rule that a policy (decoded JSON) breaks; None if the API would take it."""
    return next(_problems(document), None)


def find_name_problem(name: object) -> Problem | None:
    """Return why no policy can have that name; None if one can."""
    if isinstance(name, str) and NAME.fullmatch(name):
        return None
    form = "1 to 64 lower-case letters, digits and hyphens, and a hyphen at neither end"
    return Problem("name", f"must have {form}")


def needed_of(group: Mapping[str, Any]) -> int:
    """Return how many approvals a group needs."""
    needed: int | str = group.get("approvalsNeeded", 1)
    return len(group["approvers"]) if isinstance(needed, str) else needed


def _problems(document: Any) -> Iterator[Problem]:
    """Yield what is wrong; each step relies on those before, so the first problem counts."""
    document = _with_integers(document)
    yield from _POLICY(document, "")
    yield from _wrong_texts(document)
    yield from _wrong_people(document)
    yield from _wrong_group_names(document)
    yield from _wrong_numbers(document)
    yield from _wrong_escalation(document)
    yield from _unfilled(document)


def _with_integers(value: Any, levels: int = 3) -> Any:
    """Return each number without a fraction as an integer, as the API does."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list) and levels:
        return [_with_integers(one, levels - 1) for one in value]
    if isinstance(value, dict) and levels:
        return {name: _with_integers(one, levels - 1) for name, one in value.items()}
    return value


def _wrong_texts(policy: Json) -> Iterator[Problem]:
    yield from _controls(policy.get("description", ""), "description", lines=True)
    for at, group in enumerate(policy["groups"]):
        field, name = f"groups[{at}].name", group["name"].strip()
        if _NOTHING_VISIBLE.fullmatch(name):
            yield Problem(field, "must not be blank")
        if not all(sign in _SIGNS or category(sign)[0] in "LMN" for sign in name):
            why = f"has other signs than letters, digits, blanks and {_SIGNS.strip()}"
            yield Problem(field, why)


def _controls(written: str, field: str, *, lines: bool) -> Iterator[Problem]:
    found = _CONTROL.search(written) or (None if lines else _BREAK.search(written))
    if found:
        yield Problem(field, f"has the control character U+{ord(found[0]):04X}")


def _wrong_people(policy: Json) -> Iterator[Problem]:
    for at, one in enumerate(policy.get("requesters", [])):
        anyone = one.strip().startswith("*@")
        yield from _address(f"x{one.strip()[1:]}" if anyone else one, f"requesters[{at}]")
    if policy.get("escalation"):
        yield from _people(policy["escalation"]["approvers"], "escalation.approvers")
    for at, group in enumerate(policy["groups"]):
        yield from _people(group["approvers"], f"groups[{at}].approvers")
    yield from _people(policy.get("breakGlass", []), "breakGlass")


def _people(addresses: list[str], field: str) -> Iterator[Problem]:
    seen = set[str]()
    for at, address in enumerate(addresses):
        yield from _address(address, f"{field}[{at}]")
        if _folded(address) in seen:
            yield Problem(f"{field}[{at}]", f"{address.strip()} is named twice")
        seen.add(_folded(address))


def _address(written: str, field: str) -> Iterator[Problem]:
    if not _ADDRESS.fullmatch(written.strip()):
        yield Problem(field, "is not an e-mail address")


def _wrong_group_names(policy: Json) -> Iterator[Problem]:
    seen = set[str]()
    for at, group in enumerate(policy["groups"]):
        name = _looks(group["name"])
        if name in seen:
            yield Problem(f"groups[{at}].name", f"two groups have the name {name}")
        seen.add(name)


def _looks(name: str) -> str:
    """Return a name without what makes no difference to its reader: case, forms of letters."""
    return " ".join(normalize("NFKC", name).casefold().split())


def _wrong_numbers(policy: Json) -> Iterator[Problem]:
    for at, group in enumerate(policy["groups"]):
        needed, most = needed_of(group), len(group["approvers"])
        if needed > most:
            why = f"{needed} is more than the {most} approvers of {group['name']}"
            yield Problem(f"groups[{at}].approvalsNeeded", why)
    members = set().union(*_members(policy))
    if (rejections := policy.get("rejectionsNeeded", 1)) > len(members):
        yield Problem("rejectionsNeeded", f"{rejections} is more than the {len(members)} approvers")
    if len(members | _fallback(policy) | set(map(_folded, policy.get("breakGlass", [])))) > (
        MOST_PEOPLE
    ):
        yield Problem("groups", f"with escalation and breakGlass, more than {MOST_PEOPLE} people")
    if sum(len(group["approvers"]) for group in policy["groups"]) > MOST_MEMBERSHIPS:
        yield Problem("groups", f"name people more than {MOST_MEMBERSHIPS} times in all")


def _wrong_escalation(policy: Json) -> Iterator[Problem]:
    escalation = policy.get("escalation")
    if not escalation:
        return
    names, group = [one["name"].strip() for one in policy["groups"]], escalation.get("group", "")
    if group not in names and (group or len(names) > 1):
        yield Problem("escalation.group", f"must be one of {', '.join(names)}")
    members = set().union(*_members(policy))
    for at, one in enumerate(escalation["approvers"]):
        if _folded(one) in members:
            yield Problem(f"escalation.approvers[{at}]", f"{one.strip()} is in a group already")
    expires = policy.get("expiresIn")
    if expires is not None and escalation["after"] >= expires:
        why = f"{escalation['after']} seconds must be less than expiresIn, which is {expires}"
        yield Problem("escalation.after", why)


def _unfilled(policy: Json) -> Iterator[Problem]:
    """Yield groups that share too few people: an approval counts in one group.

    All can be filled if any of them together have as many people as they need (Hall, 1935).
    Fallback approvers don't count: they are asked later.
    """
    groups, people = policy["groups"], _members(policy)
    names = [group["name"].strip() for group in groups]
    for size in range(1, len(groups) + 1):
        for some in combinations(range(len(groups)), size):
            have = len(set().union(*(people[at] for at in some)))
            need = sum(needed_of(groups[at]) for at in some)
            if have < need:
                who = ", ".join(names[at] for at in some)
                why = f"{who} need {need} people together and have {have}"
                why += ", because an approval counts in one group"
                yield Problem("groups", why, "Undecidable")


def _members(policy: Json) -> list[set[str]]:
    return [set(map(_folded, group["approvers"])) for group in policy["groups"]]


def _fallback(policy: Json) -> set[str]:
    return set(map(_folded, (policy.get("escalation") or {}).get("approvers", [])))


def _folded(address: str) -> str:
    return address.strip().lower()
