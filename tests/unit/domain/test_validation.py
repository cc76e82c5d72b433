"""What may be asked, and how the refusal of everything else reads."""

import json
import math
from typing import Any
from unicodedata import category

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.addresses import check_address, same_person
from chalicelib.domain.decoding import convert, read_json
from chalicelib.domain.errors import InvalidRequest
from chalicelib.domain.request import Request, TaskRequest
from chalicelib.domain.texts import (
    REASON_BYTES,
    REASON_CHARACTERS,
    check_reason,
    many_lines,
    one_line,
)
from chalicelib.domain.validation import DETAILS_BYTES, LARGEST_NUMBER, check_request
from chalicelib.entrypoints.forms import DecisionForm
from tests.builders import body, people
from tests.unit.strategies import REORDERING, anything, bodies, many

MESSAGE_CHARACTERS = 1_000
"""Longer than any sentence of ours; far shorter than a cause or a body may be."""
MEGABYTE = "x" * 1_000_000
TEXT_FIELDS = ("subject", "details", "requestedBy", "reasonRequired", "onReject")
SURROGATE = "\ud83d"
HOSTILE = [
    "\x00", "\x07", "\x0b", "\x0c", "\x1b[2J", "\x7f", "\x85", "\x9b", "\u2028", "\u2029",
    "\u202a", "\u202e", "\u2066", "\u2069", SURROGATE, "\udc00",
]  # fmt: skip


def _read(**fields: Any) -> Request:
    return check_request(body(**fields), ("example.com",))


def _refused(untrusted: object, domains: tuple[str, ...] = ("example.com",)) -> InvalidRequest:
    """Return the refusal, after holding it to what every refusal must be."""
    with pytest.raises(InvalidRequest) as refusal:
        check_request(untrusted, domains)
    return _held(refusal.value)


def _held(error: InvalidRequest) -> InvalidRequest:
    sent = json.dumps(error.as_json(), ensure_ascii=False).encode()
    assert len(sent.decode()) <= MESSAGE_CHARACTERS
    assert not [c for c in sent.decode() if category(c) == "Cc" or c in REORDERING]
    assert error.field is None or error.message.startswith(error.field.partition(".")[0])
    return error


def _field(**fields: Any) -> str | None:
    return _refused(body(**fields)).field


def test_the_least_that_may_be_asked_has_the_documented_defaults() -> None:
    """Subject and approvers are all that is required."""
    asked = _read()
    assert json.loads(msgspec.json.encode(asked)) == {
        "subject": "Release 4.2",
        "details": "",
        "approvers": ["ada@example.com"],
        "approvalsNeeded": 1,
        "rejectionsNeeded": 1,
        "requestedBy": None,
        "expiresIn": 604_800,
        "remindEvery": None,
        "escalation": None,
        "reasonRequired": "onReject",
        "codeRequired": False,
        "allowSelfApproval": False,
        "onReject": "fail",
    }


@pytest.mark.parametrize("missing", ["subject", "approvers"])
def test_a_required_field_that_is_missing_is_named(missing: str) -> None:
    """What is required and absent is named."""
    refusal = _refused({k: v for k, v in body().items() if k != missing})
    assert (refusal.field, refusal.message) == (missing, f"{missing}: is required")


def test_a_child_may_be_told_who_started_it() -> None:
    """Step Functions' console links parent and child by that field; it asks for nothing."""
    told = body(AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID="arn:aws:states:...")
    assert check_request(told, ("*",)) == check_request(body(), ("*",))


