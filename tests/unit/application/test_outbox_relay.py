"""The outbox relay: due entries are delivered, retried after faults, and delivered once."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from chalicelib.application import bulk_deciding, deciding, outbox_relay
from chalicelib.application.ports import Subscription
from chalicelib.domain.approval import Approval
from chalicelib.domain.commands import Cancel
from chalicelib.domain.errors import Unavailable
from chalicelib.domain.outbox_entries import LEASE
from chalicelib.presentation import serializers
from tests.builders import people, request_approval
from tests.effects import Effects
from tests.fakes import TOKEN, FakeMailer, FakePorts, FakeStore
from tests.unit.steps import (
    ADA,
    GRACE,
    MARY,
    contend,
    decide,
    events,
    operate,
    pass_minutes,
    run_tick,
    stored,
    subjects,
    use_store,
)


def test_an_unconfirmed_approver_is_mailed_once_they_confirm(ports: FakePorts) -> None:
    """Until then the mail stays in the outbox; its link works."""
    ports.mailer.subscriptions[ADA] = "none"
    approval_id = request_approval(ports)
    assert ports.mailer.invitations == [ADA]
    pass_minutes(ports, 59)
    assert ports.mailer.sent == []
    waiting = stored(ports, approval_id)
    assert [event.what for event in waiting.events] == ["requested", "invited", "unconfirmed"]
    assert waiting.approvers[0].link_hashes == ()
    ports.mailer.subscriptions[ADA] = "confirmed"
    pass_minutes(ports, 15)
    decide(ports)
    assert len(ports.mailer.sent) == len(ports.executions.answers) == 1


def test_an_approver_who_unsubscribes_is_invited_after_one_two_and_four_hours(
    ports: FakePorts,
) -> None:
    """A mail scanner may click each Unsubscribe link at once."""
    ports.mailer.subscriptions[ADA] = "none"
    approval_id = request_approval(ports)
    hours = []
    for minute in range(60 * 16):
        ports.mailer.subscriptions[ADA] = "none"
        before = len(ports.mailer.invitations)
        pass_minutes(ports, 1)
        hours += [minute // 60] * (len(ports.mailer.invitations) - before)
    assert hours == [1, 3, 7, 15]
    assert len(events(ports, approval_id, "invited")) == 5


@pytest.mark.parametrize("subscription", ["confirmed", "none"])
def test_a_mail_that_sns_refuses_is_shown_as_failed_and_sent_later(
    ports: FakePorts, subscription: Subscription
) -> None:
    """With SNS's name of the refusal, once, in the record, the operator's view and the log."""
    ports.mailer.subscriptions[ADA] = subscription
    ports.mailer.refuses = "TopicLimitExceeded"
    approval_id = request_approval(ports)
    pass_minutes(ports, 5)
    assert stored(ports, approval_id).approvers[0].mail == "failed"
    (event,) = events(ports, approval_id, "refused")
    assert (event.who, event.note) == (ADA, "TopicLimitExceeded")
    (shown,) = serializers.operator_view(stored(ports, approval_id))["approvers"]
    assert (shown["why"], shown["refusal"]) == ("refused", "TopicLimitExceeded")
    lines = [line for line in ports.logged if line["event"] == "delivery_failed"]
    assert {line["approvalId"] for line in lines} == {approval_id}
    assert all("TopicLimitExceeded" in str(line["why"]) for line in lines)
    assert not any(ADA in str(line) for line in lines)
    ports.mailer.refuses = "AuthorizationError"
    pass_minutes(ports, 15)
    notes = [event.note for event in events(ports, approval_id, "refused")]
    assert notes == ["TopicLimitExceeded", "AuthorizationError"]
    ports.mailer.refuses = ""
    ports.mailer.subscriptions[ADA] = "confirmed"
    pass_minutes(ports, 15)
    assert stored(ports, approval_id).approvers[0].mail == "sent"
    assert "refusal" not in serializers.operator_view(stored(ports, approval_id))["approvers"][0]


def test_nothing_is_mailed_to_a_topic_to_which_somebody_else_is_subscribed(
    ports: FakePorts,
) -> None:
    """No link, reminder or notification; an operator sees it, also as the alarm Overdue."""
    ports.mailer.foreign = {ADA, "mary@example.com"}
    approval_id = request_approval(ports, requestedBy="mary@example.com", remindEvery=300)
    pass_minutes(ports, 40)
    assert (ports.mailer.sent, ports.mailer.invitations) == ([], [])
    (shown,) = serializers.operator_view(stored(ports, approval_id))["approvers"]
    assert (shown["why"], shown["refusal"]) == ("refused", "ForeignSubscription")
    lines = [line for line in ports.logged if line["event"] == "delivery_failed"]
    assert all("ForeignSubscription" in str(line["why"]) for line in lines)
    assert any(line["overdue"] for line in ports.logged if line["event"] == "tick")
    ports.mailer.foreign.clear()
    pass_minutes(ports, 15)
    assert {to for to, _ in ports.mailer.sent} == {ADA, "mary@example.com"}


def test_a_mail_that_was_not_sent_is_sent_after_its_writers_lease(ports: FakePorts) -> None:
    """With a new link, as the secret of the first is gone."""
    ports.effects.faulty = {"mailer.send"}
    approval_id = request_approval(ports)
    ports.effects.faulty = set()
    ports.later(seconds=LEASE.total_seconds() - 1)
    run_tick(ports)
    assert ports.mailer.sent == []
    ports.later(seconds=1)
    run_tick(ports)
    assert len(ports.mailer.sent) == 1
    assert decide(ports).id == approval_id


def test_a_task_that_can_not_be_resumed_now_is_resumed_by_the_tick(ports: FakePorts) -> None:
    """The decision stands and is answered; the log names the entry and the service."""
    approval_id = request_approval(ports)
    ports.effects.faulty.add("executions.answer")
    decided = decide(ports)
    assert (decided.outcome, decided.resumed_at) == ("approved", None)
    failed = ports.logged[-1]
    assert (failed["event"], failed["entry"]) == ("delivery_failed", "resume")
    assert (failed["approvalId"], "executions.answer" in str(failed["why"])) == (approval_id, True)
    ports.effects.faulty.clear()
    run_tick(ports)
    assert ports.executions.answers == [], "the decision's process still has the lease"
    ports.later(seconds=LEASE.total_seconds())
    run_tick(ports)
    assert len(ports.executions.answers) == 1
    assert stored(ports, approval_id).resumed_at == ports.time
    assert stored(ports, approval_id).outbox == ()


class WritesOnce(FakeStore):
    """A store that takes one more write and is then unavailable, until `left` is set again."""

    left = 1

    def replace(self, read: Approval, changed: Approval) -> Approval | None:
        if self.left == 0:
            raise Unavailable("DynamoDB answered ThrottlingException; please try again")
        self.left -= 1
        return super().replace(read, changed)


def test_a_task_whose_answer_could_not_be_recorded_is_answered_again_and_finds_it_closed(
    ports: FakePorts,
) -> None:
    """Answering twice is harmless; the record doesn't claim that the workflow had ended."""
    approval_id = request_approval(ports)
    store = use_store(ports, WritesOnce(ports.effects))
    decide(ports)
    assert len(ports.executions.answers) == 1
    assert stored(ports, approval_id).resumed_at is None
    store.left = 10
    ports.later(seconds=LEASE.total_seconds())
    run_tick(ports)
    assert (len(ports.executions.answers), len(ports.executions.refused)) == (1, 1)
    (event,) = events(ports, approval_id, "resumed")
    assert event.note == "the task was closed already, perhaps by an earlier try"


