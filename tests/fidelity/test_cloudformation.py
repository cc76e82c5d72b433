"""CloudFormation and IAM: resources that outlive a stack, substitutions, permissions."""

import json
from typing import Any

import boto3

from .witness import argument, lint_codes, plain, values

DEFINITION = json.dumps(
    {"StartAt": "Ask", "States": {"Ask": {"Type": "Pass", "Result": "${Function}", "End": True}}}
)
MACHINE: dict[str, Any] = {
    "Type": "AWS::StepFunctions::StateMachine",
    "Properties": {
        "StateMachineName": "assent",
        "RoleArn": "arn:aws:iam::123456789012:role/states",
        "DefinitionString": DEFINITION,
        "DefinitionSubstitutions": {"Function": "request_approval"},
    },
}


def _table(name: str, policy: str = "Retain") -> dict[str, Any]:
    return {
        "Type": "AWS::DynamoDB::Table",
        "DeletionPolicy": policy,
        "Properties": {
            "TableName": name,
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        },
    }


def _may(action: str, resource: str) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": action, "Resource": resource}
    return {
        "Type": "AWS::IAM::ManagedPolicy",
        "Properties": {"PolicyDocument": {"Version": "2012-10-17", "Statement": [statement]}},
    }


def test_a_table_needs_two_policies_to_be_retained() -> None:
    """DeletionPolicy when the stack is deleted, UpdateReplacePolicy when an update replaces it."""
    kept = _table("other") | {"UpdateReplacePolicy": "Retain"}
    assert lint_codes({"Half": _table("kept"), "Kept": kept}) == {"Half": {"W3011"}, "Kept": set()}


def test_a_retained_table_outlives_its_stack(account: boto3.Session) -> None:
    """Deleting the stack deletes no approval."""
    stacks = account.client("cloudformation")
    tables = {"Kept": _table("kept"), "Gone": _table("gone", policy="Delete")}
    stacks.create_stack(StackName="s", TemplateBody=json.dumps({"Resources": tables}))
    stacks.delete_stack(StackName="s")
    assert account.client("dynamodb").list_tables()["TableNames"] == ["kept"]


def test_a_definition_takes_its_arns_from_the_template() -> None:
    """A `${Function}` in a definition is valid only if it is among the substitutions."""
    without = {k: v for k, v in MACHINE["Properties"].items() if k != "DefinitionSubstitutions"}
    bare = MACHINE | {"Properties": without}
    assert lint_codes({"Whole": MACHINE, "Bare": bare}) == {"Whole": set(), "Bare": {"E1029"}}


def test_roles_with_names_need_a_capability_of_their_own() -> None:
    """CAPABILITY_IAM is not enough for a named IAM resource."""
    text = plain(argument("cloudformation", "CreateStack", "Capabilities").documentation)
    assert "with custom names, you must specify CAPABILITY_NAMED_IAM" in text
    assert "CAPABILITY_NAMED_IAM" in values("cloudformation", "Capability")


def test_answering_a_task_matches_no_resource() -> None:
    """cfn-lint's authorization reference names a resource for StartExecution alone."""
    other = "arn:aws:states:us-east-1:123456789012:activity:other"
    policies = {
        name: _may(f"states:{name}", other)
        for name in ("StartExecution", "SendTaskSuccess", "SendTaskFailure")
    }
    assert lint_codes(policies, hints=True) == {
        "StartExecution": {"I3510"},
        "SendTaskSuccess": set(),
        "SendTaskFailure": set(),
    }
