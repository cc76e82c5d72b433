"""CloudFormation and IAM: resources that outlive a stack, substitutions, permissions."""

import json
from typing import Any

import boto3

from tools.template import LIMIT

from .witness import argument, lint_codes, operation, plain, values

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


def test_a_template_that_is_sent_along_has_a_limit() -> None:
    """In bytes; a larger one has to be in S3."""
    text = plain(argument("cloudformation", "CreateStack", "TemplateBody").documentation)
    assert f"a maximum length of {LIMIT:,} bytes" in text


def test_without_a_service_role_cloudformation_acts_for_its_caller() -> None:
    """So a deployer needs the permissions for each resource of the stack."""
    text = plain(argument("cloudformation", "CreateStack", "RoleARN").documentation)
    assert "a temporary session that's generated from your user credentials" in text


def test_the_partition_of_a_task_is_substituted_with_the_whole_arn() -> None:
    """A placeholder inside the ARN is no valid Resource to cfn-lint."""

    def machine(resource: str, name: str, value: str) -> dict[str, Any]:
        task = {"Type": "Task", "Resource": resource, "End": True}
        definition = json.dumps({"StartAt": "Ask", "States": {"Ask": task}})
        changed = {"DefinitionString": definition, "DefinitionSubstitutions": {name: value}}
        return MACHINE | {"Properties": MACHINE["Properties"] | changed}

    found = lint_codes(
        {
            "Whole": machine("${AskTask}", "AskTask", "arn:aws-cn:states:::lambda:invoke"),
            "Inside": machine("arn:${P}:states:::lambda:invoke", "P", "aws-cn"),
        }
    )
    assert found == {"Whole": set(), "Inside": {"E3601"}}


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


def test_everybody_may_ask_who_they_are() -> None:
    """A destroy does, for the ARN of the stage's state machine."""
    said = plain(operation("sts", "GetCallerIdentity").documentation)
    assert "No permissions are required to perform this operation" in said
