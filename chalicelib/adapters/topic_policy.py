"""The policy of an approver's topic: only the stage's functions mail, invite and read.

SNS's own default lets everybody subscribe whom the account's IAM allows `sns:Subscribe`, and who
subscribes to an approver's topic decides as that approver.
"""

import json
from typing import Any

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


def topic_policy(topic_arn: str) -> str:
    """Return as JSON the policy of a topic `arn:...:assent-<stage>-approver-<hash>`."""
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
    return json.dumps({"Version": "2012-10-17", "Id": "assent-approver", "Statement": statements})


def same_policy(one: str, other: str) -> bool:
    """Return whether two policies in JSON say the same, however they are spelled.

    SNS may give a policy back with other blanks, in another order, or with a list of one value as
    that value. The statements are compared and not ids: anybody can give a policy our id.
    """
    return bool(_plain(json.loads(one)) == _plain(json.loads(other)))


def _plain(value: Any) -> Any:
    """Return a part of a policy without what its spelling adds: order, and lists of one value."""
    if isinstance(value, dict):
        return frozenset((key, _plain(part)) for key, part in value.items())
    if isinstance(value, list):
        parts = frozenset(_plain(part) for part in value)
        return next(iter(parts)) if len(parts) == 1 else parts
    return value
