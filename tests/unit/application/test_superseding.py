"""Superseding: an execution that asks again closes or marks what it asked before."""

import pytest

from chalicelib.application import asking, deciding
from chalicelib.domain.approval import Approval
from chalicelib.domain.errors import Cancelled, Unavailable
from chalicelib.presentation import serializers
from chalicelib.presentation.audit_report import audit_report
from chalicelib.presentation.pages.decision import decide_page
from chalicelib.presentation.pages.inbox import inbox_page
from tests.builders import request_approval, task_request
from tests.fakes import EXECUTION, FakePorts, FakeStore
from tests.unit.steps import (
    ADA,
    MARY,
    contend,
    decide,
    events,
    run_tick,
    stored,
    subjects,
    use_store,
)

FOREIGN = "arn:aws:states:us-east-1:000000000000:execution:orders:one"


def again(ports: FakePorts, execution: str = EXECUTION, **fields: object) -> str:
    """Return the id of a request that the execution makes a minute later."""
    ports.later(minutes=1)
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
    with pytest.raises(Cancelled):
        deciding.decide(ports, link, "approve", reason="", via="page")
    ports.executions.closed = True
    run_tick(ports)
    assert subjects(ports, ADA)[-1] == "Cancelled: Release 4.2"
    text = " ".join(ports.mailer.sent[-1][1].text.split())
    assert "because its workflow asked again; the newer request counts" in text
    (announced,) = ports.event_bus.announced
    assert announced["detail"]["supersededBy"] == newer
    assert serializers.operator_view(closed)["supersededBy"] == newer


def test_a_request_that_says_so_supersedes_in_any_state_machine(ports: FakePorts) -> None:
    """`supersedes`: this workflow asks once at a time."""
    older = request_approval(ports, execution=FOREIGN)
    newer = again(ports, FOREIGN, subject="Another question", supersedes=True)
    assert stored(ports, older).superseded_by == newer


def test_without_it_the_older_request_is_marked_and_stays_open(ports: FakePorts) -> None:
    """Parallel branches may ask the same, so its token may be alive; pages and reports say it."""
    older = request_approval(ports, execution=FOREIGN)
    again(ports, FOREIGN)
    approval = stored(ports, older)
    assert (approval.outcome, approval.asked_again_at) == ("pending", ports.time)
    said = "the workflow asked the same on 22 Nov 2026, 09:01 UTC; this may be outdated"
    page = decide_page(approval, approval.approvers[0], "approve", token="x.y", now=ports.now())
    assert said in page
    assert said in inbox_page(ADA, [approval], after="", now=ports.now())
    assert said in audit_report(approval)
    assert serializers.operator_view(approval)["askedAgainAt"] == "2026-11-22T09:01:00Z"
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
    ports.later(minutes=1)
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
    ports.later(minutes=1)
    request_approval(ports, "token-1", execution=EXECUTION)
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
            self.ports.later(seconds=2)
        return super().of_execution(execution_arn)


def test_a_slow_try_does_not_close_what_its_own_retry_asked(ports: FakePorts) -> None:
    """Only approvals from before the call began are older ones."""
    store = use_store(ports, WithNewerRequest(ports.effects))
    store.ports = ports
    slow = request_approval(ports)
    assert stored(ports, store.newer).outcome == "pending"
    assert stored(ports, slow).outcome == "pending"


def test_of_two_requests_in_one_second_neither_supersedes_the_other(ports: FakePorts) -> None:
    """Times are whole seconds, so it isn't known which is the older one."""
    first = request_approval(ports)
    second = request_approval(ports, "token-2", execution=EXECUTION)
    assert {stored(ports, one).outcome for one in (first, second)} == {"pending"}


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


class NoIndex(FakeStore):
    """A store whose indexes aren't available."""

    def of_execution(self, _: str) -> list[Approval]:
        raise Unavailable("DynamoDB answered ThrottlingException; please try again")


def test_an_index_that_can_not_be_read_is_a_fault_before_anything_is_written(
    ports: FakePorts,
) -> None:
    """So the state machine tries again."""
    use_store(ports, NoIndex(ports.effects))
    with pytest.raises(Unavailable):
        request_approval(ports)
    assert ports.effects.done == []
