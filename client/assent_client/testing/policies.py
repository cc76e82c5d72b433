"""Policies of the fake: written, read and deleted as by the API, and requests under them."""

from collections.abc import Callable, Mapping
from typing import Any

from ..errors import Refused, refusal
from ..policy_rules import find_name_problem, find_problem, needed_of
from .groups import Json, Rule
from .validation import invalid

AUTHOR = "arn:aws:iam::111122223333:user/policy-author"
"""Who signs the calls that write policies."""
_DEFAULTS: Json = {
    "description": "",
    "groups": [],
    "requesters": [],
    "rejectionsNeeded": 1,
    "reasonRequired": "onReject",
    "codeRequired": False,
    "allowSelfApproval": False,
    "expiresIn": None,
    "remindEvery": None,
    "escalation": None,
    "breakGlass": [],
}
_REASONS = ("never", "onReject", "always")
_LOOSENESS: Mapping[str, Callable[[Any], int]] = {
    "expiresIn": int,
    "remindEvery": int,
    "rejectionsNeeded": int,
    "reasonRequired": lambda value: -_REASONS.index(value),
    "codeRequired": lambda value: not value,
    "allowSelfApproval": bool,
}
"""Field of a request that may tighten its policy -> how loose a value is."""


class FakePolicies:
    """All versions of all policies, in memory."""

    def __init__(self) -> None:
        self._versions: dict[str, list[Json]] = {}

    def current(self, name: str) -> Json | None:
        """Return the version in force, None if there is none."""
        newest = self._versions.get(name, [{"deleted": True}])[-1]
        return None if "deleted" in newest else newest

    def all(self) -> list[Json]:
        """Return the policies, last written first."""
        found = [one for one in map(self.current, self._versions) if one]
        return sorted(found, key=lambda one: (one["writtenAt"], one["name"]), reverse=True)

    def get(self, name: str, version: int | None) -> Json:
        """Return a version of a policy, or the one in force; raise NotFound."""
        written = self._versions.get(name, [])
        found = self.current(name)
        if version is not None:
            found = written[version - 1] if version <= len(written) else None
        if found is None:
            raise refusal(404, {"code": "NotFound", "message": f"There is no policy {name}."})
        return found

    def put(self, name: str, body: Any, query: Mapping[str, str], at: str) -> Json:
        """Write a version, unless the current one says the same, or it is a dry run."""
        if find_name_problem(name):
            raise invalid("policy", "a policy's name has lower-case letters, digits and hyphens")
        if problem := find_problem(body):
            raise _refused(problem.code, problem.field, problem.why)
        policy, current = _normal(body), self.current(name)
        if current is not None and current["policy"] == policy:
            return current
        _check_replaces(name, current, query)
        version = len(self._versions.get(name, [])) + 1
        written = {"name": name, "version": version, "policy": policy}
        written |= {"writtenAt": at, "writtenBy": AUTHOR}
        if query.get("dryRun") != "yes":
            self._versions.setdefault(name, []).append(written)
        return written

    def delete(self, name: str, query: Mapping[str, str], at: str) -> None:
        """Delete a policy; raise NotFound and VersionConflict as the API does."""
        current = self.get(name, None)
        _check_replaces(name, current, query)
        gone = {"version": current["version"] + 1, "writtenAt": at, "deleted": True}
        self._versions[name].append(current | gone)

    def apply(self, request: Json) -> tuple[Json, Rule | None]:
        """Return a request with what its policy decides, and the policy's rule.

        Raises InvalidRequest for what the request may not say under it.
        """
        if request.get("policy") is None:
            return request, None
        found = self.current(str(request["policy"]))
        if found is None:
            raise invalid("policy", f"there is no policy {request['policy']}")
        merged = _tightened(request, found["policy"])
        asker = str(merged.get("requestedBy") or "")
        barred = "" if merged["allowSelfApproval"] else asker.lower()
        _check_requester(found["policy"], asker)
        rule = _rule(found, barred)
        people = {one.lower(): one for g in found["policy"]["groups"] for one in g["approvers"]}
        members = [one for one in people.values() if one.lower() != barred]
        if short := rule.unfilled([rule.groups_of(one) for one in members]):
            raise _refused("Undecidable", "policy", f"{', '.join(short)} can't reach its count")
        alone = [one for one in rule.alone if one.lower() not in people]
        needed = sum(group["needed"] for group in rule.groups)
        return merged | {"approvers": [*members, *alone], "approvalsNeeded": needed}, rule


