"""A delegation holds at every way in: escalating, reassigning by link and by an operator.

test_asking.py has the first one: a new request.
"""

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.application import approvers, deciding
from chalicelib.domain.approval import Approval
from chalicelib.domain.commands import Reassign
from tests.builders import request_approval
from tests.fakes import FakePorts, FakeStore
from tests.unit.steps import (
    ADA,
    GRACE,
    LINUS,
    MARY,
    decide,
    events,
    operate,
    pass_minutes,
    run_tick,
    stored,
    subjects,
)

PRINCIPAL = "arn:aws:iam::111122223333:user/mary"
PERIOD = {"from": "2026-11-22T09:00:00Z", "until": "2026-11-29T09:00:00Z"}


def delegate(ports: FakePorts, absent: str, to: str) -> None:
    """Store that this person decides for the absent one, and have the two told."""
    approvers.delegate(ports, absent, {"delegate": to, "by": MARY} | PERIOD, PRINCIPAL)
    run_tick(ports)
    ports.mailer.sent.clear()


def escalate(ports: FakePorts, approval_id: str) -> Approval:
    """Let the time of the escalation come."""
    pass_minutes(ports, 10)
    return stored(ports, approval_id)


def reassign_by_link(ports: FakePorts, approval_id: str) -> Approval:
    """Have Ada ask Linus by her own link."""
    deciding.reassign(ports, ports.token_mailed_to(ADA), LINUS, note="", via="page")
    run_tick(ports)
    return stored(ports, approval_id)


def reassign_by_operator(ports: FakePorts, approval_id: str) -> Approval:
    """Have an operator ask Linus instead of Ada."""
    operate(ports, approval_id, Reassign(from_=ADA, to=LINUS))
    run_tick(ports)
    return stored(ports, approval_id)


Way = Callable[[FakePorts, str], Approval]
each_way = pytest.mark.parametrize("way", [escalate, reassign_by_link, reassign_by_operator])


def request(ports: FakePorts, way: Way, **fields: Any) -> str:
    """Request Ada's approval; by escalation Linus is asked too."""
    escalation = {"escalation": {"after": 600, "approvers": [LINUS]}} if way is escalate else {}
    return request_approval(ports, **{"approvers": [ADA], **escalation, **fields})


@each_way
def test_the_delegate_of_an_absent_person_is_asked_in_their_place(
    ports: FakePorts, way: Way
) -> None:
    """Their decision counts, the mail says for whom, and the record too."""
    delegate(ports, LINUS, GRACE)
    approval_id = request(ports, way)
    approval = way(ports, approval_id)
    assert approval.approver(GRACE).stands_in_for == LINUS
    assert (subjects(ports, LINUS), len(subjects(ports, GRACE))) == ([], 1)
    text = " ".join(ports.mailer.sent[-1][1].text.split())
    assert f"for {LINUS}, who is away" in text
    (event,) = events(ports, approval_id, "delegated")
    assert (event.who, event.note) == (MARY, f"{LINUS} -> {GRACE}")
    assert event.principal == PRINCIPAL
    assert decide(ports, GRACE).outcome == "approved"


@each_way
@pytest.mark.parametrize(
    "fields",
    [{"approvers": [ADA, GRACE]}, {"requestedBy": GRACE}, {"requestedBy": GRACE.upper()}],
    ids=["asked already", "the requester", "the requester in capitals"],
)
def test_the_absent_person_is_asked_if_their_delegate_can_not_be(
    ports: FakePorts, way: Way, fields: dict[str, Any]
) -> None:
    """Nobody is asked twice, and nobody decides on their own request by a delegation."""
    delegate(ports, LINUS, GRACE)
    approval = way(ports, request(ports, way, **fields))
    assert approval.approver(LINUS).stands_in_for is None
    assert len(subjects(ports, LINUS)) == 1
    assert not [a for a in approval.approvers if a.stands_in_for]


@each_way
def test_a_delegation_that_is_over_changes_nothing(ports: FakePorts, way: Way) -> None:
    """What counts is the time at which the person is asked."""
    delegate(ports, LINUS, GRACE)
    ports.later(days=7)
    approval = way(ports, request(ports, way))
    assert GRACE not in [approver.address for approver in approval.approvers]
    assert len(subjects(ports, LINUS)) == 1


def test_reassigning_again_while_the_person_is_absent_changes_nothing(ports: FakePorts) -> None:
    """Also after the delegation has ended: the same command has the same answer."""
    delegate(ports, LINUS, GRACE)
    approval_id = request_approval(ports, approvers=[ADA, MARY], approvalsNeeded=2)
    once = operate(ports, approval_id, Reassign(from_=ADA, to=LINUS))
    assert operate(ports, approval_id, Reassign(from_=ADA, to=LINUS)) == once
    ports.store._delegations.clear()
    assert operate(ports, approval_id, Reassign(from_=ADA, to=LINUS)) == once


def test_pressing_reassign_again_while_the_person_is_absent_changes_nothing(
    ports: FakePorts,
) -> None:
    """The link's approver is answered as the first time, with either name."""
    delegate(ports, LINUS, GRACE)
    approval_id = request_approval(ports, approvers=[ADA])
    token = ports.token_mailed_to(ADA)
    once = deciding.reassign(ports, token, LINUS, note="", via="page")
    for to in (LINUS, LINUS.title().replace("Example.Com", "example.com"), GRACE):
        assert deciding.reassign(ports, token, to, note="", via="page") == once
    assert stored(ports, approval_id) == once[0]


class CountingStore(FakeStore):
    """A store that notes whose delegation is read."""

    def __init__(self) -> None:
        super().__init__()
        self.read: list[str] = []

    def delegation(self, address: str) -> Any:
        self.read.append(address)
        return super().delegation(address)


def test_a_tick_reads_delegations_only_when_it_escalates(ports: FakePorts) -> None:
    """One read for each fallback approver, with the tick that asks them."""
    fallback = {"after": 600, "approvers": [LINUS, MARY]}
    request_approval(ports, escalation=fallback, remindEvery=300)
    store = CountingStore()
    store._items = ports.store._items
    ports.store = store
    pass_minutes(ports, 9)
    assert store.read == []
    pass_minutes(ports, 1)
    assert store.read == [LINUS, MARY]
    pass_minutes(ports, 30)
    assert store.read == [LINUS, MARY]
