from typing import Any

import pytest

from tools.sandbox.emulator_conditions import with_functions, with_stack_name

OUR_NAME = {"Fn::Equals": [{"Ref": "AWS::StackName"}, {"Fn::Sub": "assent-${Stage}"}]}
ANY_LISTED = {"Fn::Not": [{"Fn::Equals": [{"Fn::Join": ["", {"Ref": "List"}]}, ""]}]}
OTHER = {"Fn::Equals": [{"Fn::Join": ["-", ["a", {"Ref": "Stage"}]]}, {"Ref": "Unknown"}]}
TEMPLATE = {"Conditions": {"OurName": OUR_NAME, "AnyListed": ANY_LISTED, "Other": OTHER}}


def seen(template: dict[str, Any], _: dict[str, Any]) -> dict[str, Any]:
    """Stand in for MiniStack's evaluation: return the conditions that it gets."""
    found: dict[str, Any] = template["Conditions"]
    return found


@pytest.mark.parametrize(
    ("sent", "name"),
    [
        (["assent-dev"], "assent-dev"),
        (["arn:aws:cloudformation:us-east-1:1:stack/assent-dev/0a1b"], "assent-dev"),
        ([], ""),
    ],
)
def test_a_condition_knows_the_stack_and_the_parameters(sent: list[str], name: str) -> None:
    """While a call about that stack runs; what has no value is left for MiniStack."""
    parameters = {"Stage": {"Value": "dev"}, "List": {"Value": "a,b"}}
    handle = with_stack_name(lambda _: with_functions(seen)(TEMPLATE, parameters))
    assert handle({"StackName": sent}) == {
        "OurName": {"Fn::Equals": [name, "assent-dev"]},
        "AnyListed": {"Fn::Not": [{"Fn::Equals": ["ab", ""]}]},
        "Other": {"Fn::Equals": ["a-dev", {"Ref": "Unknown"}]},
    }
