"""The JSON that readers of an approval get, as types; `serializers.py` makes it.

Times are ISO 8601 in UTC. None of these holds a task token, a link, or the hash of one.
"""

from typing import Any, Literal, NotRequired, TypedDict

from ..domain.approval import Choice, MailState, Outcome
from ..domain.request import Detail


class DecisionJson(TypedDict):
    """One decision; `decidedAt` is ISO 8601 in UTC."""

    approver: str
    decision: Choice
    reason: str
    decidedAt: str
    group: NotRequired[str]
    breakGlass: NotRequired[bool]
    shown: NotRequired[str]


class PolicyJson(TypedDict):
    """The policy that a request was made under."""

    name: str
    version: int


class MailSeenJson(TypedDict):
    """Whether mail reaches a person: `unknown` if SNS doesn't answer."""

    subscription: Literal["none", "pending", "confirmed", "refused", "unknown"]
    refusal: NotRequired[str]


class PersonJson(MailSeenJson):
    """Whether mail reaches a person of a policy; `refusal` is the name of SNS's error."""

    approver: str


class PolicyViewJson(TypedDict):
    """One version of a policy; `policy` is what was written, with every field.

    `people` and `problems` are there if they were asked for; `waiting`, up to 100, if it is the
    newest version.
    """

    name: str
    version: int
    policy: dict[str, Any]
    writtenAt: str
    writtenBy: str
    deleted: NotRequired[bool]
    waiting: NotRequired[int]
    people: NotRequired[list[PersonJson]]
    problems: NotRequired[list[str]]


class GroupJson(TypedDict):
    """How a group of a policy stands; approvals of `waitsFor` would bring it nearer."""

    name: str
    approvalsNeeded: int
    approvals: int
    waitsFor: NotRequired[list[str]]


class RuleJson(TypedDict):
    """What only an approval under a policy has."""

    policy: NotRequired[PolicyJson]
    groups: NotRequired[list[GroupJson]]
    breakGlass: NotRequired[bool]


class EndJson(TypedDict):
    """How the outcome met its execution, where that isn't the ordinary way.

    `resumed` is only there if it is false: the execution waited no longer for this outcome.
    """

    resumed: NotRequired[bool]
    executionEnded: NotRequired[str]
    supersededBy: NotRequired[str]


class QuestionJson(EndJson, RuleJson):
    """The question and the outcome: the part that all readers see."""

    id: str
    outcome: Outcome
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


class ApproverViewJson(QuestionJson):
    """What an approver sees through a decision link.

    `outcomeAlone` is only there if it is true: the outcome is old, so details and reasons are left
    out.
    """

    details: dict[str, Detail] | str
    decisions: list[DecisionJson]
    outcomeAlone: NotRequired[bool]


class InboxItemJson(QuestionJson):
    """One request in an approver's inbox: how many have decided, not who."""

    details: dict[str, Detail] | str
    approvals: int
    rejections: int
    codeRequired: bool


class DecisionLinkJson(TypedDict):
    """The answer of a decision link: the approval, and the approver's own decision if any."""

    approval: ApproverViewJson
    approver: str
    decision: Choice | None


class ReassignedLinkJson(TypedDict):
    """The answer of a replaced approver's link: who is asked now, and nothing of the approval."""

    approver: str
    decision: None
    replacedBy: str


class AskedJson(TypedDict):
    """One approver, for the requester; `why` says why their mail waits."""

    approver: str
    mail: MailState
    mailedAt: str | None
    decision: DecisionJson | None
    replacedBy: NotRequired[str]
    standsInFor: NotRequired[str]
    why: NotRequired[str]


class RequesterLinkJson(TypedDict):
    """The answer of a requester's link; `mayRemindAt` is null once the approval is closed."""

    approval: ApproverViewJson
    approvers: list[AskedJson]
    mayRemindAt: str | None


class InboxJson(TypedDict):
    """One page of an approver's inbox; `next` is the place where the next one begins."""

    approver: str
    approvals: list[InboxItemJson]
    next: str | None


class BulkResultJson(TypedDict):
    """One of several decisions: the outcome so far, or the error that refused it."""

    id: str
    outcome: NotRequired[Outcome]
    resumed: NotRequired[bool]
    error: NotRequired[dict[str, str]]


class BulkDecisionJson(TypedDict):
    """What became of several decisions."""

    approver: str
    decided: list[BulkResultJson]


class StandingJson(TypedDict):
    """How it stands with one approver, in words: their answer, and their mail while it waits."""

    approver: str
    answer: str
    mail: str


class SummaryJson(QuestionJson):
    """One approval in an operator's list: no details, reasons or events."""

    approvals: int
    rejections: int
    waitsFor: list[str]
    approvers: list[StandingJson]
    settledAt: str | None
    executionArn: str


class ApproverJson(TypedDict):
    """One approver, for operators; `why` says why their mail waits, `refusal` is SNS's error."""

    approver: str
    mail: MailState
    decision: DecisionJson | None
    replacedBy: NotRequired[str]
    standsInFor: NotRequired[str]
    note: NotRequired[str]
    noteBy: NotRequired[str]
    why: NotRequired[str]
    refusal: NotRequired[str]
    groups: NotRequired[list[str]]


class EventJson(TypedDict):
    """One event of the audit trail.

    `principal` signed an operator's call; `by` is whom the operator named, a claim.
    """

    at: str
    what: str
    who: str
    via: str
    note: str
    why: NotRequired[str]
    by: NotRequired[str]
    principal: NotRequired[str]


class OperatorViewJson(QuestionJson):
    """The whole approval, for operators."""

    details: dict[str, Detail] | str
    approvers: list[ApproverJson]
    settledAt: str | None
    executionArn: str
    events: list[EventJson]
    foldedEvents: NotRequired[int]


class OfferedSessionJson(TypedDict):
    """A link that opens a session of the console, once, until that time."""

    url: str
    expiresAt: str


class ResultJson(RuleJson):
    """The result that resumes the execution.

    `shown` is the SHA-256 of what the approvers were shown.
    """

    outcome: Outcome
    approvalId: str
    subject: str
    decisions: list[DecisionJson]
    closedAt: str | None
    shown: NotRequired[str]


class AnnouncedDecisionJson(TypedDict):
    """One decision on the event bus: no reason."""

    approver: str
    decision: Choice
    decidedAt: str
    group: NotRequired[str]
    breakGlass: NotRequired[bool]


class UndecidableJson(TypedDict):
    """On the event bus: a pending approval that can't be approved any more, since when and why."""

    approvalId: str
    subject: str
    executionArn: str
    why: str
    since: str | None
    policy: NotRequired[PolicyJson]


class AnnouncementJson(EndJson, RuleJson):
    """The outcome on the event bus; `approvalId` identifies an announcement delivered twice."""

    approvalId: str
    outcome: Outcome
    subject: str
    executionArn: str
    decisions: list[AnnouncedDecisionJson]
    closedAt: str | None
    shown: NotRequired[str]
