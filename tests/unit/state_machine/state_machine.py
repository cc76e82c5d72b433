"""Random stories: actions in any order, with clock jumps, crashes, faults and interruptions.

Hypothesis makes the stories. After each step the model is checked, and at the end everything must
be delivered. The test chooses the backend.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import Phase
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from chalicelib.application import asking
from chalicelib.application.policies import write_policy
from chalicelib.application.ports import Subscription
from chalicelib.domain.approval import Choice
from chalicelib.domain.delegation import Delegation
from chalicelib.domain.errors import Unavailable, Undecidable
from tests.builders import task_request
from tests.effects import Crash
from tests.fakes import EXECUTION
from tests.unit.state_machine.actions import ACTIONS, Action, Kind, perform, tick
from tests.unit.state_machine.backends import Backend, FakeBackend, StoryPorts
from tests.unit.state_machine.model import Model
from tests.unit.state_machine.requests import PEOPLE, draw_policy, draw_request, draw_request_under

REFUSED = "refused"
"""In the place of the id of a request that is refused as undecidable."""
PHASES = [Phase.explicit, Phase.reuse, Phase.generate]
"""Without `shrink`, which takes minutes: add it to have a failing story made short."""


@dataclass(frozen=True)
class Interruption:
    """What happens before the n-th effect of an action: a crash, or another action."""

    at: int = 0
    action: Action | None = None


INTERRUPTIONS = st.one_of(
    st.none(),
    st.none(),
    st.builds(Interruption, at=st.integers(0, 7)),
    st.builds(Interruption, at=st.integers(0, 7), action=ACTIONS),
)
FAILING = ["store.replace", "executions.answer", "mailer.send", "event_bus.announce"]


class RandomStories(RuleBasedStateMachine):
    """People, operators, ticks and faults, on up to two approvals."""

    backend: type[Backend] = FakeBackend
    first_actions: tuple[Kind, ...] = ()
    """Kinds of actions that follow each request at once, in any order and with interruptions."""
    policies = st.booleans()
    """Whether a request is under a policy."""

    def __init__(self) -> None:
        super().__init__()
        self.ports = StoryPorts(self.backend())
        self.model = Model(self.ports)
        self._set_subscriptions("confirmed")
        self.ids: list[str] = []

    # Requests and actions

    @initialize(data=st.data(), interruption=INTERRUPTIONS)
    def first_request(self, data: st.DataObject, interruption: Interruption | None) -> None:
        self._request(data, interruption)

    @precondition(lambda self: len(self.ids) < 2)
    @rule(data=st.data(), interruption=INTERRUPTIONS)
    def request(self, data: st.DataObject, interruption: Interruption | None) -> None:
        self._request(data, interruption)

    @rule(action=ACTIONS, interruption=INTERRUPTIONS, repeated=st.booleans())
    def perform(self, action: Action, interruption: Interruption | None, repeated: bool) -> None:
        self._run(partial(perform, self.ports, action), interruption, repeated=repeated)

    @rule(link=st.integers(0, 12), choice=st.sampled_from(["approve", "approve", "reject"]))
    def decide(self, link: int, choice: Choice) -> None:
        self._run(partial(perform, self.ports, Action("decide", link, choice)))

    @rule(interruption=INTERRUPTIONS)
    def tick(self, interruption: Interruption | None) -> None:
        self._run(partial(tick, self.ports), interruption)

    @rule(at=st.integers(0, 7))
    def two_ticks_overlap(self, at: int) -> None:
        self._run(partial(tick, self.ports), Interruption(at, Action("tick")))

    @rule(
        kind=st.sampled_from(["tick", "decide", "decide all"]),
        at=st.integers(0, 4),
        links=st.tuples(st.integers(0, 3), st.integers(0, 3)),
    )
    def a_decision_interrupts(self, kind: Kind, at: int, links: tuple[int, int]) -> None:
        interruption = Interruption(at, Action("decide", links[1]))
        self._run(partial(perform, self.ports, Action(kind, links[0])), interruption)

    # Time and faults

    @rule(seconds=st.sampled_from([1, 30, 60, 91, 300, 900, 3_600, 86_400, 691_200]))
    def time_passes(self, seconds: int) -> None:
        self.ports.later(seconds=seconds)

    @rule(seconds=st.sampled_from([60, 90, 600]), times=st.integers(1, 6))
    def time_passes_with_ticks(self, seconds: int, times: int) -> None:
        for _ in range(times):
            self.ports.later(seconds=seconds)
            tick(self.ports)

    @rule(failing=st.sets(st.sampled_from([*FAILING, "mailer.invite"]), max_size=2))
    def calls_fail(self, failing: set[str]) -> None:
        self.ports.faults.faulty = failing

    @rule(lost=st.sets(st.sampled_from([*FAILING, "store.create"]), max_size=2))
    def answers_get_lost(self, lost: set[str]) -> None:
        self.ports.faults.lost_answers = lost

    @rule(refuses=st.booleans())
    def sns_refuses(self, refuses: bool) -> None:
        self.ports.mailer.refuses = refuses

    @rule(
        person=st.sampled_from(PEOPLE),
        subscription=st.sampled_from(["none", "pending", "confirmed", "confirmed"]),
    )
    def a_subscription_changes(self, person: str, subscription: Subscription) -> None:
        self.ports.backend.set_subscription(person, subscription)

    @rule(absent=st.sampled_from(PEOPLE), delegate=st.sampled_from(PEOPLE), days=st.integers(0, 20))
    def a_delegation_is_stored(self, absent: str, delegate: str, days: int) -> None:
        """From now on; with 0 days none is in force. Circles are refused by another rule."""
        now = self.ports.now()
        delegation = Delegation(delegate, now, now + timedelta(days=days))
        self.ports.store.put_delegation(absent, delegation)

    @invariant()
    def model_holds(self) -> None:
        self.model.check()

    def teardown(self) -> None:
        """End the story and check that everything is delivered."""
        try:
            self._let_everything_be_delivered()
            self.model.check()
            self.model.check_everything_is_delivered()
        finally:
            self.ports.backend.close()

    def _let_everything_be_delivered(self) -> None:
        """End all faults, confirm all subscriptions, and tick until no approval is due."""
        self.ports.faults.clear()
        self.ports.mailer.refuses = False
        self._set_subscriptions("confirmed")
        for _ in range(200):
            due = [approval.due_at for approval in self.ports.store.all() if approval.due_at]
            if not due:
                return
            self.ports.time = max(self.ports.time, min(due))
            tick(self.ports)
        pytest.fail("some approval is due for ever")

    def _set_subscriptions(self, subscription: Subscription) -> None:
        for person in PEOPLE:
            self.ports.backend.set_subscription(person, subscription)

    def _request(self, data: st.DataObject, interruption: Interruption | None) -> None:
        number = len(self.ids)
        fields = self._draw(data, f"Story {number}")
        self.ids.append("")
        task_token = self.ports.backend.task(fields)
        task = task_request(task_token, execution=EXECUTION, **fields)

        def ask() -> None:
            # None: nobody could approve it, as its requester is barred, or SNS refuses addresses.
            self.ids[number] = asking.request_approval(self.ports, task, "function") or REFUSED

        self._run(ask, interruption)
        if not self.ids[number]:  # The state machine retries until the function succeeds.
            self.ports.faults.lost_answers = set()
            ask()
        for kind in data.draw(st.permutations(self.first_actions), "first actions"):
            action = replace(data.draw(ACTIONS), kind=kind)
            self._run(partial(perform, self.ports, action), data.draw(INTERRUPTIONS))

    def _draw(self, data: st.DataObject, subject: str) -> dict[str, Any]:
        """Return a request: of its own approvers, or under a policy that is written first."""
        if data.draw(self.policies, "under a policy"):
            policy, name = draw_policy(data), subject.lower().replace(" ", "-")
            with suppress(Undecidable):
                write_policy(self.ports, name, policy, replaces=None, by="author")
                return draw_request_under(data, subject, name)
        return draw_request(data, subject)

    def _run(
        self,
        action: Callable[[], object],
        interruption: Interruption | None = None,
        *,
        repeated: bool = False,
    ) -> None:
        """Run an action with its interruption; `repeated` runs it again, as after no answer."""
        faults = self.ports.faults
        if interruption is not None and interruption.action is None:
            faults.crash_at = len(faults.done) + interruption.at
        elif interruption is not None and interruption.action is not None:
            faults.interruption = partial(perform, self.ports, interruption.action)
            faults.interrupt_at = len(faults.done) + interruption.at
        late, disturbed = self.ports.mailer.late, faults.possible_duplicates + faults.interruptions
        asked = {approval_id for approval_id in self.ids if approval_id != REFUSED}
        closed = {a.id for a in self.ports.store.all() if a.outcome != "pending"} == asked
        with suppress(Crash, Unavailable):
            action()
        faults.crash_at = faults.interruption = None
        if closed and disturbed == faults.possible_duplicates + faults.interruptions:
            assert self.ports.mailer.late == late, "asked after the outcome"
        if repeated:
            with suppress(Unavailable):
                action()
