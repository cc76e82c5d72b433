"""Superseding: an execution that asks again closes or marks what it asked before."""

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.application import asking, deciding
from chalicelib.application.superseding import SUPERSEDING_LIMIT
from chalicelib.domain.approval import Approval
from chalicelib.domain.errors import Cancelled, Unavailable
from chalicelib.domain.workflow import SURELY_DEAD
from chalicelib.presentation import serializers
from chalicelib.presentation.audit_report import audit_report
from chalicelib.presentation.pages.decision import decide_page
from chalicelib.presentation.pages.inbox import inbox_page
from tests.builders import request_approval, task_request
from tests.effects import Crash
from tests.fakes import EXECUTION, FakePorts, FakeStore
from tests.unit.steps import (
    ADA,
    MARY,
    contend,
    decide,
    events,
    pass_minutes,
    run_tick,
    stored,
    subjects,
    use_store,
)

FOREIGN = "arn:aws:states:us-east-1:000000000000:execution:orders:one"


def again(ports: FakePorts, execution: str = EXECUTION, **fields: object) -> str:
    """Return the id of a request that the execution makes once an older one is surely dead."""
    ports.time += SURELY_DEAD
    return request_approval(ports, "token-2", execution=execution, **fields)


def test_an_execution_of_ours_that_asks_again_closes_what_it_asked_before(
    ports: FakePorts,
) -> None:
    """Its state machine has one state that asks, so the older task token is dead."""
    older = request_approval(ports, requestedBy=MARY)
    link = ports.token_mailed_to(ADA)
    newer = again(ports)
    closed = stored(ports, older)
    assert (closed.outcome, closed.superseded_by) == ("cancelled", newer)
    assert stored(ports, newer).outcome == "pending"
    (event,) = events(ports, older, "cancelled")
    assert (event.who, event.note) == ("assent", f"its workflow asked again: {newer}")
    with pytest.raises(Cancelled, match="answer the newer mail, or use your inbox"):
        deciding.decide(ports, link, "approve", reason="", via="page")
    ports.executions.closed = True
    run_tick(ports)
    assert subjects(ports, ADA)[-1] == "Asked again: Release 4.2"
    text = " ".join(ports.mailer.sent[-1][1].text.split())
    assert "because its workflow asked again" in text
    (announced,) = ports.event_bus.announced
    assert announced["detail"]["supersededBy"] == newer
    assert serializers.operator_view(closed)["supersededBy"] == newer


def test_requests_that_say_so_supersede_each_other_in_any_state_machine(ports: FakePorts) -> None:
    """`supersedes`: this workflow asks once at a time."""
    older = request_approval(ports, execution=FOREIGN, supersedes=True)
    newer = again(ports, FOREIGN, subject="Another question", supersedes=True)
    assert stored(ports, older).superseded_by == newer


def test_a_request_without_it_is_closed_by_none_that_has_it(ports: FakePorts) -> None:
    """It may be a parallel branch's, which never said that the workflow asks once at a time."""
    same = request_approval(ports, execution=FOREIGN)
    other = request_approval(ports, "other", execution=FOREIGN, subject="Another question")
    before = stored(ports, other)
    again(ports, FOREIGN, supersedes=True)
    approval = stored(ports, same)
    assert (approval.outcome, approval.asked_again_at) == ("pending", ports.time)
    assert stored(ports, other) == before


@pytest.mark.parametrize(
    ("execution", "fields"),
    [(EXECUTION, {}), (FOREIGN, {"supersedes": True})],
    ids=["an execution of ours", "requests that say `supersedes`"],
)
def test_a_younger_request_is_marked_and_closed_by_a_later_one(
    ports: FakePorts, execution: str, fields: dict[str, Any]
) -> None:
    """An invocation that was given up may start after its retry: either of the two may wait."""
    first = request_approval(ports, "token-0", execution=execution, **fields)
    ports.time += SURELY_DEAD - timedelta(seconds=1)
    second = request_approval(ports, "token-1", execution=execution, subject="Again?", **fields)
    approval = stored(ports, first)
    assert (approval.outcome, approval.asked_again_at) == ("pending", ports.time)
    third = again(ports, execution, **fields)
    assert [stored(ports, one).superseded_by for one in (first, second)] == [third, third]
    assert stored(ports, third).outcome == "pending"


