"""The tick: relays every due approval, one after the other, and counts what alarms read."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from chalicelib.application.tick import tick
from chalicelib.domain.approval import Approval
from chalicelib.domain.errors import Unavailable
from tests.builders import request_approval
from tests.fakes import FakePorts, FakeStore
from tests.unit.steps import ADA, decide, pass_minutes, run_tick, use_store
from tools.template import load_template

TEMPLATE = Path(__file__).parents[3] / "infrastructure.yaml"
NOTHING = {
    "event": "tick",
    "due": 0,
    "delivered": 0,
    "failed": 0,
    "overdue": 0,
    "unreached": 0,
    "undecidable": 0,
}


def logged(ports: FakePorts, event: str = "tick") -> list[dict[str, object]]:
    """Return the log events of that name."""
    return [line for line in ports.logged if line["event"] == event]


def expired_requests(ports: FakePorts, number: int) -> list[str]:
    """Request so many approvals, let their deadline pass, and return their ids."""
    ids = [request_approval(ports, f"token-{n}", expiresIn=60) for n in range(number)]
    ports.later(seconds=60)
    return ids


def test_a_tick_without_work_logs_zeros(ports: FakePorts) -> None:
    """An alarm watches that every minute has a tick."""
    run_tick(ports)
    assert ports.logged == [NOTHING]


def test_a_tick_delivers_everything_that_is_due(ports: FakePorts) -> None:
    expired_requests(ports, 5)
    run_tick(ports)
    assert len(ports.executions.answers) == 5
    assert logged(ports) == [NOTHING | {"due": 5, "delivered": 5}]
    assert list(ports.store.due(ports.now() + timedelta(days=400))) == []
    before = ports.snapshot()
    run_tick(ports)
    assert ports.snapshot() == before
    assert logged(ports)[1] == NOTHING


class OneBroken(FakeStore):
    """A store with one item that can't be read."""

    broken = ""

    def get(self, approval_id: str) -> Approval | None:
        if approval_id == self.broken:
            raise ValueError("this item can't be decoded")
        return super().get(approval_id)


@pytest.mark.parametrize("position", range(4))
def test_an_approval_that_fails_does_not_hold_up_the_others(
    ports: FakePorts, position: int
) -> None:
    """Wherever it is among them; the log names it and the type of the error."""
    ids = expired_requests(ports, 4)
    use_store(ports, OneBroken(ports.effects)).broken = ids[position]
    tick(ports, ports.now() + timedelta(minutes=4))
    assert len(ports.executions.answers) == 3
    assert logged(ports) == [NOTHING | {"due": 4, "delivered": 3, "failed": 1, "overdue": 1}]
    (failed,) = logged(ports, "tick_failed")
    assert (failed["approvalId"], failed["error"]) == (ids[position], "ValueError")
    assert "can't be decoded" not in str(failed)


def test_a_tick_that_has_no_time_begins_no_approval(ports: FakePorts) -> None:
    """The function could be stopped in the middle of one; the next tick delivers them."""
    expired_requests(ports, 3)
    before = ports.snapshot()
    tick(ports, until=ports.now())
    assert ports.snapshot() == before
    assert logged(ports) == [NOTHING | {"overdue": 1}]
    run_tick(ports)
    assert len(ports.executions.answers) == 3


class TickingPorts(FakePorts):
    """Ports whose clock moves on by a second with each answered task."""

    def now(self) -> datetime:
        return self.time + timedelta(seconds=len(self.executions.answers))


def test_a_tick_that_runs_out_of_time_leaves_the_rest_to_the_next_one() -> None:
    """However often that happens: each continues where the last one ended, none twice."""
    ports = TickingPorts()
    expired_requests(ports, 7)
    for _ in range(4):
        tick(ports, until=ports.now() + timedelta(seconds=2))
    assert [line["due"] for line in logged(ports)] == [2, 2, 2, 1]
    assert [line["delivered"] for line in logged(ports)] == [2, 2, 2, 1]
    assert [line["overdue"] for line in logged(ports)] == [1, 1, 1, 0]
    assert len({answer.task_token for answer in ports.executions.answers}) == 7
    assert ports.executions.refused == []
    mails = [mail for _, mail in ports.mailer.sent if mail.subject.startswith("Expired")]
    assert len(mails) == 7


class Endless(FakeStore):
    """A store in which more is due than a tick has time for."""

    read = 0

    def due(self, now: datetime) -> Iterator[str]:
        for approval_id in super().due(now):
            self.read += 1
            yield approval_id


def test_a_tick_reads_no_further_than_it_has_time_for() -> None:
    """Due approvals are never gathered first, so memory doesn't grow with a backlog."""
    ports = TickingPorts()
    ids = expired_requests(ports, 30)
    store = use_store(ports, Endless(ports.effects))
    tick(ports, until=ports.now() + timedelta(seconds=20))
    assert store.read == 21 < len(ids)


def test_an_unresumed_task_counts_as_overdue_ten_minutes_after_the_outcome(
    ports: FakePorts,
) -> None:
    """Until it is resumed."""
    expired_requests(ports, 1)
    ports.effects.faulty = {"executions.answer"}
    run_tick(ports)
    ports.later(minutes=11)
    run_tick(ports)
    ports.effects.faulty = set()
    ports.later(minutes=6)
    run_tick(ports)
    assert [line["overdue"] for line in logged(ports)] == [0, 1, 0]
    assert [line["failed"] for line in logged(ports)] == [0, 0, 0]
    assert len(ports.executions.answers) == 1


