"""Input that nobody honest sends: refused with a 4xx, and the world is as it was."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.builders import asked, body, people
from tests.unit.entrypoints.client import BROWSER, FORM, JSON, DoorPorts, Doors, one_asked

MARKUP = '"><script>alert(1)</script><img src=x onerror=alert(1)>{{7*7}}{0}%s${x}&amp;'
CONTROLS = ["\x00", "\x07", "\x1b[31m", "\x7f", "\x85", "\u2028", "\u202e", "\u2066"]
ADDRESSES = [
    "x",
    "@",
    "a@b",
    "a b@example.com",
    "<b>@example.com",
    "ada@example.com\nBcc: eve@example.org",
    "ada@example.com, eve@example.com",
    "ada@example.com\x00",
    "Ada <ada@example.com>",
    "ada@example.com.evil.org",
    "ada@sub.example.com",
    "a" * 65 + "@example.com",
    "ädа@example.com",
    "ada@exаmple.com",
]
BODIES: list[bytes] = [
    b"",
    b"{",
    b"[]",
    b"null",
    b"1",
    b'"text"',
    b"\xff\xfe",
    b'{"subject": "\xff", "approvers": ["ada@example.com"]}',
    b'{"subject": "\\ud800", "approvers": ["ada@example.com"]}',
    b"[" * 100_000,
    b'{"a":' * 20_000,
    b'{"subject": 1e999, "approvers": ["ada@example.com"]}',
    b'{"subject": "x", "approvers": ["ada@example.com"], "expiresIn": 1e400}',
    b'{"subject": "x", "approvers": ["ada@example.com"], "expiresIn": NaN}',
    b"<xml/>",
    b'{"": 1, "subject": "x", "approvers": ["ada@example.com"]}',
    b"subject=x&approvers=ada%40example.com",
]
WRONG: dict[str, list[Any]] = {
    "subject": ["", " ", "\n", "x" * 201, 1, None, [], {}, True, "a\nb", *CONTROLS],
    "details": [
        *("x" * 20_000, 1, None, [], {"a": {}}, {"a": None}, {"a": 10**400}, {"a": 2**60}),
        *({label: "x"} for label in ("", "a" * 101, *CONTROLS)),
        *(f"x{control}" for control in CONTROLS),
    ],
    "approvers": [
        *([], None, "ada@example.com", {}, [1], [None], [[]], people(51)),
        ["ada@example.com", "ADA@EXAMPLE.COM"],
        *([address] for address in ADDRESSES),
    ],
    "requestedBy": ["", "x", 1, [], MARKUP, "ada@example.com"],
    "approvalsNeeded": [0, -1, 2, "1", "some", 1.5, True, None, 10**30],
    "rejectionsNeeded": [0, 2, "all", None],
    "expiresIn": [59, 31_536_001, -1, "60", None, 1.5, 10**30],
    "reasonRequired": ["sometimes", "", None, 1, MARKUP],
    "onReject": ["Fail", "", None, []],
    "allowSelfApproval": ["true", 1, None],
    "taskToken": ["x"],
    "__proto__": [{}],
    "subject ": ["x"],
    MARKUP: [1],
}
FIELDS = [{field: value} for field, values in WRONG.items() for value in values]


@pytest.mark.parametrize("raw", BODIES, ids=lambda raw: repr(raw[:30]))
@pytest.mark.parametrize("accept", [JSON, BROWSER])
def test_a_body_that_is_no_request_starts_nothing(
    doors: Doors, ports: DoorPorts, raw: bytes, accept: str
) -> None:
    """400, whatever its bytes are."""
    before = ports.world()
    refused = doors.ask("POST", "/executions", raw, JSON, accept)
    assert refused.status == 400, refused
    assert ports.world() == before


@pytest.mark.parametrize("fields", FIELDS, ids=lambda fields: ascii(fields)[:60])
def test_a_field_that_is_wrong_starts_nothing(
    doors: Doors, ports: DoorPorts, fields: dict[str, Any]
) -> None:
    """400, naming the field, and the message repeats no control character."""
    before = ports.world()
    refused = doors.json("/executions", body(**fields))
    assert refused.status == 400, refused
    answer = refused.json
    assert answer.keys() == {"code", "message", "field"}
    assert answer["code"] == "InvalidRequest"
    assert not set(answer["message"] + answer["field"]) & set("\x00\x07\x1b\x7f\x85\u2028\u202e\n")
    assert ports.world() == before


def test_the_field_to_blame_is_named_as_the_wire_writes_it(doors: Doors) -> None:
    """With its place in the list."""
    refused = doors.json("/executions", body(approvers=["ada@example.com", "x@elsewhere.org"]))
    assert refused.json["field"] == "approvers[1]"


def test_markup_in_a_request_stays_text(doors: Doors, ports: DoorPorts) -> None:
    """It is fine to ask about markup; the page shows it and does not contain it."""
    details = {"<b>label</b>": MARKUP}
    token = one_asked(ports, subject=MARKUP, details=details)
    for page in (
        doors.get(f"/approve/{token}", BROWSER),
        doors.form(f"/reject/{token}", reason=MARKUP),
        doors.get(f"/reject/{token}", BROWSER),
    ):
        assert page.status == 200
        assert "&lt;script&gt;" in page.text
        assert "<script" not in page.text
        assert "<img" not in page.text
        assert "<b>" not in page.text


def test_markup_in_a_reason_that_is_refused_stays_text(doors: Doors, ports: DoorPorts) -> None:
    """It comes back in the form, where it is text too."""
    path = f"/reject/{one_asked(ports)}"
    reason = "</textarea><script>alert(1)</script>" + "x" * 2_000
    page = doors.form(path, reason=reason)
    assert page.status == 400
    assert page.text.count("</textarea>") == 1
    assert "<script" not in page.text


@pytest.mark.parametrize("control", [c for c in CONTROLS if c != "\x1b[31m"] + ["\x1b"])
def test_a_reason_with_control_characters_decides_nothing(
    doors: Doors, ports: DoorPorts, control: str
) -> None:
    """Neither as a form nor as JSON."""
    path = f"/reject/{one_asked(ports)}"
    before = ports.world()
    for refused in (
        doors.form(path, reason=f"a{control}b"),
        doors.json(path, {"reason": f"a{control}b"}),
    ):
        assert refused.status == 400
    assert ports.world() == before


@pytest.mark.parametrize(
    ("raw", "content_type"),
    [
        (b"\xff\xfe\x00", FORM),
        (b"reason=\xff", FORM),
        (b"&".join(b"f%d=x" % n for n in range(30)), FORM),
        (b"reason=x&colour=red", FORM),
        (b"choice=approve", FORM),
        (b"approver=eve%40example.com&reason=x", FORM),
        (b"{", JSON),
        (b"[]", JSON),
        (b"null", JSON),
        (b'"reason"', JSON),
        (b'{"reason": 1}', JSON),
        (b'{"reason": null}', JSON),
        (b'{"reason": ["x"]}', JSON),
        (b'{"reason": "x", "colour": "red"}', JSON),
        (b'{"reason": "\xff"}', JSON),
        (b'{"reason": "\\ud800"}', JSON),
        (b"[" * 100_000, JSON),
        (json.dumps({"reason": "x" * 2_001}).encode(), JSON),
    ],
    ids=lambda value: repr(value[:40]),
)
@pytest.mark.parametrize("accept", [None, JSON, BROWSER])
def test_an_answer_of_the_wrong_shape_decides_nothing(
    doors: Doors, ports: DoorPorts, raw: bytes, content_type: str, accept: str | None
) -> None:
    """400 to a program and to a person, for either button."""
    token = one_asked(ports)
    before = ports.world()
    for choice in ("approve", "reject"):
        assert doors.ask("POST", f"/{choice}/{token}", raw, content_type, accept).status == 400
    assert ports.world() == before


@pytest.mark.parametrize("path", ["/executions", "/approve/{token}", "/reject/{token}"])
@pytest.mark.parametrize("accept", [JSON, BROWSER])
def test_a_megabyte_is_not_read(doors: Doors, ports: DoorPorts, path: str, accept: str) -> None:
    """413, before anything looks into it."""
    path = path.format(token=one_asked(ports))
    before = ports.world()
    raw = json.dumps({"reason": "x" * 1_000_000}).encode()
    refused = doors.ask("POST", path, raw, JSON, accept)
    assert (refused.status, refused.is_page) == (413, accept == BROWSER)
    assert ports.world() == before


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "text/html", "multipart/form-data; boundary=x", "application/xml", "x"],
)
@pytest.mark.parametrize("path", ["/executions", "/approve/{token}", "/reject/{token}"])
def test_a_type_that_is_not_offered_is_not_read(
    doors: Doors, ports: DoorPorts, path: str, content_type: str
) -> None:
    """415: a form on another site can post text/plain or multipart, and gets nowhere."""
    path = path.format(token=one_asked(ports))
    before = ports.world()
    assert doors.ask("POST", path, b'{"reason": "x"}', content_type).status == 415
    assert ports.world() == before


def test_a_form_starts_no_execution(doors: Doors, ports: DoorPorts) -> None:
    """Only JSON does: a page on another site can't send that without being asked first."""
    before = ports.world()
    raw = b"subject=x&approvers=ada%40example.com"
    assert doors.ask("POST", "/executions", raw, FORM).status == 415
    assert ports.world() == before


