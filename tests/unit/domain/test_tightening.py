"""A request under a policy: what it takes over, what it may tighten, and what is refused."""

from typing import Any

import pytest

from chalicelib.domain.errors import InvalidRequest
from chalicelib.domain.validation import check_request, policy_named
from tests.policies import group, policy_version, request_under

STRICT = policy_version(
    expiresIn=3_600,
    remindEvery=900,
    rejectionsNeeded=2,
    reasonRequired="onReject",
    codeRequired=True,
    requesters=["*@example.com"],
    breakGlass=["cto@example.com"],
    escalation={"after": 1_800, "approvers": ["lead@example.com"], "group": "operations"},
)
MARY = {"requestedBy": "mary@example.com"}


def test_a_request_takes_over_all_that_its_policy_says() -> None:
    """And keeps name, version and a copy."""
    request = request_under(STRICT, **MARY)
    assert request.expires_in == 3_600
    assert request.remind_every == 900
    assert request.rejections_needed == 2
    assert request.code_required
    assert [g.name for g in request.groups] == ["security", "operations"]
    assert request.approvers == STRICT.policy.members
    assert request.escalation is not None
    assert request.escalation.approvers == ("lead@example.com",)
    assert request.escalation_group == 1
    assert request.break_glass == ("cto@example.com",)
    assert request.policy is not None
    kept = (request.policy.name, request.policy.version, request.policy.policy)
    assert kept == ("production-release", 1, STRICT.policy)


def test_a_policy_that_leaves_the_time_open_leaves_it_to_the_request() -> None:
    """A week, as without a policy, or what the request says."""
    policy = policy_version()
    assert request_under(policy).expires_in == 604_800
    assert request_under(policy, expiresIn=31_536_000).expires_in == 31_536_000
    assert request_under(policy, remindEvery=86_400).remind_every == 86_400


TIGHTER: list[dict[str, Any]] = [
    {"expiresIn": 60},
    {"expiresIn": 3_600},
    {"remindEvery": 300},
    {"rejectionsNeeded": 1},
    {"rejectionsNeeded": 2},
    {"reasonRequired": "always"},
    {"codeRequired": True},
    {"allowSelfApproval": False},
    {"excludeRequester": True},
]


@pytest.mark.parametrize("fields", TIGHTER, ids=str)
def test_a_request_may_tighten_its_policy(fields: dict[str, Any]) -> None:
    """What it sends holds."""
    request = request_under(STRICT, **MARY, **fields)
    names = {
        "expiresIn": "expires_in",
        "remindEvery": "remind_every",
        "rejectionsNeeded": "rejections_needed",
        "reasonRequired": "reason_required",
        "codeRequired": "code_required",
        "allowSelfApproval": "allow_self_approval",
        "excludeRequester": "exclude_requester",
    }
    for name, value in fields.items():
        assert getattr(request, names[name]) == value


LOOSER: list[dict[str, Any]] = [
    {"expiresIn": 3_601},
    {"remindEvery": 901},
    {"rejectionsNeeded": 3},
    {"reasonRequired": "never"},
    {"codeRequired": False},
    {"allowSelfApproval": True},
    {"approvers": ["mallory@example.com"]},
    {"approvalsNeeded": 1},
    {"approvalsNeeded": "all"},
    {"escalation": {"after": 60, "approvers": ["mallory@example.com"]}},
]


@pytest.mark.parametrize("fields", LOOSER, ids=str)
def test_a_request_that_loosens_its_policy_is_refused_by_field(fields: dict[str, Any]) -> None:
    """Nothing of it is ignored, so that no requester believes in a rule that doesn't hold."""
    with pytest.raises(InvalidRequest, match="policy production-release") as refused:
        request_under(STRICT, **MARY, **fields)
    assert refused.value.field == next(iter(fields))


def test_a_request_that_contradicts_itself_is_refused() -> None:
    """As without a policy: nothing that was sent is ignored."""
    policy = policy_version(group("security", "mary", "sam"), allowSelfApproval=True)
    with pytest.raises(InvalidRequest, match="contradicts") as refused:
        request_under(policy, allowSelfApproval=True, excludeRequester=True)
    assert refused.value.field == "excludeRequester"


def test_older_code_asks_for_as_many_approvals() -> None:
    """After a rollback it knows nothing of groups."""
    assert request_under(policy_version()).approvals_needed == 3


def test_null_is_as_good_as_nothing() -> None:
    """A state machine may send `null` for what it doesn't know."""
    assert request_under(STRICT, **MARY, remindEvery=None, escalation=None).remind_every == 900


@pytest.mark.parametrize("asker", [{}, {"requestedBy": "mary@example.org"}])
def test_others_than_its_requesters_may_not_ask(asker: dict[str, str]) -> None:
    """Nor a request that names nobody."""
    with pytest.raises(InvalidRequest, match=r"is for requests of \*@example.com") as refused:
        request_under(STRICT, **asker)
    assert refused.value.field == "requestedBy"


def test_a_requester_is_taken_out_of_the_groups() -> None:
    """They may be in them, and may not approve their own request."""
    policy = policy_version(
        group("security", "mary", "sam"), group("operations", "mary", "o1", "o2", needed="all")
    )
    request = request_under(policy, requestedBy="Mary@example.com")
    assert request.approvers == ("sam@example.com", "o1@example.com", "o2@example.com")
    assert [g.needed for g in request.groups] == [1, 3], "all are three, though one asks"


def test_a_policy_may_allow_self_approval_and_the_request_forbid_it() -> None:
    """With `excludeRequester`, or `allowSelfApproval: false`."""
    policy = policy_version(group("security", "mary", "sam"), allowSelfApproval=True)
    asks = {"requestedBy": "mary@example.com"}
    assert "mary@example.com" in request_under(policy, **asks).approvers
    for tighter in ({"excludeRequester": True}, {"allowSelfApproval": False}):
        assert request_under(policy, **asks, **tighter).approvers == ("sam@example.com",)


def test_a_deadline_before_the_escalation_drops_it() -> None:
    """A shorter wait is allowed, and then nobody is left to be asked later."""
    assert request_under(STRICT, **MARY, expiresIn=1_800).escalation is None


def test_people_who_may_no_longer_be_asked_are_refused_by_the_policy() -> None:
    """The stage's mail domains can change after the policy was written."""
    body = {"subject": "x", "policy": "production-release", **MARY}
    with pytest.raises(
        InvalidRequest, match=r"addresses at example.com may not be asked"
    ) as refused:
        check_request(body, ("example.org",), STRICT)
    assert refused.value.field == "policy"


def test_a_request_without_a_policy_needs_approvers() -> None:
    """As before."""
    with pytest.raises(InvalidRequest, match="approvers: is required") as refused:
        check_request({"subject": "x"}, ("*",))
    assert refused.value.field == "approvers"


def test_the_policy_that_a_request_names_is_read_before_anything_else() -> None:
    """None and null name none."""
    assert policy_named({"policy": "production-release"}) == "production-release"
    assert policy_named({"policy": None}) is None
    assert policy_named({"subject": "x"}) is None
    assert policy_named(["policy"]) is None