@pytest.mark.parametrize(
    "unknown",
    ["Subject", "approvals_needed", "é", "", " "],
)
def test_a_field_we_do_not_know_is_refused_by_name(unknown: str) -> None:
    """A field that has no effect (yet) is never taken silently."""
    refusal = _refused(body(**{unknown: 1}))
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
        ("reasonRequired", ["never", "onReject", "always"]),
        ("onReject", ["fail", "return"]),
        ("allowSelfApproval", [True, False]),
        ("requestedBy", [None, "grace@elsewhere.org", "a@b.c"]),
    ],
)
def test_what_the_table_allows_is_taken(field: str, values: list[object]) -> None:
    """Both ends of every range are inside."""
    for value in values:
        assert isinstance(_read(**{field: value}), Request)


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("subject", ["", " ", "\u00a0\u3000", "x" * 201, "a\tb", "a\nb", "a\r\nb", 1, None, ["x"]]),
        ("details", [None, 1, ["x"], {"x": None}, {"x": []}, {"x": {}}, {"": 1}, {" ": 1}]),
        ("details", [{"x" * 101: 1}, {"a\nb": 1}, {"a\tb": 1}]),
        ("approvers", [[], people(51), None, "ada@example.com", {}, [["ada@example.com"]]]),
        ("approvalsNeeded", [0, -1, 51, 2, 1.5, "1", "ALL", "", True, None, [], 10**30]),
        ("rejectionsNeeded", [0, -1, 51, 2, 1.5, "1", "all", True, None, [], 10**30]),
        ("requestedBy", ["", "ada", "a@b", "a b@example.com", "x" * 250 + "@b.c", 1, []]),
        ("expiresIn", [59, 31_536_001, 0, -60, 60.5, "60", True, None, 10**30, math.inf]),
        ("reasonRequired", ["", "Never", "onreject", None, True, 1, []]),
        ("onReject", ["", "Fail", "succeed", None, False]),
        ("allowSelfApproval", ["true", 1, 0, None]),
    ],
)
def test_what_the_table_does_not_allow_is_refused_by_field(
    field: str, values: list[object]
) -> None:
    """Just outside each range, and of each wrong type, the field is named."""
    for value in values:
        named = _field(**{field: value})
        assert named is not None
        assert named.partition("[")[0] == field, value


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_a_number_that_json_does_not_have_is_refused(number: float) -> None:
    """NaN and infinity would be stored as null, which no approval can be read back from."""
    assert _field(details={"ratio": number}) == "details.ratio"


@pytest.mark.parametrize("number", [LARGEST_NUMBER + 1, -LARGEST_NUMBER - 1, 10**30, 10**4000])
def test_a_whole_number_that_a_double_can_not_hold_is_refused(number: int) -> None:
    """Such a number must be sent as text, or somebody decides on another one."""
    assert _field(details={"Amount": number}) == "details.Amount"


@pytest.mark.parametrize("field", ["approvalsNeeded", "rejectionsNeeded"])
def test_no_more_are_needed_than_are_asked(field: str) -> None:
    """K and r go up to the number of approvers."""
    assert isinstance(_read(approvers=people(3), **{field: 3}), Request)
    refusal = _refused(body(approvers=people(3), **{field: 4}))
    assert refusal.field == field
    assert refusal.message == f"{field}: 4 is more than the 3 approvers asked"


@pytest.mark.parametrize(
    "address",
    [
        "", "ada", "@example.com", "ada@", "ada@example", "ada@@example.com", "ada @example.com",
        "ada@exam ple.com", "ada@example..com", "ada@.example.com", "ada@example.com.",
        "ada@example.com\n", "\nada@example.com", "ada@example.com,eve@example.com",
        "Ada <ada@example.com>", '"ada"@example.com', "ada@[127.0.0.1]", "adá@example.com",
        "ada@exämple.com", "x" * 65 + "@example.com", "a@" + "x" * 250 + ".com",
        "a\x00@example.com",
        SURROGATE + "@example.com", "ada@example.com\u202e", "<script>@example.com", MEGABYTE,
    ],
)  # fmt: skip
def test_what_is_no_plain_address_is_refused_by_its_place(address: str) -> None:
    """The second of two approvers is named as `approvers[1]`."""
    refusal = _refused(body(approvers=["ada@example.com", address]), ("*",))
    assert refusal.field is not None
    assert refusal.field in ("approvers[1]", "approvers")


def test_addresses_are_one_persons_whatever_their_case() -> None:
    """The same address in another case is named twice."""
    assert _field(approvers=["ada@example.com", "bob@example.com", "ADA@Example.COM"]) == (
        "approvers[2]"
    )
    assert same_person("Ada@Example.com", "aDA@example.COM")
    assert not same_person("ada@example.com", "ada@example.org")


