"""A policy as JSON for its readers; every field is there, also those with their default."""

from typing import Any

import msgspec
from msgspec.structs import fields

from ..domain.policy import Policy, PolicyVersion
from ..domain.timestamps import iso
from .json_types import PolicyViewJson


def policy_view(stored: PolicyVersion) -> PolicyViewJson:
    """Return a version of a policy, as `GET /policies/{name}` answers."""
    view: PolicyViewJson = {
        "name": stored.name,
        "version": stored.version,
        "policy": policy_document(stored.policy),
        "writtenAt": iso(stored.written_at),
        "writtenBy": stored.written_by,
    }
    if stored.removed:
        view["deleted"] = True
    return view


def policy_document(policy: Policy) -> dict[str, Any]:
    """Return the policy as it may be written again."""
    document = {field.encode_name: getattr(policy, field.name) for field in fields(policy)}
    groups = [
        {field.encode_name: getattr(group, field.name) for field in fields(group)}
        for group in policy.groups
    ]
    whole: dict[str, Any] = msgspec.to_builtins({**document, "groups": groups})
    return whole