def test_a_call_that_comes_after_its_own_retry_leaves_the_living_request_pending(
    ports: FakePorts,
) -> None:
    """Seconds late; the order of calls isn't the order in which the tokens were given out."""
    living = request_approval(ports, "token-of-the-retry", execution=EXECUTION)
    ports.later(seconds=8)
    request_approval(ports, "token-given-up", execution=EXECUTION)
    pass_minutes(ports, 2)
    assert stored(ports, living).outcome == "pending"
    assert ports.executions.answers == []


def test_without_it_the_older_request_is_marked_and_stays_open(ports: FakePorts) -> None:
    """Parallel branches may ask the same, so its token may be alive; pages and reports say it."""
    older = request_approval(ports, execution=FOREIGN)
    again(ports, FOREIGN)
    approval = stored(ports, older)
    assert (approval.outcome, approval.asked_again_at) == ("pending", ports.time)
    said = "he workflow asked again on 22 Nov 2026, 09:05 UTC"
    page = decide_page(approval, approval.approvers[0], "approve", token="x.y", now=ports.now())
    assert said in page.html()
    assert said in inbox_page(ADA, [approval], after="", now=ports.now()).html()
    assert said in audit_report(approval)
    assert serializers.operator_view(approval)["askedAgainAt"] == "2026-11-22T09:05:00Z"
    assert decide(ports).outcome == "approved"


def test_an_approval_is_marked_once(ports: FakePorts) -> None:
    """A workflow that asks the same of many makes one write for each of them."""
    older = request_approval(ports, execution=FOREIGN)
    again(ports, FOREIGN)
    first = stored(ports, older)
    ports.later(minutes=1)
    request_approval(ports, "token-3", execution=FOREIGN)
    assert stored(ports, older) == first


@pytest.mark.parametrize("execution", [FOREIGN, EXECUTION[:-1] + "x"])
def test_what_another_execution_asked_is_left_alone(ports: FakePorts, execution: str) -> None:
    older = request_approval(ports)
    before = stored(ports, older)
    again(ports, execution, supersedes=True)
    assert stored(ports, older) == before


def test_another_question_of_a_foreign_execution_is_no_newer_request(ports: FakePorts) -> None:
    """A workflow may ask several questions at once."""
    older = request_approval(ports, execution=FOREIGN)
    before = stored(ports, older)
    again(ports, FOREIGN, subject="Another question")
    assert stored(ports, older) == before


def test_a_request_by_queue_supersedes_nothing(ports: FakePorts) -> None:
    """SQS may deliver an older request last."""
    older = request_approval(ports)
    before = stored(ports, older)
    ports.later(hours=1)
    sent = task_request("token-2", execution=EXECUTION)
    assert asking.request_approval(ports, sent, "queue") is not None
    assert stored(ports, older) == before


@pytest.mark.parametrize("via", ["queue", "topic"])
def test_a_request_by_queue_that_would_supersede_is_refused(ports: FakePorts, via: str) -> None:
    """Its task fails as `InvalidRequest`, which names the field."""
    sent = task_request(supersedes=True)
    assert asking.request_approval(ports, sent, via) is None  # type: ignore[arg-type]  # a channel
    (answer,) = ports.executions.answers
    assert answer.error == "InvalidRequest"
    assert '"field":"supersedes"' in (answer.cause or "")
    assert ports.effects.done == ["executions.answer"]


def test_the_same_request_again_closes_nothing(ports: FakePorts) -> None:
    """A request that is delivered twice must not close the one that came after it."""
    request_approval(ports, "token-1", execution=EXECUTION)
    newer = again(ports)
    before = stored(ports, newer)
    ports.later(hours=1)
    request_approval(ports, "token-1", execution=EXECUTION)
    assert stored(ports, newer) == before


class Dying(FakeStore):
    """A store whose process dies just after an approval was created."""

    def create(self, approval: Approval) -> bool:
        super().create(approval)
        raise Crash


def test_the_same_request_again_supersedes_if_the_first_call_died_before_that(
    ports: FakePorts,
) -> None:
    """By the age of the stored approval: what came after it is left alone."""
    older = request_approval(ports)
    living = ports.store
    use_store(ports, Dying(ports.effects))
    with pytest.raises(Crash):
        again(ports)
    use_store(ports, living)
    assert stored(ports, older).outcome == "pending"
    ports.later(hours=1)
    newer = request_approval(ports, "token-2", execution=EXECUTION)
    assert stored(ports, older).superseded_by == newer
    assert stored(ports, newer).outcome == "pending"