def test_only_people_of_allowed_domains_may_be_asked() -> None:
    """The approvers' domain is compared whole and without case; the requester's isn't."""
    domains = ("example.com", "example.org")
    for address in ("a@example.com", "a@EXAMPLE.org"):
        assert check_request(body(approvers=[address]), domains)
    for address in ("a@evil-example.com", "a@sub.example.com", "a@example.com.evil.net", "a@b.c"):
        refusal = _refused(body(approvers=["ada@example.com", address]), domains)
        assert refusal.field == "approvers[1]"
        assert "example.com, example.org" in refusal.message
    assert check_request(body(approvers=["a@b.c"]), ("*",))
    assert _refused(body(), ()).field == "approvers[0]"
    assert check_request(body(requestedBy="a@elsewhere.net"), domains)


def test_nobody_approves_their_own_request_unless_it_is_allowed() -> None:
    """The requester among the approvers is refused in any case, unless `allowSelfApproval`."""
    own = {"approvers": ["bob@example.com", "Ada@Example.com"], "requestedBy": "ada@example.com"}
    assert _field(**own) == "approvers[1]"
    assert _read(**own, allowSelfApproval=True).allow_self_approval


@pytest.mark.parametrize("character", HOSTILE)
def test_control_characters_and_marks_that_reorder_text_are_refused(character: str) -> None:
    """No text field lets through what could forge a line or read backwards."""
    text = f"a{character}b"
    assert _field(subject=text) == "subject"
    assert _field(details=text) == "details"
    assert _field(details={"Cost": text}) == "details.Cost"
    assert _field(details={text: "Cost"}) == "details"
    assert _field(requestedBy=f"{text}@example.com") == "requestedBy"
    assert _field(approvers=[f"{text}@example.com"]) == "approvers[0]"
    with pytest.raises(InvalidRequest):
        check_reason(text)


@pytest.mark.parametrize("character", HOSTILE)
def test_hostile_characters_in_words_and_names_are_refused_too(character: str) -> None:
    """A field's name and a word of a fixed set are refused as their field, never by a crash."""
    text = f"a{character}b"
    assert _field(reasonRequired=text) == "reasonRequired"
    assert _field(onReject=text) == "onReject"
    assert _field(approvalsNeeded=text) == "approvalsNeeded"
    assert _field(**{text: 1}) is not None


def test_a_lone_surrogate_is_refused_wherever_it_stands() -> None:
    """Lambda's JSON has them, UTF-8 doesn't: each is a refusal, not a fault on our side."""
    assert _field(**{SURROGATE: 1}) is not None
    assert _field(reasonRequired=SURROGATE) == "reasonRequired"


def test_a_surrogate_in_a_question_is_refused() -> None:
    """A task token or ARN that UTF-8 can't hold could neither be hashed nor stored."""
    for field in ("taskToken", "executionArn"):
        sent = _question() | {field: _question()[field] + SURROGATE}
        with pytest.raises(InvalidRequest) as refusal:
            convert(sent, TaskRequest)
        assert _held(refusal.value).field == field


@pytest.mark.parametrize("field", TEXT_FIELDS)
def test_a_megabyte_in_a_field_is_refused_in_a_short_message(field: str) -> None:
    """However much is sent, the refusal fits a cause, a header and a screen."""
    assert _field(**{field: MEGABYTE}) == field


def test_a_megabyte_elsewhere_is_refused_in_a_short_message() -> None:
    """Names, labels, addresses and words of a fixed set are no way around."""
    assert _field(approvers=[MEGABYTE]) in ("approvers", "approvers[0]")
    assert _field(details={MEGABYTE: 1}) == "details"
    assert _field(approvalsNeeded=MEGABYTE) == "approvalsNeeded"
    assert _field(**{MEGABYTE: 1}) == "x" * 100
    assert _field(details={"x": MEGABYTE}) == "details"


