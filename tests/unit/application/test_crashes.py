"""Exactly once, with a crash before each effect in turn."""

from collections.abc import Callable

import pytest

from chalicelib.application import asking, operating
from chalicelib.application.ending import end_approvals
from chalicelib.application.policies import write_policy
from chalicelib.domain.approval import Choice
from chalicelib.domain.commands import Cancel
from tests.builders import people, request_approval, task_request
from tests.effects import Crash
from tests.fakes import EXECUTION, FakePorts
from tests.policies import group, policy_body
from tests.unit.steps import decide, run_tick

Step = Callable[[FakePorts], object]
APPROVERS = people(3)


def request(ports: FakePorts) -> str:
    return request_approval(ports, approvers=APPROVERS, approvalsNeeded=2, expiresIn=3_600)


def decision(choice: Choice, who: int) -> Step:
    return lambda ports: decide(ports, APPROVERS[who], choice)


def expire(ports: FakePorts) -> None:
    ports.later(hours=1)
    run_tick(ports)


def cancel(ports: FakePorts) -> object:
    approval_id = request(ports)
    return operating.change(ports, approval_id, Cancel(), by="mary@example.com", via="api")


def end(ports: FakePorts) -> object:
    approval_id = request(ports)
    milliseconds = int(ports.now().timestamp() * 1000)
    ended = {"executionArn": EXECUTION, "status": "ABORTED", "stopDate": milliseconds}
    end_approvals(ports, ended)
    return approval_id


def request_under_policy(ports: FakePorts) -> object:
    """Ask one of two groups each, of which all people may approve alone."""
    groups = [group("a", "approver0", "approver1"), group("b", "approver1", "approver2")]
    body = policy_body(*groups, expiresIn=3_600, breakGlass=APPROVERS)
    write_policy(ports, "release", body, replaces=None, by="author")
    task = task_request() | {"request": {"subject": "Release 4.2", "policy": "release"}}
    return asking.request_approval(ports, task, "function")


def decision_alone(ports: FakePorts) -> object:
    return decide(ports, APPROVERS[1], break_glass=True)


STORIES: dict[str, tuple[list[Step], str]] = {
    "approved": ([request, decision("approve", 0), decision("approve", 1)], "approved"),
    "rejected": ([request, decision("reject", 2)], "rejected"),
    "expired": ([request, decision("approve", 0), expire], "expired"),
    "cancelled": ([request, cancel], "cancelled"),
    "ended": ([request, end], "cancelled"),
    "groups": (
        [request_under_policy, decision("approve", 1), decision("approve", 0)],
        "approved",
    ),
    "alone": ([request_under_policy, decision_alone], "approved"),
}


@pytest.mark.parametrize("story", STORIES)
@pytest.mark.parametrize("retried", [True, False], ids=["caller retries", "caller gives up"])
def test_a_crash_between_any_two_effects_loses_nothing_and_doubles_nothing(
    story: str, retried: bool
) -> None:
    """Ticks finish it: one resume, each decision kept, at most one mail or announcement twice."""
    steps, outcome = STORIES[story]
    effects = len(_run(steps, None, retried).effects.done)
    assert effects > 4
    for crash_at in range(effects):
        ports = _run(steps, crash_at, retried)
        approval = next(iter(ports.store._all()), None)
        if approval is None:
            assert not retried
            assert "store.create" not in ports.effects.done
            continue
        assert len(ports.executions.answers) == 1, f"crash before effect {crash_at}"
        assert approval.resumed_at is not None
        assert approval.outbox == ()
        assert len([event for event in approval.events if event.what == "resumed"]) == 1
        mails = [(to, email.subject) for to, email in ports.mailer.sent]
        announced = [event["detail"]["outcome"] for event in ports.event_bus.announced]
        assert set(announced) == {approval.outcome}
        assert len(mails) - len(set(mails)) + len(announced) - 1 <= 1
        if retried:
            assert approval.outcome == outcome
            assert {to for to, subject in mails if "needed" in subject} == set(APPROVERS)


def _run(steps: list[Step], crash_at: int | None, retried: bool) -> FakePorts:
    """Return the ports after these steps, with one crash among them, and hours of ticks."""
    ports = FakePorts()
    ports.effects.crash_at = crash_at
    for step in steps:
        try:
            step(ports)
        except Crash:
            # Ticks run before the caller retries, so the retry finds the step done already.
            _ticks(ports, minutes=4)
            if not retried:
                break
            step(ports)
    _ticks(ports, minutes=120)
    return ports


def _ticks(ports: FakePorts, minutes: int) -> None:
    for _ in range(minutes):
        ports.later(minutes=1)
        try:
            run_tick(ports)
        except Crash:
            run_tick(ports)
