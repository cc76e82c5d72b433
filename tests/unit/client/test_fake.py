"""The fake for other people's tests: the client's contract, and time that a test lets pass."""

from collections.abc import Callable
from typing import Any

import pytest
from assent_client import Expired, NotSettled
from assent_client.testing import FakeAssent

from tests.client_contract import ADA, ClientContract, Target
from tests.policies_contract import PoliciesContract, PolicyTarget, ResultsContract

REQUEST = {"subject": "Release 4.2?", "approvers": [ADA]}


class OfTheFake:
    """The fake as the contract's target."""

    def __init__(self) -> None:
        self.api = self.author = FakeAssent()

    def decide(self, subject: str, approver: str, choice: Any, reason: str) -> None:
        """Decide in that person's name."""
        self._decide(subject, approver, choice, reason)

    def break_glass(self, subject: str, approver: str, reason: str) -> None:
        """Approve alone."""
        self._decide(subject, approver, "approve", reason, break_glass=True)

    def _decide(self, subject: str, approver: str, choice: Any, reason: str, **how: bool) -> None:
        for outcome in ("pending", "approved", "rejected", "cancelled"):
            for one in self.api.approvals(outcome=outcome):
                if one["subject"] == subject:
                    self.api.decide(one["id"], approver, choice, reason, **how)
                    return

    def until(self, look: Callable[[], Any], good: Callable[[Any], object]) -> Any:
        """Return what it gives: here all happens at once."""
        seen = look()
        assert good(seen)
        return seen


class TestFake(ClientContract):
    @pytest.fixture
    def target(self) -> Target:
        return OfTheFake()


class TestPoliciesOfTheFake(PoliciesContract, ResultsContract):
    @pytest.fixture
    def target(self) -> PolicyTarget:
        return OfTheFake()


def test_time_passes_as_a_test_says() -> None:
    """What is over expires, and its execution fails."""
    api = FakeAssent()
    name = api.start({**REQUEST, "expiresIn": 3_600})["execution"]
    api.later(minutes=59)
    assert api.execution(name)["outcome"] == "pending"
    api.later(minutes=1)
    found = api.execution(name)
    assert (found["outcome"], found["error"]) == ("expired", "Expired")
    assert found["approval"] is not None
    with pytest.raises(Expired):
        api.decide(found["approval"]["id"], ADA, "approve")
    assert next(iter(api.approvals(outcome="expired")))["id"] == found["approval"]["id"]


def test_erasing_keeps_the_outcome_and_no_address() -> None:
    api = FakeAssent()
    api.start({**REQUEST, "requestedBy": "m@example.com", "details": "secret"}, key="x")
    (row,) = api.approvals()
    with pytest.raises(NotSettled):
        api.erase(row["id"])
    api.decide(row["id"], ADA, "approve", "because of ada@example.com")
    erased = api.erase(row["id"])
    assert erased["outcome"] == "approved"
    assert "@example.com" not in repr(erased)
    assert "secret" not in repr(erased)


def test_what_it_answers_is_nobody_elses_to_change() -> None:
    """A test that changes an answer changes nothing in the fake."""
    api = FakeAssent()
    api.start(REQUEST)
    (row,) = api.approvals()
    api.approval(row["id"])["subject"] = "changed"
    api.decide(row["id"], ADA, "approve")["subject"] = "changed"
    assert api.approval(row["id"])["subject"] == "Release 4.2?"


def test_an_unconfirmed_approver_is_invited_by_a_request() -> None:
    api = FakeAssent()
    api.subscriptions[ADA] = "none"
    api.start(REQUEST)
    assert [one["subscription"] for one in api.approvers()] == ["pending"]
    assert api.confirm(ADA, "https://sns.us-east-1.amazonaws.com/")["subscription"] == "confirmed"
