"""Decoding: JSON of untrusted bytes, and msgspec's errors in our words."""

from datetime import datetime
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta, Struct

from chalicelib.domain.decoding import convert, read_json
from chalicelib.domain.errors import InvalidRequest
from tests.unit.domain.refused import MEGABYTE, SURROGATE, fit_to_send


@given(st.binary(max_size=200))
def test_any_bytes_give_json_or_a_refusal(sent: bytes) -> None:
    """The refusal is about the body."""
    message = "body: is not valid JSON"
    try:
        read_json(sent)
    except InvalidRequest as e:
        message = fit_to_send(e).message
    assert message.startswith("body: is ")


@pytest.mark.parametrize(
    "sent",
    [
        b"", b"{", b"NaN", b"Infinity", b"1e999", b"'a'", b"\xff\xfe", b'"\xff"', b'"\\ud800"',
        b"{}{}", b"9" * 5000, b"\x00", b'{"a":1,}', b"<xml/>", b"subject=x&approvers=y",
        b'{"n": 1e400}', b'{"n": NaN}', b"[" * 100_000, b'{"a":' * 100_000,
    ],
    ids=lambda sent: repr(sent[:20]),
)  # fmt: skip
def test_bytes_that_are_no_json_in_utf8_are_refused(sent: bytes) -> None:
    """So are Python's own additions to JSON, numbers too large for a double, and deep nesting."""
    with pytest.raises(InvalidRequest, match=r"^body: "):
        read_json(sent)


class Numbers(Struct, frozen=True):
    """Numbers one level further down."""

    needed: Annotated[int, Meta(ge=1, le=50)] | Literal["all"] = 1
    after: int | None = None


class Form(Struct, forbid_unknown_fields=True):
    """What an untrusted value is converted to here."""

    choice: Literal["approve", "reject"]
    reason: str = ""
    limit: int = 1
    at: datetime | None = None
    form: Annotated[str, Meta(pattern=r"^[a-z]+\Z")] = "x"
    whole: Numbers = Numbers()


@pytest.mark.parametrize(
    ("sent", "field", "message"),
    [
        ({}, "choice", "choice: is required"),
        ({"choice": "maybe"}, "choice", "choice: must be one of approve, reject"),
        ({"choice": "approve", "x": 1}, "x", "x: is not a field of this request"),
        ({"choice": "approve", "reason": 1}, "reason", "reason: must be text, not a whole number"),
        ({"choice": "approve", "limit": "1"}, "limit", "limit: must be a whole number, not text"),
        (
            {"choice": "approve", "limit": 2.5},
            "limit",
            "limit: must be a whole number, not a number",
        ),
        (
            {"choice": "approve", "at": "2026-12-24"},
            "at",
            "at: must be a time with an offset from UTC, such as 2026-12-24T09:00:00Z",
        ),
        (
            {"choice": "approve", "at": 5},
            "at",
            "at: must be a time with an offset from UTC, such as 2026-12-24T09:00:00Z",
        ),
        (
            {"choice": "approve", "form": "é"},
            "form",
            "form: has a character or a form that is not allowed",
        ),
        ([], None, "body: must be an object, not a list"),
        (None, None, "body: must be an object, not null"),
    ],
)
def test_a_wrong_value_is_refused_by_its_field(
    sent: object, field: str | None, message: str
) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        convert(sent, Form)
    assert (fit_to_send(refusal.value).field, refusal.value.message) == (field, message)


def test_a_float_without_a_fraction_is_an_integer() -> None:
    """Step Functions' intrinsic functions and JavaScript write 86400.0."""
    sent = {"choice": "approve", "limit": 86_400.0, "whole": {"needed": 2.0, "after": 3.0}}
    found = convert(sent, Form)
    assert (found.limit, found.whole) == (86_400, Numbers(2, 3))
    assert isinstance(found.limit, int)
    for limit in (0.5, float("inf"), float("nan"), "86400.0"):
        with pytest.raises(InvalidRequest, match=r"^limit: must be a whole number"):
            convert(sent | {"limit": limit}, Form)


def test_a_query_may_have_digits_for_a_number() -> None:
    """In a query string every value is text."""
    assert convert({"choice": "approve", "limit": "7"}, Form, strict=False).limit == 7


@pytest.mark.parametrize("name", [SURROGATE, f"a{SURROGATE}", MEGABYTE, "a\nb", "\u202e"])
def test_a_hostile_name_of_a_field_is_refused_in_a_clean_short_message(name: str) -> None:
    sent: dict[str, Any] = {"choice": "approve", name: 1}
    with pytest.raises(InvalidRequest) as refusal:
        convert(sent, Form)
    assert fit_to_send(refusal.value).field is not None
