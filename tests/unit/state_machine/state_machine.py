"""Any story at all: verbs in any order, clock jumps, crashes, faults, ticks at once, retries.

Hypothesis tells the stories. After each step the world is compared with what was promised. Which
world that is, the test says: test_any_story.py, test_any_story_in_moto.py.
"""

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
import pytest
from hypothesis import Phase
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from chalicelib.application.bulk_deciding import PAGE_SIZE
from chalicelib.domain.approval import Approval, Choice, Decision
from chalicelib.domain.errors import Unavailable
from chalicelib.domain.events import EVENTS_KEPT
from chalicelib.domain.outbox_entries import Mail
from chalicelib.presentation import serializers
from tests.asking import asked
from tests.fakes import Crash
from tests.unit.state_machine.actions import CAST, DEEDS, EVERYBODY, MARY, Deed, do, tick
from tests.unit.state_machine.backends import FakeWorld, StagedPorts, World
from tests.unit.state_machine.model import open_to

MOST_BYTES = 409_600
"""DynamoDB's limit of an item."""
TELLING = [Phase.explicit, Phase.reuse, Phase.generate]
"""Without `shrink`, which takes minutes: add it to have a story that fails made short."""
OUTCOMES = {
    "approved": None,
    "rejected": "Rejected",
    "expired": "Expired",
    "cancelled": "Cancelled",
}


@dataclass(frozen=True)
class Fate:
    """What comes between: a crash before the n-th effect, or somebody else's deed."""

    at: int = 0
    deed: Deed | None = None


FATES = st.one_of(
    st.none(),
    st.none(),
    st.builds(Fate, at=st.integers(0, 7)),
    st.builds(Fate, at=st.integers(0, 7), deed=DEEDS),
)
FAULTS = ["store.replace", "executions.answer", "mailer.send", "event_bus.announce"]


