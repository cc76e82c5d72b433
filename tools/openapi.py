"""Makes docs/openapi.json: the API's description in OpenAPI 3.1, from the types that validate.

`make openapi` writes it. The API serves the copy in chalicelib/entrypoints, which is the same file.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple, NotRequired, TypedDict

import click
import msgspec

from chalicelib.application.approvers import ApproverStatusJson, ListedApproverJson
from chalicelib.application.ports import ExecutionJson
from chalicelib.domain.approval import Outcome
from chalicelib.domain.commands import Cancel, Extend, Reassign, Remind
from chalicelib.domain.delegation import DelegationForm
from chalicelib.domain.errors import AssentError
from chalicelib.domain.policy import Policy
from chalicelib.domain.validation import SentRequest
from chalicelib.entrypoints import forms
from chalicelib.presentation import json_types
from chalicelib.presentation.delegation_json import OwnDelegationJson
from tools.errors import MakeCommand
from tools.openapi_examples import EXAMPLES

CHECKOUT = Path(__file__).parent.parent
PATHS = (
    CHECKOUT / "docs" / "openapi.json",
    CHECKOUT / "chalicelib" / "entrypoints" / "openapi.json",
)
JSON, HTML, TEXT, FORM = (
    *("application/json", "text/html", "text/plain"),
    "application/x-www-form-urlencoded",
)
Json = dict[str, Any]


class HealthJson(TypedDict):
    """The answer of `GET /health`."""

    status: Literal["ok"]
    stage: str


class LinksJson(TypedDict):
    """Where to look again."""

    self: str


class StartedJson(ExecutionJson):
    """The answer of `POST /executions`."""

    links: LinksJson


class ExecutionViewJson(ExecutionJson):
    """The answer of `GET /executions/{name}`; `outcome` is the newest approval's."""

    outcome: Outcome | None
    approval: json_types.OperatorViewJson | None
    approvals: list[json_types.SummaryJson]


class ApprovalsJson(TypedDict):
    """One page of approvals; `next` is the place where the next one begins."""

    approvals: list[json_types.SummaryJson]
    next: str | None


class ApproversJson(TypedDict):
    """One page of approvers, last invited first; `next` is the place where the next one begins."""

    approvers: list[ListedApproverJson]
    next: str | None


class PoliciesJson(TypedDict):
    """One page of policies, last written first; `next` is the place where the next one begins."""

    policies: list[json_types.PolicyViewJson]
    next: str | None


class ErrorJson(TypedDict):
    """An error: `code` is stable, `message` is for people, `field` names the part at fault."""

    code: str
    message: str
    field: NotRequired[str]
    reference: NotRequired[str]


DecidedJson = (json_types.DecisionLinkJson, json_types.ReassignedLinkJson)
InboxAnswerJson = (json_types.InboxJson, json_types.BulkDecisionJson)


class Operation(NamedTuple):
    """One method of one route."""

    id: str
    method: str
    path: str
    summary: str
    answer: Any
    """The type of the JSON that it answers with, or a tuple of several; None for 204."""
    errors: str = ""
    """The codes that this operation has beside COMMON."""
    body: Any = None
    body_required: bool = True
    query: Any = None
    status: int = 200


