"""Any story at all: verbs in any order, clock jumps, crashes, faults, ticks at once, retries.

Hypothesis tells the stories. After each step the world is compared with what was promised.
"""

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from chalicelib import links, settle, together, views, workflow
from chalicelib.approval import EVENTS, LINKS_KEPT, Approval, Choice, Decision, Mail
from chalicelib.errors import (
    AlreadyDecided,
    AssentError,
    Cancelled,
    Expired,
    InvalidRequest,
    NotFound,
    Reassigned,
    Unavailable,
)
from chalicelib.operations import Cancel, Extend, Operation, Reassign, Remind
from tests.asking import asked
from tests.fakes import TOKEN, Crash, FakePorts
from tests.workflow.stage import StagedPorts, open_to, stored_of

MOST_BYTES = 409_600
"""DynamoDB's limit of an item."""
MARY = "mary@example.com"
CAST = ["ada@example.com", "grace@example.com", "linus@example.com", "Alan@example.com"]
EVERYBODY = [*CAST, "barbara@example.com", "donald@example.com", MARY]
OUTCOMES = {
    "approved": None,
    "rejected": "Rejected",
    "expired": "Expired",
    "cancelled": "Cancelled",
}
OVER = (AlreadyDecided, Expired, Cancelled, Reassigned)


@dataclass(frozen=True)
class Deed:
    """Something that somebody does; `link` is any ever mailed, counted back from the newest."""

    verb: str
    link: int = 0
    choice: Choice = "approve"
    person: str = MARY
    seconds: int = 600
    approval: int = 0


@dataclass(frozen=True)
class Fate:
    """What comes between: a crash before the n-th effect, or somebody else's deed."""

    at: int = 0
    deed: Deed | None = None


DEEDS = st.builds(
    Deed,
    verb=st.sampled_from(
        [
            "decide",
            "decide",
            "decide all",
            "pass on",
            "withdraw",
            "tick",
            "cancel",
            "remind",
            "extend",
            "reassign",
        ]
    ),
    link=st.integers(0, 12),
    choice=st.sampled_from(["approve", "reject"]),
    person=st.sampled_from(EVERYBODY),
    seconds=st.sampled_from([60, 600, 86_400]),
    approval=st.integers(0, 1),
)
FATES = st.one_of(
    st.none(),
    st.none(),
    st.builds(Fate, at=st.integers(0, 7)),
    st.builds(Fate, at=st.integers(0, 7), deed=DEEDS),
)
FAULTS = [
    "store.replace",
    "callbacks.answer",
    "notifier.send",
    "event_bus.announce",
    "notifier.invite",
]


