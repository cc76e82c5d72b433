"""The permissions of an example's state machine, which asks by a child of Assent's own."""

import json
from pathlib import Path

from tests import readme
from tools.template import load_template

SAMPLES = {
    "AWS::Partition": "aws",
    "AWS::Region": "us-east-1",
    "AWS::AccountId": readme.ACCOUNT,
    "AssentStateMachine": f"assent-{readme.STAGE}",
}
"""What the sample ARNs of the documentation have in the place of the template's parameters."""


def actions_of(folder: Path) -> dict[str, set[str]]:
    """Return `{resource: actions}` of the example's role, in the documentation's sample ARNs."""
    role = load_template(folder / "infrastructure.yaml")["Resources"]["StateMachineRole"]
    (policy,) = role["Properties"]["Policies"]
    text = json.dumps(policy["PolicyDocument"]["Statement"])
    for name, value in SAMPLES.items():
        text = text.replace(f"${{{name}}}", value)
    return {
        statement["Resource"]["Fn::Sub"]: set(statement["Action"]) for statement in json.loads(text)
    }


def actions_for_a_child() -> dict[str, set[str]]:
    """Return what the documentation names for a child that is waited for."""
    return {on: set(actions) for actions, on in readme.permissions("a child, waited for")}
