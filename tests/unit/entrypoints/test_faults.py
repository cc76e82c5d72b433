"""AWS away in each step of a decision: 503, or a receipt whose promise a later tick keeps."""

import pytest

from chalicelib.application.ports import Subscription
from chalicelib.domain import link_tokens
from chalicelib.domain.approval import Approval
from chalicelib.domain.errors import Unavailable
from tests.builders import asked, people
from tests.fakes import TOKEN, FakeExecutions, FakeMailer, FakeStore
from tests.unit.entrypoints.client import BROWSER, JSON, DoorPorts, Doors, one_asked
from tests.unit.entrypoints.functions import tick


class Unreadable(FakeStore):
    """A store that can't be read while `away`."""

    away = True

    def get(self, approval_id: str) -> Approval | None:
        if self.away:
            raise Unavailable("DynamoDB answered ThrottlingException; please try again")
        return super().get(approval_id)


class WritesOnce(FakeStore):
    """A store that takes one replacement and is away for the next ones."""

    left = 1

    def replace(self, read: Approval, changed: Approval) -> Approval | None:
        if self.left == 0:
            raise Unavailable("DynamoDB answered ThrottlingException; please try again")
        self.left -= 1
        return super().replace(read, changed)


def stored(ports: DoorPorts) -> Approval:
    """Return the approval as it is."""
    found = ports.store.get(link_tokens.approval_id(TOKEN))
    assert found is not None
    return found


@pytest.mark.parametrize("accept", [BROWSER, JSON])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_store_that_cannot_be_read_is_503(
    doors: Doors, ports: DoorPorts, method: str, accept: str
) -> None:
    """With Retry-After and a reference; afterwards the same link works."""
    token = one_asked(ports)
    unreadable = Unreadable(ports.effects)
    unreadable._items = ports.store._items
    ports.store = unreadable
    before = ports.world()
    answer = doors.ask(method, f"/approve/{token}", b"{}", JSON, accept)
    assert (answer.status, answer.is_page) == (503, accept == BROWSER)
    assert int(answer.headers["retry-after"]) > 0
    assert "reference" in answer.text
    assert ports.world() == before
    unreadable.away = False
    assert doors.form(f"/approve/{token}").status == 200


@pytest.mark.parametrize("accept", [BROWSER, JSON])
def test_a_decision_that_cannot_be_written_is_503_and_undecided(
    doors: Doors, ports: DoorPorts, accept: str
) -> None:
    """Nothing was recorded, so nothing is resumed; pressing again later decides."""
    token = one_asked(ports)
    before = ports.world()
    ports.effects.faulty = {"store.replace"}
    answer = doors.form(f"/reject/{token}", accept, reason="r")
    assert (answer.status, answer.is_page) == (503, accept == BROWSER)
    assert int(answer.headers["retry-after"]) > 0
    assert ports.world() == before
    ports.effects.faulty = set()
    assert doors.form(f"/reject/{token}", accept, reason="r").status == 200
    assert [a.error for a in ports.executions.answers] == ["Rejected"]


@pytest.mark.parametrize("choice", ["approve", "reject"])
def test_a_task_that_cannot_be_answered_now_is_told_later(
    doors: Doors, ports: DoorPorts, choice: str
) -> None:
    """The receipt says so, the decision stands, and the tick tells the workflow once."""
    token = one_asked(ports)
    ports.effects.faulty = {"executions.answer"}
    receipt = doors.form(f"/{choice}/{token}", reason="r")
    assert receipt.status == 200
    assert "will be told" in receipt.text
    assert "has been told" not in receipt.text
    assert (stored(ports).closed_at, stored(ports).resumed_at) == (ports.now(), None)
    ports.effects.faulty = set()
    _settled_by_a_tick(doors, ports, token, choice)
    assert ports.executions.refused == []


def test_an_answer_that_cannot_be_recorded_is_given_again_and_refused(
    doors: Doors, ports: DoorPorts
) -> None:
    """The task was told; the tick finds it closed, and the record says both."""
    token = one_asked(ports)
    store = WritesOnce(ports.effects)
    store._items = ports.store._items
    ports.store = store
    assert doors.form(f"/approve/{token}").status == 200
    assert len(ports.executions.answers) == 1
    assert stored(ports).resumed_at is None
    store.left = 10
    _settled_by_a_tick(doors, ports, token, "approve")
    assert len(ports.executions.refused) == 1


def _settled_by_a_tick(doors: Doors, ports: DoorPorts, token: str, choice: str) -> None:
    tick()
    assert stored(ports).resumed_at is None, "who decided may be at it still"
    ports.later(seconds=90)
    tick()
    assert len(ports.executions.answers) == 1
    assert (stored(ports).resumed_at, stored(ports).outbox) == (ports.now(), ())
    again = doors.form(f"/{choice}/{token}", reason="r")
    assert again.status == 200
    assert "will be told" not in again.text


class Buggy(FakeExecutions):
    """Step Functions behind an adapter with a bug."""

    def succeed_task(self, task_token: str, output: str) -> bool:
        raise RuntimeError(task_token, output)


def test_a_bug_after_the_decision_loses_nothing(doors: Doors, ports: DoorPorts) -> None:
    """500, and what was recorded is told by a later tick."""
    token = one_asked(ports)
    working, ports.executions = ports.executions, Buggy(ports.effects)
    assert doors.form(f"/approve/{token}").status == 500
    assert stored(ports).outcome == "approved"
    ports.executions = working
    ports.later(seconds=90)
    tick()
    assert len(ports.executions.answers) == 1


def test_the_votes_of_others_are_kept_while_the_closing_one_fails(
    doors: Doors, ports: DoorPorts
) -> None:
    """Each decision is recorded on its own."""
    asked(ports, approvers=people(2), approvalsNeeded="all")
    first, second = (ports.link(address) for address in people(2))
    doors.form(f"/approve/{first}")
    ports.effects.faulty = {"store.replace"}
    assert doors.form(f"/approve/{second}").status == 503
    ports.effects.faulty = set()
    assert doors.get(f"/approve/{first}", JSON).json["decision"] == "approve"
    assert doors.form(f"/approve/{second}").status == 200
    assert len(ports.executions.answers) == 1


class NoAnswer(FakeMailer):
    """SNS, away."""

    def subscription(self, address: str) -> Subscription:
        raise Unavailable(f"SNS didn't answer; {len(address)} characters were asked for")


@pytest.mark.parametrize("accept", [BROWSER, JSON])
def test_the_operators_routes_answer_503_too(doors: Doors, ports: DoorPorts, accept: str) -> None:
    """Each of them, whatever it needs of AWS."""
    ports.mailer = NoAnswer(ports.effects)
    ports.store = Unreadable(ports.effects)
    ports.effects.faulty = {"executions.start", "mailer.forget"}
    for method, path in (
        ("POST", "/executions"),
        ("GET", "/approvals/" + link_tokens.approval_id("x")),
        ("GET", "/approvers/ada@example.com"),
        ("PUT", "/approvers/ada@example.com"),
        ("DELETE", "/approvers/ada@example.com"),
    ):
        raw = b'{"subject": "x", "approvers": ["ada@example.com"]}' if method == "POST" else b""
        answer = doors.ask(method, path, raw, JSON, accept)
        assert (answer.status, answer.is_page) == (503, accept == BROWSER), path
        assert "retry-after" in answer.headers
