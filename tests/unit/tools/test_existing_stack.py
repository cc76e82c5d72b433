import json
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from tools.errors import ToolError
from tools.existing_stack import ExistingStack, chosen_stack
from tools.stack import Stack

from .conftest import DEV

BODY = json.dumps({"Outputs": {"TableName": {}, "StateMachineArn": {}}})
OUTPUTS = {"TableName": "assent-dev", "StateMachineArn": "arn"}
PARAMETERS = {
    "Stage": "dev",
    "ApproverEndpoints": "*@a.example, *@b.example",
    "ApiId": "unknown",
}
GIVEN = {"ApproverEndpoints": "*@a.example,*@b.example"}


class ReadOnly:
    """CloudFormation with one stack. It can be described, and has no other method."""

    def __init__(self, **changed: Any) -> None:
        self._stack = {
            "StackStatus": "UPDATE_COMPLETE",
            "Outputs": OUTPUTS,
            "Parameters": PARAMETERS,
        } | changed
        self.lines: list[str] = []

    def describe_stacks(self, StackName: str) -> Any:  # noqa: N803  # boto3's name
        if StackName != "theirs":
            error = {"Code": "ValidationError", "Message": f"Stack {StackName} does not exist"}
            raise ClientError({"Error": error}, "DescribeStacks")  # type: ignore[typeddict-item]  # of what AWS answers, these two are read
        outputs = [{"OutputKey": k, "OutputValue": v} for k, v in self._stack["Outputs"].items()]
        values = [
            {"ParameterKey": k, "ParameterValue": v} for k, v in self._stack["Parameters"].items()
        ]
        return {"Stacks": [self._stack | {"Outputs": outputs, "Parameters": values}]}

    def deploy(self, name: str = "theirs", **given: str) -> dict[str, str]:
        """Return the outputs of the stack, asked for as in a deploy of stage dev."""
        stack = ExistingStack(name, DEV, cast("Any", self), echo=self.lines.append)
        return stack.deploy(BODY, GIVEN | given)


def test_a_stack_of_any_name_gives_its_outputs() -> None:
    """StackSets name their stacks themselves."""
    cloud = ReadOnly()
    assert cloud.deploy() == OUTPUTS
    assert cloud.lines == []


def test_the_apis_id_is_left_to_the_person_who_deploys_the_stack() -> None:
    """They can't know it before; once they have set it, nothing is said any more."""
    cloud = ReadOnly()
    assert cloud.deploy(ApiId="abc123") == OUTPUTS
    (line,) = cloud.lines
    assert "theirs: set its parameter ApiId to abc123" in line
    cloud = ReadOnly(Parameters=PARAMETERS | {"ApiId": "abc123"})
    cloud.deploy(ApiId="abc123")
    assert cloud.lines == []


@pytest.mark.parametrize(
    ("changed", "given", "said"),
    [
        ({"StackStatus": "UPDATE_IN_PROGRESS"}, {}, "isn't ready: it is UPDATE_IN_PROGRESS"),
        ({"StackStatus": "ROLLBACK_COMPLETE"}, {}, "isn't ready: it is ROLLBACK_COMPLETE"),
        ({"Outputs": {"TableName": "x"}}, {}, "lacks the outputs StateMachineArn: .*make template"),
        ({"Parameters": PARAMETERS | {"Stage": "prod"}}, {}, "Stage is 'prod', not 'dev'"),
        ({}, {"ApproverEndpoints": "*"}, r"ApproverEndpoints is '\*@a.*', not '\*'"),
        ({}, {"LogRetentionDays": "30"}, "LogRetentionDays is None, not '30'"),
    ],
)
def test_a_stack_that_does_not_fit_is_refused(
    changed: dict[str, Any], given: dict[str, str], said: str
) -> None:
    """Before any code is deployed; the message says what differs."""
    with pytest.raises(ToolError, match=f"stack theirs .*{said}"):
        ReadOnly(**changed).deploy(**given)


def test_a_missing_stack_is_named() -> None:
    """With the reason that CloudFormation gives."""
    with pytest.raises(ToolError, match=r"stack other can't be read: .*does not exist"):
        ReadOnly().deploy("other")


@pytest.mark.parametrize("name", ["theirs", DEV.prefix, "gone"])
def test_an_existing_stack_is_used_until_it_is_gone_or_ours(name: str) -> None:
    """`STACK=none` goes back, but not while a stack of another name holds the stage's names."""
    cloud = cast("Any", ReadOnly())
    ours = Stack(DEV, cloud, cast("Any", None))
    existing = ExistingStack(name, DEV, cloud, echo=print)
    assert chosen_stack(ours, None, given=None) is ours
    assert chosen_stack(ours, None, given="none") is ours
    assert chosen_stack(ours, existing, given=None) is existing
    assert chosen_stack(ours, existing, given=name) is existing
    if name == "theirs":
        with pytest.raises(ToolError, match="stack theirs still has the stage's resources"):
            chosen_stack(ours, existing, given="none")
    else:
        assert chosen_stack(ours, existing, given="none") is ours
