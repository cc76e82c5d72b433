"""The stack of `infrastructure.yaml`: create, update, delete, read its outputs."""

import json
import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError, WaiterError

from tools.echo import Echo
from tools.errors import ToolError
from tools.stage import Stage
from tools.table import Table

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.literals import CapabilityType
    from mypy_boto3_cloudformation.type_defs import (
        ParameterTypeDef,
        StackTypeDef,
        WaiterConfigTypeDef,
    )
    from mypy_boto3_dynamodb import DynamoDBClient

_TIMEOUT_SECONDS = 1800
_CAPABILITIES: "list[CapabilityType]" = ["CAPABILITY_NAMED_IAM"]
_NEVER_COMPLETE = ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "REVIEW_IN_PROGRESS", "CREATE_FAILED")
_IN_PROGRESS = ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS")
_GOING_ON = (
    *_IN_PROGRESS,
    "ROLLBACK_IN_PROGRESS",
    "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
    "UPDATE_ROLLBACK_IN_PROGRESS",
    "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
)
_NOT_IN_STACK = ("DELETE_COMPLETE", "DELETE_SKIPPED", "CREATE_FAILED")


class Stack:
    """The stack of one stage. While it changes, it is polled every `delay` seconds."""

    def __init__(
        self,
        stage: Stage,
        cloudformation: "CloudFormationClient",
        dynamodb: "DynamoDBClient",
        *,
        delay: float = 5,
        echo: Echo = lambda _: None,
    ) -> None:
        self._stage = stage
        self.name = stage.prefix
        self._cloudformation = cloudformation
        self._table = Table(dynamodb, stage.prefix)
        self._waiter: WaiterConfigTypeDef = {
            "Delay": delay,  # type: ignore[typeddict-item]  # fractions of a second work as well
            "MaxAttempts": int(_TIMEOUT_SECONDS / delay),
        }
        self._echo = echo

    def deploy(self, body: str, parameters: Mapping[str, str]) -> dict[str, str]:
        """Create or update the stack, wait, and return its outputs.

        A parameter that isn't given keeps its value. The parameter CreateTable, if the template has
        it, is set here: false if the table exists outside the stack, which then must have the
        template's keys. Raises ToolError if it hasn't, or with the reasons of failed resources.
        """
        stack = self._settled()
        if stack is not None and stack["StackStatus"] in _NEVER_COMPLETE:
            self._echo(f"stack {self.name} was never complete: deleting it and creating it anew")
            self.delete()
            stack = None
        known = set(json.loads(body).get("Parameters", {}))
        given = {"Stage": self._stage.name, **parameters}
        if "CreateTable" in known:
            in_stack = self._table_belongs_to_stack()
            if not in_stack:
                self._refuse_other_keys(body)
            given["CreateTable"] = "true" if in_stack else "false"
        try:
            if stack is None:
                self._create(body, given)
            else:
                before = {p["ParameterKey"] for p in stack.get("Parameters", [])}
                kept = before & known - set(given)
                self._update(body, given, kept)
        except ClientError as e:
            if "No updates are to be performed" not in str(e):
                reason = e.response["Error"].get("Message", e)
                raise ToolError(f"stack {self.name}: {reason}") from e
        except WaiterError as e:
            raise ToolError(f"stack {self.name} failed:{self._failures()}") from e
        return self.outputs()

    def outputs(self) -> dict[str, str]:
        """Return the stack's outputs; raise ToolError if the stack doesn't exist."""
        stack = self._describe()
        if stack is None:
            raise ToolError(f"there is no stack {self.name} in this account and region")
        return {o["OutputKey"]: o["OutputValue"] for o in stack.get("Outputs", [])}

    def exists(self) -> bool:
        """Return whether the stack exists, in any state."""
        return self._describe() is not None

    def delete(self) -> None:
        """Delete the stack and wait. The table stays, because the template retains it."""
        self._cloudformation.delete_stack(StackName=self.name)
        waiter = self._cloudformation.get_waiter("stack_delete_complete")
        try:
            waiter.wait(StackName=self.name, WaiterConfig=self._waiter)
        except WaiterError as e:
            raise ToolError(f"stack {self.name} wasn't deleted:{self._failures()}") from e

    def _create(self, body: str, given: Mapping[str, str]) -> None:
        self._cloudformation.create_stack(
            StackName=self.name,
            TemplateBody=body,
            Parameters=_values(given),
            Capabilities=_CAPABILITIES,
            # If the creation fails, the new table goes too: it is empty, and left behind it would
            # collide with the next attempt.
            RetainExceptOnCreate=True,
        )
        waiter = self._cloudformation.get_waiter("stack_create_complete")
        waiter.wait(StackName=self.name, WaiterConfig=self._waiter)

    def _update(self, body: str, given: Mapping[str, str], kept: Iterable[str]) -> None:
        self._cloudformation.update_stack(
            StackName=self.name,
            TemplateBody=body,
            Parameters=_values(given)
            + [{"ParameterKey": key, "UsePreviousValue": True} for key in kept],
            Capabilities=_CAPABILITIES,
        )
        waiter = self._cloudformation.get_waiter("stack_update_complete")
        waiter.wait(StackName=self.name, WaiterConfig=self._waiter)

    def _table_belongs_to_stack(self) -> bool:
        """Return whether the stack has the table or, if there is none yet, should make it."""
        if not self._table.exists():
            return True
        try:
            resources = self._cloudformation.describe_stack_resources(StackName=self.name)
        except ClientError as e:
            if _is_missing_stack(e):
                return False
            raise
        return any(
            r["LogicalResourceId"] == "Table" and r["ResourceStatus"] not in _NOT_IN_STACK
            for r in resources["StackResources"]
        )

    def _refuse_other_keys(self, body: str) -> None:
        """Raise ToolError if the existing table lacks a key or an index that the code needs."""
        wrong = self._table.differences(json.loads(body)["Resources"]["Table"]["Properties"])
        if wrong:
            raise ToolError(
                f"table {self.name} isn't the stack's, and differs from the one that "
                f"infrastructure.yaml describes: {'; '.join(wrong)}. Nothing was deployed: change "
                "the table by hand (docs/operating.md) or move it away, then deploy again"
            )

    def _settled(self) -> "StackTypeDef | None":
        """Return the stack once CloudFormation has ended what a run that broke off began."""
        stack, told = self._describe(), ""
        for _ in range(self._waiter["MaxAttempts"]):
            if stack is None or stack["StackStatus"] not in _GOING_ON:
                break
            if stack["StackStatus"] != told:
                told = stack["StackStatus"]
                self._echo(f"stack {self.name} is {told}: waiting for the end of an earlier run")
            time.sleep(self._waiter["Delay"])
            stack = self._describe()
        return stack

    def _describe(self) -> "StackTypeDef | None":
        return describe(self.name, self._cloudformation)

    def _failures(self) -> str:
        """Return a line for each resource that failed in the latest run, oldest first."""
        lines: list[str] = []
        events = self._cloudformation.describe_stack_events(StackName=self.name)
        for event in events["StackEvents"]:
            status, resource = event.get("ResourceStatus", ""), event.get("LogicalResourceId", "")
            if resource == self.name and status in _IN_PROGRESS:
                break
            if status.endswith("_FAILED"):
                lines.append(f"\n  {resource}: {event.get('ResourceStatusReason', status)}")
        return "".join(reversed(lines)) or " CloudFormation gave no reason"


def describe(name: str, cloudformation: "CloudFormationClient") -> "StackTypeDef | None":
    """Return what CloudFormation says of a stack, or None if there is no such stack."""
    try:
        stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as e:
        if _is_missing_stack(e):
            return None
        raise
    return None if stack["StackStatus"] == "DELETE_COMPLETE" else stack


def _values(given: Mapping[str, str]) -> "list[ParameterTypeDef]":
    return [{"ParameterKey": key, "ParameterValue": value} for key, value in given.items()]


def _is_missing_stack(e: ClientError) -> bool:
    return e.response["Error"]["Code"] == "ValidationError" and "does not exist" in str(e)
