"""The audit report: one approval in words: the question, the decisions, every event.

Plain text. What people wrote is wrapped at 80 columns, an event has one line; times are UTC.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime

from ..domain.approval import Approval, Approver
from ..domain.events import ABOUT_MAIL, Event
from ..domain.standings import GroupStanding, standings
from .groups import are_named, counted_for, policy_of
from .layout import wrap
from .wording import asked_again, detail_rows, needed, note_author, past, requester, was, when


def audit_report(approval: Approval) -> str:
    """Return the whole approval as text; no token, no link, and no hash of one."""
    request = approval.request
    outcome = "is still open" if approval.outcome == "pending" else was(approval)
    facts = [
        ("Approval", approval.id),
        ("Execution", approval.execution_arn),
        ("Asked by", requester(approval)),
        ("Asked on", when(approval.created_at)),
        ("Answer by", when(approval.expires_at)),
        *([("Policy", policy)] if (policy := policy_of(approval)) else []),
        ("Needed", needed(approval)),
        *([("Erased", when(approval.erased_at))] if approval.erased_at else []),
        *([("Note", asked_again(approval))] if approval.asked_again_at else []),
        ("Outcome", outcome),
        ("Resumed", _resumed(approval)),
        *(("Shown", f"SHA-256 {one}") for one in dict.fromkeys(_shown(approval))),
    ]
    details, counted = request.details, counted_for(approval)
    text = details if isinstance(details, str) else _rows(detail_rows(approval))
    parts = [
        wrap(request.subject),
        "\n".join(f"{name + ':':<11}{value}" for name, value in facts),
        _part("Details", _wrapped(text) if details else []),
        _part("Groups", list(map(_group, standings(approval))) if are_named(approval) else []),
        _part("Approvers", [line for a in approval.approvers for line in _approver(a, counted)]),
        _part("Record", [*_folded(approval), *map(_event, approval.events)]),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _resumed(approval: Approval) -> str:
    if approval.is_in_vain:
        return "no, the task was not waiting any more"
    return when(approval.resumed_at) if approval.resumed_at else "not yet"


def _part(title: str, lines: list[str]) -> str:
    return "\n".join([title, *(f"  {line}".rstrip() for line in lines)]) if lines else ""


def _rows(rows: list[tuple[str, str]]) -> str:
    return "\n".join(f"{label}: {value}" for label, value in rows)


def _wrapped(text: str, indent: str = "") -> list[str]:
    lines = (wrap(line, indent) or indent.rstrip() for line in text.split("\n"))
    return "\n".join(lines).split("\n") if text else []


def _shown(approval: Approval) -> Iterator[str]:
    """Yield the hash of what each decision's page showed."""
    return (decision.shown for _, decision in approval.decisions if decision.shown)


def _group(one: GroupStanding) -> str:
    people = ", ".join(approver.address for approver in one.approved)
    return f"{one.name}: {len(one.approved)} of {one.needed}{f' ({people})' if people else ''}"


def _approver(approver: Approver, counted: Mapping[str, str]) -> list[str]:
    note = _wrapped(approver.note, "  | ")
    author = f" of {note_author(approver)}" if approver.note_by else ""
    return [
        *_decision(approver, counted.get(approver.address, "")),
        *([f"  was asked with this note{author}:", *note] if note else []),
    ]


def _decision(approver: Approver, counted: str) -> list[str]:
    if approver.decision is not None:
        decision = approver.decision
        choice = f"{past(decision.choice)}{counted}"
        said = f"{approver.address} {choice} on {_second(decision.decided_at)}"
        return [said, *_wrapped(decision.reason, "  | ")]
    if approver.replaced_by is not None:
        return [f"{approver.address} was replaced by {approver.replaced_by}"]
    if not approver.groups:
        return [f"{approver.address} is in no group (mail: {approver.mail})"]
    return [f"{approver.address} has not decided (mail: {approver.mail})"]


def _folded(approval: Approval) -> list[str]:
    number = approval.folded_events
    return [f"({number} older events are counted, not kept)"] if number else []


def _event(event: Event) -> str:
    said = " - ".join(" ".join(text.split()) for text in (event.note, event.why) if text)
    note = f" - {said}" if said else ""
    whose = "to" if event.what in ABOUT_MAIL else "by"
    claimed = event.principal and event.who != event.principal
    signed = f" (signed by {event.principal})" if claimed else ""
    return f"{_second(event.at)}  {event.what} {whose} {event.who}{signed} via {event.via}{note}"


def _second(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