def _altered(token: str) -> list[str]:
    approval_id, secret = token.split(".")
    swapped = "b" if secret[0] == "a" else "a"
    return [
        token[:-1],
        token + "a",
        token[1:],
        token.upper(),
        f"{approval_id}.{swapped}{secret[1:]}",
        f"{approval_id}.{secret[::-1]}",
        f"{secret[:26]}.{secret}",
        f"{approval_id}.",
        f"{approval_id}{secret}",
        f"{approval_id}.{approval_id}",
        approval_id,
        f".{secret}",
        f"{token}.",
        f"{token}%0a",
        f"{token}%00",
        f"%20{token}",
        f"{token}%2f..",
        f"{token}%3bx=1",
        "%2e%2e",
        "%ff",
        "é",
        "a" * 5_000,
        "null",
        "*",
        MARKUP.replace("/", "").replace("?", "").replace("#", ""),
    ]


def test_an_altered_token_opens_and_decides_nothing(doors: Doors, ports: DoorPorts) -> None:
    """404 by every method, and the same answer whatever was altered."""
    token = one_asked(ports)
    before = ports.world()
    pages, answers = set(), set()
    for altered in _altered(token):
        for choice in ("approve", "reject"):
            path = f"/{choice}/{altered}"
            page, press = doors.get(path, BROWSER), doors.form(path, reason="x")
            shown, sent = doors.get(path, JSON), doors.json(path, {"reason": "x"})
            head = doors.ask("HEAD", path)
            statuses = {a.status for a in (page, press, shown, sent, head)}
            assert statuses == {404}, altered
            pages |= {page.text, press.text}
            answers |= {shown.text, sent.text}
    assert len(pages) == len(answers) == 1
    assert ports.world() == before


