"""Policies for tests, and approvals asked under them."""

from typing import Any

from chalicelib.domain import link_tokens, transitions
from chalicelib.domain.approval import Approval
from chalicelib.domain.asking_people import people_of
from chalicelib.domain.policy import PolicyVersion
from chalicelib.domain.policy_check import check_policy
from chalicelib.domain.request import Request
from chalicelib.domain.validation import check_request
from tests.builders import hashes_of
from tests.fakes import EXECUTION, START, TOKEN

OPERATOR = "arn:aws:iam::000000000000:user/security-office"
SECURITY = {"name": "security", "approvers": ["sam@example.com", "sue@example.com"]}
OPERATIONS = {
    "name": "operations",
    "approvers": ["ops1@example.com", "ops2@example.com", "ops3@example.com"],
    "approvalsNeeded": 2,
}


def policy_body(*groups: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """Return a policy as JSON: one of security and two of operations, unless `groups` says."""
    return {"groups": list(groups or (SECURITY, OPERATIONS)), **fields}


def group(name: str, *people: str, needed: int | str = 1) -> dict[str, Any]:
    """Return a group as JSON; `people` are names at example.com."""
    addresses = [f"{one}@example.com" for one in people]
    return {"name": name, "approvers": addresses, "approvalsNeeded": needed}


def policy_version(*groups: dict[str, Any], version: int = 1, **fields: Any) -> PolicyVersion:
    """Return the policy `production-release`, as stored."""
    policy = check_policy(policy_body(*groups, **fields), ("example.com",))
    return PolicyVersion("production-release", version, policy, START, OPERATOR)


def request_under(policy: PolicyVersion, **fields: Any) -> Request:
    """Return a request under that policy; `fields` have the wire's names."""
    body = {"subject": "Release 4.2", "policy": policy.name, **fields}
    return check_request(body, ("example.com",), policy)


def approval_under(policy: PolicyVersion, **fields: Any) -> Approval:
    """Return the pending approval of a request under that policy."""
    return approval_of_request(request_under(policy, **fields))


def approval_of_request(
    request: Request, task_token: str = TOKEN, execution: str = EXECUTION, **more: Any
) -> Approval:
    """Return the pending approval of a request; `more` goes to the transition."""
    asked = people_of(request, more.get("delegates") or {})
    return transitions.request_approval(
        approval_id=link_tokens.approval_id(task_token),
        task_token=task_token,
        execution_arn=execution,
        request=request,
        hashes=hashes_of(person.address for person in asked),
        now=START,
        via="function",
        **more,
    )


def approved(approval: Approval, *names: str) -> Approval:
    """Return the approval with the approvals of these people at example.com, one by one."""
    for name in names:
        approval = transitions.decide(
            approval, f"{name}@example.com", "approve", reason="fine", now=START, via="page"
        )
    return approval
