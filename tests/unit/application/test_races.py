"""Many threads at once decide, or run ticks."""

import threading
from collections.abc import Callable

import pytest

from chalicelib.domain.approval import Choice
from chalicelib.domain.errors import AlreadyDecided, AssentError
from tests.builders import people, request_approval
from tests.fakes import FakePorts
from tests.unit.steps import decide, run_tick, stored


def _decision(ports: FakePorts, address: str, choice: Choice) -> Callable[[], object]:
    return lambda: decide(ports, address, choice)


@pytest.mark.parametrize("needed", [1, 5, 20])
def test_twenty_approvers_at_once_make_one_outcome_and_one_resume(needed: int) -> None:
    """Decisions against the outcome that came first are refused, and none is lost."""
    ports = FakePorts()
    crowd = people(20)
    approval_id = request_approval(
        ports, approvers=crowd, approvalsNeeded=needed, rejectionsNeeded=8
    )
    choices: list[Choice] = ["approve" if number % 3 else "reject" for number in range(20)]
    ports.store.slowness = 0.002
    answers = _at_once([_decision(ports, *pair) for pair in zip(crowd, choices, strict=True)])
    approval = stored(ports, approval_id)
    assert approval.outcome in ("approved", "rejected")
    assert len(ports.executions.answers) == 1
    assert ports.executions.refused == []
    recorded = {approver.address for approver, _ in approval.decisions}
    closing: Choice = "approve" if approval.outcome == "approved" else "reject"
    for address, choice, answer in zip(crowd, choices, answers, strict=True):
        if isinstance(answer, AssentError):
            assert isinstance(answer, AlreadyDecided)
            assert (address in recorded, choice == closing) == (False, False)
        else:
            assert address in recorded or choice == closing


def test_one_approver_pressing_twenty_times_decides_once() -> None:
    """The first write wins; the same choice is confirmed, the opposite refused."""
    ports = FakePorts()
    crowd = people(5)
    approval_id = request_approval(ports, approvers=crowd, approvalsNeeded=3, rejectionsNeeded=3)
    ports.store.slowness = 0.002
    choices: list[Choice] = ["approve", "reject"]
    answers = _at_once([_decision(ports, crowd[0], choices[n % 2]) for n in range(20)])
    approval = stored(ports, approval_id)
    assert sum(event.what in ("approved", "rejected") for event in approval.events) == 1
    ((_, decision),) = approval.decisions
    for n, answer in enumerate(answers):
        assert isinstance(answer, AlreadyDecided) == (choices[n % 2] != decision.choice)


def test_ticks_at_once_mail_and_resume_once() -> None:
    """The write that leases an entry succeeds for one of them."""
    ports = FakePorts()
    ports.effects.faulty.add("mailer.send")
    request_approval(ports, approvers=people(5), expiresIn=600)
    ports.effects.faulty.clear()
    ports.store.slowness = 0.002
    ports.later(minutes=5)
    _at_once([lambda: run_tick(ports)] * 8)
    assert sorted(to for to, _ in ports.mailer.sent) == people(5)
    ports.later(minutes=5)
    _at_once([lambda: run_tick(ports)] * 8)
    assert len(ports.executions.answers) == 1
    assert ports.executions.refused == []


def _at_once(calls: list[Callable[[], object]]) -> list[object]:
    """Return the result of each call, or its error, all begun at the same moment."""
    barrier = threading.Barrier(len(calls))
    answers: list[object] = [None] * len(calls)

    def run(number: int) -> None:
        barrier.wait()
        try:
            answers[number] = calls[number]()
        except AssentError as e:
            answers[number] = e

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers
