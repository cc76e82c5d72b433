"""Many at once: threads press at the same instant, and ticks overlap."""

import threading
from collections.abc import Callable

import pytest

from chalicelib.application import deciding, operating
from chalicelib.domain.errors import AssentError
from tests.builders import asked, people
from tests.fakes import FakePorts
from tests.unit.application.test_deciding import tick


@pytest.mark.parametrize("needed", [1, 5, 20])
def test_twenty_people_at_once_make_one_outcome_and_one_resume(needed: int) -> None:
    """Whoever wins, the record, the resume and what the others are told agree."""
    ports = FakePorts()
    crowd = people(20)
    approval_id = asked(ports, approvers=crowd, approvalsNeeded=needed, rejectionsNeeded=8)

    def press(number: int) -> Callable[[], object]:
        choice = "reject" if number % 3 == 0 else "approve"
        token = ports.token_mailed_to(crowd[number])
        return lambda: deciding.decide(ports, token, choice, reason="so", via="page")  # type: ignore[arg-type]

    ports.store.slowness = 0.002
    answers = _at_once([press(number) for number in range(20)])
    approval = operating.find_approval(ports, approval_id)
    assert approval.outcome in ("approved", "rejected")
    assert len(ports.executions.answers) == 1
    assert ports.executions.refused == []
    recorded = [approver for approver in approval.approvers if approver.decision]
    assert len(recorded) == sum(not isinstance(answer, AssentError) for answer in answers)
    assert {answer.status for answer in answers if isinstance(answer, AssentError)} <= {200, 409}


def test_one_approver_pressing_twenty_times_decides_once() -> None:
    """Approve and reject mixed from one person: the first one written stands."""
    ports = FakePorts()
    crowd = people(5)
    approval_id = asked(ports, approvers=crowd, approvalsNeeded=3, rejectionsNeeded=3)
    token = ports.token_mailed_to(crowd[0])
    ports.store.slowness = 0.002

    def press(choice: str) -> Callable[[], object]:
        return lambda: deciding.decide(ports, token, choice, reason="so", via="page")  # type: ignore[arg-type]

    answers = _at_once([press("approve" if n % 2 else "reject") for n in range(20)])
    assert sum(not isinstance(answer, AssentError) for answer in answers) == 1
    approval = operating.find_approval(ports, approval_id)
    votes = [event for event in approval.events if event.what in ("approved", "rejected")]
    assert len(votes) == 1


def test_ticks_at_once_mail_and_resume_once() -> None:
    """The write that claims a promise succeeds for one tick alone."""
    ports = FakePorts()
    ports.effects.faulty.add("mailer.send")
    asked(ports, approvers=people(5), expiresIn=600)
    ports.effects.faulty.clear()
    ports.store.slowness = 0.002
    ports.later(minutes=5)
    _at_once([lambda: tick(ports)] * 8)
    assert sorted(to for to, _ in ports.mailer.sent) == people(5)
    ports.later(minutes=5)
    _at_once([lambda: tick(ports)] * 8)
    assert len(ports.executions.answers) == 1
    assert ports.executions.refused == []


def _at_once(calls: list[Callable[[], object]]) -> list[object]:
    """Return what each call returned, or the error it raised, all begun at the same instant."""
    gate = threading.Barrier(len(calls))
    answers: list[object] = [None] * len(calls)

    def run(number: int) -> None:
        gate.wait()
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