def test_details_are_measured_as_the_json_they_are_stored_as() -> None:
    """16 KB of JSON is the limit, for text and for labels alike."""
    assert _read(details="x" * (DETAILS_BYTES - 2)).details == "x" * (DETAILS_BYTES - 2)
    assert _field(details="x" * (DETAILS_BYTES - 1)) == "details"
    assert _field(details='"' * (DETAILS_BYTES // 2)) == "details"
    assert _field(details="é" * (DETAILS_BYTES // 2)) == "details"
    assert _field(details={f"label {n}": n for n in range(2000)}) == "details"


def test_deep_nesting_is_refused() -> None:
    """Depth is a wrong type, not a stack overflow."""
    deep: Any = "x"
    for _ in range(100_000):
        deep = [deep]
    assert _field(details=deep) == "details"
    assert _field(details={"x": deep}) == "details"
    assert _refused(deep).field is None
    for text in (b"[" * 100_000, b'{"a":' * 100_000):
        with pytest.raises(InvalidRequest):
            read_json(text)


@pytest.mark.parametrize("wrong", [None, True, 1, "x", [], [body()], {1: 2}])
def test_what_is_no_object_is_refused(wrong: object) -> None:
    """The body itself is to blame then."""
    assert _refused(wrong).field is None


def test_a_request_is_kept_as_it_was_asked() -> None:
    """Order and names stay; line ends, outer blanks and the case of domains are evened out."""
    asked = _read(
        subject="  Release 4.2 ",
        details={" Cost ": "1\r\n2\r3", "Big": True},
        approvers=["Zoe@Example.com", "ada@example.com"],
        approvalsNeeded="all",
    )
    assert asked.subject == "Release 4.2"
    assert asked.details == {" Cost ": "1\n2\n3", "Big": True}
    assert asked.approvers == ("Zoe@example.com", "ada@example.com")
    assert asked.approvals_needed == "all"
    assert _read(details="  a\r\nb \n").details == "a\nb"


def test_what_is_stored_is_read_back_by_older_code() -> None:
    """A stored request with a field of newer code is read; at the door it is refused."""
    newer = msgspec.to_builtins(_read()) | {"notYetInvented": True}
    assert msgspec.convert(newer, Request) == _read()
    assert _refused(newer).field == "notYetInvented"


@many
@given(bodies())
def test_whatever_is_allowed_is_taken_and_stays_allowed(allowed: dict[str, Any]) -> None:
    """A request read, written as JSON and read again is the same request."""
    asked = check_request(allowed, ("*",))
    again = check_request(read_json(msgspec.json.encode(asked)), ("*",))
    assert again == asked


@many
@given(anything)
def test_whatever_is_sent_gives_a_request_or_a_refusal(sent: object) -> None:
    """No input raises anything but InvalidRequest, and no refusal is unfit to be sent."""
    _request_or_refusal(sent)


@many
@given(bodies(), st.data())
def test_an_allowed_request_with_one_thing_wrong_gives_a_request_or_a_refusal(
    allowed: dict[str, Any], data: st.DataObject
) -> None:
    """Neither does any value in any one field, beside fields that are fine."""
    names = [*msgspec.to_builtins(_read()), "anything"]
    _request_or_refusal(allowed | {data.draw(st.sampled_from(names)): data.draw(anything)})


def _request_or_refusal(sent: object) -> None:
    try:
        asked = check_request(sent, ("*",))
    except InvalidRequest as e:
        _held(e)
    else:
        assert msgspec.json.decode(msgspec.json.encode(asked), type=Request) == asked


@given(st.binary(max_size=200))
def test_whatever_bytes_are_sent_give_json_or_a_refusal(sent: bytes) -> None:
    """A body is JSON in UTF-8 or refused, its name in front."""
    told = "body: is not valid JSON"
    try:
        read_json(sent)
    except InvalidRequest as e:
        told = _held(e).message
    assert told.startswith("body: is ")


@pytest.mark.parametrize(
    "sent",
    [b"", b"{", b"NaN", b"Infinity", b"1e999", b"'a'", b"\xff\xfe", b'"\xff"', b'"\\ud800"',
     b"{}{}", b"9" * 5000, b"\x00", b'{"a":1,}'],
)  # fmt: skip
def test_what_is_no_json_is_refused(sent: bytes) -> None:
    """So are Python's own additions to JSON, and JSON that has no UTF-8."""
    with pytest.raises(InvalidRequest):
        read_json(sent)


def _question() -> dict[str, str]:
    arn = "arn:aws:states:us-east-1:000000000000:execution:assent-test:release-42"
    return {"taskToken": "AQC=", "executionArn": arn, "request": "anything"}


def test_a_question_has_three_fields() -> None:
    """Task token, execution ARN and request: each is required, and nothing else is known."""
    asked = convert(_question(), TaskRequest)
    assert (asked.task_token, asked.request) == ("AQC=", "anything")
    for name in _question():
        with pytest.raises(InvalidRequest) as refusal:
            convert({k: v for k, v in _question().items() if k != name}, TaskRequest)
        assert refusal.value.field == name
    with pytest.raises(InvalidRequest) as refusal:
        convert(_question() | {"executionName": "x"}, TaskRequest)
    assert refusal.value.field == "executionName"


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("taskToken", ["", "x" * 2049, 1, None]),
        ("executionArn", ["", "x", "arn:aws:states:r:1:stateMachine:x", "arn:aws:sns:r:1:t", 1]),
        ("executionArn", ["arn:aws:states:r:1:execution:", MEGABYTE]),
    ],
)
def test_a_question_that_can_not_be_answered_is_refused(field: str, wrong: list[object]) -> None:
    """The token must be one that Step Functions takes, the ARN an execution's."""
    for value in wrong:
        with pytest.raises(InvalidRequest) as refusal:
            convert(_question() | {field: value}, TaskRequest)
        assert _held(refusal.value).field == field
    assert convert(_question() | {"taskToken": "x" * 2048}, TaskRequest)


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:states:r:1:execution:machine:name\n",
        "arn:aws:states:r\n:1:execution:machine:name",
        "arn:aws:states:r:1:execution:machine:" + "n" * 2_048,
    ],
    ids=["line break at the end", "line break inside", "too long for the index"],
)
def test_an_execution_arn_is_bounded_and_one_line(arn: str) -> None:
    """It is a key of an index (2,048 bytes at most) and stands in mails and pages."""
    with pytest.raises(InvalidRequest) as refusal:
        convert(_question() | {"executionArn": arn}, TaskRequest)
    assert refusal.value.field == "executionArn"