class AnyStory(RuleBasedStateMachine):
    """People, ticks and mishaps on up to two approvals."""

    def __init__(self) -> None:
        super().__init__()
        self.ports = StagedPorts()
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
        self._do(lambda: self._perform(deed), fate, again)

    @rule(link=st.integers(0, 12), choice=st.sampled_from(["approve", "approve", "reject"]))
    def decide(self, link: int, choice: Choice) -> None:
        self._do(lambda: self._perform(Deed("decide", link, choice)), None, again=False)

    @rule(fate=FATES)
    def tick(self, fate: Fate | None) -> None:
        self._do(self._tick, fate, again=False)

    @rule(at=st.integers(0, 7))
    def two_ticks_at_once(self, at: int) -> None:
        self._do(self._tick, Fate(at, Deed("tick")), again=False)

    @rule(at=st.integers(0, 4), link=st.integers(0, 3))
    def a_decision_comes_between_a_tick(self, at: int, link: int) -> None:
        self._do(self._tick, Fate(at, Deed("decide", link)), again=False)

    @rule(seconds=st.sampled_from([1, 30, 60, 91, 300, 900, 3_600, 86_400]))
    def time_passes(self, seconds: int) -> None:
        self.ports.later(seconds=seconds)

    @rule(seconds=st.sampled_from([60, 90, 600]), times=st.integers(1, 6))
    def minutes_pass(self, seconds: int, times: int) -> None:
        for _ in range(times):
            self.ports.later(seconds=seconds)
            self._tick()

    @rule(faulty=st.sets(st.sampled_from(FAULTS), max_size=2))
    def calls_fail(self, faulty: set[str]) -> None:
        self.ports.stage.faulty = faulty

    @rule(unheard=st.sets(st.sampled_from([*FAULTS[:4], "store.create"]), max_size=2))
    def answers_get_lost(self, unheard: set[str]) -> None:
        self.ports.stage.unheard = unheard

    @rule(refuses=st.booleans())
    def sns_refuses(self, refuses: bool) -> None:
        self.ports.notifier.refuses = refuses

    @rule(
        person=st.sampled_from(EVERYBODY),
        subscription=st.sampled_from(["none", "pending", "confirmed", "confirmed"]),
    )
    def a_subscription_changes(self, person: str, subscription: str) -> None:
        self.ports.notifier.subscriptions[person] = subscription

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
        answers = {answer.task_token: answer for answer in self.ports.callbacks.answers}
        assert len(answers) == len(self.ports.callbacks.answers)
        assert len(self.ports.callbacks.refused) <= self.ports.stage.disturbances
        for approval in self._all():
            resumed = sum(event.what == "resumed" for event in approval.events)
            assert resumed == (approval.settled_at is not None)
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
        assert self.ports.post.late <= stage.came_between + stage.disturbances

    @invariant()
    def mails_and_announcements_are_doubled_by_a_mishap_alone(self) -> None:
        sent = Counter(self.ports.post.key(to, email) for to, email in self.ports.notifier.sent)
        doubled = sum((sent - self.ports.ledger.promised).values())
        announced = self.ports.event_bus.announced
        doubled += len(announced) - len({event["detail"]["approvalId"] for event in announced})
        assert doubled <= self.ports.stage.disturbances

    @invariant()
    def what_is_announced_is_the_outcome(self) -> None:
        approvals = {approval.id: approval for approval in self._all()}
        for event in self.ports.event_bus.announced:
            approval = approvals[event["detail"]["approvalId"]]
            assert event["detail"] == views.announcement(approval)
            assert event["at"] == approval.closed_at

    @invariant()
    def an_approval_stays_small(self) -> None:
        for approval in self._all():
            assert len(msgspec.json.encode(approval)) < MOST_BYTES
            assert len(approval.events) <= EVENTS

    def teardown(self) -> None:
        """Let the weather clear, everybody confirm, and hours of ticks pass: all is settled."""
        stage = self.ports.stage
        stage.crash_at, stage.meanwhile, stage.faulty, stage.unheard = None, None, set(), set()
        self.ports.notifier.refuses = False
        for person in EVERYBODY:
            self.ports.notifier.subscriptions[person] = "confirmed"
        for _ in range(200):
            due = [approval.due_at for approval in self._all() if approval.due_at]
            if not due:
                break
            self.ports.time = max(self.ports.time, min(due))
            self._tick()
        else:
            pytest.fail("it never comes to rest")
        for approval in self._all():
            assert approval.outcome != "pending"
            assert approval.settled_at is not None
            assert approval.outbox == ()
        self.check_invariants_again()

    def check_invariants_again(self) -> None:
        """Check at the very end what held after each step."""
        self.an_outcome_stays()
        self.a_task_is_answered_once_and_with_the_outcome()
        self.no_decision_is_lost_or_altered()
        self.mails_and_announcements_are_doubled_by_a_mishap_alone()
        tokens = {answer.task_token for answer in self.ports.callbacks.answers}
        assert tokens == {approval.task_token for approval in self._all()}
        announced = {event["detail"]["approvalId"] for event in self.ports.event_bus.announced}
        assert announced == {approval.id for approval in self._all()}

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

        def asking() -> None:
            self.ids[number] = asked(self.ports, f"task-{number}", **fields)

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
            stage.meanwhile = lambda: self._perform(deed)
            stage.meanwhile_at = len(stage.done) + fate.at
        late, calm = self.ports.post.late, stage.disturbances + stage.came_between
        ended = {a.id for a in self._all() if a.outcome != "pending"} == set(self.ids)
        with suppress(Crash, Unavailable):
            action()
        stage.crash_at = stage.meanwhile = None
        if ended and calm == stage.disturbances + stage.came_between:
            assert self.ports.post.late == late, "asked after the outcome"
        if again:
            with suppress(Unavailable):
                action()

    def _perform(self, deed: Deed) -> None:
        if deed.verb == "tick":
            self._tick()
        elif deed.verb in ("decide", "pass on"):
            self._by_link(deed)
        elif deed.verb == "withdraw":
            self._withdraw(deed)
        elif deed.verb == "decide all":
            self._by_list(deed)
        else:
            self._operate(deed)

    def _tick(self) -> None:
        """Do what app.tick does: what goes wrong with one is not in the others' way."""
        for approval_id in self.ports.store.due(self.ports.now()):
            try:
                settle.advance(self.ports, approval_id)
            except AssentError:
                continue

    def _by_link(self, deed: Deed) -> None:
        """Decide or pass on by a link that was mailed; what comes of it is what the record says."""
        mailed = [link for link in self.ports.post.links if link[1] == "approve"]
        if not mailed:
            return
        address, _, token = mailed[-1 - deed.link % len(mailed)]
        before = self._stored(token.partition(".")[0])
        holder = before.approver(address)
        try:
            if deed.verb == "pass on":
                approval, _ = workflow.pass_on(self.ports, token, deed.person, "please", "page")
                assert approval.approver(address).replaced_by == deed.person
            else:
                approval, _ = workflow.decide(self.ports, token, deed.choice, "so", "page")
                decision = approval.approver(address).decision
                assert decision is not None
                assert (decision.choice, decision.reason) == (deed.choice, "so")
            assert before.outcome == "pending"
            assert holder.decision is None
            assert holder.replaced_by is None, "a link of somebody who was replaced did something"
        except OVER:
            assert self._is_over(token, address), "refused without a reason"
        except InvalidRequest:
            assert deed.verb == "pass on"
        except NotFound:
            assert self._was_taken_back("approve", token)

    def _by_list(self, deed: Deed) -> None:
        """Decide all that one's list shows; each is told as the record has it."""
        mailed = [link for link in self.ports.post.links if link[1] == "mine"]
        if not mailed:
            return
        address, _, token = mailed[-1 - deed.link % len(mailed)]
        own = self._stored(token.partition(".")[0])
        try:
            seen = together.waiting(self.ports, token)
            assert seen.address == address
            assert all(address in open_to(approval) for approval in seen.approvals)
            told = together.decide(self.ports, seen, deed.choice, "so")
        except Reassigned:
            assert own.approver(address).replaced_by is not None
        except Expired:
            assert self.ports.now() > (own.closed_at or own.expires_at) + together.GOOD_FOR
        except NotFound:
            assert self._was_taken_back("mine", token)
        else:
            for approval, error in told:
                decision = approval.approver(address).decision
                assert error is not None or decision is not None
                assert error is None or error.status == 503 or self._is_over(approval.id, address)

    def _is_over(self, token: str, address: str) -> bool:
        approval = self._stored(token.partition(".")[0])
        holder = approval.approver(address)
        closed = approval.outcome != "pending" or self.ports.now() >= approval.expires_at
        return closed or holder.decision is not None or holder.replaced_by is not None

    def _withdraw(self, deed: Deed) -> None:
        """Withdraw by a requester's link; and see that no approver's link does that."""
        mailed = self.ports.post.links
        if not mailed:
            return
        address, page, token = mailed[-1 - deed.link % len(mailed)]
        try:
            approval = workflow.withdraw(self.ports, token, "changed my mind", "page")
            assert approval.outcome == "cancelled"
            assert page == "cancel", f"the link of {address} is an approver's"
        except (AlreadyDecided, Expired):
            assert self._is_over(token, self._stored(token.partition(".")[0]).approvers[0].address)
        except NotFound:
            assert page != "cancel" or self._was_taken_back(page, token)

    def _was_taken_back(self, page: str, token: str) -> bool:
        return stored_of(page, token) in self.ports.ledger.taken_back

    def _operate(self, deed: Deed) -> None:
        asked_for = [approval_id for approval_id in self.ids if approval_id]
        if not asked_for:
            return
        approval_id = asked_for[deed.approval % len(asked_for)]
        people_asked = [a.address for a in self._stored(approval_id).approvers]
        leaving = people_asked[deed.link % len(people_asked)]
        operations: dict[str, Operation] = {
            "cancel": Cancel(reason="not needed"),
            "remind": Remind(),
            "extend": Extend(expires_in=deed.seconds),
            "reassign": Reassign(from_=leaving, to=deed.person, note="please"),
        }
        try:
            workflow.operate(self.ports, approval_id, operations[deed.verb], MARY, "api")
        except (AlreadyDecided, Expired):
            assert self._is_over(approval_id, leaving)
        except InvalidRequest:
            assert deed.verb == "reassign"

    def _stored(self, approval_id: str) -> Approval:
        found = self.ports.store.get(approval_id)
        assert found is not None
        return found

    def _all(self) -> list[Approval]:
        return self.ports.store._all()