def people_of(policy: Json) -> list[str]:
    """Return all whom a policy names, each once."""
    fallback = (policy["escalation"] or {}).get("approvers", [])
    members = [one for group in policy["groups"] for one in group["approvers"]]
    everybody = [*members, *fallback, *policy["breakGlass"]]
    return list({one.lower(): one for one in everybody}.values())


def problems_of(policy: Json, refused: set[str]) -> list[str]:
    """Return, in words, which groups the people can't fill to whom mail isn't refused."""
    rule = _rule({"name": "", "version": 0, "policy": policy}, "")
    able = [one for one in people_of(policy) if one.lower() not in refused]
    short = rule.unfilled([rule.groups_of(one) for one in able])
    return [f"group {name} can't reach its count; SNS refuses its people" for name in short]


def _rule(found: Json, barred: str) -> Rule:
    groups = [
        {
            "name": group["name"],
            "people": {one.lower() for one in group["approvers"]},
            "needed": needed_of(group),
        }
        for group in found["policy"]["groups"]
    ]
    alone = [one for one in found["policy"]["breakGlass"] if one.lower() != barred]
    escalation = found["policy"]["escalation"] or {"approvers": []}
    fallback = {one.lower() for one in escalation["approvers"]}
    joined = escalation.get("group") or groups[0]["name"]
    named = {g["name"]: g["people"] | (fallback if g["name"] == joined else set()) for g in groups}
    reference = {"name": found["name"], "version": found["version"]}
    return Rule(reference, groups, alone, named, found["policy"]["expiresIn"])


def _tightened(request: Json, policy: Json) -> Json:
    for field in ("approvers", "approvalsNeeded", "escalation"):
        if request.get(field) is not None:
            raise invalid(field, f"policy {request['policy']} decides this; leave it out")
    merged = {"allowSelfApproval": False} | request
    for field, looseness in _LOOSENESS.items():
        own, sent = policy[field], request.get(field)
        if own is not None and sent is not None and looseness(sent) > looseness(own):
            raise invalid(field, f"is looser than policy {request['policy']}")
        if own is not None and sent is None:
            merged[field] = own
    if request.get("excludeRequester") and "allowSelfApproval" not in request:
        merged["allowSelfApproval"] = False
    return merged


def _check_requester(policy: Json, asker: str) -> None:
    allowed = [one.lower() for one in policy["requesters"]]
    domain = asker.lower().rpartition("@")[2]
    if allowed and asker.lower() not in allowed and f"*@{domain}" not in allowed:
        raise invalid("requestedBy", f"the policy is for requests of {', '.join(allowed)}")


def _check_replaces(name: str, current: Json | None, query: Mapping[str, str]) -> None:
    version = current["version"] if current else 0
    if int(query.get("replaces", version)) != version:
        message = f"Policy {name} was written or deleted meanwhile; read it again."
        raise refusal(409, {"code": "VersionConflict", "message": message})


def _normal(body: Json) -> Json:
    """Return a policy with every field, its texts as they are stored."""
    policy: Json = _DEFAULTS | body
    policy["description"] = policy["description"].strip()
    policy["groups"] = [
        {
            "name": one["name"].strip(),
            "approvers": _addresses(one["approvers"]),
            "approvalsNeeded": one.get("approvalsNeeded", 1),
        }
        for one in policy["groups"]
    ]
    for field in ("requesters", "breakGlass"):
        policy[field] = _addresses(policy[field])
    if policy["escalation"]:
        fallback = _addresses(policy["escalation"]["approvers"])
        policy["escalation"] = {"group": ""} | policy["escalation"] | {"approvers": fallback}
    return policy


def _addresses(written: list[str]) -> list[str]:
    parts = (one.strip().rpartition("@") for one in written)
    return [f"{local}@{domain.lower()}" for local, _, domain in parts]


def _refused(code: str, field: str, why: str) -> Refused:
    message = f"{field or 'body'}: {why}"
    return refusal(400, {"code": code, "message": message, "field": field or None})