class AnyStory(RuleBasedStateMachine):
    """People, ticks and mishaps on up to two approvals."""

    world: type[World] = FakeWorld

    def __init__(self) -> None:
        super().__init__()
        self.ports = StagedPorts(self.world())
        for person in EVERYBODY:
            self.ports.world.subscribe(person, "confirmed")
        self.ids: list[str] = []
        self.ends: dict[str, tuple[str, datetime | None]] = {}
        self.decided: dict[tuple[str, str], Decision] = {}

    # What happens

    @initialize(data=st.data(), fate=FATES)
    def first(self, data: st.DataObject, fate: Fate | None) -> None:
        self._ask(data, fate)

    @precondition(lambda self: len(self.ids) < 2)
    @rule(data=st.data(), fate=FATES)
    def ask(self, data: st.DataObject, fate: Fate | None) -> None:
        self._ask(data, fate)

    @rule(deed=DEEDS, fate=FATES, again=st.booleans())
    def somebody_does(self, deed: Deed, fate: Fate | None, again: bool) -> None:
        self._do(lambda: do(self.ports, deed), fate, again)

    @rule(link=st.integers(0, 12), choice=st.sampled_from(["approve", "approve", "reject"]))
    def decide(self, link: int, choice: Choice) -> None:
        self._do(lambda: do(self.ports, Deed("decide", link, choice)), None, again=False)

    @rule(fate=FATES)
    def tick(self, fate: Fate | None) -> None:
        self._do(lambda: tick(self.ports), fate, again=False)

    @rule(at=st.integers(0, 7))
    def two_ticks_at_once(self, at: int) -> None:
        self._do(lambda: tick(self.ports), Fate(at, Deed("tick")), again=False)

    @rule(at=st.integers(0, 4), link=st.integers(0, 3))
    def a_decision_comes_between_a_tick(self, at: int, link: int) -> None:
        self._do(lambda: tick(self.ports), Fate(at, Deed("decide", link)), again=False)

    @rule(seconds=st.sampled_from([1, 30, 60, 91, 300, 900, 3_600, 86_400]))
    def time_passes(self, seconds: int) -> None:
        self.ports.later(seconds=seconds)

    @rule(seconds=st.sampled_from([60, 90, 600]), times=st.integers(1, 6))
    def minutes_pass(self, seconds: int, times: int) -> None:
        for _ in range(times):
            self.ports.later(seconds=seconds)
            tick(self.ports)

    @rule(faulty=st.sets(st.sampled_from([*FAULTS, "mailer.invite"]), max_size=2))
    def calls_fail(self, faulty: set[str]) -> None:
        self.ports.stage.faulty = faulty

    @rule(unheard=st.sets(st.sampled_from([*FAULTS, "store.create"]), max_size=2))
    def answers_get_lost(self, unheard: set[str]) -> None:
        self.ports.stage.unheard = unheard

    @rule(refuses=st.booleans())
    def sns_refuses(self, refuses: bool) -> None:
        self.ports.mailer.refuses = refuses

    @rule(
        person=st.sampled_from(EVERYBODY),
        subscription=st.sampled_from(["none", "pending", "confirmed", "confirmed"]),
    )
    def a_subscription_changes(self, person: str, subscription: str) -> None:
        self.ports.world.subscribe(person, subscription)

    # What must hold

    @invariant()
    def an_outcome_stays(self) -> None:
        for approval in self._all():
            if approval.outcome != "pending":
                end = (approval.outcome, approval.closed_at)
                assert self.ends.setdefault(approval.id, end) == end
            assert (approval.closed_at is None) == (approval.outcome == "pending")

    @invariant()
    def a_task_is_answered_once_and_with_the_outcome(self) -> None:
        answers = {answer.task_token: answer for answer in self.ports.executions.answers}
        assert len(answers) == len(self.ports.executions.answers)
        assert len(self.ports.executions.refused) <= self.ports.stage.disturbances
        for approval in self._all():
            resumed = sum(event.what == "resumed" for event in approval.events)
            assert resumed == (approval.resumed_at is not None)
            answer = answers.get(approval.task_token)
            assert answer is not None or not resumed
            if answer is not None:
                assert approval.outcome != "pending"
                assert answer.error == OUTCOMES[approval.outcome]

    @invariant()
    def no_decision_is_lost_or_altered(self) -> None:
        found = {
            (approval.id, approver.address): decision
            for approval in self._all()
            for approver, decision in approval.decisions
        }
        assert found.items() >= self.decided.items()
        self.decided = found

    @invariant()
    def who_was_replaced_has_decided_nothing(self) -> None:
        for approval in self._all():
            assert not [a for a in approval.approvers if a.replaced_by and a.decision]

    @invariant()
    def only_who_may_still_answer_is_asked(self) -> None:
        for approval in self._all():
            asks = {p.to for p in approval.outbox if isinstance(p, Mail) and p.asks}
            assert asks <= open_to(approval)
            assert not asks or approval.outcome == "pending"
        stage = self.ports.stage
        assert self.ports.mailer.late <= stage.came_between + stage.disturbances

    @invariant()
    def mails_and_announcements_are_doubled_by_a_mishap_alone(self) -> None:
        sent = Counter(self.ports.mailer.key(to, email) for to, email in self.ports.mailer.sent)
        doubled = sum((sent - self.ports.store.promised).values())
        announced = self.ports.event_bus.announced
        doubled += len(announced) - len({detail["approvalId"] for detail, _ in announced})
        assert doubled <= self.ports.stage.disturbances

    @invariant()
    def what_is_announced_is_the_outcome(self) -> None:
        approvals = {approval.id: approval for approval in self._all()}
        for detail, at in self.ports.event_bus.announced:
            approval = approvals[detail["approvalId"]]
            assert detail == serializers.announcement(approval)
            assert at == approval.closed_at

    @invariant()
    def everybody_s_list_shows_what_waits_for_them(self) -> None:
        now, approvals = self.ports.now(), self._all()
        for person in {approver.address for a in approvals for approver in a.approvers}:
            theirs = [
                (approval.expires_at, approval.id)
                for approval in approvals
                if approval.expires_at > now
                and person in [approver.address for approver in approval.waits_for]
            ]
            shown, more = self.ports.store.waiting_for(person, now, PAGE_SIZE)
            assert [approval.id for approval in shown] == [found for _, found in sorted(theirs)]
            assert not more

    @invariant()
    def an_approval_stays_small(self) -> None:
        for approval in self._all():
            assert len(msgspec.json.encode(approval)) < MOST_BYTES
            assert len(approval.events) <= EVENTS_KEPT

    def teardown(self) -> None:
        try:
            self.comes_to_an_end()
        finally:
            self.ports.world.end()

    def comes_to_an_end(self) -> None:
        """Let the weather clear, everybody confirm, and hours of ticks pass: all is settled."""
        stage = self.ports.stage
        stage.crash_at, stage.meanwhile, stage.faulty, stage.unheard = None, None, set(), set()
        self.ports.mailer.refuses = False
        for person in EVERYBODY:
            self.ports.world.subscribe(person, "confirmed")
        for _ in range(200):
            due = [approval.due_at for approval in self._all() if approval.due_at]
            if not due:
                break
            self.ports.time = max(self.ports.time, min(due))
            tick(self.ports)
        else:
            pytest.fail("it never comes to rest")
        for approval in self._all():
            assert approval.outcome != "pending"
            assert approval.resumed_at is not None
            assert approval.outbox == ()
        self.an_outcome_stays()
        self.a_task_is_answered_once_and_with_the_outcome()
        self.no_decision_is_lost_or_altered()
        self.mails_and_announcements_are_doubled_by_a_mishap_alone()
        self.the_world_is_as_it_was_told()

    def the_world_is_as_it_was_told(self) -> None:
        """Compare what the adapters were told with what AWS did."""
        sent = Counter((to, email.subject) for to, email in self.ports.mailer.sent)
        assert self.ports.world.mails() == sent
        announced = Counter(detail["approvalId"] for detail, _ in self.ports.event_bus.announced)
        assert self.ports.world.announced() == announced
        assert announced.keys() == {approval.id for approval in self._all()}
        for approval in self._all():
            assert approval.id in self.ports.store.by_outcome(approval.outcome, most=10)[0]
            came_of = self.ports.world.came_of(approval.task_token)
            assert came_of == (OUTCOMES[approval.outcome] or approval.outcome)

    # How it is done

    def _ask(self, data: st.DataObject, fate: Fate | None) -> None:
        number = len(self.ids)
        approvers = data.draw(
            st.lists(st.sampled_from(CAST), min_size=1, max_size=4, unique=True), "approvers"
        )
        quorum = st.integers(1, len(approvers))
        fields: dict[str, Any] = {
            "subject": f"Story {number}",
            "approvers": approvers,
            "approvalsNeeded": data.draw(st.one_of(quorum, st.just("all")), "approvalsNeeded"),
            "rejectionsNeeded": data.draw(quorum, "rejectionsNeeded"),
            "expiresIn": data.draw(st.sampled_from([60, 3_600, 604_800]), "expiresIn"),
            "allowSelfApproval": True,
        }
        optional = {
            "remindEvery": st.sampled_from([300, 3_600]),
            "requestedBy": st.sampled_from([MARY, CAST[0], "mary@elsewhere.example"]),
            "escalation": st.fixed_dictionaries(
                {
                    "after": st.sampled_from([60, 600]),
                    "approvers": st.lists(
                        st.sampled_from(EVERYBODY[2:6]), min_size=1, max_size=2, unique=True
                    ),
                }
            ),
        }
        for name, values in optional.items():
            found = data.draw(st.none() | values, name)
            fields |= {} if found is None else {name: found}
        self.ids.append("")

        task_token = self.ports.world.task(fields)

        def asking() -> None:
            self.ids[number] = asked(self.ports, task_token, **fields)

        # The state machine tries again until it is told that it was asked.
        self._do(asking, fate, again=False)
        if not self.ids[number]:
            self.ports.stage.unheard = set()
            asking()

    def _do(self, action: Callable[[], object], fate: Fate | None, again: bool) -> None:
        """Do it, with what comes between; and again, as somebody does who heard no answer."""
        stage = self.ports.stage
        if fate is not None and fate.deed is None:
            stage.crash_at = len(stage.done) + fate.at
        elif fate is not None and fate.deed is not None:
            deed = fate.deed
            stage.meanwhile = lambda: do(self.ports, deed)
            stage.meanwhile_at = len(stage.done) + fate.at
        late, calm = self.ports.mailer.late, stage.disturbances + stage.came_between
        ended = {a.id for a in self._all() if a.outcome != "pending"} == set(self.ids)
        with suppress(Crash, Unavailable):
            action()
        stage.crash_at = stage.meanwhile = None
        if ended and calm == stage.disturbances + stage.came_between:
            assert self.ports.mailer.late == late, "asked after the outcome"
        if again:
            with suppress(Unavailable):
                action()

    def _all(self) -> list[Approval]:
        return self.ports.store.all()
