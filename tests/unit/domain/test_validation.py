"""Validation of requests: what is allowed, and which field each refusal names."""

import math
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import fields

from chalicelib.domain.decoding import read_json
from chalicelib.domain.errors import InvalidRequest
from chalicelib.domain.request import Request
from chalicelib.domain.validation import DETAILS_BYTES, LARGEST_NUMBER, check_request
from tests.builders import people, request_body
from tests.unit.domain.refused import HOSTILE, MEGABYTE, SURROGATE, fit_to_send
from tests.unit.strategies import anything, bodies, many

TEXT_FIELDS = ("subject", "details", "requestedBy", "reasonRequired", "onReject")


def _read(**fields: Any) -> Request:
    return check_request(request_body(**fields), ("example.com",))


def _refused(untrusted: object, domains: tuple[str, ...] = ("example.com",)) -> InvalidRequest:
    with pytest.raises(InvalidRequest) as refusal:
        check_request(untrusted, domains)
    return fit_to_send(refusal.value)


def _field(**fields: Any) -> str | None:
    return _refused(request_body(**fields)).field


def test_a_request_of_the_required_fields_has_the_documented_defaults() -> None:
    read = _read()
    assert {field.encode_name: getattr(read, field.name) for field in fields(Request)} == {
        "subject": "Release 4.2",
        "details": "",
        "approvers": ("ada@example.com",),
        "approvalsNeeded": 1,
        "rejectionsNeeded": 1,
        "requestedBy": None,
        "expiresIn": 604_800,
        "remindEvery": None,
        "escalation": None,
        "reasonRequired": "onReject",
        "codeRequired": False,
        "allowSelfApproval": False,
        "excludeRequester": False,
        "onReject": "fail",
        "supersedes": False,
        "policy": None,
    }


@pytest.mark.parametrize("missing", ["subject", "approvers"])
def test_a_missing_required_field_is_named(missing: str) -> None:
    refusal = _refused({k: v for k, v in request_body().items() if k != missing})
    assert (refusal.field, refusal.message) == (missing, f"{missing}: is required")


def test_the_field_that_links_a_child_to_its_parent_is_ignored() -> None:
    """Step Functions' console reads it in the execution's input."""
    linked = request_body(AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID="arn:aws:states:...")
    assert check_request(linked, ("*",)) == check_request(request_body(), ("*",))


@pytest.mark.parametrize(
    "unknown", ["Subject", "subject ", "approvals_needed", "taskToken", "__proto__", "é", "", " "]
)
def test_an_unknown_field_is_refused(unknown: str) -> None:
    """Its sender may rely on it, so it isn't ignored."""
    refusal = _refused(request_body(**{unknown: 1}))
    assert refusal.message == f"{unknown or 'body'}: is not a field of this request"
    assert refusal.field == (unknown or None)


@pytest.mark.parametrize(
    ("field", "values"),
    [
        (
            "subject",
            ["x", "x" * 200, "審" * 200, "👩🏽\u200d🚀" * 50, "עברית", "<b>{0}</b>", " x "],
        ),
        ("details", ["", "x\ny\r\nz\tw", {}, {"Cost": 1.5, "Ok": True, "n": -3, "t": "a\nb"}]),
        ("details", [{"x" * 100: 1}, {"n": LARGEST_NUMBER}, {"n": -LARGEST_NUMBER}, {"n": 1e300}]),
        ("approvers", [people(1), people(50), ["a@example.com", "b@EXAMPLE.COM"]]),
        ("expiresIn", [60, 31_536_000]),
        ("remindEvery", [None, 300, 31_536_000]),
        ("escalation", [None, {"after": 60, "approvers": people(49)}]),
        ("reasonRequired", ["never", "onReject", "always"]),
        ("onReject", ["fail", "return"]),
        ("codeRequired", [True, False]),
        ("allowSelfApproval", [True, False]),
        ("excludeRequester", [True, False]),
        ("requestedBy", [None, "grace@elsewhere.org", "a@b.c"]),
    ],
)
def test_both_ends_of_every_range_are_allowed(field: str, values: list[object]) -> None:
    for value in values:
        assert isinstance(_read(**{field: value}), Request)


