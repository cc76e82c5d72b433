"""Validation of the people asked: an excluded requester, an escalation that can do something."""

from typing import Any

import pytest

from chalicelib.domain.errors import InvalidRequest
from chalicelib.domain.request import Request
from chalicelib.domain.validation import check_request
from tests.builders import new_approval, request_body
from tests.unit.domain.refused import fit_to_send

ADA, GRACE = "ada@example.com", "grace@example.com"


def _checked(**fields: Any) -> Request:
    return check_request(request_body(**fields), ("example.com",))


def _refused(untrusted: object) -> InvalidRequest:
    with pytest.raises(InvalidRequest) as refusal:
        check_request(untrusted, ("example.com",))
    return fit_to_send(refusal.value)


def _refused_field(**fields: Any) -> str | None:
    return _refused(request_body(**fields)).field


OWN = {"approvers": ["Mary@example.com", ADA, GRACE], "requestedBy": "mary@example.com"}


def test_an_excluded_requester_is_simply_not_asked() -> None:
    """In any case of the address; all that is counted is counted among the others."""
    fallback = {"after": 60, "approvers": ["mary@Example.com", "linus@example.com"]}
    request = _checked(**OWN, excludeRequester=True, approvalsNeeded="all", escalation=fallback)
    assert request.approvers == (ADA, GRACE)
    assert request.escalation is not None
    assert request.escalation.approvers == ("linus@example.com",)
    assert request.barred == ("mary@example.com",)
    assert new_approval(request).approvals_needed == 2


@pytest.mark.parametrize("field", ["approvalsNeeded", "rejectionsNeeded"])
def test_an_excluded_requester_does_not_count(field: str) -> None:
    """A number that the others can't reach is refused by its own field."""
    assert isinstance(_checked(**OWN, excludeRequester=True, **{field: 2}), Request)
    refusal = _refused(request_body(**OWN, excludeRequester=True, **{field: 3}))
    assert refusal.field == field
    assert refusal.message == f"{field}: 3 is more than the 2 approvers asked besides the requester"


def test_a_request_to_the_excluded_requester_alone_is_refused() -> None:
    own = {"approvers": [ADA], "requestedBy": ADA}
    assert _refused_field(**own, excludeRequester=True) == "approvers"
    assert _checked(approvers=[ADA], requestedBy=GRACE, excludeRequester=True).approvers == (ADA,)
    assert _checked(approvers=[ADA], excludeRequester=True).approvers == (ADA,)


@pytest.mark.parametrize("fallback", [["mary@example.com"], ["mary@example.com", GRACE]])
def test_an_escalation_to_the_excluded_requester_alone_is_left_out(fallback: list[str]) -> None:
    """So one set of approvers does for requests by each of them."""
    escalation = {"after": 60, "approvers": fallback}
    others = {"approvers": [ADA, GRACE], "escalation": escalation}
    by_mary = _checked(**others, requestedBy="mary@example.com", excludeRequester=True)
    assert by_mary.escalation is None
    assert _checked(**others, requestedBy=ADA, excludeRequester=True).escalation is not None


def test_a_requester_is_either_allowed_or_excluded() -> None:
    both = {"allowSelfApproval": True, "excludeRequester": True}
    assert _refused_field(**OWN, **both) == "excludeRequester"
    assert _refused_field(**both) == "excludeRequester"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"after": 600}, "escalation.after"),
        ({"after": 601}, "escalation.after"),
        ({"approvers": [ADA]}, "escalation.approvers"),
        ({"approvers": ["ADA@Example.com", GRACE]}, "escalation.approvers"),
        ({"after": 599}, None),
        ({"approvers": [ADA, "linus@example.com"]}, None),
    ],
    ids=["at the deadline", "after it", "asked first", "all asked first", "just before", "one new"],
)
def test_an_escalation_that_could_do_nothing_is_refused(
    fields: dict[str, Any], field: str | None
) -> None:
    """It comes before the deadline, and asks somebody who isn't an approver."""
    escalation = {"after": 60, "approvers": ["linus@example.com"]} | fields
    sent = request_body(approvers=[ADA, GRACE], expiresIn=600, escalation=escalation)
    if field is None:
        assert check_request(sent, ("example.com",)).escalation is not None
    else:
        assert _refused(sent).field == field
