"""One contract for policies: the tests' fake, and the adapter on the real table."""

import threading
from datetime import timedelta

import pytest
from msgspec.structs import replace

from chalicelib.adapters.dynamodb_policies import DynamoDbPolicies
from chalicelib.application.ports import Policies
from chalicelib.domain.errors import Unavailable
from chalicelib.domain.policy import PolicyVersion
from tests.aws.stubs import strict_client, stubbed
from tests.aws.table import TABLE, table_client
from tests.fake_policies import FakePolicies
from tests.fakes import START
from tests.policies import policy_version

ONE = policy_version()


@pytest.fixture(params=["fake", "dynamodb"])
def policies(request: pytest.FixtureRequest) -> Policies:
    """Return a store without policies."""
    if request.param == "fake":
        return FakePolicies()
    request.getfixturevalue("account")
    return DynamoDbPolicies(table_client(), TABLE)


def _next(read: PolicyVersion, **fields: object) -> PolicyVersion:
    return replace(read, version=read.version + 1, **fields)


def test_each_version_is_read_back(policies: Policies) -> None:
    assert policies.newest(ONE.name) is None
    assert policies.replace(None, ONE)
    two = _next(ONE, policy=replace(ONE.policy, rejections_needed=2))
    assert policies.replace(ONE, two)
    assert policies.newest(ONE.name) == two
    assert (policies.version(ONE.name, 1), policies.version(ONE.name, 2)) == (ONE, two)
    assert policies.version(ONE.name, 3) is None


def test_a_version_is_written_once(policies: Policies) -> None:
    """By the first of two writers who have read the same."""
    assert policies.replace(None, ONE)
    assert not policies.replace(None, replace(ONE, written_by="another"))
    assert policies.replace(ONE, _next(ONE))
    assert not policies.replace(ONE, _next(ONE, written_by="another"))
    newest = policies.newest(ONE.name)
    assert newest is not None
    assert (newest.version, newest.written_by) == (2, ONE.written_by)


def test_of_many_writers_at_once_one_writes(policies: Policies) -> None:
    """A version has one author."""
    results: list[bool] = []
    start = threading.Barrier(8)

    def write(number: int) -> None:
        start.wait()
        results.append(policies.replace(None, replace(ONE, written_by=f"writer {number}")))

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [False] * 7 + [True]


def test_policies_are_listed_page_by_page_last_written_first(policies: Policies) -> None:
    for number in range(5):
        at = START + timedelta(minutes=number)
        assert policies.replace(None, replace(ONE, name=f"p{number}", written_at=at))
    found, after = policies.page(2)
    seen = [one.name for one in found]
    while after:
        found, after = policies.page(2, after)
        seen += [one.name for one in found]
    assert seen == ["p4", "p3", "p2", "p1", "p0"]


def test_a_removed_policy_is_not_listed_and_keeps_its_versions(policies: Policies) -> None:
    assert policies.replace(None, ONE)
    assert policies.replace(ONE, _next(ONE, removed=True))
    assert policies.page(10) == ([], "")
    newest = policies.newest(ONE.name)
    assert newest is not None
    assert newest.removed
    assert policies.version(ONE.name, 1) == ONE


def test_a_throttled_write_is_no_conflict() -> None:
    """Its sender should send it again, and not look for another writer."""
    client = strict_client("dynamodb")
    with stubbed(client) as stub:
        stub.add_client_error(
            "transact_write_items",
            "TransactionCanceledException",
            modeled_fields={"CancellationReasons": [{"Code": "ThrottlingError"}, {"Code": "None"}]},
        )
        with pytest.raises(Unavailable, match="ThrottlingError"):
            DynamoDbPolicies(client, TABLE).replace(None, ONE)
