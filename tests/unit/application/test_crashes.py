"""Exactly once, proved by dying: the process stops before each effect in turn."""

from collections.abc import Callable
from contextlib import suppress

import pytest

from chalicelib.application import deciding, operating
from chalicelib.domain.commands import Cancel
from chalicelib.domain.errors import AlreadyDecided
from tests.builders import asked, people
from tests.fakes import Crash, FakePorts
from tests.unit.application.test_deciding import tick

Step = Callable[[FakePorts], object]
APPROVERS = people(3)


def request(ports: FakePorts) -> object:
    return asked(ports, approvers=APPROVERS, approvalsNeeded=2, expiresIn=3600)


def vote(choice: str, person: int) -> Step:
    def voting(ports: FakePorts) -> object:
        token = ports.token_mailed_to(APPROVERS[person], choice)
        return deciding.decide(ports, token, choice, reason="because", via="page")  # type: ignore[arg-type]

    return voting


def expire(ports: FakePorts) -> object:
    ports.later(hours=1)
    tick(ports)
    return None


def withdraw(ports: FakePorts) -> object:
    approval_id = asked(ports, approvers=APPROVERS, approvalsNeeded=2, expiresIn=3600)
    return operating.change(ports, approval_id, Cancel(reason=""), by="mary@example.com", via="api")


STORIES: dict[str, tuple[list[Step], str]] = {
    "approved": ([request, vote("approve", 0), vote("approve", 1)], "approved"),
    "rejected": ([request, vote("reject", 2)], "rejected"),
    "expired": ([request, vote("approve", 0), expire], "expired"),
    "cancelled": ([request, withdraw], "cancelled"),
}


@pytest.mark.parametrize("story", STORIES)
@pytest.mark.parametrize("retried", [True, False], ids=["caller retries", "caller gives up"])
def test_a_crash_between_any_two_effects_loses_nothing_and_doubles_nothing(
    story: str, retried: bool
) -> None:
    """Wherever it dies, ticks finish it: one resume, each vote kept, at most one word doubled."""
    steps, outcome = STORIES[story]
    effects = len(_told(steps, None, retried).effects.done)
    assert effects > 4
    for crash_at in range(effects):
        ports = _told(steps, crash_at, retried)
        approval = next(iter(ports.store._all()), None)
        if approval is None:
            assert not retried
            assert crash_at == 0
            continue
        assert len(ports.executions.answers) == 1, f"crash before effect {crash_at}"
        assert approval.resumed_at is not None
        assert approval.outbox == ()
        resumes = [event for event in approval.events if event.what == "resumed"]
        assert len(resumes) == 1
        mails = [(to, email.subject) for to, email in ports.mailer.sent]
        told = [event["detail"] for event in ports.event_bus.announced]
        assert {detail["outcome"] for detail in told} == {approval.outcome}
        assert len(mails) - len(set(mails)) + len(told) - 1 <= 1
        if retried:
            assert approval.outcome == outcome
            assert {to for to, subject in mails if "needed" in subject} == set(APPROVERS)


def _told(steps: list[Step], crash_at: int | None, retried: bool) -> FakePorts:
    """Return the world after the story with one crash in it and then hours of ticks."""
    ports = FakePorts()
    ports.effects.crash_at = crash_at
    for step in steps:
        try:
            step(ports)
        except Crash:
            # The tick comes before the caller does: a retry must find nothing left to do twice.
            _ticks(ports, minutes=4)
            if not retried:
                break
            with suppress(AlreadyDecided):  # Said already, which is what the caller wanted.
                step(ports)
    _ticks(ports, minutes=120)
    return ports


def _ticks(ports: FakePorts, minutes: int) -> None:
    for _ in range(minutes):
        ports.later(minutes=1)
        try:
            tick(ports)
        except Crash:
            tick(ports)
