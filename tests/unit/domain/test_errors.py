"""The errors: stable codes, HTTP statuses, and their JSON."""

from collections.abc import Iterator

import pytest

from chalicelib.domain.errors import AssentError, InvalidRequest, Unavailable

STATUSES = {
    "AssentError": 500,
    "InvalidRequest": 400,
    "WrongCode": 403,
    "TooLarge": 413,
    "UnsupportedType": 415,
    "NotFound": 404,
    "AlreadyDecided": 409,
    "NotSettled": 409,
    "Expired": 410,
    "Cancelled": 410,
    "Reassigned": 410,
    "SignInNeeded": 403,
    "LinkOver": 410,
    "NotPermitted": 403,
    "Undecidable": 400,
    "VersionConflict": 409,
    "IdempotencyConflict": 409,
    "Refused": 409,
    "Misconfigured": 500,
    "TooSoon": 429,
    "Unavailable": 503,
}


def _kinds(root: type[AssentError] = AssentError) -> Iterator[type[AssentError]]:
    yield root
    for kind in root.__subclasses__():
        yield from _kinds(kind)


def test_every_error_has_the_documented_status_and_a_code_of_its_own() -> None:
    """No two share a code."""
    ours = [kind for kind in _kinds() if kind.__module__ == AssentError.__module__]
    assert {kind.__name__: kind.status for kind in ours} == STATUSES
    assert len({kind.code for kind in ours}) == len(STATUSES)


def test_an_errors_json_has_a_field_only_if_one_is_wrong() -> None:
    assert InvalidRequest("x: y", field="x").as_json() == {
        "code": "InvalidRequest",
        "message": "x: y",
        "field": "x",
    }
    assert InvalidRequest("y").as_json() == {"code": "InvalidRequest", "message": "y"}
    assert InvalidRequest("y", field="").as_json()["field"] == ""


@pytest.mark.parametrize(
    ("field", "logged"),
    [
        ("subject", "subject"),
        ("approvers[12]", "approvers[12]"),
        ("escalation.approvers[0]", "escalation.approvers[0]"),
        ("Idempotency-Key", "Idempotency-Key"),
        ("details", "details"),
        ("details.Salary", "details"),
        ("details.ada@example.com", "details"),
        ("ada@example.com", None),
        ("Ada Lovelace", None),
        (f"{'a' * 26}.{'b' * 32}", None),
        ("123456", None),
        ("", None),
        (None, None),
    ],
)
def test_a_log_holds_of_a_refusal_the_code_and_a_field_of_the_wire(
    field: str | None, logged: str | None
) -> None:
    """Message and field may quote the sender: an address, a label, a token."""
    facts = InvalidRequest("ada@example.com is named twice", field=field).as_facts()
    assert facts == {"code": "InvalidRequest"} | ({"field": logged} if logged else {})


def test_a_log_holds_the_message_of_a_fault() -> None:
    """It is ours, and names the service."""
    facts = Unavailable("SNS is away").as_facts()
    assert facts == {"code": "Unavailable", "why": "SNS is away"}


def test_an_error_as_text_is_its_message() -> None:
    assert str(Unavailable("SNS is away")) == "SNS is away"
    assert Unavailable("x").retry_after > 0
