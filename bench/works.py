"""What both apps are to do when they are measured: pages, decisions, a request and a tick."""

import json
from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from bench.canned_aws import Answers, topic_arn
from bench.environment import ENVIRONMENT
from bench.measured_app import Json, Work
from chalicelib.adapters import dynamodb_items
from chalicelib.domain import link_tokens, transitions
from chalicelib.domain.approval import Approval
from chalicelib.domain.texts import REASON_CHARACTERS, check_reason
from chalicelib.domain.timestamps import iso
from chalicelib.domain.validation import DETAILS_BYTES
from tests.builders import an_approval, task_request

SECRET = "a" * 32
DETAILS = {"Version": "4.2.0", "Changes": "Payment retries", "Risk": "low", "Services": 4}
TWO = ["ada@example.com", "grace@example.com"]
TICK: Json = {
    **dict.fromkeys(("version", "account", "region", "detail-type", "source", "time", "id"), ""),
    "detail": {},
    "resources": [],
}
"""EventBridge's event of a schedule."""


def pending(**fields: Any) -> Approval:
    """Return an approval that doesn't expire meanwhile and whose first link has SECRET."""
    approval = an_approval(details=DETAILS, expiresIn=31_536_000, **fields)
    first, *others = approval.approvers
    with_link = replace(first, link_hashes=(link_tokens.digest(SECRET),))
    expires_at = approval.created_at.replace(year=approval.created_at.year + 50)
    return replace(approval, approvers=(with_link, *others), expires_at=expires_at)


ONE_APPROVER = pending()
TWO_APPROVERS = pending(approvers=TWO, approvalsNeeded=2)
TOKEN = f"{ONE_APPROVER.id}.{SECRET}"


def http(method: str, resource: str, parameter: str, **more: Any) -> Json:
    """Return API Gateway's event; `resource` is such as `/approve/{token}`."""
    return {
        "resource": resource,
        "path": resource.partition("{")[0] + parameter,
        "httpMethod": method,
        "headers": {"Accept": "text/html", "Content-Type": "application/x-www-form-urlencoded"},
        "multiValueQueryStringParameters": None,
        "pathParameters": {resource.partition("{")[2].rstrip("}"): parameter},
        "stageVariables": None,
        "requestContext": {"resourcePath": resource, "httpMethod": method, "requestId": "bench"},
        "body": "reason=fine" if method == "POST" else None,
        "isBase64Encoded": False,
        **more,
    }


def _link(method: str, resource: str, approval: Approval, item: Json | None = None) -> Work:
    stored = dynamodb_items.approval_item(approval) if item is None else item
    return _work("app", http(method, resource, TOKEN), {"GetItem": json.dumps({"Item": stored})})


def _work(handler: str, event: Json, answers: Answers | None = None) -> Work:
    return {"handler": handler, "event": event, "answers": answers or {}}


def _clients(*names: str) -> Work:
    return {**_work("", {}), "clients": list(names)}


_SMALL = {
    "taskToken": {"S": ONE_APPROVER.task_token},
    "subject": {"S": ONE_APPROVER.request.subject},
}
"""The item of the bare handler."""
_PAGE = _link("GET", "/approve/{token}", ONE_APPROVER)
_VOTE = _link("POST", "/approve/{token}", TWO_APPROVERS)
_CLOSE = _link("POST", "/approve/{token}", ONE_APPROVER)
_REQUEST = _work("request_approval", task_request(details=DETAILS))
_BARE_PAGE = _link("GET", "/approve/{key}", ONE_APPROVER, _SMALL)
_BARE_DECISION = _link("POST", "/approve/{key}", ONE_APPROVER, _SMALL)
_BARE_VOTE = _link("POST", "/vote/{key}", TWO_APPROVERS)
_STORED = {**dynamodb_items.approval_item(ONE_APPROVER), **_SMALL}
"""The item of the bare handler, as large as Assent's."""
_BARE_CLOSE = _link("POST", "/close/{key}", ONE_APPROVER, _STORED)
_BARE_REQUEST = _work(
    "request",
    {
        "item": dynamodb_items.approval_item(ONE_APPROVER),
        "execution": ONE_APPROVER.execution_arn,
        "topic": topic_arn("ada@example.com"),
        "mail": "Please decide: https://assent.example.com/api/approve/" + TOKEN,
    },
)