def test_an_answer_has_a_reason_and_nothing_else() -> None:
    """The reason is text and may be left out."""
    assert convert({}, DecisionForm).reason == ""
    assert convert({"reason": "so"}, DecisionForm).reason == "so"
    wrongs: list[object] = [{"reason": 1}, {"reason": None}, {"resaon": "so"}, [], None]
    for wrong in wrongs:
        with pytest.raises(InvalidRequest):
            convert(wrong, DecisionForm)


def test_a_reason_has_plain_line_ends_and_no_blanks_around_it() -> None:
    """What a browser sends (CR LF) is kept as LF."""
    assert check_reason(" a\r\nb\rc\n\t") == "a\nb\nc"
    assert check_reason("\r\n \t") == ""


def test_a_reason_is_bounded_in_characters_and_in_bytes() -> None:
    """2,000 characters and 4,002 bytes as JSON, measured without the blanks around it."""
    assert len(check_reason("x" * REASON_CHARACTERS + "  ")) == REASON_CHARACTERS
    assert check_reason("😀" * ((REASON_BYTES - 2) // 4))
    for reason in ("x" * (REASON_CHARACTERS + 1), "😀" * (REASON_BYTES // 4 + 1), MEGABYTE):
        with pytest.raises(InvalidRequest) as refusal:
            check_reason(reason)
        assert _held(refusal.value).field == "reason"


def test_a_refused_character_is_named_by_code_and_place() -> None:
    """The message says which character and where, without repeating the text."""
    with pytest.raises(InvalidRequest) as refusal:
        one_line("ab\u202ecd", "subject")
    assert refusal.value.message == "subject: has the control character U+202E at position 2"
    assert many_lines("a\r\n\tb", "details") == "a\n\tb"
    for text in ("a\nb", "a\tb", "a\rb"):
        with pytest.raises(InvalidRequest):
            one_line(text, "subject")


def test_an_address_keeps_its_name_and_gets_its_domain_in_lower_case() -> None:
    """The role's condition on SNS endpoints is written in lower case; names are people's own."""
    longest = "x" * 64 + "@" + ".".join(["d" * 46] * 4) + ".y"
    assert len(longest) == 254
    assert check_address("Ada@Example.COM", "approver", ("example.com",)) == "Ada@example.com"
    for address in ("Ada@example.com", "o'brien+x@example.com", longest):
        assert check_address(address, "approver", ("*",)) == address
    with pytest.raises(InvalidRequest):
        check_address(longest + "z", "approver", ("*",))
