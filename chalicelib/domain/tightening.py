"""Tightening: a request under a policy may ask for less time, more reasons, fewer rejections.

What would loosen the policy is refused by field; nothing that was sent is ignored.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from .errors import InvalidRequest
from .policy import AppliedPolicy, PolicyVersion
from .policy_check import check_people_of
from .request import Escalation

_REASONS = ("never", "onReject", "always")
_STRICTNESS: Mapping[str, tuple[str, Callable[[Any], int]]] = {
    "expiresIn": ("expires_in", lambda seconds: -seconds),
    "remindEvery": ("remind_every", lambda seconds: -seconds),
    "rejectionsNeeded": ("rejections_needed", lambda number: -number),
    "reasonRequired": ("reason_required", _REASONS.index),
    "codeRequired": ("code_required", int),
    "allowSelfApproval": ("allow_self_approval", lambda allowed: -allowed),
}
"""Field of the wire -> its name in Python, and how strict a value is."""
_OF_THE_POLICY = {
    "approvers": "its groups are asked",
    "approvalsNeeded": "each of its groups has a count",
    "escalation": "it says who is asked later",
}


def merge_policy(
    fields: Mapping[str, Any], sent: set[str], written: PolicyVersion, domains: tuple[str, ...]
) -> dict[str, Any]:
    """Return the fields that the policy of a request decides, merged with what was `sent`.

    `fields` has all of the request, by their names in Python; `sent` are the fields of the wire
    that it gives. Raises InvalidRequest, naming the field that loosens the policy, `requestedBy` if
    that person may not ask under it, or `policy` if its people may not be asked on this stage.
    """
    policy, name = written.policy, written.name
    for field, why in _OF_THE_POLICY.items():
        if field in sent:
            wrong = f"{field}: policy {name} decides this: {why}; leave it out"
            raise InvalidRequest(wrong, field=field)
    try:
        check_people_of(policy, domains)
    except InvalidRequest as e:
        raise InvalidRequest(f"policy: {name}: {e.message}", field="policy") from None
    if not policy.may_ask((fields["requested_by"] or "").strip()):
        allowed = ", ".join(policy.requesters)
        asked = "is required, because" if not fields["requested_by"] else "may not ask:"
        wrong = f"requestedBy: {asked} policy {name} is for requests of {allowed}"
        raise InvalidRequest(wrong, field="requestedBy")
    escalation, merged = policy.escalation, dict[str, Any]()
    for field, (own_name, strictness) in _STRICTNESS.items():
        asked, own = fields[own_name], getattr(policy, own_name)
        if own is None:
            continue
        if field in sent and strictness(asked) < strictness(own):
            raise InvalidRequest(
                f"{field}: {_json(asked)} is looser than policy {name}, which has {_json(own)}",
                field=field,
            )
        merged[own_name] = asked if field in sent else own
    if fields["exclude_requester"] and "allowSelfApproval" not in sent:
        merged["allow_self_approval"] = False
    return {
        **merged,
        "approvers": policy.members,
        "escalation": escalation and Escalation(escalation.after, escalation.approvers),
        "policy": AppliedPolicy(name, written.version, policy),
    }


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
