"""A stack that something else deploys: `aws cloudformation deploy`, a pipeline, StackSets.

It is read and checked, and never changed. `make template` writes its template.
"""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from tools.account import Account
from tools.echo import Echo
from tools.errors import ToolError
from tools.stack import Stack, describe
from tools.stage import Stage
from tools.state_machine import state_machine_arn

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

OURS = "none"
"""What STACK= says to go back to a stack that `make deploy` makes and updates."""
_READY = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE")


class ExistingStack:
    """The stack of a stage, under any name. It takes the place of a `Stack` in a deploy."""

    def __init__(
        self, name: str, stage: Stage, cloudformation: "CloudFormationClient", *, echo: Echo
    ) -> None:
        self.name = name
        self._stage = stage
        self._cloudformation = cloudformation
        self._echo = echo

    def exists(self) -> bool:
        """Return whether the stack exists, in any state."""
        return describe(self.name, self._cloudformation) is not None

    def deploy(self, body: str, parameters: Mapping[str, str]) -> dict[str, str]:
        """Return the stack's outputs.

        Raises ToolError if the stack is missing or unfinished, lacks an output of the template
        `body`, or has another value of one of the `parameters`. The value of ApiId is only known
        once the code is deployed: a stack that has another one gets a line that says so.
        """
        try:
            stack = self._cloudformation.describe_stacks(StackName=self.name)["Stacks"][0]
        except ClientError as e:
            reason = e.response["Error"].get("Message", e)
            raise ToolError(f"stack {self.name} can't be read: {reason}") from e
        if stack["StackStatus"] not in _READY:
            raise ToolError(f"stack {self.name} isn't ready: it is {stack['StackStatus']}")
        outputs = {o["OutputKey"]: o["OutputValue"] for o in stack.get("Outputs", [])}
        missing = sorted(json.loads(body).get("Outputs", {}).keys() - outputs.keys())
        if missing:
            raise ToolError(
                f"stack {self.name} lacks the outputs {', '.join(missing)}: deploy the template "
                "that `make template` writes, then this"
            )
        given = {"Stage": self._stage.name, **parameters}
        found = {
            p["ParameterKey"]: p.get("ParameterValue", "") for p in stack.get("Parameters", [])
        }
        differ = [key for key in given if _values(found.get(key)) != _values(given[key])]
        if "ApiId" in differ:
            differ.remove("ApiId")
            self._echo(
                f"stack {self.name}: set its parameter ApiId to {given['ApiId']}. Until then the "
                "operator policy opens no route"
            )
        if differ:
            what = "; ".join(f"{key} is {found.get(key)!r}, not {given[key]!r}" for key in differ)
            raise ToolError(
                f"stack {self.name} has other parameters: {what}. Change them where the stack is "
                "deployed, or give the deploy the stack's values"
            )
        return outputs


def chosen_stack(
    ours: Stack, existing: ExistingStack | None, *, given: str | None
) -> Stack | ExistingStack:
    """Return the stack to deploy with: the `existing` one, which was given or recorded, or `ours`.

    STACK=none goes back to ours. Raises ToolError as long as a recorded stack of another name is
    there: it has the names that ours would take.
    """
    if existing is None:
        return ours
    if given != OURS:
        return existing
    if existing.name != ours.name and existing.exists():
        raise ToolError(
            f"STACK is {OURS}, and stack {existing.name} still has the stage's resources: nothing "
            "was deployed. Delete that stack first (it keeps the table), then deploy again"
        )
    return ours


def refuse_second_stack(stage: Stage, ours: Stack, account: Account) -> None:
    """Raise ToolError if a stack of another name has the stage's state machine.

    A checkout that didn't deploy the stage doesn't know the stack's name.
    """
    if state_machine_arn(stage, account) is not None and not ours.exists():
        raise ToolError(
            f"state machine {stage.prefix} is there, and no stack {ours.name}: a stack of another "
            "name has the stage. Nothing was deployed. Give its name once, STACK=..., or delete "
            "that stack"
        )


def _values(text: str | None) -> list[str] | None:
    """Return the values of a parameter, which may be a list with blanks around its commas."""
    return None if text is None else [value.strip() for value in text.split(",")]
