"""People who are away: who is asked instead, and what can't be written."""

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.application import approvers, deciding, operating
from chalicelib.domain import errors
from chalicelib.presentation import serializers
from tests.builders import asked
from tests.fakes import START, FakePorts
from tests.unit.application.test_operating import mails

ADA, GRACE, LINUS, MARY = (f"{name}@example.com" for name in ("ada", "grace", "linus", "mary"))


@pytest.fixture
def ports() -> FakePorts:
    return FakePorts()


def away(ports: FakePorts, who: str, delegate: str, first: int = 0, last: int = 7) -> None:
    """Write that somebody is away from one day to another, counted from now."""
    approvers.delegate(ports, who, delegation(delegate, first, last))


def delegation(delegate: str, first: int = 0, last: int = 7) -> dict[str, Any]:
    days = [(START + timedelta(days=day)).isoformat() for day in (first, last)]
    return {"delegate": delegate, "from": days[0], "until": days[1]}


def test_the_delegate_is_asked_and_told_for_whom(ports: FakePorts) -> None:
    """Their answer counts, the record says why it was they."""
    away(ports, ADA, GRACE)
    approval_id = asked(ports, approvers=[ADA, LINUS], approvalsNeeded=2)
    assert mails(ports, ADA) == []
    assert f"{GRACE}, you are asked for {ADA}, who is away" in ports.mailer.sent[0][1].text
    for person in (GRACE, LINUS):
        deciding.decide(ports, ports.token_mailed_to(person), "approve", reason="", via="page")
    approval = operating.find_approval(ports, approval_id)
    assert approval.outcome == "approved"
    (event,) = [e for e in approval.events if e.what == "delegated"]
    assert (event.who, event.note) == (ADA, f"{ADA} -> {GRACE}")
    assert serializers.operator_view(approval)["approvers"][0]["standsInFor"] == ADA


@pytest.mark.parametrize("days", [(1, 7), (-7, 0)])
def test_before_and_after_they_are_asked_themselves(
    ports: FakePorts, days: tuple[int, int]
) -> None:
    """From its first second to before its last."""
    ports.time = START - timedelta(days=8)
    away(ports, ADA, GRACE, *days)
    ports.time = START
    asked(ports)
    assert len(mails(ports, ADA)) == 1
    assert mails(ports, GRACE) == []


def test_a_delegate_who_is_away_has_one_too(ports: FakePorts) -> None:
    """Three steps are followed."""
    away(ports, LINUS, MARY)
    away(ports, GRACE, LINUS)
    away(ports, ADA, GRACE)
    asked(ports)
    assert len(mails(ports, MARY)) == 1


def test_a_chain_is_three_steps_long_at_the_most(ports: FakePorts) -> None:
    """A fourth is refused where it is written; so is one that leads back."""
    away(ports, MARY, "zoe@example.com")
    away(ports, LINUS, MARY)
    away(ports, GRACE, LINUS)
    with pytest.raises(errors.InvalidRequest, match="more than 3 steps"):
        away(ports, ADA, GRACE)
    with pytest.raises(errors.InvalidRequest, match="leads back"):
        away(ports, "zoe@example.com", LINUS)
    with pytest.raises(errors.InvalidRequest, match="leads back"):
        away(ports, ADA, "ADA@example.com")


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"delegate": "grace@elsewhere.example"}, "delegate"),
        ({"delegate": "no address"}, "delegate"),
        ({"until": "2026-11-21T00:00:00Z"}, "until"),
        ({"until": "2026-11-21T00:00:00"}, "until"),
        ({"from": "soon"}, "from"),
        ({"from": 7}, "from"),
        ({"why": "ill"}, "why"),
    ],
)
def test_what_makes_no_sense_is_refused_by_field(
    ports: FakePorts, fields: dict[str, Any], field: str
) -> None:
    """Nothing is written."""
    with pytest.raises(errors.InvalidRequest) as refused:
        approvers.delegate(ports, ADA, delegation(GRACE) | fields)
    assert refused.value.field == field
    assert ports.effects.done == []


def test_who_is_asked_anyway_stands_in_for_nobody(ports: FakePorts) -> None:
    """The quorum stays reachable, and nobody approves their own request by delegation."""
    away(ports, ADA, GRACE)
    asked(ports, approvers=[ADA, GRACE], approvalsNeeded=2)
    asked(ports, "another-token", requestedBy=GRACE)
    assert len(mails(ports, ADA)) == 2
    assert len(mails(ports, GRACE)) == 1


def test_how_an_approver_is_reached_shows_their_absence(ports: FakePorts) -> None:
    """Until it is over."""
    away(ports, ADA, GRACE)
    assert approvers.find_approver(ports, ADA)["absence"]["delegate"] == GRACE
    ports.later(days=7)
    assert "absence" not in approvers.find_approver(ports, ADA)
