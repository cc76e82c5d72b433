"""Examples for docs/openapi.json: the name of a type -> JSON of it."""

from typing import Any

_QUESTION: dict[str, Any] = {
    "id": "hgjqlf3qxbb6mej3js5qayemxc",
    "outcome": "approved",
    "subject": "Release 4.2.0 of the shop?",
    "requestedBy": "margaret@example.com",
    "approvalsNeeded": 1,
    "rejectionsNeeded": 1,
    "createdAt": "2026-11-22T09:00:00Z",
    "expiresAt": "2026-11-29T09:00:00Z",
    "closedAt": "2026-11-22T09:12:00Z",
}
_DECISION = {
    "approver": "ada@example.com",
    "decision": "approve",
    "reason": "Tests are green",
    "decidedAt": "2026-11-22T09:12:00Z",
}
_SESSION = {
    "url": "https://abcdef1234.execute-api.us-east-1.amazonaws.com/api/console/sessions/"
    "hgjqlf3qxbb6mej3js5qayemxc.eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee",
    "expiresAt": "2026-11-22T09:02:00Z",
}
_DETAILS = {"Version": "4.2.0", "Risk": "low"}
_EXECUTION = "arn:aws:states:us-east-1:111122223333:execution:assent-dev:release-4-2-0"
_SUMMARY = {
    **_QUESTION,
    "approvals": 1,
    "rejections": 0,
    "waitsFor": [],
    "approvers": [
        {
            "approver": "ada@example.com",
            "answer": "approved on 22 November 2026, 09:12 UTC",
            "mail": "",
        }
    ],
    "settledAt": "2026-11-22T09:12:00Z",
    "executionArn": _EXECUTION,
}
_APPROVAL = {
    **_QUESTION,
    "details": _DETAILS,
    "approvers": [
        {"approver": "ada@example.com", "mail": "sent", "decision": _DECISION},
        {"approver": "grace@example.com", "mail": "sent", "decision": None},
    ],
    "settledAt": "2026-11-22T09:12:00Z",
    "executionArn": _EXECUTION,
    "events": [
        {
            "at": "2026-11-22T09:12:00Z",
            "what": "approved",
            "who": "ada@example.com",
            "via": "page",
            "note": "",
        }
    ],
}
_STARTED = {"execution": "release-4-2-0", "executionArn": _EXECUTION, "status": "RUNNING"}
_DELEGATION = {
    "delegate": "grace@example.com",
    "from": "2026-12-20T00:00:00Z",
    "until": "2027-01-06T00:00:00Z",
}

_POLICY = {
    "description": "Releases to production: security and operations agree.",
    "groups": [
        {"name": "security", "approvers": ["ada@example.com"]},
        {
            "name": "operations",
            "approvers": ["grace@example.com", "barbara@example.com", "linus@example.com"],
            "approvalsNeeded": 2,
        },
    ],
    "requesters": ["*@example.com"],
    "expiresIn": 86_400,
    "breakGlass": ["margaret@example.com"],
}
_POLICY_VIEW = {
    "name": "production-release",
    "version": 3,
    "policy": _POLICY,
    "writtenAt": "2026-11-22T09:00:00Z",
    "writtenBy": "arn:aws:iam::111122223333:user/security-office",
}

EXAMPLES: dict[str, Any] = {
    "SentRequest": {
        "subject": "Release 4.2.0 of the shop?",
        "details": _DETAILS,
        "approvers": ["ada@example.com", "grace@example.com"],
        "requestedBy": "margaret@example.com",
        "expiresIn": 86_400,
    },
    "StartedJson": {
        **_STARTED,
        "links": {"self": "https://assent.example.com/api/executions/release-4-2-0"},
    },
    "ExecutionViewJson": {
        **_STARTED,
        "outcome": "approved",
        "approval": _APPROVAL,
        "approvals": [_SUMMARY],
    },
    "ApprovalsJson": {"approvals": [_SUMMARY], "next": None},
    "OperatorViewJson": _APPROVAL,
    "Cancel": {"reason": "The release was postponed", "by": "ada@example.com"},
    "Remind": {"reason": "The window is tonight"},
    "Extend": {"expiresIn": 86_400},
    "Reassign": {"from": "ada@example.com", "to": "grace@example.com", "note": "Ada is ill"},
    "ApproverStatusJson": {"approver": "ada@example.com", "subscription": "confirmed"},
    "ApproversJson": {
        "approvers": [
            {"approver": "ada@example.com", "subscription": "confirmed", "waiting": 2},
            {"approver": "grace@example.com", "subscription": "pending", "waiting": 0},
        ],
        "next": None,
    },
    "Policy": _POLICY,
    "PolicyViewJson": _POLICY_VIEW,
    "PoliciesJson": {"policies": [{**_POLICY_VIEW, "waiting": 2}], "next": None},
    "DelegationForm": _DELEGATION,
    "ConfirmationForm": {
        "url": "https://sns.us-east-1.amazonaws.com/confirmation.html?TopicArn=arn&Token=2336412f37"
    },
    "DecisionLinkJson": {
        "approval": {**_QUESTION, "details": _DETAILS, "decisions": [_DECISION]},
        "approver": "ada@example.com",
        "decision": "approve",
    },
    "InboxJson": {"approver": "ada@example.com", "approvals": [], "next": None},
    "OwnDelegationJson": {"approver": "ada@example.com", "absence": None},
    "DecisionForm": {"reason": "Tests are green"},
    "ReassignForm": {"to": "grace@example.com"},
    "InboxForm": {
        "choice": "approve",
        "chosen": ["hgjqlf3qxbb6mej3js5qayemxc"],
        "confirmed": "yes",
    },
    "RequesterForm": {"action": "remind"},
    "OwnDelegationForm": {"delegate": "grace@example.com", "until": "2027-01-06"},
    "HealthJson": {"status": "ok", "stage": "dev"},
    "OfferedSessionJson": _SESSION,
    "ErrorJson": {
        "code": "InvalidRequest",
        "message": "approvers[0]: is not an e-mail address",
        "field": "approvers[0]",
    },
}