COMMON = "InvalidRequest RequestTooLarge UnsupportedType AssentError Misconfigured Unavailable"
_CHANGE = "NotFound AlreadyDecided Expired"
OPERATORS = (
    Operation(
        "startExecution", "post", "/executions", "Have people asked: start an execution.",
        StartedJson, "IdempotencyConflict Undecidable", SentRequest, status=201,
    ),
    Operation(
        "getExecution", "get", "/executions/{name}", "An execution and what it asked.",
        ExecutionViewJson, "NotFound",
    ),
    Operation(
        "listApprovals", "get", "/approvals", "Approvals, newest first.",
        ApprovalsJson, query=forms.ApprovalsQuery,
    ),
    Operation(
        "getApproval", "get", "/approvals/{approval_id}", "One approval with all its events.",
        json_types.OperatorViewJson, "NotFound", query=forms.ApprovalQuery,
    ),
    Operation(
        "eraseApproval", "delete", "/approvals/{approval_id}", "Erase its personal data.",
        json_types.OperatorViewJson, "NotFound NotSettled",
    ),
    Operation(
        "cancelApproval", "post", "/approvals/{approval_id}/cancel", "Take the request back.",
        json_types.OperatorViewJson, _CHANGE, Cancel, body_required=False,
    ),
    Operation(
        "remindApprovers", "post", "/approvals/{approval_id}/remind", "Mail the undecided again.",
        json_types.OperatorViewJson, _CHANGE, Remind, body_required=False,
    ),
    Operation(
        "extendApproval", "post", "/approvals/{approval_id}/extend", "Move the deadline.",
        json_types.OperatorViewJson, _CHANGE, Extend,
    ),
    Operation(
        "reassignApproval", "post", "/approvals/{approval_id}/reassign", "Ask another person.",
        json_types.OperatorViewJson, _CHANGE, Reassign,
    ),
    Operation(
        "listApprovers", "get", "/approvers", "The approvers whom Assent has invited.",
        ApproversJson, query=forms.ApproversQuery,
    ),
    Operation(
        "getApprover", "get", "/approvers/{email}", "Whether mail reaches a person.",
        ApproverStatusJson, "Refused",
    ),
    Operation(
        "putApprover", "put", "/approvers/{email}", "Invite a person; a body is a delegation.",
        ApproverStatusJson, "Refused", DelegationForm, body_required=False,
    ),
    Operation(
        "deleteApprover", "delete", "/approvers/{email}", "Delete a person's topic.",
        None, "Refused", status=204,
    ),
    Operation(
        "endDelegation", "delete", "/approvers/{email}/delegation", "End a delegation.",
        None, status=204,
    ),
    Operation(
        "confirmApprover", "post", "/approvers/{email}/confirmation", "Confirm an invitation.",
        ApproverStatusJson, "Refused", forms.ConfirmationForm,
    ),
    Operation(
        "listPolicies", "get", "/policies", "The policies, last written first.",
        PoliciesJson, query=forms.PoliciesQuery,
    ),
    Operation(
        "getPolicy", "get", "/policies/{name}", "A policy, or an older version of it.",
        json_types.PolicyViewJson, "NotFound", query=forms.PolicyQuery,
    ),
    Operation(
        "putPolicy", "put", "/policies/{name}", "Write a new version of a policy.",
        json_types.PolicyViewJson, "Undecidable VersionConflict", Policy, query=forms.PolicyWriting,
    ),
    Operation(
        "deletePolicy", "delete", "/policies/{name}", "Delete a policy; what waits goes on.",
        None, "NotFound VersionConflict", query=forms.PolicyDeletion, status=204,
    ),
    Operation(
        "offerConsoleSession", "post", "/console/sessions", "A link to the console.",
        json_types.OfferedSessionJson, status=201,
    ),
    Operation(
        "offerReadOnlySession", "post", "/console/read-only-sessions",
        "A link to the console that changes nothing.",
        json_types.OfferedSessionJson, status=201,
    ),
)  # fmt: skip
_OVER = "NotFound AlreadyDecided Expired Cancelled Reassigned"
LINKS = tuple(
    Operation(name, "", f"/{name}/{{token}}", summary, answer, f"{_OVER} {codes}".strip(), body)
    for name, summary, answer, body, codes in (
        ("approve", "Approve", DecidedJson, forms.DecisionForm, "WrongCode"),
        ("reject", "Reject", DecidedJson, forms.DecisionForm, "WrongCode"),
        ("reassign", "Reassign", DecidedJson, forms.ReassignForm, "WrongCode"),
        ("inbox", "Decide several", InboxAnswerJson, forms.InboxForm, ""),
        ("delegation", "Delegate", OwnDelegationJson, forms.OwnDelegationForm, ""),
        (
            "cancel",
            "Follow or cancel",
            json_types.RequesterLinkJson,
            forms.RequesterForm,
            "TooSoon",
        ),
    )
)

ALL: tuple[Operation, ...] = (
    *OPERATORS,
    *(page._replace(id=f"show{page.id.title()}", method="get", body=None) for page in LINKS),
    *(page._replace(id=f"post{page.id.title()}", method="post") for page in LINKS),
    Operation("health", "get", "/health", "The stage runs.", HealthJson),
    Operation("openapi", "get", "/openapi.json", "This description.", dict[str, Any]),
)


def _subclasses(kind: type[AssentError]) -> Iterator[type[AssentError]]:
    yield kind
    for one in kind.__subclasses__():
        yield from _subclasses(one)


ERRORS = {kind.code: kind for kind in _subclasses(AssentError)}
"""Code -> error."""
_KINDS = list(
    dict.fromkeys(
        kind
        for op in (*ALL, Operation("", "", "", "", ErrorJson))
        for group in (op.answer, op.body)
        for kind in (group if isinstance(group, tuple) else (group,))
        if kind is not None
    )
)
_FOUND, _COMPONENTS = msgspec.json.schema_components(
    _KINDS, ref_template="#/components/schemas/{name}"
)
_SCHEMAS = dict(zip(_KINDS, _FOUND, strict=True))
_LONGEST = {"approval_id": 26, "token": 59, "email": 254, "name": 80}
"""The characters of a parameter in a path."""
_RESPONSES: Json = {}
"""The answers of errors, each once: by the codes that it may have."""
_SECURITY: Json = {
    "iam": {
        "type": "apiKey",
        "name": "Authorization",
        "in": "header",
        "description": "AWS Signature Version 4 for execute-api, by a principal with the stage's "
        "operator policy; erasing and writing policies need policies of their own.",
        "x-amazon-apigateway-authtype": "awsSigv4",
    },
}


