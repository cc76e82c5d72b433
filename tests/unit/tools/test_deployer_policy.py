"""docs/deployer-policy.json: allows what a deploy and a destroy do, and nothing else.

On AWS the permissions of the caller are also those of CloudFormation, which makes the stack's
resources in the caller's name. Which calls it makes is in AWS's schemas, as cfn-lint has them.
"""

import json
import re
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files
from typing import Any

from tests.deployer_calls import ALWAYS, AT_TIMES
from tools.template import load_template

from .conftest import CHECKOUT

POLICY = (CHECKOUT / "docs" / "deployer-policy.json").read_text("utf-8")
STATEMENTS: list[dict[str, Any]] = json.loads(POLICY)["Statement"]
UNUSED = re.compile(
    r"kinesis:.*|kms:.*|s3:.*|firehose:.*"  # streams, keys of one's own, definitions in S3
    r"|dynamodb:(Create|Associate)TableReplica|iam:CreateServiceLinkedRole"  # global tables
    r"|dynamodb:(Scan|Query|GetItem|PutItem|UpdateItem|DeleteItem|BatchWriteItem)"
    r"|dynamodb:(Import|DescribeImport|EnableKinesis|DisableKinesis|UpdateKinesis|UpdateContrib).*"
    r"|dynamodb:(Put|Delete)ResourcePolicy|iam:(Attach|Detach).*|iam:.*PermissionsBoundary"
    r"|logs:(CreateLogStream|DescribeLogStreams|PutLogEvents|CreateLogDelivery)"
    r"|logs:(Put|Delete)(Resource|Index)Policy|logs:PutDataProtectionPolicy|logs:.*KmsKey"
    r"|logs:DeleteRetentionPolicy|logs:PutLogGroupDeletionProtection|logs:PutBearerToken.*"
    r"|sns:PutDataProtectionPolicy"
)
"""Actions of the schemas that belong to properties that the template doesn't have."""


def listed(found: str | list[str]) -> list[str]:
    """Return the values of an element of a policy, which may be one alone."""
    return [found] if isinstance(found, str) else found


GRANTED = [action for statement in STATEMENTS for action in listed(statement["Action"])]


@cache
def of_cloudformation() -> set[str]:
    """Return the actions by which CloudFormation makes, changes and deletes the resources.

    The rule is the tick's, which Chalice makes.
    """
    template = load_template(CHECKOUT / "infrastructure.yaml")
    types = {resource["Type"] for resource in template["Resources"].values()}
    types.add("AWS::Events::Rule")
    actions: set[str] = set()
    for file in (files("cfnlint") / "data" / "schemas" / "resources").iterdir():
        if file.name.endswith(".json"):
            schema = json.loads(file.read_text("utf-8"))
            if schema["typeName"] in types:
                types.remove(schema["typeName"])
                for handler in ("create", "read", "update", "delete"):
                    actions |= set(schema["handlers"].get(handler, {}).get("permissions") or [])
    assert not types, "each has a schema"
    return {action for action in actions if not UNUSED.fullmatch(action)}


def test_the_policy_allows_each_call_of_a_deploy_and_a_destroy() -> None:
    """The sandbox records the calls."""
    assert {*ALWAYS, *AT_TIMES} - set(GRANTED) == set()


def test_the_policy_allows_what_cloudformation_does_in_the_deployers_name() -> None:
    """For the types of the template, without what belongs to properties that it hasn't."""
    assert len(of_cloudformation()) > 80
    assert of_cloudformation() - set(GRANTED) == set()


def test_the_policy_allows_nothing_else() -> None:
    """And nothing twice, but for the methods of API Gateway."""
    assert set(GRANTED) - of_cloudformation() - ALWAYS - AT_TIMES == set()
    others = [action for action in GRANTED if not action.startswith("apigateway:")]
    assert len(others) == len(set(others))
    assert not [action for action in others if "*" in action]


def test_only_assents_own_resources_are_reached() -> None:
    """By prefix, where IAM can. An API has no name in its ARN, and lists have no resource."""
    reference = json.loads(
        (files("cfnlint") / "data" / "AdditionalSpecs" / "Policies.json").read_text("utf-8")
    )
    for statement in STATEMENTS:
        actions = listed(statement["Action"])
        for arn in listed(statement["Resource"]):
            if arn == "*" and "Condition" not in statement:
                for action in actions:
                    service, _, name = action.partition(":")
                    found = reference[service]["Actions"][name.lower()]
                    assert "Resources" not in found or action == "cloudwatch:DescribeAlarms", action
            elif arn == "*":
                (function,) = statement["Condition"]["ArnLikeIfExists"].values()
                assert function == "arn:*:lambda:*:*:function:assent-*"
            else:
                assert fnmatchcase(arn, "arn:[*]:*assent-*") or ":apigateway:" in arn, arn


def test_roles_are_passed_to_two_services_alone() -> None:
    """To the functions and the state machine."""
    (statement,) = (s for s in STATEMENTS if s["Action"] == "iam:PassRole")
    services = statement["Condition"]["StringEquals"]["iam:PassedToService"]
    assert services == ["lambda.amazonaws.com", "states.amazonaws.com"]


def test_iam_takes_the_policy() -> None:
    """A managed policy has at most 6,144 characters, blanks not counted."""
    assert len(re.sub(r"\s", "", POLICY)) <= 6_144
