"""The audit trail: bounded, and nothing that matters is folded."""

from chalicelib.domain.events import EVENTS_KEPT, PRINCIPALS_KEPT, REASONS_KEPT, Event, append
from chalicelib.domain.transitions import extend, remind
from tests.builders import an_approval
from tests.fakes import START

ADA = "ada@example.com"


def test_beyond_its_bound_the_oldest_lesser_event_becomes_a_count() -> None:
    """Requests, decisions, outcomes, resumes and reassignments are never folded."""
    decision = Event(START, "approved", ADA, "page")
    events: tuple[Event, ...] = (Event(START, "requested", ADA, "api"), decision)
    folded = 0
    for number in range(EVENTS_KEPT + 10):
        mail = Event(START, "mailed", ADA, "tick", str(number))
        events, more = append(events, mail)
        folded += more
    assert (len(events), folded) == (EVENTS_KEPT, 12)
    assert [event.what for event in events[:2]] == ["requested", "approved"]
    assert [event.note for event in events[2:]] == [str(n) for n in range(12, EVENTS_KEPT + 10)]


def test_an_audit_trail_of_important_events_alone_is_never_folded() -> None:
    important = tuple(Event(START, "reassigned", ADA, "api") for _ in range(EVENTS_KEPT))
    events, folded = append(important, Event(START, "resumed", ADA, "tick"))
    assert (len(events), folded) == (EVENTS_KEPT + 1, 0)


def test_only_the_newest_reasons_of_repeatable_commands_are_kept() -> None:
    """The events themselves stay, with actor, time and new deadline."""
    approval = an_approval(expiresIn=60)
    for number in range(REASONS_KEPT + 3):
        why = f"reason {number}"
        approval = extend(approval, ADA, 600 + number, now=START, via="api", reason=why)
        approval = remind(approval, ADA, now=START, via="api")
    extended = [event for event in approval.events if event.what == "extended"]
    newest = [f"reason {number}" for number in range(3, REASONS_KEPT + 3)]
    assert [event.why for event in extended] == ["", "", "", *newest]
    assert extended[0].note == "until 2026-11-22T09:10:00Z"


def test_principals_are_kept_with_their_events_up_to_a_bound() -> None:
    """The oldest lesser ones are counted; those without a principal stay."""
    principal = "arn:aws:sts::111122223333:assumed-role/operators/" + "x" * 64
    events: tuple[Event, ...] = (Event(START, "requested", ADA, "function"),)
    folded = 0
    for _ in range(EVENTS_KEPT - 1):
        events, more = append(events, Event(START, "reminded", ADA, "api", principal=principal))
        folded += more
    assert sum(len(event.principal) for event in events) <= PRINCIPALS_KEPT
    assert len(events) + folded == EVENTS_KEPT
    assert events[0].what == "requested"
    assert len(events) > 30