def test_a_task_that_is_closed_at_the_first_try_was_not_waiting(ports: FakePorts) -> None:
    """Nobody but its execution can have closed it."""
    approval_id = request_approval(ports)
    ports.executions.fail_task(TOKEN, "by hand", "")
    decide(ports)
    (event,) = events(ports, approval_id, "resumed")
    assert event.note == "the task was not waiting any more"


class Slow(FakeStore):
    """A store whose writes take some seconds, as when an answer is lost and looked up."""

    ports: FakePorts
    seconds = 0

    def replace(self, read: Approval, changed: Approval) -> Approval | None:
        self.ports.later(seconds=self.seconds)
        return super().replace(read, changed)


def _decide_by_link(ports: FakePorts, _: str) -> None:
    decide(ports)


def _decide_in_inbox(ports: FakePorts, approval_id: str) -> None:
    selected = bulk_deciding.select(ports, ports.token_mailed_to(ADA, "inbox"), [approval_id])
    bulk_deciding.decide_all(ports, selected, "approve", "")


def _cancel_by_link(ports: FakePorts, _: str) -> None:
    deciding.cancel(ports, ports.token_mailed_to(MARY, "cancel"), "", "page")


def _cancel_as_operator(ports: FakePorts, approval_id: str) -> None:
    operate(ports, approval_id, Cancel())


