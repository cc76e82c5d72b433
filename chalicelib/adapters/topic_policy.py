"""The policy of an approver's topic: only the stage's functions mail, invite and read.

SNS's own default lets everybody subscribe whom the account's IAM allows `sns:Subscribe`, and who
subscribes to an approver's topic decides as that approver.
"""

import hashlib
import json
from typing import NamedTuple

ROLES = ("ApiRole", "RequestApprovalRole", "RequestFromQueueRole", "TickRole")
"""The roles of `infrastructure.yaml` that call SNS; their names are `assent-<stage>-<role>-...`."""
GUARDED = (
    "sns:AddPermission",
    "sns:GetTopicAttributes",
    "sns:ListSubscriptionsByTopic",
    "sns:Publish",
    "sns:RemovePermission",
    "sns:SetTopicAttributes",
    "sns:Subscribe",
)
"""All that a topic's policy can speak of, but for tags and `sns:DeleteTopic`: administrators may
delete the topic, and so undo this policy. Confirming and unsubscribing by a mail's link are none of
these actions."""


class TopicPolicy(NamedTuple):
    """A policy as JSON; its `id` says what it holds, so that an older one is recognised."""

    id: str
    text: str


def topic_policy(topic_arn: str) -> TopicPolicy:
    """Return the policy of an approver's topic, `arn:...:assent-<stage>-approver-<hash>`."""
    _, partition, _, _, account, name = topic_arn.split(":")
    stage = name.rpartition("-approver-")[0]
    iam = f"arn:{partition}:iam::{account}"
    statements = [
        {
            "Sid": "TheAccountsIamAllows",
            "Effect": "Allow",
            "Principal": {"AWS": f"{iam}:root"},
            "Action": [*GUARDED, "sns:DeleteTopic"],
            "Resource": topic_arn,
        },
        {
            "Sid": "NobodyButTheStagesFunctions",
            "Effect": "Deny",
            "Principal": {"AWS": "*"},
            "Action": GUARDED,
            "Resource": topic_arn,
            # A role's sessions have the role's ARN here. The stage is named whole: a pattern such
            # as assent-dev-* would let in the roles of stage dev-2.
            "Condition": {
                "ArnNotLike": {
                    "aws:PrincipalArn": [f"{iam}:role/{stage}-{role}-*" for role in ROLES]
                }
            },
        },
    ]
    policy_id = "assent-" + hashlib.sha256(json.dumps(statements).encode()).hexdigest()[:32]
    text = {"Version": "2012-10-17", "Id": policy_id, "Statement": statements}
    return TopicPolicy(policy_id, json.dumps(text))


def policy_id(text: str) -> str:
    """Return the id of a topic's policy; "" if it has none.

    SNS may give a policy back in another spelling, so ids are compared and not texts.
    """
    return str(json.loads(text).get("Id", ""))