TestAnyStory = AnyStory.TestCase
TestAnyStory.settings = settings(
    max_examples=8 * settings().max_examples,
    # Without `shrink`, which takes minutes: add it to have a story that fails made short.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)


# Stories that are worth telling again


@pytest.fixture
def ports() -> StagedPorts:
    return StagedPorts()


def before_effect(ports: StagedPorts, number: int, deed: Callable[[], object]) -> None:
    """Have that done just before the effect that comes after so many others."""
    ports.stage.meanwhile, ports.stage.meanwhile_at = deed, len(ports.stage.done) + number


def tick(ports: FakePorts) -> None:
    for approval_id in ports.store.due(ports.now()):
        settle.advance(ports, approval_id)


def hours(ports: StagedPorts, number: int) -> None:
    for _ in range(number * 12):
        ports.later(minutes=5)
        tick(ports)


def subjects(ports: StagedPorts, address: str) -> list[str]:
    return [email.subject.partition(":")[0] for to, email in ports.notifier.sent if to == address]


def approves(ports: StagedPorts, address: str) -> Callable[[], object]:
    token = ports.token_mailed_to(address)
    return lambda: workflow.decide(ports, token, "approve", "", "page")


def test_who_decides_while_the_receipt_is_mailed_takes_no_news_away(ports: StagedPorts) -> None:
    """The requester is told what came of it, though their receipt was under way just then."""
    asked(ports, requestedBy=MARY)
    before_effect(ports, 1, approves(ports, CAST[0]))  # after the claim, before the mail
    tick(ports)
    hours(ports, 1)
    assert subjects(ports, MARY) == ["Asked", "Approved"]


def test_who_was_being_mailed_when_it_closed_is_told(ports: StagedPorts) -> None:
    """They have been asked; nobody else would tell them that it is done."""
    ada, grace = CAST[:2]

    def ada_is_quick() -> None:
        approves(ports, ada)()

    before_effect(ports, 3, ada_is_quick)  # after Ada's mail was recorded, before Grace's is sent
    asked(ports, approvers=[ada, grace])
    hours(ports, 1)
    assert subjects(ports, grace) == ["Approval needed", "Approved"]


def test_who_has_a_link_is_told_though_a_reminder_did_not_reach_them(ports: StagedPorts) -> None:
    """They may read the first mail any time: the news is owed to them."""
    ada, grace = CAST[:2]
    asked(ports, approvers=[ada, grace], remindEvery=300)
    ports.notifier.subscriptions[grace] = "pending"
    hours(ports, 1)
    approves(ports, ada)()
    ports.notifier.subscriptions[grace] = "confirmed"
    hours(ports, 2)
    assert subjects(ports, grace) == ["Approval needed", "Approved"]


def test_a_link_that_was_mailed_survives_hours_without_sns(ports: StagedPorts) -> None:
    """A reminder that can't be sent, however often, costs nobody the link that they have."""
    approval_id = asked(ports)
    first = approves(ports, CAST[0])
    workflow.operate(ports, approval_id, Remind(), MARY, "api")
    ports.stage.faulty = {"notifier.send"}
    hours(ports, 6)
    first()
    assert len(ports.callbacks.answers) == 1


def test_who_comes_between_and_hears_a_fault_troubles_nobody_else(ports: StagedPorts) -> None:
    """Somebody gives more time while Ada's mail is written down, and hears no answer: one mail."""

    def extends_unheard() -> None:
        ports.stage.unheard = {"store.replace"}
        try:
            workflow.operate(ports, approval_id, Extend(expires_in=86_400), MARY, "api")
        finally:
            ports.stage.unheard = set()

    approval_id = links.approval_id(TOKEN)
    before_effect(ports, 2, extends_unheard)  # after Ada's mail was sent, before it is recorded
    assert asked(ports) == approval_id
    hours(ports, 1)
    assert subjects(ports, CAST[0]) == ["Approval needed"]
    assert ports.stage.disturbances == 0


def test_no_verb_makes_the_record_grow_without_end(ports: StagedPorts) -> None:
    """Each of them 210 times: 200 events at the most, and the first and the last are kept."""
    approval_id = asked(ports, approvers=CAST, approvalsNeeded=2)
    for number in range(210):
        for operation in (Remind(), Extend(expires_in=86_400)):
            workflow.operate(ports, approval_id, operation, MARY, "api")
        if number % 10 == 0:
            ports.later(minutes=2)
            tick(ports)
    workflow.operate(ports, approval_id, Cancel(), MARY, "api")
    whats = [event.what for event in workflow.find(ports, approval_id).events]
    assert len(whats) <= EVENTS
    assert (whats[0], whats[-2:]) == ("requested", ["cancelled", "resumed"])


def test_the_largest_approval_that_people_can_make_can_be_stored() -> None:
    """Everything in it at its longest, it stays under DynamoDB's limit, so it can be closed."""
    ports = FakePorts()
    domain = ".".join(["d" * 62] * 3)
    ports.approver_domains = (domain,)
    crowd = [f"{n:02}{'x' * 62}@{domain}" for n in range(50)]
    text = '"' * 1_999
    approval_id = asked(
        ports,
        subject='"' * 200,
        details='"' * 8_190,
        approvers=crowd[:1],
        requestedBy=crowd[0],
        allowSelfApproval=True,
        codeRequired=True,
        escalation={"after": 31_536_000, "approvers": crowd[1:]},
        expiresIn=31_536_000,
    )
    for one, other in pairwise(crowd):
        reassign = Reassign(from_=one, to=other, note=text)
        workflow.operate(ports, approval_id, reassign, one, "api")
    for _ in range(EVENTS):
        workflow.operate(ports, approval_id, Remind(), crowd[0], "api")
    workflow.operate(ports, approval_id, Cancel(reason=text), crowd[0], "api")
    approval = workflow.find(ports, approval_id)
    kept = tuple(links.digest(str(n)) for n in range(LINKS_KEPT))
    reminded = msgspec.structs.replace(
        approval,
        approvers=tuple(
            msgspec.structs.replace(person, link_hashes=kept, code_hashes=kept)
            for person in approval.approvers
        ),
    )
    size = len(msgspec.json.encode(reminded))
    assert size < MOST_BYTES - 4_096, f"{size} bytes; keys and indexes need some too"