@pytest.mark.parametrize(("seconds", "answers"), [(4, 1), (5, 0)])
@pytest.mark.parametrize(
    "close", [_decide_by_link, _decide_in_inbox, _cancel_by_link, _cancel_as_operator]
)
def test_a_call_whose_time_is_up_leaves_the_resume_to_the_tick(
    ports: FakePorts, seconds: int, answers: int, close: Callable[[FakePorts, str], None]
) -> None:
    """The API's function would time out before it has answered its reader."""
    approval_id = request_approval(ports, requestedBy=MARY)
    run_tick(ports)
    store = use_store(ports, Slow(ports.effects))
    store.ports, store.seconds = ports, seconds
    close(ports, approval_id)
    assert len(ports.executions.answers) == answers
    ports.later(seconds=LEASE.total_seconds())
    run_tick(ports)
    assert len(ports.executions.answers) == 1
    assert stored(ports, approval_id).resumed_at is not None


def test_an_outcome_is_announced_once_by_the_next_tick(ports: FakePorts) -> None:
    """With the time of the outcome and the ARN of the execution."""
    approval_id = request_approval(ports)
    decide(ports, reason="a private reason")
    assert ports.event_bus.announced == []
    run_tick(ports)
    pass_minutes(ports, 3)
    (announced,) = ports.event_bus.announced
    approval = stored(ports, approval_id)
    assert announced == {
        "detail": serializers.announcement(approval),
        "at": approval.closed_at,
        "resource": approval.execution_arn,
    }
    (event,) = events(ports, approval_id, "announced")
    assert (event.who, event.via) == ("assent", "tick")


def test_the_requester_and_the_other_approvers_are_notified_of_the_outcome(
    ports: FakePorts,
) -> None:
    """Not the approver who closed it."""
    request_approval(ports, approvers=[ADA, GRACE], requestedBy=MARY)
    run_tick(ports)
    decide(ports, ADA, "reject", reason="the tests\nare red")
    run_tick(ports)
    assert subjects(ports, MARY) == ["Asked: Release 4.2", "Rejected: Release 4.2"]
    assert subjects(ports, GRACE)[1:] == ["Rejected: Release 4.2"]
    assert subjects(ports, ADA)[1:] == []
    assert "| the tests\n| are red" in ports.mailer.sent[-1][1].text


def test_a_notification_that_reaches_nobody_is_given_up(ports: FakePorts) -> None:
    """On record, after some hours; the approval is then never due again."""
    approval_id = request_approval(ports, requestedBy=MARY)
    ports.mailer.subscriptions[MARY] = "pending"
    decide(ports)
    pass_minutes(ports, 400)
    approval = stored(ports, approval_id)
    assert (approval.outbox, approval.due_at) == ((), None)
    assert approval.events[-1].what == "undelivered"
    assert subjects(ports, MARY) == []


def test_an_approval_that_another_process_changed_is_left_to_the_next_tick(
    ports: FakePorts,
) -> None:
    """The write that leases an entry succeeds for one process only, and only that one delivers."""
    ports.effects.faulty = {"mailer.send"}
    approval_id = request_approval(ports)
    ports.effects.faulty = set()
    ports.later(minutes=2)
    contend(ports, 1)
    assert outbox_relay.relay(ports, approval_id) is None
    assert ports.mailer.sent == []
    run_tick(ports)
    assert len(ports.mailer.sent) == 1