def document() -> Json:
    """Return the API's description."""
    paths: Json = {}
    for operation in ALL:
        path = paths.setdefault(operation.path, {})
        if not path and "{" in operation.path:
            path["parameters"] = [_path_parameter(operation.path)]
        path[operation.method] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Assent",
            "version": "0.9",
            "summary": "Human approval steps for AWS Step Functions",
            "description": "Operators' routes are signed with AWS Signature Version 4, service "
            "execute-api; links are opened by the token in their path. docs/api.md has the rules.",
        },
        "servers": [
            {
                "url": "https://{id}.execute-api.{region}.amazonaws.com/api",
                "variables": {"id": {"default": "id"}, "region": {"default": "us-east-1"}},
            }
        ],
        "paths": paths,
        "components": {
            "schemas": _COMPONENTS,
            "responses": _RESPONSES,
            "securitySchemes": _SECURITY,
        },
    }


def _operation(operation: Operation) -> Json:
    """Return an operation as OpenAPI has it."""
    is_link = "{token}" in operation.path
    described: Json = {
        "operationId": operation.id,
        "summary": operation.summary,
        "security": [{"iam": []}] if operation in OPERATORS else [],
        "responses": dict(_responses(operation, is_link=is_link)),
    }
    if parameters := list(_parameters(operation)):
        described["parameters"] = parameters
    if operation.body is not None:
        content: Json = {JSON: _content(operation.body)}
        if is_link:
            content[FORM] = _content(operation.body)
        described["requestBody"] = {"required": operation.body_required, "content": content}
    return described


def _responses(operation: Operation, *, is_link: bool) -> Iterator[tuple[str, Json]]:
    """Yield the answers of an operation by status: its own, then its errors."""
    answer: Json = {"description": "No content" if operation.answer is None else "Done"}
    if operation.answer is not None:
        answer["content"] = {JSON: _content(operation.answer)}
    if is_link:
        answer["content"][HTML] = {"schema": {"type": "string"}}
    if operation.id == "getApproval":
        answer["content"][TEXT] = {"schema": {"type": "string"}}
    yield str(operation.status), answer
    if operation in OPERATORS:
        refusal = "API Gateway refuses, in its words: unsigned, or not permitted by IAM"
        _RESPONSES["Forbidden"] = {"description": refusal}
        yield "403", {"$ref": "#/components/responses/Forbidden"}
    found: dict[int, list[str]] = {}
    for code in f"{COMMON} {operation.errors}".split():
        found.setdefault(ERRORS[code].status, []).append(code)
    for status, codes in sorted(found.items()):
        content = {JSON: _content(ErrorJson), HTML: {"schema": {"type": "string"}}}
        name = "".join(sorted(codes))
        _RESPONSES[name] = {"description": ", ".join(sorted(codes)), "content": content}
        yield str(status), {"$ref": f"#/components/responses/{name}"}


def _parameters(operation: Operation) -> Iterator[Json]:
    if operation.id == "startExecution":
        yield {
            "name": "Idempotency-Key",
            "in": "header",
            "description": "The execution's name; the same call again is the same execution.",
            "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,80}$"},
        }
    for field in msgspec.structs.fields(operation.query) if operation.query else ():
        schema, _ = msgspec.json.schema_components([field.type])
        yield {"name": field.encode_name, "in": "query", "schema": schema[0]}


def _path_parameter(path: str) -> Json:
    (name,) = re.findall(r"{(\w+)}", path)
    schema = {"type": "string", "minLength": 1, "maxLength": _LONGEST[name]}
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _content(kind: Any) -> Json:
    kinds = kind if isinstance(kind, tuple) else (kind,)
    schemas = [_SCHEMAS[one] for one in kinds]
    content: Json = {"schema": schemas[0] if len(schemas) == 1 else {"anyOf": schemas}}
    name = getattr(kinds[0], "__name__", "")
    if name in EXAMPLES:
        content["example"] = EXAMPLES[name]
    return content


def text() -> str:
    """Return the description as it is stored."""
    return json.dumps(document(), indent=1, ensure_ascii=False) + "\n"


@click.command(cls=MakeCommand)
def main() -> None:
    """Write the API's description, for readers and for the API itself."""
    from tools import client_types  # noqa: PLC0415 (it imports this module)

    for path in PATHS:
        path.write_text(text(), "utf-8")
    client_types.PATH.write_text(client_types.text(), "utf-8")


if __name__ == "__main__":
    main()
