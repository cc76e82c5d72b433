"""Writes client/assent_client/types.py: the API's JSON as types, from the types that make it."""

import json
from keyword import iskeyword
from typing import Any, get_origin, get_type_hints

from chalicelib.application.approvers import ApproverStatusJson, ListedApproverJson
from chalicelib.presentation import json_types
from chalicelib.presentation.delegation_json import DelegationJson
from tools import openapi

PATH = openapi.CHECKOUT / "client" / "assent_client" / "types.py"
KINDS = (
    *(json_types.DecisionJson, json_types.ApproverJson, json_types.EventJson),
    *(json_types.PolicyJson, json_types.GroupJson),
    *(
        json_types.StandingJson,
        json_types.SummaryJson,
        json_types.OperatorViewJson,
        openapi.ApprovalsJson,
    ),
    *(openapi.LinksJson, openapi.StartedJson, openapi.ExecutionViewJson),
    *(DelegationJson, ApproverStatusJson, ListedApproverJson, openapi.ApproversJson),
    *(openapi.HealthJson, json_types.OfferedSessionJson),
    *(json_types.PersonJson, json_types.PolicyViewJson, openapi.PoliciesJson),
)
"""What operators' routes answer, each after those that it contains."""
NAMES = {
    "OperatorViewJson": "Approval",
    "ApproverStatusJson": "ApproverStatus",
    "ExecutionViewJson": "Execution",
    "PolicyJson": "PolicyReference",
    "PolicyViewJson": "Policy",
}
"""The names that readers of the client expect; of others `Json` is left out."""

HEAD = '''"""The API's JSON. `make openapi` writes this file from the types that make the answers.

Times are ISO 8601 in UTC. docs/api.md explains each field.
"""
'''


def text() -> str:
    """Return the module."""
    blocks = [_block(kind) for kind in KINDS]
    used = " ".join(blocks)
    names = [name for name in ("Any", "Literal", "NotRequired", "TypedDict") if name in used]
    head = f"{HEAD}\nfrom typing import {', '.join(names)}\n"
    return head + "".join(f"\n{block}" for block in blocks)


def _block(kind: Any) -> str:
    hints = {name: _text(hint) for name, hint in get_type_hints(kind, include_extras=True).items()}
    name = _name(kind)
    if any(map(iskeyword, hints)):
        fields = "".join(f'        "{field}": {hint},\n' for field, hint in hints.items())
        return f'\n{name} = TypedDict(\n    "{name}",\n    {{\n{fields}    }},\n)\n'
    fields = "".join(f"    {field}: {hint}\n" for field, hint in hints.items())
    said = (kind.__doc__ or "").strip().partition("\n\n")[0].strip()
    return f'\nclass {name}(TypedDict):\n    """{said}"""\n\n{fields}'


def _name(kind: Any) -> str:
    name: str = kind.__name__
    return NAMES.get(name, name.removesuffix("Json"))


def _text(hint: Any) -> str:
    """Return a type as source."""
    if hint in KINDS:
        return _name(hint)
    arguments = getattr(hint, "__args__", ())
    origin = get_origin(hint)
    if origin is None:
        return "None" if hint is type(None) else str(getattr(hint, "__name__", hint))
    if str(hint).startswith("typing.Literal"):
        return f"Literal[{', '.join(map(json.dumps, arguments))}]"
    inner = [_text(one) for one in arguments]
    if "Union" in str(origin):
        return " | ".join(inner)
    return f"{getattr(origin, '__name__', 'NotRequired')}[{', '.join(inner)}]"
