"""Policies: writing, versions, deleting, and whether mail reaches their people."""

from datetime import timedelta

import pytest

from chalicelib.application import policies
from chalicelib.domain.errors import InvalidRequest, NotFound, Undecidable, VersionConflict
from chalicelib.domain.invitation import Invitation
from chalicelib.domain.policy import PolicyVersion
from tests.fakes import START, FakePorts
from tests.policies import OPERATOR, group, policy_body

NAME = "production-release"
BODY = policy_body()
OTHER = policy_body(rejectionsNeeded=2)


@pytest.fixture
def ports() -> FakePorts:
    return FakePorts()


def write(ports: FakePorts, body: object = BODY, replaces: int | None = None) -> PolicyVersion:
    return policies.write_policy(ports, NAME, body, replaces=replaces, by=OPERATOR)


def test_each_writing_makes_a_version_and_the_old_ones_are_kept(ports: FakePorts) -> None:
    one = write(ports)
    ports.later(minutes=1)
    two = write(ports, OTHER)
    assert (one.version, two.version) == (1, 2)
    assert (two.written_at, two.written_by) == (START + timedelta(minutes=1), OPERATOR)
    assert policies.find_policy(ports, NAME) == two
    assert policies.find_policy(ports, NAME, 1) == one
    assert ports.logged[-1] == {
        "event": "policy_written",
        "policy": NAME,
        "version": 2,
        "principal": OPERATOR,
    }


def test_the_same_policy_again_is_no_new_version(ports: FakePorts) -> None:
    """Sending it twice changes nothing, also with a version that was current before."""
    one = write(ports)
    before = ports.snapshot()
    assert write(ports) == one
    assert write(ports, replaces=0) == one
    assert ports.snapshot() == before


def test_a_dry_run_writes_nothing(ports: FakePorts) -> None:
    """It answers what would be written, and refuses what would be refused."""
    before = ports.snapshot()
    dry = policies.write_policy(ports, NAME, BODY, replaces=None, by=OPERATOR, dry_run=True)
    assert dry.version == 1
    assert ports.snapshot() == before
    with pytest.raises(NotFound):
        policies.find_policy(ports, NAME)


@pytest.mark.parametrize("replaces", [0, 2, 7])
def test_a_writer_who_has_read_another_version_is_refused(ports: FakePorts, replaces: int) -> None:
    write(ports)
    with pytest.raises(VersionConflict, match="written or deleted meanwhile"):
        write(ports, OTHER, replaces)
    assert policies.find_policy(ports, NAME).version == 1


def test_of_two_writers_at_once_one_is_refused(
    ports: FakePorts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also without `replaces`: the second write is conditional on what its writer read."""
    write(ports)
    read = ports.policies.newest(NAME)
    write(ports, OTHER)
    with monkeypatch.context() as patched:
        patched.setattr(ports.policies, "newest", lambda _: read)
        with pytest.raises(VersionConflict):
            write(ports, policy_body(rejectionsNeeded=3))
    assert policies.find_policy(ports, NAME).policy.rejections_needed == 2


def test_a_deleted_policy_is_gone_and_counts_on_when_it_is_written_again(ports: FakePorts) -> None:
    write(ports)
    policies.remove_policy(ports, NAME, replaces=1, by=OPERATOR)
    with pytest.raises(NotFound, match="There is no policy production-release"):
        policies.find_policy(ports, NAME)
    with pytest.raises(NotFound):
        policies.remove_policy(ports, NAME, replaces=None, by=OPERATOR)
    assert policies.list_policies(ports, 10) == ([], "")
    assert policies.find_policy(ports, NAME, 1).version == 1
    assert policies.find_policy(ports, NAME, 2).removed
    assert write(ports, replaces=0).version == 3


def test_a_version_that_somebody_wrote_since_is_not_deleted(ports: FakePorts) -> None:
    write(ports)
    write(ports, OTHER)
    with pytest.raises(VersionConflict):
        policies.remove_policy(ports, NAME, replaces=1, by=OPERATOR)
    assert policies.find_policy(ports, NAME).version == 2


@pytest.mark.parametrize("name", ["Production-Release", "a/b", "..", "n" * 200, ""])
def test_a_name_that_no_policy_can_have_is_refused(ports: FakePorts, name: str) -> None:
    """When writing, reading and deleting, before anything is read."""
    with pytest.raises(InvalidRequest):
        policies.write_policy(ports, name, BODY, replaces=None, by=OPERATOR)
    with pytest.raises(InvalidRequest):
        policies.find_policy(ports, name)
    with pytest.raises(InvalidRequest):
        policies.remove_policy(ports, name, replaces=None, by=OPERATOR)


def test_an_undecidable_policy_is_not_written(ports: FakePorts) -> None:
    with pytest.raises(Undecidable):
        write(ports, policy_body(group("a", "boss"), group("b", "boss")))
    assert ports.policies.items == {}


def test_the_people_of_a_policy_are_looked_at_one_by_one(ports: FakePorts) -> None:
    """A refused address that leaves a group short is a problem, and so is a late confirmation."""
    written = write(ports, policy_body(group("security", "sam"), group("operations", "o1", "o2")))
    ports.store.put_approver("sam@example.com", Invitation(START, "InvalidParameter"))
    ports.store.put_approver("o1@example.com", Invitation(START))
    ports.mailer.subscriptions["o1@example.com"] = "pending"
    people, problems = policies.look_at_people(ports, written.policy)
    assert people == [
        {
            "approver": "sam@example.com",
            "subscription": "refused",
            "refusal": "InvalidParameter",
        },
        {"approver": "o1@example.com", "subscription": "pending"},
        {"approver": "o2@example.com", "subscription": "confirmed"},
    ]
    assert problems == [
        "group security needs 1 approval, and nobody can give one; SNS refuses sam@example.com"
    ]
    ports.later(hours=25)
    assert policies.look_at_people(ports, written.policy)[1][1:] == [
        "o1@example.com hasn't confirmed the subscription for more than a day"
    ]
