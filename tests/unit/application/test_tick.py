"""The tick: settles whatever is due, and is stopped by nothing that one approval does."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from chalice.test import Client

import app as doors_module
from chalicelib.application import deciding
from chalicelib.domain import link_tokens
from chalicelib.domain.approval import Approval
from chalicelib.domain.errors import Unavailable
from chalicelib.domain.outbox_entries import LEASE
from chalicelib.presentation import serializers
from tests.builders import asked
from tests.fakes import Effects, FakeStore
from tests.unit.entrypoints.client import DoorPorts
from tests.unit.entrypoints.functions import tick
from tools.template import load_template


def lines(ports: DoorPorts, event: str = "tick") -> list[dict[str, object]]:
    """Return the log lines of that event."""
    return [line for line in ports.logged if line["event"] == event]


def many(ports: DoorPorts, number: int) -> list[str]:
    """Ask that often, let the time for answering pass, and return the ids."""
    ids = [asked(ports, f"token-{n}", expiresIn=60) for n in range(number)]
    ports.later(seconds=60)
    return ids


def test_nothing_due_is_a_line_too(ports: DoorPorts) -> None:
    """The alarm hears from every tick, also from one without work."""
    tick()
    assert ports.logged == [
        {"event": "tick", "due": 0, "settled": 0, "failed": 0, "overdue": 0, "unreached": 0}
    ]


def test_everything_due_is_settled(ports: DoorPorts) -> None:
    """Each task is answered, and the line counts them."""
    many(ports, 5)
    tick()
    assert len(ports.executions.answers) == 5
    assert lines(ports) == [
        {"event": "tick", "due": 5, "settled": 5, "failed": 0, "overdue": 0, "unreached": 0}
    ]
    assert list(ports.store.due(ports.now() + timedelta(days=400))) == []


def test_a_second_tick_finds_nothing_left(ports: DoorPorts) -> None:
    """What is settled stays settled."""
    many(ports, 3)
    tick()
    before = ports.world()
    tick()
    assert ports.world() == before
    assert lines(ports)[1]["due"] == 0


class OneBroken(FakeStore):
    """A store with one item that can't be read."""

    broken = ""

    def get(self, approval_id: str) -> Approval | None:
        if approval_id == self.broken:
            raise ValueError("this item is nonsense")
        return super().get(approval_id)


def with_store(ports: DoorPorts, store: OneBroken) -> OneBroken:
    """Have the ports work on another store with the same items."""
    store._items = ports.store._items
    ports.store = store
    return store


@pytest.mark.parametrize("position", range(4))
def test_one_that_is_broken_is_not_in_the_others_way(ports: DoorPorts, position: int) -> None:
    """Whichever it is: the others' tasks are answered, and it is named in the log."""
    ids = many(ports, 4)
    with_store(ports, OneBroken(ports.effects)).broken = ids[position]
    tick()
    assert len(ports.executions.answers) == 3
    assert lines(ports) == [
        {"event": "tick", "due": 4, "settled": 3, "failed": 1, "overdue": 1, "unreached": 0}
    ]
    (failed,) = lines(ports, "tick_failed")
    assert (failed["approvalId"], failed["error"]) == (ids[position], "ValueError")


def test_the_rest_is_left_to_the_next_tick_when_time_is_short(ports: DoorPorts) -> None:
    """No approval is begun that the function might not live to finish."""
    many(ports, 3)
    before = ports.world()
    tick(remaining_ms=doors_module.HANDOVER_MS - 1_000)
    assert ports.world() == before
    assert lines(ports) == [
        {"event": "tick", "due": 0, "settled": 0, "failed": 0, "overdue": 1, "unreached": 0}
    ]
    tick()
    assert len(ports.executions.answers) == 3


class Slow:
    """A Lambda context whose time is used up after a few looks at the clock."""

    def __init__(self, looks: int) -> None:
        self._looks = looks

    def get_remaining_time_in_millis(self) -> int:
        self._looks -= 1
        return 300_000 if self._looks >= 0 else 0


