"""The API's JSON. `make openapi` writes this file from the types that make the answers.

Times are ISO 8601 in UTC. docs/api.md explains each field.
"""

from typing import Any, Literal, NotRequired, TypedDict


class Decision(TypedDict):
    """One decision; `decidedAt` is ISO 8601 in UTC."""

    approver: str
    decision: Literal["approve", "reject"]
    reason: str
    decidedAt: str
    group: NotRequired[str]
    breakGlass: NotRequired[bool]
    shown: NotRequired[str]


class Approver(TypedDict):
    """One approver, for operators; `why` says why their mail waits, `refusal` is SNS's error."""

    approver: str
    mail: Literal["waiting", "sent", "failed"]
    decision: Decision | None
    replacedBy: NotRequired[str]
    standsInFor: NotRequired[str]
    note: NotRequired[str]
    noteBy: NotRequired[str]
    why: NotRequired[str]
    refusal: NotRequired[str]
    groups: NotRequired[list[str]]


class Event(TypedDict):
    """One event of the audit trail."""

    at: str
    what: str
    who: str
    via: str
    note: str
    why: NotRequired[str]
    by: NotRequired[str]
    principal: NotRequired[str]


class PolicyReference(TypedDict):
    """The policy that a request was made under."""

    name: str
    version: int


class Group(TypedDict):
    """How a group of a policy stands; approvals of `waitsFor` would bring it nearer."""

    name: str
    approvalsNeeded: int
    approvals: int
    waitsFor: NotRequired[list[str]]


class Standing(TypedDict):
    """How it stands with one approver, in words: their answer, and their mail while it waits."""

    approver: str
    answer: str
    mail: str


class Summary(TypedDict):
    """One approval in an operator's list: no details, reasons or events."""

    resumed: NotRequired[bool]
    executionEnded: NotRequired[str]
    supersededBy: NotRequired[str]
    policy: NotRequired[PolicyReference]
    groups: NotRequired[list[Group]]
    breakGlass: NotRequired[bool]
    id: str
    outcome: Literal["pending", "approved", "rejected", "expired", "cancelled"]
    subject: str
    requestedBy: str | None
    approvalsNeeded: int
    rejectionsNeeded: int
    createdAt: str
    expiresAt: str
    closedAt: str | None
    askedAgainAt: NotRequired[str]
    erasedAt: NotRequired[str]
    undecidable: NotRequired[str]
    approvals: int
    rejections: int
    waitsFor: list[str]
    approvers: list[Standing]
    settledAt: str | None
    executionArn: str


class Approval(TypedDict):
    """The whole approval, for operators."""

    resumed: NotRequired[bool]
    executionEnded: NotRequired[str]
    supersededBy: NotRequired[str]
    policy: NotRequired[PolicyReference]
    groups: NotRequired[list[Group]]
    breakGlass: NotRequired[bool]
    id: str
    outcome: Literal["pending", "approved", "rejected", "expired", "cancelled"]
    subject: str
    requestedBy: str | None
    approvalsNeeded: int
    rejectionsNeeded: int
    createdAt: str
    expiresAt: str
    closedAt: str | None
    askedAgainAt: NotRequired[str]
    erasedAt: NotRequired[str]
    undecidable: NotRequired[str]
    details: dict[str, str | bool | int | float] | str
    approvers: list[Approver]
    settledAt: str | None
    executionArn: str
    events: list[Event]
    foldedEvents: NotRequired[int]


class Approvals(TypedDict):
    """One page of approvals; `next` is the place where the next one begins."""

    approvals: list[Summary]
    next: str | None


class Links(TypedDict):
    """Where to look again."""

    self: str


class Started(TypedDict):
    """The answer of `POST /executions`."""

    execution: str
    executionArn: str
    status: Literal["RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED", "PENDING_REDRIVE"]
    startedAt: NotRequired[str]
    output: NotRequired[Any]
    error: NotRequired[str]
    cause: NotRequired[str]
    links: Links


class Execution(TypedDict):
    """The answer of `GET /executions/{name}`; `outcome` is the newest approval's."""

    execution: str
    executionArn: str
    status: Literal["RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED", "PENDING_REDRIVE"]
    startedAt: NotRequired[str]
    output: NotRequired[Any]
    error: NotRequired[str]
    cause: NotRequired[str]
    outcome: Literal["pending", "approved", "rejected", "expired", "cancelled"] | None
    approval: Approval | None
    approvals: list[Summary]


Delegation = TypedDict(
    "Delegation",
    {
        "delegate": str,
        "from": str,
        "until": str,
        "reason": NotRequired[str],
        "by": NotRequired[str],
        "principal": NotRequired[str],
        "at": NotRequired[str],
    },
)


class ApproverStatus(TypedDict):
    """Whether mail can reach an approver, and the delegation that is or will be in force."""

    approver: str
    subscription: Literal["none", "pending", "confirmed"]
    absence: NotRequired[Delegation]


class ListedApprover(TypedDict):
    """One approver in an operator's list; `waiting` counts what waits for them, up to 100."""

    approver: str
    absence: NotRequired[Delegation]
    waiting: int
    subscription: Literal["none", "pending", "confirmed"] | Literal["refused"]
    refusal: NotRequired[str]


class Approvers(TypedDict):
    """One page of approvers, last invited first; `next` is the place where the next one begins."""

    approvers: list[ListedApprover]
    next: str | None


class Health(TypedDict):
    """The answer of `GET /health`."""

    status: Literal["ok"]
    stage: str


class OfferedSession(TypedDict):
    """A link that opens a session of the console, once, until that time."""

    url: str
    expiresAt: str


class Person(TypedDict):
    """Whether mail reaches a person of a policy; `refusal` is the name of SNS's error."""

    subscription: Literal["none", "pending", "confirmed", "refused", "unknown"]
    refusal: NotRequired[str]
    approver: str


class Policy(TypedDict):
    """One version of a policy; `policy` is what was written, with every field."""

    name: str
    version: int
    policy: dict[str, Any]
    writtenAt: str
    writtenBy: str
    deleted: NotRequired[bool]
    waiting: NotRequired[int]
    people: NotRequired[list[Person]]
    problems: NotRequired[list[str]]


class Policies(TypedDict):
    """One page of policies, last written first; `next` is the place where the next one begins."""

    policies: list[Policy]
    next: str | None