MARKUP = '"><script>alert(1)</script>'


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("subject", ["", " ", "\u00a0\u3000", "x" * 201, "a\tb", "a\nb", "a\r\nb", "\n"]),
        ("subject", [1, None, True, ["x"], [], {}]),
        ("details", [None, 1, ["x"], {"x": None}, {"x": []}, {"x": {}}, {"": 1}, {" ": 1}]),
        ("details", [{"x" * 101: 1}, {"a\nb": 1}, {"a\tb": 1}]),
        ("approvers", [[], people(51), None, "ada@example.com", {}, [["ada@example.com"]]]),
        ("approvers", [[1], [None], [[]]]),
        ("approvalsNeeded", [0, -1, 51, 2, 1.5, "1", "ALL", "", True, None, [], 10**30]),
        ("rejectionsNeeded", [0, -1, 51, 2, 1.5, "1", "all", True, None, [], 10**30]),
        ("requestedBy", ["", "ada", "a@b", "a b@example.com", "x" * 250 + "@b.c", 1, [], MARKUP]),
        ("expiresIn", [59, 31_536_001, 0, -60, 60.5, "60", True, None, 10**30, math.inf]),
        ("remindEvery", [299, 31_536_001, "300", True, 300.5]),
        ("escalation", [[], 1, {}, {"after": 60}, {"after": 59, "approvers": people(1)}]),
        ("escalation", [{"after": 60, "approvers": []}, {"after": 60, "approvers": people(50)}]),
        ("escalation", [{"after": 60, "approvers": ["a@elsewhere.org"]}]),
        ("escalation", [{"after": 60, "approvers": people(1), "colour": "red"}]),
        ("reasonRequired", ["", "Never", "onreject", None, True, 1, [], MARKUP]),
        ("onReject", ["", "Fail", "succeed", None, False, []]),
        ("codeRequired", ["true", 1, None]),
        ("allowSelfApproval", ["true", 1, 0, None]),
        ("excludeRequester", ["true", 1, 0, None]),
        (MARKUP, [1]),
    ],
)
def test_values_outside_a_range_and_of_a_wrong_type_are_refused_by_field(
    field: str, values: list[object]
) -> None:
    for value in values:
        named = _field(**{field: value})
        assert named is not None
        assert named.partition("[")[0].partition(".")[0] == field, value


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_a_number_that_json_does_not_have_is_refused(number: float) -> None:
    """NaN and infinity would be stored as null, and the item could not be read any more."""
    assert _field(details={"ratio": number}) == "details.ratio"


@pytest.mark.parametrize("number", [LARGEST_NUMBER + 1, -LARGEST_NUMBER - 1, 10**30, 10**4000])
def test_a_whole_number_that_a_double_can_not_hold_is_refused(number: int) -> None:
    """Step Functions would change it, and the approver would decide on another number."""
    assert _field(details={"Amount": number}) == "details.Amount"


@pytest.mark.parametrize("field", ["approvalsNeeded", "rejectionsNeeded"])
def test_no_more_decisions_can_be_needed_than_approvers_are_asked(field: str) -> None:
    assert isinstance(_read(approvers=people(3), **{field: 3}), Request)
    refusal = _refused(request_body(approvers=people(3), **{field: 4}))
    assert refusal.field == field
    assert refusal.message == f"{field}: 4 is more than the 3 approvers asked"


def test_a_wrong_address_is_named_by_its_place() -> None:
    """Among the fallback approvers too."""
    refusal = _refused(request_body(approvers=["ada@example.com", "x@elsewhere.org"]))
    assert refusal.field == "approvers[1]"
    fallback = {"after": 60, "approvers": ["ada@example.com", "no address"]}
    assert _field(escalation=fallback) == "escalation.approvers[1]"


def test_the_same_approver_twice_is_refused_in_any_case() -> None:
    assert _field(approvers=["ada@example.com", "bob@example.com", "ADA@Example.COM"]) == (
        "approvers[2]"
    )


def test_only_approvers_need_an_allowed_mail_domain() -> None:
    """The requester may be anybody; `*` allows every domain, and an empty list none."""
    domains = ("example.com", "example.org")
    assert check_request(request_body(approvers=["a@EXAMPLE.org"]), domains)
    assert check_request(request_body(requestedBy="a@elsewhere.net"), domains)
    assert check_request(request_body(approvers=["a@b.c"]), ("*",))
    refusal = _refused(request_body(approvers=["ada@example.com", "a@b.c"]), domains)
    assert refusal.field == "approvers[1]"
    assert "example.com, example.org" in refusal.message
    assert _refused(request_body(), ()).field == "approvers[0]"


