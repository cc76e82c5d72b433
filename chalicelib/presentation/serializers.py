"""An approval as JSON for its readers: operators, approvers, the execution, the event bus.

No serializer ever shows a task token, a link, or the hash of one.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import get_args

import msgspec

from ..domain.approval import Approval, Approver, Decision
from ..domain.decidability import why_undecidable
from ..domain.events import Event, MailFailure
from ..domain.reminding import may_remind_at
from ..domain.standings import counted_in, standings
from ..domain.timestamps import iso
from .groups import counted_for
from .json_types import (
    AnnouncementJson,
    ApproverJson,
    ApproverViewJson,
    AskedJson,
    DecisionJson,
    EndJson,
    EventJson,
    GroupJson,
    InboxItemJson,
    OperatorViewJson,
    PolicyJson,
    QuestionJson,
    RequesterLinkJson,
    ResultJson,
    RuleJson,
    SummaryJson,
    UndecidableJson,
)
from .layout import cut
from .standing import answer_state, last_mail, mail_state

CAUSE_BYTES = 32_768
OUTPUT_BYTES = 262_144
"""Limits of `SendTaskFailure`'s cause and `SendTaskSuccess`'s output (botocore's model).

The model counts a cause in characters; counted in bytes it fits in either unit.
"""


def operator_view(approval: Approval) -> OperatorViewJson:
    """Return the whole approval, as `GET /approvals/{id}` answers."""
    counted = counted_in(approval)
    view: OperatorViewJson = {
        **_question(approval),  # type: ignore[typeddict-item]  # may hold foldedEvents, says mypy
        "details": approval.request.details,
        "approvers": [_approver(approval, one, counted) for one in approval.approvers],
        "settledAt": _iso(approval.resumed_at),
        "executionArn": approval.execution_arn,
        "events": [_event(event) for event in approval.events],
    }
    if approval.folded_events:
        view["foldedEvents"] = approval.folded_events
    return view


def summary(approval: Approval) -> SummaryJson:
    """Return one entry of `GET /approvals`; a hundred stay far under Lambda's 6 MB an answer."""
    counted = counted_for(approval)
    return {
        **_question(approval),
        "approvals": approval.approve_count,
        "rejections": approval.reject_count,
        "waitsFor": [approver.address for approver in approval.waits_for],
        "approvers": [
            {
                "approver": approver.address,
                "answer": answer_state(approver, approval, counted),
                "mail": mail_state(approver, approval),
            }
            for approver in approval.active_approvers
        ],
        "settledAt": _iso(approval.resumed_at),
        "executionArn": approval.execution_arn,
    }


def approver_view(approval: Approval, *, outcome_alone: bool = False) -> ApproverViewJson:
    """Return the question, the quorum and the decisions, for the reader of a decision link.

    `outcome_alone` says that details and reasons have been left out of this approval.
    """
    view: ApproverViewJson = {
        **_question(approval),  # type: ignore[typeddict-item]  # may hold outcomeAlone, says mypy
        "details": approval.request.details,
        "decisions": decisions(approval),
    }
    if outcome_alone:
        view["outcomeAlone"] = True
    return view


def requester_view(approval: Approval, *, outcome_alone: bool = False) -> RequesterLinkJson:
    """Return how a request stands, for its requester: nobody's note, no name of a refusal."""
    counted = counted_in(approval)
    return {
        "approval": approver_view(approval, outcome_alone=outcome_alone),
        "approvers": [_asked(approval, approver, counted) for approver in approval.approvers],
        "mayRemindAt": _iso(may_remind_at(approval)),
    }


def inbox_item(approval: Approval) -> InboxItemJson:
    """Return one entry of an approver's inbox."""
    return {
        **_question(approval),
        "details": approval.request.details,
        "approvals": approval.approve_count,
        "rejections": approval.reject_count,
        "codeRequired": approval.request.code_required,
    }


def decisions(approval: Approval) -> list[DecisionJson]:
    """Return the decisions in the order in which they were made."""
    counted = counted_in(approval)
    return [_decision(a, decision, counted) for a, decision in approval.decisions]


def output(approval: Approval) -> str:
    """Return the result as JSON for `SendTaskSuccess`; long reasons are cut to fit."""
    return _fitted(approval, OUTPUT_BYTES)


def cause(approval: Approval) -> str:
    """Return the result as JSON for `SendTaskFailure`; long reasons are cut to fit."""
    return _fitted(approval, CAUSE_BYTES)


def announcement(approval: Approval) -> AnnouncementJson:
    """Return the outcome for the event bus, without reasons and details.

    Everybody who may make a rule can read the bus, which is a wider circle than the readers of
    an approval. `GET /approvals/{id}` has the rest.
    """
    counted = counted_in(approval)
    return {
        "approvalId": approval.id,
        "outcome": approval.outcome,
        "subject": approval.request.subject,
        "executionArn": approval.execution_arn,
        "decisions": [
            {
                "approver": approver.address,
                "decision": decision.choice,
                "decidedAt": iso(decision.decided_at),
                **_counted(approver, decision, counted),
            }
            for approver, decision in approval.decisions
        ],
        "closedAt": _iso(approval.closed_at),
        **_end(approval),
        **_rule(approval),
        **_shown(approval),  # type: ignore[typeddict-item]
    }


def undecidable(approval: Approval) -> UndecidableJson:
    """Return for the event bus that a pending approval can't be approved any more."""
    return {
        "approvalId": approval.id,
        "subject": approval.request.subject,
        "executionArn": approval.execution_arn,
        "why": why_undecidable(approval),
        "since": _iso(approval.undecidable_since),
        **_policy(approval),  # type: ignore[typeddict-item]
    }


def _question(approval: Approval) -> QuestionJson:
    request = approval.request
    view: QuestionJson = {
        "id": approval.id,
        "outcome": approval.outcome,
        "subject": request.subject,
        "requestedBy": request.requested_by,
        "approvalsNeeded": approval.approvals_needed,
        "rejectionsNeeded": request.rejections_needed,
        "createdAt": iso(approval.created_at),
        "expiresAt": iso(approval.expires_at),
        "closedAt": _iso(approval.closed_at),
        **_end(approval),
        **_rule(approval, waiting=True),  # type: ignore[typeddict-item]
    }
    if why := why_undecidable(approval):
        view["undecidable"] = why
    if approval.asked_again_at is not None:
        view["askedAgainAt"] = iso(approval.asked_again_at)
    if approval.erased_at is not None:
        view["erasedAt"] = iso(approval.erased_at)
    return view


def _end(approval: Approval) -> EndJson:
    view: EndJson = {}
    if approval.is_in_vain:
        view["resumed"] = False
    if approval.execution_ended is not None:
        view["executionEnded"] = approval.execution_ended
    if approval.superseded_by is not None:
        view["supersededBy"] = approval.superseded_by
    return view


def _rule(approval: Approval, *, waiting: bool = False) -> RuleJson:
    """Return policy and groups, and whether somebody approved alone; nothing without a policy.

    `waiting` adds who hasn't decided.
    """
    if approval.request.policy is None:
        return {}
    groups: list[GroupJson] = []
    for one in standings(approval):
        group: GroupJson = {
            "name": one.name,
            "approvalsNeeded": one.needed,
            "approvals": len(one.approved),
        }
        if waiting and approval.outcome == "pending":
            group["waitsFor"] = [a.address for a in one.undecided]
        groups.append(group)
    rule: RuleJson = {**_policy(approval), "groups": groups}  # type: ignore[typeddict-item]
    if approval.broken_glass is not None:
        rule["breakGlass"] = True
    return rule


def _policy(approval: Approval) -> dict[str, PolicyJson]:
    applied = approval.request.policy
    return {"policy": {"name": applied.name, "version": applied.version}} if applied else {}


def _shown(approval: Approval) -> dict[str, str]:
    """Return the hash of what was shown, if every decision has it: earlier versions stored none."""
    made = [decision.shown for _, decision in approval.decisions]
    return {"shown": made[0]} if made and all(made) else {}


def _approver(approval: Approval, approver: Approver, counted: Mapping[str, str]) -> ApproverJson:
    view: ApproverJson = {
        "approver": approver.address,
        "mail": approver.mail,
        "decision": _decision(approver, approver.decision, counted) if approver.decision else None,
    }
    if approval.request.policy is not None:
        names = approval.request.group_names
        view["groups"] = [names[at] for at in approver.groups]
    if approver.replaced_by is not None:
        view["replacedBy"] = approver.replaced_by
    if approver.stands_in_for is not None:
        view["standsInFor"] = approver.stands_in_for
    if approver.note:
        view["note"] = approver.note
        if approver.note_by:
            view["noteBy"] = approver.note_by
    last = approval.last_mail_event(approver.address)
    if approver.mail != "sent" and last is not None and last.what in get_args(MailFailure):
        view["why"] = last.what
        if last.note:
            view["refusal"] = last.note
    return view


def _asked(approval: Approval, approver: Approver, counted: Mapping[str, str]) -> AskedJson:
    known, last = _approver(approval, approver, counted), last_mail(approver, approval)
    view: AskedJson = {
        "approver": known["approver"],
        "mail": known["mail"],
        "mailedAt": iso(last.at) if last and last.what == "mailed" else None,
        "decision": known["decision"],
    }
    if "replacedBy" in known:
        view["replacedBy"] = known["replacedBy"]
    if "standsInFor" in known:
        view["standsInFor"] = known["standsInFor"]
    if "why" in known:
        view["why"] = known["why"]
    return view


def _decision(approver: Approver, decision: Decision, groups: Mapping[str, str]) -> DecisionJson:
    view: DecisionJson = {
        "approver": approver.address,
        "decision": decision.choice,
        "reason": decision.reason,
        "decidedAt": iso(decision.decided_at),
        **_counted(approver, decision, groups),  # type: ignore[typeddict-item]
    }
    if decision.shown:
        view["shown"] = decision.shown
    return view


def _counted(
    approver: Approver, decision: Decision, groups: Mapping[str, str]
) -> dict[str, str | bool]:
    """Return the named group that an approval counts in, and whether it approved alone."""
    group = groups.get(approver.address)
    found: dict[str, str | bool] = {"group": group} if group else {}
    return found | {"breakGlass": True} if decision.break_glass else found


def _event(event: Event) -> EventJson:
    view: EventJson = {
        "at": iso(event.at),
        "what": event.what,
        "who": event.who,
        "via": event.via,
        "note": event.note,
    }
    if event.why:
        view["why"] = event.why
    if event.principal:
        view["principal"] = event.principal
        if event.who != event.principal:
            view["by"] = event.who
    return view


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else iso(moment)


def _fitted(approval: Approval, most: int) -> str:
    """Return the result as JSON of that many bytes at the most; long reasons are cut to fit."""
    result = _result(approval)
    whole = [decision["reason"] for decision in result["decisions"]]
    longest = max(map(len, whole), default=0)
    while True:
        for decision, reason in zip(result["decisions"], whole, strict=True):
            decision["reason"] = cut(reason, longest) if len(reason) > longest else reason
        text = msgspec.json.encode(result)
        if len(text) <= most or longest == 0:
            return text.decode()
        longest = longest * 3 // 4


def _result(approval: Approval) -> ResultJson:
    made = decisions(approval)
    for decision in made:
        decision.pop("shown", None)  # The result has it once.
    return {
        "outcome": approval.outcome,
        "approvalId": approval.id,
        "subject": approval.request.subject,
        "decisions": made,
        "closedAt": _iso(approval.closed_at),
        **_rule(approval),
        **_shown(approval),  # type: ignore[typeddict-item]
    }