def slow_tick(looks: int) -> None:
    """Run a tick that has time for so many approvals."""
    event: dict[str, Any] = {"version": "0", "detail": {}, "detail-type": "", "source": ""}
    event |= {"account": "", "region": "", "time": "", "id": "", "resources": []}
    doors_module.app.handler_map["tick"](event, Slow(looks))


def test_a_tick_hands_over_in_the_middle(ports: DoorPorts) -> None:
    """What it has done is done and counted; the next one does the others, none twice."""
    many(ports, 5)
    slow_tick(2)
    assert len(ports.executions.answers) == 2
    assert lines(ports)[0]["due"] == 2
    tick()
    assert len({answer.task_token for answer in ports.executions.answers}) == 5
    assert ports.executions.refused == []


def test_a_backlog_shrinks_with_each_tick_until_it_is_gone(ports: DoorPorts) -> None:
    """However many ticks are cut off: each goes on where the last ended, and settles each once."""
    many(ports, 7)
    for _ in range(4):
        slow_tick(2)
        ports.later(minutes=1)
    assert [line["settled"] for line in lines(ports)] == [2, 2, 2, 1]
    assert [line["overdue"] for line in lines(ports)] == [1, 1, 1, 0]
    assert len({answer.task_token for answer in ports.executions.answers}) == 7
    assert ports.executions.refused == []
    told = [mail for _, mail in ports.mailer.sent if "expired" in mail.subject.lower()]
    assert len(told) == 7


class Endless(FakeStore):
    """A store in which more is due than a tick has time for."""

    found = 0

    def due(self, now: datetime) -> Iterator[str]:
        (one,) = super().due(now)
        for _ in range(1_000):
            self.found += 1
            yield one


def test_a_tick_reads_no_further_than_it_has_time_for(ports: DoorPorts) -> None:
    """What is due is taken as it comes and never gathered: memory doesn't grow with a backlog."""
    many(ports, 1)
    store = Endless(ports.effects)
    store._items = ports.store._items
    ports.store = store
    slow_tick(20)
    assert store.found == 21


def test_a_task_that_is_told_late_is_overdue(ports: DoorPorts) -> None:
    """Not while it is only late by a little; an alarm counts the others."""
    many(ports, 1)
    ports.effects.faulty = {"executions.answer"}
    tick()
    ports.later(minutes=11)
    tick()
    ports.effects.faulty = set()
    ports.later(minutes=6)
    tick()
    assert [line["overdue"] for line in lines(ports)] == [0, 1, 0]
    assert [line["failed"] for line in lines(ports)] == [0, 0, 0]
    assert len(ports.executions.answers) == 1


def test_the_alarm_sounds_for_one_task_that_stays_untold(ports: DoorPorts) -> None:
    """Within the hour: what the tick counts, judged as `infrastructure.yaml` has CloudWatch do."""
    many(ports, 1)
    ports.effects.faulty = {"executions.answer"}
    for _ in range(60):
        tick()
        ports.later(minutes=1)
    assert _sounds([int(str(line["overdue"])) for line in lines(ports)])


def test_the_alarm_is_silent_while_tasks_are_told(ports: DoorPorts) -> None:
    """An hour of work is no reason to wake anybody."""
    for n in range(60):
        asked(ports, f"token-{n}", expiresIn=60)
        tick()
        ports.later(minutes=1)
    assert not _sounds([int(str(line["overdue"])) for line in lines(ports)])


def _sounds(each_minute: list[int]) -> bool:
    """Return whether the template's alarm would go off somewhere in these minutes."""
    template = Path(doors_module.__file__).parent / "infrastructure.yaml"
    alarm = load_template(template)["Resources"]["OverdueAlarm"]["Properties"]
    assert alarm["Statistic"] == "Maximum"
    period, window = alarm["Period"] // 60, alarm["EvaluationPeriods"]
    points = [
        max(each_minute[n : n + period]) > alarm["Threshold"]
        for n in range(0, len(each_minute), period)
    ]
    needed = alarm.get("DatapointsToAlarm", window)
    return any(sum(points[n : n + window]) >= needed for n in range(len(points) - window + 1))