class WithNewerRequest(FakeStore):
    """A store in which a retry stores its approval while the first try is still running."""

    ports: FakePorts
    newer = ""

    def of_execution(self, execution_arn: str) -> list[Approval]:
        if not self.newer:
            self.newer = "begun"
            self.ports.later(seconds=2)
            self.newer = request_approval(self.ports, "token-2", execution=EXECUTION)
            self.ports.time += SURELY_DEAD
        return super().of_execution(execution_arn)


def test_a_slow_try_does_not_close_what_its_own_retry_asked(ports: FakePorts) -> None:
    """Its own approval has the time before that, however long it takes."""
    store = use_store(ports, WithNewerRequest(ports.effects))
    store.ports = ports
    slow = request_approval(ports)
    assert stored(ports, store.newer).outcome == "pending"
    assert stored(ports, slow).outcome == "pending"


def test_of_two_requests_in_one_second_neither_supersedes_the_other(ports: FakePorts) -> None:
    """Times are whole seconds, so it isn't known which is the older one."""
    first = request_approval(ports)
    second = request_approval(ports, "token-2", execution=EXECUTION)
    found = [stored(ports, one) for one in (first, second)]
    assert [(one.outcome, one.asked_again_at) for one in found] == [("pending", None)] * 2


def test_a_closed_approval_stays_as_it_is(ports: FakePorts) -> None:
    """A workflow that asks in a loop has its answers."""
    older = request_approval(ports)
    decide(ports)
    before = stored(ports, older)
    again(ports)
    assert stored(ports, older) == before


def test_a_decision_that_comes_first_counts(ports: FakePorts) -> None:
    """The older approval is judged again by the version that was written meanwhile."""
    older = request_approval(ports)
    contend(ports, 2)
    newer = again(ports)
    assert stored(ports, older).superseded_by == newer
    assert stored(ports, older).reminders == 2


def test_once_the_new_approval_is_stored_a_fault_is_logged_and_not_raised(
    ports: FakePorts,
) -> None:
    """A retry by the state machine would ask people again."""
    older = request_approval(ports)
    ports.effects.faulty = {"store.replace"}
    newer = again(ports)
    ports.effects.faulty = set()
    assert stored(ports, newer).outcome == stored(ports, older).outcome == "pending"
    (line,) = [line for line in ports.logged if line["event"] == "superseding_failed"]
    assert line["approvalId"] == older


class Slow(FakeStore):
    """A store in which each write of an approval takes 14 seconds, and then fails."""

    ports: FakePorts

    def replace(self, _: Approval, __: Approval) -> Approval | None:
        self.ports.later(seconds=14)
        raise Unavailable("DynamoDB didn't answer (ReadTimeoutError); please try again")


def test_superseding_begins_no_write_once_its_time_is_over(ports: FakePorts) -> None:
    """The rest is logged and left to the end of the execution; the call ends in time."""
    tokens = [f"old-{n}" for n in range(6)]
    ids = [request_approval(ports, one, execution=FOREIGN, supersedes=True) for one in tokens]
    use_store(ports, Slow(ports.effects)).ports = ports
    began = ports.time + SURELY_DEAD
    newer = again(ports, FOREIGN, supersedes=True)
    assert ports.time - began <= SUPERSEDING_LIMIT + timedelta(seconds=28)
    lines = [line for line in ports.logged if line["event"] == "superseding_failed"]
    assert {line["approvalId"] for line in lines} == set(ids)
    assert [line["why"] for line in lines[1:]] == ["no time was left for it"] * 5
    assert stored(ports, newer).outcome == "pending"


class NoIndex(FakeStore):
    """A store whose indexes aren't available."""

    def of_execution(self, _: str) -> list[Approval]:
        raise Unavailable("DynamoDB answered ThrottlingException; please try again")


@pytest.mark.parametrize(
    ("execution", "fields"),
    [(EXECUTION, {}), (FOREIGN, {}), (FOREIGN, {"supersedes": True})],
    ids=["ours", "another", "another that supersedes"],
)
def test_an_index_that_can_not_be_read_holds_up_no_request(
    ports: FakePorts, execution: str, fields: dict[str, Any]
) -> None:
    """It is logged under the new approval; the older one ends with its execution."""
    older = request_approval(ports, execution=execution, **fields)
    store = ports.store
    use_store(ports, NoIndex(ports.effects))
    newer = again(ports, execution, **fields)
    (line,) = [line for line in ports.logged if line["event"] == "superseding_failed"]
    assert (line["approvalId"], "Throttling" in str(line["why"])) == (newer, True)
    use_store(ports, store)
    assert stored(ports, newer).outcome == stored(ports, older).outcome == "pending"
    assert subjects(ports, ADA) == ["Approval needed: Release 4.2"] * 2