def test_an_announcement_that_fails_counts_as_overdue_and_is_never_given_up(
    ports: FakePorts,
) -> None:
    """Although its task was resumed."""
    request_approval(ports)
    decide(ports)
    ports.effects.faulty = {"event_bus.announce"}
    run_tick(ports)
    ports.later(minutes=11)
    run_tick(ports)
    ports.later(days=30)
    run_tick(ports)
    ports.effects.faulty = set()
    ports.later(minutes=6)
    run_tick(ports)
    assert [line["overdue"] for line in logged(ports)] == [0, 1, 1, 0]
    assert len(ports.event_bus.announced) == 1
    assert {line["entry"] for line in logged(ports, "delivery_failed")} == {"announce"}


def test_a_mail_that_can_not_be_sent_is_not_overdue_but_its_approver_unreached(
    ports: FakePorts,
) -> None:
    """Once each tick that finds the approval due, however often the mail was tried."""
    ports.mailer.subscriptions[ADA] = "pending"
    request_approval(ports)
    pass_minutes(ports, 90)
    seen = [line for line in logged(ports) if line["due"]]
    assert len(seen) > 5
    assert all(line == NOTHING | {"due": 1, "unreached": 1} for line in seen)
    ports.mailer.subscriptions[ADA] = "confirmed"
    ports.later(minutes=30)
    run_tick(ports)
    assert logged(ports)[-1] == NOTHING | {"due": 1, "delivered": 1}


def test_a_question_that_sns_refuses_counts_as_overdue_after_four_tries(ports: FakePorts) -> None:
    """And its approver as unreached; an unconfirmed approver is unreached alone (above)."""
    ports.mailer.refuses = "AuthorizationError"
    request_approval(ports)
    pass_minutes(ports, 60)
    seen = [line for line in logged(ports) if line["due"]]
    assert [line["overdue"] for line in seen] == [0, 0, 0, 1, 1, 1, 1]
    assert {line["unreached"] for line in seen} == {1}
    ports.mailer.refuses = ""
    pass_minutes(ports, 15)
    assert logged(ports)[-1]["overdue"] == 0
    assert len(ports.mailer.sent) == 1


def test_a_notification_that_fails_is_not_overdue(ports: FakePorts) -> None:
    """Nobody waits for it."""
    request_approval(ports, requestedBy="mary@example.com")
    ports.mailer.refuses = "AuthorizationError"
    pass_minutes(ports, 60)
    assert sum(int(str(line["overdue"])) for line in logged(ports)) == 0


@pytest.mark.parametrize("away", [True, False], ids=["SNS away", "SNS refuses"])
def test_the_alarm_rings_for_one_question_that_is_not_mailed_until_it_is(
    ports: FakePorts, away: bool
) -> None:
    """From the first hour on; its tries are a quarter of an hour apart: every third period."""
    if away:
        ports.effects.faulty = {"mailer.send"}
    else:
        ports.mailer.refuses = "TopicLimitExceeded"
    request_approval(ports)
    pass_minutes(ports, 180)
    overdue = [int(str(line["overdue"])) for line in logged(ports)]
    assert all(_rings(overdue[start : start + 30]) for start in range(30, 150, 5))


def test_the_alarm_rings_within_an_hour_for_one_task_that_is_not_resumed(ports: FakePorts) -> None:
    """Computed from the counts as `infrastructure.yaml` has CloudWatch do it."""
    expired_requests(ports, 1)
    ports.effects.faulty = {"executions.answer"}
    pass_minutes(ports, 60)
    assert _rings([int(str(line["overdue"])) for line in logged(ports)])


def test_the_alarm_does_not_ring_while_tasks_are_resumed(ports: FakePorts) -> None:
    for n in range(60):
        request_approval(ports, f"token-{n}", expiresIn=60)
        pass_minutes(ports, 1)
    assert not _rings([int(str(line["overdue"])) for line in logged(ports)])


def _rings(each_minute: list[int]) -> bool:
    """Return whether the template's alarm would ring somewhere in these minutes."""
    alarm = load_template(TEMPLATE)["Resources"]["OverdueAlarm"]["Properties"]
    assert alarm["Statistic"] == "Maximum"
    period, window = alarm["Period"] // 60, alarm["EvaluationPeriods"]
    points = [
        max(each_minute[n : n + period]) > alarm["Threshold"]
        for n in range(0, len(each_minute), period)
    ]
    needed = alarm.get("DatapointsToAlarm", window)
    return any(sum(points[n : n + window]) >= needed for n in range(len(points) - window + 1))


class HalfRead(FakeStore):
    """A store whose index answers its first page and is then unavailable."""

    def due(self, now: datetime) -> Iterator[str]:
        yield from list(super().due(now))[:2]
        raise Unavailable("DynamoDB answered ThrottlingException; please try again")


def test_a_tick_that_can_not_read_on_fails_after_delivering_what_it_found(
    ports: FakePorts,
) -> None:
    """The failed invocation is what an alarm sees."""
    expired_requests(ports, 3)
    use_store(ports, HalfRead(ports.effects))
    with pytest.raises(Unavailable):
        run_tick(ports)
    assert len(ports.executions.answers) == 2
