"""Optimistic locking: after a version conflict the newer version is tried, and no write is lost."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from chalicelib.application.saving import MOST_CONFLICTS, save, versions
from chalicelib.domain.commands import Remind
from chalicelib.domain.errors import NotFound, Unavailable
from tests.builders import request_approval
from tests.fakes import FakePorts
from tests.unit.steps import ADA, contend, decide, operate, stored


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


@pytest.mark.parametrize("conflicts", [1, 3, MOST_CONFLICTS - 2])
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


def test_after_too_many_version_conflicts_a_change_gives_up(ports: FakePorts) -> None:
    """With an error that says that trying again may help."""
    approval_id = request_approval(ports)
    contend(ports, 10 * MOST_CONFLICTS)
    changes: list[Callable[[], object]] = [
        lambda: decide(ports),
        lambda: operate(ports, approval_id, Remind()),
    ]
    for change in changes:
        with pytest.raises(Unavailable, match="try again"):
            change()
    assert stored(ports, approval_id).approver(ADA).decision is None
    assert ports.executions.answers == []


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
