"""Optimistic locking: after a version conflict the newer version is tried, and no write is lost."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from chalicelib.application import bulk_deciding, deciding
from chalicelib.application.saving import MOST_CONFLICTS, save, versions
from chalicelib.domain.commands import Remind
from chalicelib.domain.errors import NotFound, Unavailable, WrongCode
from tests.builders import request_approval
from tests.fakes import FakePorts
from tests.unit.steps import (
    ADA,
    GRACE,
    MARY,
    contend,
    decide,
    events,
    mailed_code,
    operate,
    run_tick,
    stored,
)


def test_an_unchanged_approval_is_not_written(ports: FakePorts) -> None:
    approval = stored(ports, request_approval(ports))
    before = ports.snapshot()
    assert save(ports, approval, replace(approval, reminders=0)) is approval
    assert ports.snapshot() == before


def test_each_write_gets_the_next_version(ports: FakePorts) -> None:
    approval = stored(ports, request_approval(ports))
    saved = save(ports, approval, replace(approval, reminders=1))
    assert saved == stored(ports, approval.id)
    assert saved is not None
    assert saved.version == approval.version + 1


def test_a_write_of_an_old_version_is_refused(ports: FakePorts) -> None:
    """What another process wrote meanwhile stays."""
    old = stored(ports, request_approval(ports))
    newer = save(ports, old, replace(old, reminders=1))
    assert save(ports, old, replace(old, reminders=9)) is None
    assert stored(ports, old.id) == newer


@pytest.mark.parametrize("conflicts", [1, 3, MOST_CONFLICTS - 1])
def test_after_version_conflicts_a_decision_keeps_both_writes(
    ports: FakePorts, conflicts: int
) -> None:
    """The transition is applied to the newer version; the task is resumed once."""
    approval_id = request_approval(ports)
    contend(ports, conflicts)
    decide(ports)
    approval = stored(ports, approval_id)
    assert (approval.outcome, approval.reminders) == ("approved", conflicts)
    assert len(ports.executions.answers) == 1


def cancel_by_link(ports: FakePorts) -> None:
    deciding.cancel(ports, ports.token_mailed_to(MARY, "cancel"), "", "page")


def reassign_by_link(ports: FakePorts) -> None:
    token, code = ports.token_mailed_to(ADA), mailed_code(ports)
    deciding.reassign(ports, token, GRACE, note="", via="page", code=code)


def reassign_with_a_wrong_code(ports: FakePorts) -> None:
    with pytest.raises(WrongCode):
        deciding.reassign(
            ports, ports.token_mailed_to(ADA), GRACE, note="", via="page", code="000000"
        )


def decide_with_a_wrong_code(ports: FakePorts) -> None:
    with pytest.raises(WrongCode):
        decide(ports, code="000000")


def remind(ports: FakePorts) -> None:
    (approval,) = ports.store._all()
    operate(ports, approval.id, Remind())


CHANGES: dict[str, tuple[Callable[[FakePorts], None], str]] = {
    "cancelling by link": (cancel_by_link, "cancelled"),
    "reassigning by link": (reassign_by_link, "reassigned"),
    "a wrong code when reassigning": (reassign_with_a_wrong_code, "wrongCode"),
    "a wrong code when deciding": (decide_with_a_wrong_code, "wrongCode"),
    "an operator's command": (remind, "reminded"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_version_conflict_loses_no_change(ports: FakePorts, change: str) -> None:
    """Neither this one nor the other process's."""
    approval_id = request_approval(ports, requestedBy=MARY, codeRequired=True)
    run_tick(ports)
    contend(ports, 2)
    apply, event = CHANGES[change]
    apply(ports)
    assert stored(ports, approval_id).reminders == 2
    assert len(events(ports, approval_id, event)) == 1


@pytest.mark.parametrize("change", CHANGES)
def test_after_too_many_version_conflicts_a_change_gives_up(ports: FakePorts, change: str) -> None:
    """With an error that says that trying again may help; nothing of it is written."""
    approval_id = request_approval(ports, requestedBy=MARY, codeRequired=True)
    run_tick(ports)
    contend(ports, 10 * MOST_CONFLICTS)
    apply, event = CHANGES[change]
    with pytest.raises(Unavailable, match="try again"):
        apply(ports)
    assert events(ports, approval_id, event) == []
    assert ports.executions.answers == []


def test_after_too_many_version_conflicts_a_decision_gives_up(ports: FakePorts) -> None:
    """From the inbox it is reported as unknown."""
    approval_id = request_approval(ports)
    selected = bulk_deciding.select(ports, ports.token_mailed_to(ADA, "inbox"), [approval_id])
    contend(ports, 10 * MOST_CONFLICTS)
    with pytest.raises(Unavailable, match="try again"):
        decide(ports)
    (result,) = bulk_deciding.decide_all(ports, selected, "approve", "")
    assert isinstance(result.error, Unavailable)
    assert stored(ports, approval_id).approver(ADA).decision is None
    assert ports.executions.answers == []


def test_a_version_conflict_loses_no_decision_from_the_inbox(ports: FakePorts) -> None:
    approval_id = request_approval(ports)
    selected = bulk_deciding.select(ports, ports.token_mailed_to(ADA, "inbox"), [approval_id])
    contend(ports, 2)
    (result,) = bulk_deciding.decide_all(ports, selected, "approve", "")
    assert (result.error, result.approval.outcome) == (None, "approved")
    assert stored(ports, approval_id).reminders == 2


def test_a_missing_approval_has_no_versions(ports: FakePorts) -> None:
    with pytest.raises(NotFound):
        next(versions(ports, "a" * 26))


def test_versions_begin_with_the_one_in_hand(ports: FakePorts) -> None:
    """It costs no read; only the next one, after a conflict, does."""
    read = stored(ports, request_approval(ports))
    newer = save(ports, read, replace(read, reminders=1))
    found = versions(ports, read.id, read=read)
    assert next(found) is read
    assert next(found) == newer