def test_the_token_of_one_approval_opens_no_other(doors: Doors, ports: DoorPorts) -> None:
    """Neither half can be exchanged, though both are good."""
    first = one_asked(ports)
    second = one_asked(ports, "another-task-token")
    before = ports.world()
    for ours, theirs in ((first, second), (second, first)):
        mixed = f"{ours.split('.')[0]}.{theirs.split('.')[1]}"
        assert doors.get(f"/approve/{mixed}", BROWSER).status == 404
        assert doors.form(f"/approve/{mixed}").status == 404
    assert ports.world() == before


def test_an_approver_can_decide_as_nobody_else(doors: Doors, ports: DoorPorts) -> None:
    """Whatever the body says, the link says who decides."""
    asked(ports, approvers=people(2), approvalsNeeded="all")
    first, second = (ports.link(address) for address in people(2))
    assert first.split(".")[0] == second.split(".")[0]
    decided = doors.form(f"/approve/{first}", JSON).json
    assert decided["approver"] == people(2)[0]
    assert doors.get(f"/approve/{second}", JSON).json["decision"] is None


@pytest.mark.parametrize(
    "accept",
    [
        "",
        ",",
        ";;;q=",
        "text/html;q=not-a-number",
        "*/*;q=0",
        "a" * 8_000,
        "text/html\t",
        "TEXT/HTML",
        "application/json;v=1;;",
        "é",
        "application/octet-stream",
        MARKUP,
    ],
)
def test_an_odd_accept_header_is_no_fault_of_ours(
    doors: Doors, ports: DoorPorts, accept: str
) -> None:
    """Every route answers it as it would answer anybody."""
    token = one_asked(ports)
    before = ports.world()
    assert doors.get(f"/approve/{token}", accept).status == 200
    assert doors.get("/approve/x", accept).status == 404
    assert doors.get("/approvals/x", accept).status == 404
    assert doors.get("/health", accept).status == 200
    assert doors.json("/executions", {}, accept).status == 400
    assert ports.world() == before


@settings(
    suppress_health_check=[
        *settings().suppress_health_check,
        HealthCheck.function_scoped_fixture,  # each example asks for an approval of its own
    ]
)
@given(raw=st.binary(max_size=200), form=st.booleans())
def test_no_bytes_at_all_are_a_fault_of_ours(
    doors: Doors, ports: DoorPorts, raw: bytes, form: bool
) -> None:
    """A rejection without a readable reason is a 400 or, if one can be read, a 200."""
    path = f"/reject/{one_asked(ports, raw.hex() or 'none', approvers=['ada@example.com'])}"
    assert doors.ask("POST", path, raw, FORM if form else JSON).status in (200, 400)
    if raw not in (b"{}",):
        assert doors.ask("POST", "/executions", raw, JSON).status == 400


def test_text_that_is_not_utf8_in_a_form_is_refused(doors: Doors, ports: DoorPorts) -> None:
    """Also where it is percent-encoded: a reason is stored as it was meant, or not at all."""
    path = f"/reject/{one_asked(ports)}"
    before = ports.world()
    assert doors.ask("POST", path, b"reason=%ff%fe", FORM, BROWSER).status == 400
    assert ports.world() == before