def test_a_mail_that_could_not_be_sent_is_sent_by_the_tick(ports: DoorPorts) -> None:
    """With a link that works."""
    ports.effects.faulty = {"mailer.send"}
    approval_id = asked(ports)
    ports.effects.faulty = set()
    tick()
    assert ports.mailer.sent == [], "whoever asked may be at it still"
    ports.later(seconds=LEASE.total_seconds())
    tick()
    assert len(ports.mailer.sent) == 1
    assert link_tokens.read_token(ports.link())[0] == approval_id


class HalfRead(FakeStore):
    """A store whose index answers its first page and then is away."""

    def __init__(self, effects: Effects) -> None:
        super().__init__(effects)

    def due(self, now: datetime) -> Iterator[str]:
        yield from list(super().due(now))[:2]
        raise Unavailable("DynamoDB answered ThrottlingException; please try again")


def test_what_was_found_before_a_fault_is_settled_and_the_fault_is_heard(
    ports: DoorPorts,
) -> None:
    """A tick that can't read what is due fails loudly, but not before its work is done."""
    many(ports, 3)
    store = HalfRead(ports.effects)
    store._items = ports.store._items
    ports.store = store
    with pytest.raises(Unavailable):
        tick()
    assert len(ports.executions.answers) == 2


def test_the_tick_runs_every_minute() -> None:
    """As the alarm for a missing one expects."""
    (schedule,) = [event for event in doors_module.app.event_sources if event.name == "tick"]
    expression: Any = getattr(schedule, "schedule_expression", None)
    assert expression.to_string() == "rate(1 minute)"


def test_the_test_clients_short_time_hands_everything_over(
    ports: DoorPorts, tmp_path: Path
) -> None:
    """Chalice's client gives three seconds: too few to begin anything."""
    many(ports, 1)
    client = Client(doors_module.app, project_dir=str(tmp_path))
    event = client.events.generate_cw_event("aws.events", "Scheduled Event", {}, [])
    client.lambda_.invoke("tick", event)
    assert lines(ports)[0]["due"] == 0


def test_an_outcome_is_announced_by_the_next_tick_once(ports: DoorPorts) -> None:
    """On the event bus; the vote that closes doesn't wait for it."""
    approval_id = asked(ports)
    deciding.decide(ports, ports.link(), "approve", reason="a private reason", via="page")
    assert ports.event_bus.announced == []
    tick()
    tick()
    (event,) = ports.event_bus.announced
    stored = ports.store.get(approval_id)
    assert stored is not None
    assert event == {
        "detail": serializers.announcement(stored),
        "at": stored.closed_at,
        "resource": stored.execution_arn,
    }
    assert event["detail"]["outcome"] == "approved"
    assert [(e.what, e.who, e.via) for e in stored.events][-1] == ("announced", "assent", "tick")


def test_an_outcome_that_no_bus_takes_is_told_later_and_counted_until_then(
    ports: DoorPorts,
) -> None:
    """Overdue after ten minutes although its task was resumed; never given up."""
    asked(ports)
    deciding.decide(ports, ports.link(), "approve", reason="", via="page")
    ports.effects.faulty = {"event_bus.announce"}
    tick()
    ports.later(minutes=11)
    tick()
    ports.later(days=30)
    tick()
    ports.effects.faulty = set()
    ports.later(minutes=6)
    tick()
    assert [line["overdue"] for line in lines(ports)] == [0, 1, 1, 0]
    assert len(ports.event_bus.announced) == 1
    assert {line["promise"] for line in lines(ports, "promise_waits")} == {"announce"}