def test_nobody_approves_their_own_request_unless_it_is_allowed() -> None:
    """Neither as approver nor as fallback approver, in any case of the address."""
    own = {"approvers": ["bob@example.com", "Ada@Example.com"], "requestedBy": "ada@example.com"}
    assert _field(**own) == "approvers[1]"
    assert _read(**own, allowSelfApproval=True).allow_self_approval
    fallback = {"after": 60, "approvers": ["bob@example.com", "Ada@example.com"]}
    later = {"approvers": ["bob@example.com"], "escalation": fallback}
    assert _field(**later, requestedBy="ada@example.com") == "escalation.approvers[1]"


@pytest.mark.parametrize("character", HOSTILE)
def test_control_characters_and_marks_that_reorder_text_are_refused(character: str) -> None:
    """They could forge a line of a mail, or make a subject read backwards."""
    text = f"a{character}b"
    assert _field(subject=text) == "subject"
    assert _field(details=text) == "details"
    assert _field(details={"Cost": text}) == "details.Cost"
    assert _field(details={text: "Cost"}) == "details"
    assert _field(requestedBy=f"{text}@example.com") == "requestedBy"
    assert _field(approvers=[f"{text}@example.com"]) == "approvers[0]"


@pytest.mark.parametrize("character", HOSTILE)
def test_hostile_names_of_fields_and_choices_are_refused(character: str) -> None:
    """By their field where they have one, and never by a fault on our side."""
    text = f"a{character}b"
    assert _field(reasonRequired=text) == "reasonRequired"
    assert _field(onReject=text) == "onReject"
    assert _field(approvalsNeeded=text) == "approvalsNeeded"
    assert _field(**{text: 1}) is not None


def test_half_a_surrogate_pair_is_refused_everywhere() -> None:
    """JSON in Lambda may hold one; UTF-8 can't, so it could not be stored."""
    assert _field(**{SURROGATE: 1}) is not None
    assert _field(reasonRequired=SURROGATE) == "reasonRequired"


@pytest.mark.parametrize("field", TEXT_FIELDS)
def test_a_megabyte_in_a_field_is_refused_in_a_short_message(field: str) -> None:
    """A refusal has to fit into a cause of `SendTaskFailure`."""
    assert _field(**{field: MEGABYTE}) == field


def test_a_megabyte_elsewhere_is_refused_in_a_short_message() -> None:
    assert _field(approvers=[MEGABYTE]) in ("approvers", "approvers[0]")
    assert _field(details={MEGABYTE: 1}) == "details"
    assert _field(approvalsNeeded=MEGABYTE) == "approvalsNeeded"
    assert _field(**{MEGABYTE: 1}) == "x" * 100
    assert _field(details={"x": MEGABYTE}) == "details"


@pytest.mark.parametrize("value", [None, [], ["x"], {}, {"x": 1}])
def test_a_detail_of_a_wrong_type_is_named_by_its_label(value: object) -> None:
    """Step Functions writes null for a value that its state didn't get."""
    refusal = _refused(request_body(details={"Version": "4.2", "Cost": value, "x": value}))
    assert refusal.field == "details.Cost"
    assert refusal.message == "details.Cost: must be text, a number, true or false"


@pytest.mark.parametrize(
    "unseen", ["\u200b", "\u2800", "\u3164", "\u00ad", "\ufeff", "\u200d\ufe0f"]
)
def test_text_of_nothing_visible_counts_as_none(unseen: str) -> None:
    """A subject and a label are required; details are not."""
    assert _field(subject=unseen) == "subject"
    assert _field(subject=f" {unseen}\u00a0{unseen}") == "subject"
    assert _field(details={unseen: 1}) == "details"
    assert _read(details=unseen).details == ""
    assert _read(subject=f"{unseen}x").subject == f"{unseen}x"