@pytest.mark.parametrize("conflicts", [1, 3])
def test_a_version_conflict_loses_no_record_of_a_delivery(ports: FakePorts, conflicts: int) -> None:
    """Of a mail, a failed mail, a resume, or an announcement; none is delivered again."""
    ports.effects.faulty = {"mailer.send"}
    approval_id = request_approval(ports)
    ports.effects.faulty = set()
    ports.later(minutes=2)
    contend(ports, conflicts, first=1)
    run_tick(ports)
    contend(ports, conflicts, first=1)
    decide(ports)
    contend(ports, conflicts, first=1)
    run_tick(ports)
    approval = stored(ports, approval_id)
    assert approval.outbox == ()
    assert approval.reminders == 3 * conflicts
    for what in ("mailed", "resumed", "announced"):
        assert len(events(ports, approval_id, what)) == 1
    assert len(ports.mailer.sent) == 1
    assert ports.executions.refused == []
    assert len(ports.event_bus.announced) == 1


@pytest.mark.parametrize(
    ("fault", "entry"), [("mail", "mail"), ("resume", "resume"), ("announcement", "announce")]
)
def test_a_delivery_that_can_not_be_recorded_stays_in_the_outbox(
    ports: FakePorts, fault: str, entry: str
) -> None:
    """After too many version conflicts; the tick delivers it again."""
    ports.effects.faulty = {"mailer.send"} if fault == "mail" else set()
    approval_id = request_approval(ports)
    ports.effects.faulty = set()
    if fault == "mail":
        ports.later(minutes=2)
    if fault == "announcement":
        decide(ports)
    contend(ports, 1_000, first=1)
    if fault == "resume":
        assert decide(ports).outcome == "approved"
    else:
        run_tick(ports)
    failed = [line for line in ports.logged if line["event"] == "delivery_failed"]
    assert failed[-1]["entry"] == entry
    kept = [type(one).__name__.lower() for one in stored(ports, approval_id).outbox]
    assert entry in kept


class CancelledMeanwhile(FakeMailer):
    """SNS that takes so long for the first mail that an operator cancels the request."""

    ports: FakePorts

    def send(self, address: str, email: Any) -> None:
        sent = super().send(address, email)
        (approval,) = self.ports.store._all()
        operate(self.ports, approval.id, Cancel())
        return sent


def test_mails_that_a_cancellation_made_pointless_are_not_sent(ports: FakePorts) -> None:
    mailer = CancelledMeanwhile(ports.effects)
    mailer.ports, ports.mailer = ports, mailer
    request_approval(ports, approvers=people(3))
    assert [to for to, _ in ports.mailer.sent] == people(1)


def test_an_approval_that_is_gone_has_nothing_to_deliver(ports: FakePorts) -> None:
    assert outbox_relay.relay(ports, "a" * 26) is None


class SlowMailer(FakeMailer):
    """SNS that takes some seconds for each mail."""

    def __init__(self, effects: Effects, ports: FakePorts, seconds: int) -> None:
        super().__init__(effects)
        self._ports, self._seconds = ports, seconds

    def send(self, address: str, email: Any) -> None:
        self._ports.later(seconds=self._seconds)
        super().send(address, email)


@pytest.mark.parametrize(("seconds", "sent"), [(5, 3), (14, 2), (100, 1)])
def test_while_sns_is_slow_the_rest_of_the_mails_is_left_to_the_tick(
    ports: FakePorts, seconds: int, sent: int
) -> None:
    """The function ends before its time-out, and never delivers an entry after its lease."""
    ports.mailer = SlowMailer(ports.effects, ports, seconds)
    approval_id = request_approval(ports, approvers=people(20))
    assert len(ports.mailer.sent) == sent
    assert len(stored(ports, approval_id).outbox) == 20 - sent
    ports.mailer._seconds = 0
    pass_minutes(ports, 10)
    assert sorted(to for to, _ in ports.mailer.sent) == sorted(people(20))


class LateClock(FakePorts):
    """Ports whose clock jumps over the lease once a decision is written."""

    def now(self) -> datetime:
        if "store.replace" in self.effects.done and not self.late:
            self.late = True
            self.later(seconds=LEASE.total_seconds())
        return super().now()

    late = False


def test_a_process_that_was_frozen_past_its_lease_delivers_nothing() -> None:
    """A tick may be delivering the entry by then."""
    ports = LateClock()
    ports.effects.faulty = {"store.replace"}
    approval_id = request_approval(ports)
    ports.effects.faulty = set()
    decide(ports)
    assert ports.executions.answers == []
    run_tick(ports)
    assert len(ports.executions.answers) == 1
    assert stored(ports, approval_id).outbox == ()
