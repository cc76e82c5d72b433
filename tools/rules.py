"""EventBridge rules of scheduled functions: which is the stage's, and which somebody else's.

Chalice knows a rule by its name alone. A deploy would overwrite another rule of that name, and a
destroy would remove the function from it and then fail at its other targets.
"""

from collections.abc import Iterable

from tools.account import Account
from tools.errors import ToolError

_END = "-event"


def rule_of(function: str) -> str:
    """Return the name that Chalice gives to the rule of a function."""
    return f"{function}{_END}"


def targets(rule: str, account: Account) -> dict[str, str] | None:
    """Return the ARNs of the rule's targets by their ids, or None if there is no such rule."""
    try:
        account.events.describe_rule(Name=rule)
    except account.events.exceptions.ResourceNotFoundException:
        return None
    found = account.events.list_targets_by_rule(Rule=rule)
    return {target["Id"]: target["Arn"] for target in found["Targets"]}


def calls(rule: str, target_arn: str) -> bool:
    """Return whether the target is the function that Chalice makes the rule for."""
    return target_arn.endswith(f":function:{rule.removesuffix(_END)}")


def refuse_foreign_rules(functions: Iterable[str], account: Account) -> None:
    """Raise ToolError if the rule of a scheduled function calls other targets only."""
    for rule in map(rule_of, functions):
        found = targets(rule, account) or {}
        if found and not any(calls(rule, arn) for arn in found.values()):
            raise ToolError(
                f"rule {rule} doesn't call {rule.removesuffix(_END)}, but {_listed(found)}, and "
                "Chalice would overwrite it: nothing was deployed. Give that rule another name, "
                "then deploy again"
            )


def refuse_shared_rules(rules: Iterable[str], account: Account) -> None:
    """Raise ToolError if a rule of the stage has targets that Chalice didn't make."""
    for rule in rules:
        found = targets(rule, account) or {}
        others = {key: arn for key, arn in found.items() if not calls(rule, arn)}
        if others:
            raise ToolError(
                f"rule {rule} also calls {_listed(others)}, and EventBridge deletes no rule that "
                "has targets: nothing was deleted. Remove them first: `aws events remove-targets "
                f"--rule {rule} --ids {' '.join(sorted(others))}`"
            )


def _listed(found: dict[str, str]) -> str:
    return ", ".join(sorted(found.values()))
