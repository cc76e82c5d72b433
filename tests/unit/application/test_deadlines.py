"""Reminders, escalation and expiry as the ticks of some hours bring them about."""

from typing import Any

import pytest

from chalicelib.application import deciding
from chalicelib.domain.errors import Expired
from tests.builders import request_approval
from tests.fakes import FakePorts
from tests.unit.steps import (
    ADA,
    GRACE,
    LINUS,
    decide,
    pass_minutes,
    run_tick,
    stored,
    subjects,
)


def test_an_approval_expires_once_and_by_itself(ports: FakePorts) -> None:
    """Its task fails as `Expired` with the first tick after the deadline."""
    approval_id = request_approval(ports, expiresIn=60)
    ports.later(seconds=59)
    run_tick(ports)
    assert ports.executions.answers == []
    ports.later(seconds=1)
    with pytest.raises(Expired):
        decide(ports)
    run_tick(ports)
    run_tick(ports)
    assert [answer.error for answer in ports.executions.answers] == ["Expired"]
    assert ports.executions.refused == []
    assert stored(ports, approval_id).outcome == "expired"


def test_reminders_are_mailed_after_one_two_and_four_intervals(ports: FakePorts) -> None:
    """None after the deadline: the last mail says that the request has expired."""
    request_approval(ports, remindEvery=600, expiresIn=6_000)
    sent = []
    for minute in range(1, 140):
        before = len(ports.mailer.sent)
        pass_minutes(ports, 1)
        sent += [minute] * (len(ports.mailer.sent) - before)
    assert sent == [10, 30, 70, 100]
    assert subjects(ports, ADA)[-2:] == [
        "Reminder, approval needed: Release 4.2",
        "Expired: Release 4.2",
    ]


def test_only_undecided_approvers_are_reminded(ports: FakePorts) -> None:
    """The link of the first mail decides as well as the reminder's."""
    request_approval(ports, approvers=[ADA, GRACE], approvalsNeeded=2, remindEvery=600)
    first = ports.token_mailed_to(GRACE)
    decide(ports, ADA)
    pass_minutes(ports, 10)
    assert len(subjects(ports, ADA)) == 1
    assert subjects(ports, GRACE)[1:] == ["Reminder, approval needed: Release 4.2"]
    assert "1 approval" in ports.mailer.sent[-1][1].text
    assert ports.token_mailed_to(GRACE) != first
    deciding.decide(ports, first, "approve", reason="", via="page")
    assert len(ports.executions.answers) == 1


def test_nobody_is_reminded_after_the_outcome(ports: FakePorts) -> None:
    request_approval(ports, approvers=[ADA, GRACE], remindEvery=300)
    decide(ports, ADA)
    pass_minutes(ports, 60)
    assert subjects(ports, ADA) == ["Approval needed: Release 4.2"]
    assert subjects(ports, GRACE) == ["Approval needed: Release 4.2", "Approved: Release 4.2"]


def test_fallback_approvers_are_asked_in_time_and_count_like_the_others(ports: FakePorts) -> None:
    fallback: dict[str, Any] = {"after": 600, "approvers": [LINUS]}
    approval_id = request_approval(
        ports, approvers=[ADA, GRACE], approvalsNeeded="all", escalation=fallback
    )
    pass_minutes(ports, 9)
    assert subjects(ports, LINUS) == []
    pass_minutes(ports, 1)
    assert "Nobody has decided within 10 minutes, so you are asked too: " in " ".join(
        ports.mailer.sent[-1][1].text.split()
    )
    decide(ports, ADA)
    decide(ports, LINUS)
    assert stored(ports, approval_id).outcome == "approved"
    assert len(ports.executions.answers) == 1