def test_blanks_around_addresses_are_dropped_everywhere() -> None:
    request = _read(
        approvers=[" ada@example.com", "bob@example.com\n"],
        requestedBy="\tmary@example.com ",
        escalation={"after": 60, "approvers": ["grace@example.com "]},
    )
    assert request.approvers == ("ada@example.com", "bob@example.com")
    assert request.requested_by == "mary@example.com"
    assert request.escalation is not None
    assert request.escalation.approvers == ("grace@example.com",)
    assert _field(approvers=["ada@example.com", " ada@example.com"]) == "approvers[1]"
    assert _field(approvers=["ada@example.com"], requestedBy=" ada@example.com") == "approvers[0]"


def test_integers_may_be_written_as_floats() -> None:
    """And are stored as integers; numbers in details stay as they were sent."""
    escalation = {"after": 120.0, "approvers": ["grace@example.com"]}
    request = _read(
        approvers=people(3), approvalsNeeded=2.0, rejectionsNeeded=1.0, expiresIn=86_400.0,
        remindEvery=300.0, escalation=escalation, details={"Version": 2.0},
    )  # fmt: skip
    stored = msgspec.json.encode(request)
    assert b'"expiresIn":86400,' in stored
    assert b'"after":120,' in stored
    assert b'"Version":2.0' in stored
    assert (request.approvals_needed, request.remind_every) == (2, 300)
    assert _field(expiresIn=59.0) == "expiresIn"


def test_details_are_measured_as_the_json_that_is_stored() -> None:
    assert _read(details="x" * (DETAILS_BYTES - 2)).details == "x" * (DETAILS_BYTES - 2)
    assert _field(details="x" * (DETAILS_BYTES - 1)) == "details"
    assert _field(details='"' * (DETAILS_BYTES // 2)) == "details"
    assert _field(details="é" * (DETAILS_BYTES // 2)) == "details"
    assert _field(details={f"label {n}": n for n in range(2000)}) == "details"


def test_deep_nesting_is_refused() -> None:
    """As a wrong type, without a stack overflow."""
    deep: Any = "x"
    for _ in range(100_000):
        deep = [deep]
    assert _field(details=deep) == "details"
    assert _field(details={"x": deep}) == "details.x"
    assert _refused(deep).field is None


@pytest.mark.parametrize("wrong", [None, True, 1, "x", [], [request_body()], {1: 2}])
def test_anything_but_a_json_object_is_refused(wrong: object) -> None:
    assert _refused(wrong).field is None


def test_a_request_keeps_order_and_names() -> None:
    """Line ends, outer blanks and the case of mail domains are normalised."""
    request = _read(
        subject="  Release 4.2 ",
        details={" Cost ": "1\r\n2\r3", "Big": True},
        approvers=["Zoe@Example.com", "ada@example.com"],
        approvalsNeeded="all",
    )
    assert request.subject == "Release 4.2"
    assert request.details == {" Cost ": "1\n2\n3", "Big": True}
    assert request.approvers == ("Zoe@example.com", "ada@example.com")
    assert request.approvals_needed == "all"
    assert _read(details="  a\r\nb \n").details == "a\nb"


def test_a_stored_request_with_a_field_of_newer_code_can_be_read() -> None:
    """After a rollback; from a caller the same field is refused."""
    newer = msgspec.to_builtins(_read()) | {"notYetInvented": True}
    assert msgspec.convert(newer, Request) == _read()
    assert _refused(newer).field == "notYetInvented"


@many
@given(bodies())
def test_an_allowed_request_stays_allowed(allowed: dict[str, Any]) -> None:
    """Read, written as JSON and read again, it is the same request."""
    request = check_request(allowed, ("*",))
    again = check_request(read_json(msgspec.json.encode(request)), ("*",))
    assert again == request


@many
@given(anything)
def test_any_json_gives_a_request_or_a_refusal(sent: object) -> None:
    """No input raises another error."""
    _request_or_refusal(sent)


@many
@given(bodies(), st.data())
def test_any_value_in_any_field_gives_a_request_or_a_refusal(
    allowed: dict[str, Any], data: st.DataObject
) -> None:
    names = [*msgspec.to_builtins(_read()), "anything"]
    _request_or_refusal(allowed | {data.draw(st.sampled_from(names)): data.draw(anything)})


def _request_or_refusal(sent: object) -> None:
    try:
        request = check_request(sent, ("*",))
    except InvalidRequest as e:
        fit_to_send(e)
    else:
        assert msgspec.json.decode(msgspec.json.encode(request), type=Request) == request
