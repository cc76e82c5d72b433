"""Conditions of a template, for MiniStack, which knows no AWS::StackName, Sub or Join in them."""

import re
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

Params = dict[str, Any]

_stack_name = ContextVar("stack_name", default="")


def with_stack_name(handle: Callable[[Params], Any]) -> Callable[[Params], Any]:
    """Wrap MiniStack's handler of a call: the stack's name is known while it runs."""

    def handle_named(params: Params) -> Any:
        (name, *_) = params.get("StackName") or [""]
        token = _stack_name.set(name.split("/")[1] if name.startswith("arn:") else name)
        try:
            return handle(params)
        finally:
            _stack_name.reset(token)

    return handle_named


def with_functions(
    evaluate: Callable[[Params, Params], dict[str, bool]],
) -> Callable[[Params, Params], dict[str, bool]]:
    """Wrap MiniStack's evaluation of a template's conditions: Ref, Sub and Join are filled in."""

    def evaluate_filled(template: Params, parameters: Params) -> dict[str, bool]:
        values = {name: str(found["Value"]) for name, found in parameters.items()}
        values["AWS::StackName"] = _stack_name.get()
        conditions = fill(template.get("Conditions", {}), values)
        return evaluate({**template, "Conditions": conditions}, parameters)

    return evaluate_filled


def fill(node: Any, values: dict[str, str]) -> Any:
    """Return a part of a template with Ref, Sub and Join replaced by these values."""
    if isinstance(node, list):
        return [fill(one, values) for one in node]
    match node:
        case {"Ref": str(name)}:
            return values.get(name, node)
        case {"Fn::Sub": str(text)}:
            return re.sub(r"\$\{([^}]+)\}", lambda found: values.get(found[1], found[0]), text)
        case {"Fn::Join": [str(separator), items]}:
            parts = fill(items, values)
            return separator.join(parts.split(",") if isinstance(parts, str) else parts)
        case dict():
            return {key: fill(one, values) for key, one in node.items()}
    return node
