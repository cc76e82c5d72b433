"""The definition of a state machine, with the ARNs of its tasks as its stack makes them."""

import json
from pathlib import Path
from typing import Any

from tools.template import DEFINITION, TEMPLATE, load_template

_TASK = "arn:${AWS::Partition}:states:::"


def definition(folder: Path, partition: str = "aws") -> dict[str, Any]:
    """Return the definition in a project's folder, in one of AWS's partitions.

    The placeholders of its own functions and queues stay.
    """
    text = (folder / DEFINITION).read_text()
    for name, arn in tasks(folder).items():
        text = text.replace(f"${{{name}}}", arn.replace("${AWS::Partition}", partition))
    found: dict[str, Any] = json.loads(text)
    return found


def tasks(folder: Path) -> dict[str, str]:
    """Return the stack's placeholders for tasks, each with its ARN."""
    machine = load_template(folder / TEMPLATE)["Resources"]["StateMachine"]["Properties"]
    values = machine["DefinitionSubstitutions"].items()
    arns = {name: value.get("Fn::Sub") for name, value in values}
    return {
        name: arn for name, arn in arns.items() if isinstance(arn, str) and arn.startswith(_TASK)
    }
