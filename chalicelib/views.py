"""CORE: an approval as others may see it; never a task token, a link or a hash.

Four readers: the operators' API, the holder of a decision link, the workflow that waits, and
whoever follows the event bus.
"""

from datetime import UTC, datetime
from typing import Any, get_args

import msgspec

from .approval import Approval, Approver, Decision, Event, Undelivered

CAUSE_BYTES = 32_768
OUTPUT_BYTES = 262_144
"""What `SendTaskFailure` takes as cause, `SendTaskSuccess` as output (botocore's model).

The model counts a cause in characters; in bytes it fits whatever a character is taken to be.
"""


def for_operator(approval: Approval) -> dict[str, Any]:
    """Return the wire's whole approval, as `GET /approvals/{id}` answers."""
    seen = for_approver(approval)
    del seen["decisions"]  # Each stands with its approver here.
    return (
        seen
        | {
            "approvers": [
                {
                    "approver": a.address,
                    "mail": a.mail,
                    "decision": a.decision and _decision(a, a.decision),
                }
                | ({} if a.replaced_by is None else {"replacedBy": a.replaced_by})
                | ({} if a.stands_in_for is None else {"standsInFor": a.stands_in_for})
                | ({"note": a.note} if a.note else {})
                | _why(approval, a)
                for a in approval.approvers
            ],
            "settledAt": iso(approval.settled_at),
            "executionArn": approval.execution_arn,
            "events": [_event(event) for event in approval.events],
        }
        | ({"foldedEvents": approval.folded_events} if approval.folded_events else {})
    )


def summary(approval: Approval) -> dict[str, Any]:
    """Return what an operators' list shows of one: no details, reasons or events.

    A hundred of them stay far under the 6 MB that Lambda answers at the most.
    """
    seen = _counted(approval)
    del seen["details"]
    return seen | {
        "waitsFor": [approver.address for approver in approval.waits_for],
        "settledAt": iso(approval.settled_at),
        "executionArn": approval.execution_arn,
    }


def waiting(approval: Approval) -> dict[str, Any]:
    """Return what an approver's list shows of one, for programs: the question, not the answers."""
    return _counted(approval) | {"codeRequired": approval.request.code_required}


def for_approver(approval: Approval) -> dict[str, Any]:
    """Return what the holder of a decision link sees: the question, the count, the answers."""
    request = approval.request
    return {
        "id": approval.id,
        "outcome": approval.outcome,
        "subject": request.subject,
        "details": request.details,
        "requestedBy": request.requested_by,
        "approvalsNeeded": approval.approvals_needed,
        "rejectionsNeeded": request.rejections_needed,
        "decisions": decisions(approval),
        "createdAt": iso(approval.created_at),
        "expiresAt": iso(approval.expires_at),
        "closedAt": iso(approval.closed_at),
    }


def decisions(approval: Approval) -> list[dict[str, Any]]:
    """Return the decisions, first one first."""
    return [_decision(approver, decision) for approver, decision in approval.decisions]


def output(approval: Approval) -> str:
    """Return the outcome as JSON for `SendTaskSuccess`; long reasons are cut if it must be."""
    return _fitted(approval, OUTPUT_BYTES)


def cause(approval: Approval) -> str:
    """Return the outcome as JSON for `SendTaskFailure`; long reasons are cut if it must be."""
    return _fitted(approval, CAUSE_BYTES)


def announcement(approval: Approval) -> dict[str, Any]:
    """Return the outcome for the event bus; its `approvalId` tells the same one, put twice, apart.

    Without reasons and details: whoever may make a rule reads what is on the bus, which is a wider
    circle than those who may read an approval. `GET /approvals/{id}` has them.
    """
    return {
        "approvalId": approval.id,
        "outcome": approval.outcome,
        "subject": approval.request.subject,
        "executionArn": approval.execution_arn,
        "decisions": [
            {key: made[key] for key in ("approver", "decision", "decidedAt")}
            for made in decisions(approval)
        ],
        "closedAt": iso(approval.closed_at),
    }


def iso(moment: datetime | None) -> str | None:
    """Return the time as the wire writes it: ISO 8601, UTC, whole seconds."""
    return None if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _counted(approval: Approval) -> dict[str, Any]:
    """Return the question, and how many have answered it how instead of who."""
    seen = for_approver(approval)
    del seen["decisions"]
    return seen | {"approvals": approval.approvals, "rejections": approval.rejections}


def _event(event: Event) -> dict[str, Any]:
    seen: dict[str, Any] = msgspec.to_builtins(event)
    return seen if event.why else {key: seen[key] for key in seen if key != "why"}


def _why(approval: Approval, approver: Approver) -> dict[str, Any]:
    """Return why an approver's mail waits, if anything is known: `unconfirmed`, say."""
    reasons = [e.what for e in approval.events if e.who == approver.address]
    waits = approver.mail != "sent" and reasons[-1:] and reasons[-1] in get_args(Undelivered)
    return {"why": reasons[-1]} if waits else {}


def _decision(approver: Approver, decision: Decision) -> dict[str, Any]:
    return {
        "approver": approver.address,
        "decision": decision.choice,
        "reason": decision.reason,
        "decidedAt": iso(decision.decided_at),
    }


def _fitted(approval: Approval, most: int) -> str:
    longest = max((len(d["reason"]) for d in decisions(approval)), default=0)
    while True:
        text = msgspec.json.encode(_result(approval, longest))
        if len(text) <= most or longest == 0:
            return text.decode()
        longest = longest * 3 // 4


def _result(approval: Approval, longest: int) -> dict[str, Any]:
    made = decisions(approval)
    for decision in made:
        if len(decision["reason"]) > longest:
            decision["reason"] = decision["reason"][: max(longest - 1, 0)] + "…"
    return {
        "outcome": approval.outcome,
        "approvalId": approval.id,
        "subject": approval.request.subject,
        "decisions": made,
        "closedAt": iso(approval.closed_at),
    }