Works = Mapping[str, tuple[Work, Work]]
"""Name -> the work of the bare app, and Assent's."""

COLD: Works = {
    "first page": (_BARE_PAGE, _PAGE),
    "the decision's two clients": (
        _clients("dynamodb", "stepfunctions"),
        _clients("wiring.store", "wiring.executions"),
    ),
    "first decision, closes; same calls": (_BARE_CLOSE, _CLOSE),
    "request function; same calls": (_BARE_REQUEST, _REQUEST),
    "tick function, nothing due; same calls": (_work("tick", TICK), _work("tick", TICK)),
}
WARM: Works = {
    "page": (_BARE_PAGE, _PAGE),
    "decision": (_BARE_DECISION, _VOTE),
    "decision that closes": (_BARE_DECISION, _CLOSE),
    "page; same item": (_link("GET", "/approve/{key}", ONE_APPROVER, _STORED), _PAGE),
    "decision; same calls": (_BARE_VOTE, _VOTE),
    "decision that closes; same calls": (_BARE_CLOSE, _CLOSE),
    "request function; same calls": (_BARE_REQUEST, _REQUEST),
    "tick function, nothing due; same calls": (_work("tick", TICK), _work("tick", TICK)),
}


def largest_works() -> dict[str, Work]:
    """Return the functions' works with the largest input that each accepts or reads."""
    from tests.unit.strategies import largest_approval  # noqa: PLC0415 (not when requests are)

    details = "\N{ROCKET}" * (DETAILS_BYTES // 4 - 1)
    asked = largest_approval(details)
    reason = check_reason('"' * REASON_CHARACTERS)
    decided = asked
    *others, last = asked.approvers
    for each in others:
        decided = transitions.decide(
            decided, each.address, "approve", reason=reason, now=asked.created_at, via="page"
        )
    secret = link_tokens.decision_secret(SECRET)  # SECRET itself opens the inbox
    with_link = replace(last, link_hashes=(link_tokens.digest(secret),))
    expires_at = asked.created_at.replace(year=asked.created_at.year + 50)
    decided = replace(
        decided, approvers=(*decided.approvers[:-1], with_link), expires_at=expires_at
    )
    token, addresses = f"{decided.id}.{secret}", [one.address for one in asked.approvers]
    stored = {"GetItem": json.dumps({"Item": dynamodb_items.approval_item(decided)})}
    due = json.dumps({"Items": [dynamodb_items.approval_key(asked.id)]})
    waiting = json.dumps({"Item": dynamodb_items.approval_item(asked)})
    copies = [replace(decided, id=f"{n:02}{decided.id[2:]}") for n in range(25)]
    person, at = last.address.lower(), iso(expires_at)
    entries = [dynamodb_items.waiting_entry(copy.id, person, at) for copy in copies]
    found = {ENVIRONMENT["ASSENT_TABLE"]: list(map(dynamodb_items.approval_item, copies))}
    inbox = {
        "Query": json.dumps({"Items": entries, "Count": 25, "ScannedCount": 25}),
        "BatchGetItem": json.dumps({"Responses": found}),
    }
    request = task_request(
        approvers=addresses, subject=asked.request.subject, details=details, approvalsNeeded="all"
    )
    works = {
        "request function, fifty approvers": _work("request_approval", request),
        "page after 49 decisions": _work("app", http("GET", "/approve/{token}", token), stored),
        "decision that closes": _work("app", http("POST", "/approve/{token}", token), stored),
        "function that records a decision": _work(
            "record_decision", {"token": token, "decision": "approve"}, stored
        ),
        "tick that reminds the fifty": _work("tick", TICK, {"GetItem": waiting, "Query": due}),
        "inbox of 25 such": _work(
            "app", http("GET", "/inbox/{token}", f"{decided.id}.{SECRET}"), stored | inbox
        ),
    }
    return {name: {**work, "addresses": addresses} for name, work in works.items()}
