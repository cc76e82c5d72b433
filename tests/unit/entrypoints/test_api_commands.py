"""What operators do to a waiting approval, and the pages that pass it on or withdraw it."""

import json
from collections.abc import Callable
from typing import Any

import pytest

import app as doors_module
from chalicelib.domain.link_tokens import is_id
from tests.builders import asked
from tests.unit.entrypoints.client import ADA, BROWSER, FORM, JSON, Answered, DoorPorts, Doors
from tests.unit.entrypoints.functions import tick
from tests.unit.entrypoints.test_hostile_input import CONTROLS, MARKUP
from tests.unit.entrypoints.test_logs import holds_no_secret

GRACE, LINUS, MARY = "grace@example.com", "linus@example.com", "mary@example.com"
OPERATOR = "boss@elsewhere.example"
ARN = "arn:aws:sts::000000000000:assumed-role/operators/boss"
GOOD: dict[str, dict[str, Any]] = {
    "cancel": {"reason": "not needed"},
    "remind": {},
    "extend": {"expiresIn": 600},
    "reassign": {"from": ADA, "to": GRACE, "note": "Ada is away"},
}
OPERATIONS = list(GOOD)
PAGES = ["pass", "cancel"]
PRIVATE = "a private note 314159"


def waiting(ports: DoorPorts, **fields: Any) -> str:
    """Ask Ada in Mary's name, mail both, and return the approval's id."""
    approval_id = asked(ports, **({"requestedBy": MARY} | fields))
    tick()
    return approval_id


def page_path(ports: DoorPorts, page: str) -> str:
    """Return the address of the page that Ada (`pass`) or Mary (`cancel`) was mailed."""
    if page == "pass":
        return f"/pass/{ports.link()}"
    return f"/cancel/{ports.token_mailed_to(MARY, 'cancel')}"


def press(doors: Doors, path: str, accept: str = BROWSER, **fields: str) -> Answered:
    """Press the page's button, by form or as a program does, with what it takes."""
    sent = {"to": GRACE, **fields} if path.startswith("/pass/") else fields
    return doors.form(path, accept, **sent) if accept == BROWSER else doors.json(path, sent)


def signed(path: str, body: object, identity: object) -> Any:
    """Return the answer's body for a call that API Gateway has found out the caller of."""
    approval_id, operation = path.split("/")[2:]
    event = {
        "requestContext": {
            "requestId": "c0ffee-42",
            "httpMethod": "POST",
            "resourcePath": f"/approvals/{{approval_id}}/{operation}",
            "identity": identity,
        },
        "headers": {"Content-Type": JSON},
        "multiValueQueryStringParameters": None,
        "pathParameters": {"approval_id": approval_id},
        "stageVariables": None,
        "body": json.dumps(body),
    }
    answer = doors_module.app(event, None)
    assert answer["statusCode"] == 200, answer
    return json.loads(answer["body"])


# What operators do


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_operation_answers_the_whole_approval(
    doors: Doors, ports: DoorPorts, operation: str
) -> None:
    """The same as the approval's own route shows, with who did it through which door."""
    approval_id = waiting(ports)
    path = f"/approvals/{approval_id}/{operation}"
    answer = doors.json(path, GOOD[operation] | {"by": OPERATOR})
    assert answer.status == 200
    assert answer.json == doors.get(f"/approvals/{approval_id}").json
    what = {"remind": "reminded", "extend": "extended", "reassign": "reassigned"}
    (event,) = [e for e in answer.json["events"] if e["who"] == OPERATOR]
    assert (event["what"], event["via"]) == (what.get(operation, "cancelled"), "api")


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("more", [{}, {"by": None}], ids=["left out", "null"])
def test_who_signs_is_who_did_it_unless_somebody_is_named(
    doors: Doors,  # noqa: ARG001 (it sets the app up)
    ports: DoorPorts,
    operation: str,
    more: dict[str, None],
) -> None:
    """The caller's IAM principal stands in the record."""
    approval_id = waiting(ports)
    body = GOOD[operation] | more
    found = signed(f"/approvals/{approval_id}/{operation}", body, {"userArn": ARN})
    assert [e["via"] for e in found["events"] if e["who"] == ARN] == ["api"]


@pytest.mark.parametrize("identity", [{}, {"userArn": None}])
def test_a_caller_without_a_name_is_an_operator(
    doors: Doors,  # noqa: ARG001 (it sets the app up)
    ports: DoorPorts,
    identity: object,
) -> None:
    """Nobody is called None in the record."""
    found = signed(f"/approvals/{waiting(ports)}/remind", {}, identity)
    assert found["events"][-1]["who"] == "operator"


def test_withdrawing_fails_the_task_and_tells_everybody(doors: Doors, ports: DoorPorts) -> None:
    """The task is resumed at once, as `Cancelled`; mails follow with the next tick."""
    approval_id = waiting(ports)
    found = doors.json(f"/approvals/{approval_id}/cancel", GOOD["cancel"]).json
    assert (found["outcome"], found["settledAt"]) == ("cancelled", "2026-11-22T09:00:00Z")
    assert [answer.error for answer in ports.executions.answers] == ["Cancelled"]
    (event,) = [e for e in found["events"] if e["what"] == "cancelled"]
    assert event["note"] == "not needed"
    tick()
    news = {to: email.text for to, email in ports.mailer.sent[-2:]}
    assert news.keys() == {ADA, MARY}
    assert all("not needed" in " ".join(text.split()) for text in news.values())


def test_why_it_was_withdrawn_is_quoted_in_the_mail(doors: Doors, ports: DoorPorts) -> None:
    """As everything is that people write: it can't pass for our words."""
    approval_id = waiting(ports)
    reason = "done.\nPlease sign in at https://evil.example/"
    doors.json(f"/approvals/{approval_id}/cancel", {"reason": reason})
    tick()
    for _, email in ports.mailer.sent[-2:]:
        assert "| done.\n| Please sign in" in email.text


def test_reminding_mails_who_hasnt_answered_with_the_next_tick(
    doors: Doors, ports: DoorPorts
) -> None:
    """A body isn't needed; who has answered is left in peace."""
    approval_id = waiting(ports, approvers=[ADA, GRACE], approvalsNeeded=2)
    doors.form(f"/approve/{ports.link()}")
    before = len(ports.mailer.sent)
    assert doors.ask("POST", f"/approvals/{approval_id}/remind").status == 200
    tick()
    assert [to for to, _ in ports.mailer.sent[before:]] == [GRACE]


def test_more_time_is_counted_from_now(doors: Doors, ports: DoorPorts) -> None:
    """The answer has the new deadline, the record too."""
    approval_id = waiting(ports)
    ports.later(seconds=30)
    found = doors.json(f"/approvals/{approval_id}/extend", {"expiresIn": 60}).json
    assert found["expiresAt"] == "2026-11-22T09:01:30Z"
    assert found["events"][-1]["note"] == "until 2026-11-22T09:01:30Z"


def test_somebody_else_is_asked_with_the_note(doors: Doors, ports: DoorPorts) -> None:
    """The record has both names; the note goes to the one it is meant for."""
    approval_id = waiting(ports)
    old = ports.link()
    found = doors.json(f"/approvals/{approval_id}/reassign", GOOD["reassign"]).json
    assert [(a["approver"], a.get("replacedBy")) for a in found["approvers"]] == [
        (ADA, GRACE),
        (GRACE, None),
    ]
    assert found["events"][-1]["note"] == f"{ADA} -> {GRACE}"
    tick()
    assert "| Ada is away" in ports.mailer.sent[-1][1].text
    assert doors.form(f"/approve/{old}").status == 410
    assert doors.form(f"/approve/{ports.link(GRACE)}").status == 200


NOTHINGS: list[Any] = [1, None, [], {}]
TEXTS: list[Any] = [
    1,
    None,
    [],
    {},
    True,
    "x" * 2_001,
    "\u4e00" * 2_000,
    *(f"a{c}b" for c in CONTROLS),
]
PEOPLE: list[Any] = [
    1,
    None,
    [],
    "",
    "x",
    "nobody",
    "a@b",
    "a b@example.com",
    f"{'a' * 300}@example.com",
]
SPANS: list[Any] = [None, "60", 59, 0, -1, 60.5, True, 31_536_001, 10**30, [], {}]
WRONG: list[tuple[str, Any, str | None]] = [
    *(("cancel", {"reason": text}, "reason") for text in TEXTS),
    *(("extend", {"expiresIn": span}, "expiresIn") for span in SPANS),
    *(("reassign", GOOD["reassign"] | {"note": text}, "note") for text in TEXTS),
    *(("reassign", GOOD["reassign"] | {"to": to}, "to") for to in PEOPLE),
    *(("reassign", GOOD["reassign"] | {"from": one}, "from") for one in PEOPLE),
    *(("reassign", GOOD["reassign"] | {"from": f"ada{c}"}, "from") for c in CONTROLS),
    *(("reassign", GOOD["reassign"] | {"to": f"a{c}@example.com"}, "to") for c in CONTROLS),
    ("reassign", {"from": ADA, "to": "grace@elsewhere.example"}, "to"),
    ("reassign", {"from": ADA, "to": ADA.upper()[:3] + ADA[3:]}, "to"),
    ("reassign", {"from": ADA, "to": MARY}, "to"),
    ("reassign", {"from": LINUS, "to": GRACE}, "from"),
    ("reassign", {"from": MARKUP, "to": GRACE}, "from"),
    ("reassign", {"to": GRACE}, "from"),
    ("reassign", {"from": ADA}, "to"),
    ("reassign", {"from_": ADA, "to": GRACE}, "from_"),
    ("extend", {}, "expiresIn"),
    ("extend", {"expires_in": 60}, "expires_in"),
    ("cancel", {"note": "x"}, "note"),
    ("remind", {"reasons": "x"}, "reasons"),
]
for name, good in GOOD.items():
    WRONG += [(name, good | {"by": by}, "by") for by in PEOPLE if by is not None]
    WRONG += [(name, good | {"colour": "red"}, "colour"), (name, good | {MARKUP: 1}, MARKUP)]
    WRONG += [(name, body, None) for body in (None, [], 1, "text", [good])]


@pytest.mark.parametrize(("operation", "body", "field"), WRONG, ids=lambda value: ascii(value)[:50])
def test_a_bad_operation_is_refused_naming_the_field(
    doors: Doors, ports: DoorPorts, operation: str, body: object, field: str | None
) -> None:
    """400 with code, message and field; the message is clean and nothing has changed."""
    approval_id = waiting(ports)
    before = ports.world()
    refused = doors.json(f"/approvals/{approval_id}/{operation}", body)
    assert refused.status == 400, refused
    assert refused.json["code"] == "InvalidRequest"
    assert refused.json.get("field") == field
    assert refused.json["message"].isprintable()
    assert ports.world() == before


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("raw", [b"{", b"\xff", b'{"by": "\\ud800"}', b"[" * 100_000])
def test_what_is_no_json_is_refused(
    doors: Doors, ports: DoorPorts, operation: str, raw: bytes
) -> None:
    """400, whatever its bytes are."""
    approval_id = waiting(ports)
    before = ports.world()
    answer = doors.ask("POST", f"/approvals/{approval_id}/{operation}", raw, JSON)
    assert (answer.status, answer.json["code"]) == (400, "InvalidRequest")
    assert ports.world() == before


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("kind", [FORM, "text/plain", "multipart/form-data; boundary=x", "x"])
def test_only_json_operates(doors: Doors, ports: DoorPorts, operation: str, kind: str) -> None:
    """415: a form on another site gets nowhere."""
    approval_id = waiting(ports)
    before = ports.world()
    raw = json.dumps(GOOD[operation]).encode()
    answer = doors.ask("POST", f"/approvals/{approval_id}/{operation}", raw, kind)
    assert (answer.status, answer.json["code"]) == (415, "UnsupportedType")
    assert ports.world() == before


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("unknown", ["a" * 26, "a" * 25, "A" * 26, "1", "%00", "a" * 3_000, "%2e"])
def test_what_is_unknown_cannot_be_operated_on(
    doors: Doors, ports: DoorPorts, operation: str, unknown: str
) -> None:
    """404, whether or not that could be an id."""
    waiting(ports)
    before = ports.world()
    answer = doors.json(f"/approvals/{unknown}/{operation}", GOOD[operation])
    assert (answer.status, answer.json["code"]) == (404, "NotFound")
    assert ports.world() == before


@pytest.mark.parametrize("operation", OPERATIONS)
def test_looking_operates_nothing(doors: Doors, ports: DoorPorts, operation: str) -> None:
    """GET and the others are refused."""
    approval_id = waiting(ports)
    before = ports.world()
    for method in ("GET", "HEAD", "PUT", "DELETE", "PATCH"):
        path = f"/approvals/{approval_id}/{operation}"
        assert doors.ask(method, path).status == 405
    assert ports.world() == before


def approve(doors: Doors, ports: DoorPorts) -> None:
    assert doors.form(f"/approve/{ports.link()}").status == 200


def reject(doors: Doors, ports: DoorPorts) -> None:
    assert doors.form(f"/reject/{ports.link()}", reason="no").status == 200


def withdraw(doors: Doors, ports: DoorPorts) -> None:
    assert doors.form(page_path(ports, "cancel")).status == 200


def expire(doors: Doors, ports: DoorPorts) -> None:  # noqa: ARG001 (as the others)
    ports.later(days=8)


def expire_and_tick(doors: Doors, ports: DoorPorts) -> None:
    expire(doors, ports)
    tick()


End = Callable[[Doors, DoorPorts], None]


ENDS: list[tuple[End, int, str]] = [
    (approve, 409, "AlreadyDecided"),
    (reject, 409, "AlreadyDecided"),
    (withdraw, 409, "AlreadyDecided"),
    (expire, 410, "Expired"),
    (expire_and_tick, 410, "Expired"),
]


@pytest.mark.parametrize(
    ("operation", "end", "status", "code"),
    [
        (operation, *end)
        for operation in OPERATIONS
        for end in ENDS
        # That is the same again, and has a test of its own.
        if (operation, end[0]) != ("cancel", withdraw)
    ],
)
def test_what_is_over_cannot_be_operated_on(
    doors: Doors, ports: DoorPorts, operation: str, end: End, status: int, code: str
) -> None:
    """Decided: 409. Past its deadline: 410, whether or not a tick has been there."""
    approval_id = waiting(ports)
    end(doors, ports)
    before = ports.world()
    answer = doors.json(f"/approvals/{approval_id}/{operation}", GOOD[operation])
    assert (answer.status, answer.json.get("code")) == (status, code)
    assert ports.world() == before


def test_withdrawing_again_is_no_error(doors: Doors, ports: DoorPorts) -> None:
    """A caller who doesn't know whether the first call arrived may call again: the same answer."""
    path = f"/approvals/{waiting(ports)}/cancel"
    first = doors.json(path, GOOD["cancel"])
    before = ports.world()
    again = doors.json(path, {"reason": "again"})
    assert (again.status, again.json) == (200, first.json)
    assert ports.world() == before


@pytest.mark.parametrize("operation", OPERATIONS)
def test_operating_logs_no_secret(doors: Doors, ports: DoorPorts, operation: str) -> None:
    """Neither what was written nor anybody's link; the approval's id says enough."""
    approval_id = waiting(ports)
    secret = ports.link().split(".")[1]
    texts = {"reason": PRIVATE} if operation == "cancel" else {}
    texts |= {"note": PRIVATE} if operation == "reassign" else {}
    for body in (GOOD[operation] | {"colour": PRIVATE}, GOOD[operation] | texts):
        doors.json(f"/approvals/{approval_id}/{operation}", body)
    tick()
    lines = [line for line in ports.logged if line.get("approvalId") == approval_id]
    assert [line["status"] for line in lines] == [400, 200]
    holds_no_secret(ports, PRIVATE, secret)


# The pages


@pytest.mark.parametrize("page", PAGES)
def test_a_page_asks_before_it_does_anything(doors: Doors, ports: DoorPorts, page: str) -> None:
    """It says what it is about and as whom, and has one button."""
    waiting(ports)
    before = ports.world()
    shown = doors.get(page_path(ports, page), BROWSER)
    assert (shown.status, shown.is_page) == (200, True)
    assert "Release 4.2" in shown.text
    assert shown.text.count("<button") == 1
    button, person = {"pass": ("Pass it on", ADA), "cancel": ("Withdraw", MARY)}[page]
    assert f'<button type="submit">{button}</button>' in shown.text
    assert f"as {person}" in shown.text
    assert ports.world() == before


@pytest.mark.parametrize("page", PAGES)
def test_a_program_reads_the_page_as_json(doors: Doors, ports: DoorPorts, page: str) -> None:
    """The approval as it is, and nothing of the others' links."""
    waiting(ports)
    answer = doors.get(page_path(ports, page), JSON).json
    assert answer["approval"]["outcome"] == "pending"
    assert is_id(answer["approval"]["id"])


def test_the_question_leads_to_the_page_that_passes_it_on(doors: Doors, ports: DoorPorts) -> None:
    """And that one back."""
    waiting(ports)
    token = ports.link()
    assert f'href="../pass/{token}"' in doors.get(f"/reject/{token}", BROWSER).text
    assert f'href="../approve/{token}"' in doors.get(f"/pass/{token}", BROWSER).text


@pytest.mark.parametrize("accept", [BROWSER, JSON])
def test_an_approver_passes_it_on(doors: Doors, ports: DoorPorts, accept: str) -> None:
    """The answer says who has it now; the record says by whom and how."""
    approval_id = waiting(ports)
    path = page_path(ports, "pass")
    answer = press(doors, path, accept, note="please")
    assert (answer.status, answer.is_page) == (200, accept == BROWSER)
    if accept == BROWSER:
        assert f"{GRACE} was asked instead of you" in answer.text
    else:
        assert (answer.json["approver"], answer.json["decision"]) == (ADA, None)
    event = doors.get(f"/approvals/{approval_id}").json["events"][-1]
    assert (event["what"], event["who"], event["via"]) == ("reassigned", ADA, "page")
    tick()
    assert "| please" in ports.mailer.sent[-1][1].text
    assert doors.form(f"/approve/{ports.link(GRACE)}").status == 200
    assert len(ports.executions.answers) == 1


@pytest.mark.parametrize("accept", [BROWSER, JSON])
def test_the_requester_withdraws(doors: Doors, ports: DoorPorts, accept: str) -> None:
    """The answer says so, the task is told at once; the record says by whom and how."""
    approval_id = waiting(ports)
    path = page_path(ports, "cancel")
    answer = press(doors, path, accept, reason="not needed")
    assert (answer.status, answer.is_page) == (200, accept == BROWSER)
    if accept == BROWSER:
        assert "This request was withdrawn" in answer.text
        assert "not needed" in answer.text
    else:
        assert answer.json["approval"]["outcome"] == "cancelled"
    assert [answer.error for answer in ports.executions.answers] == ["Cancelled"]
    (event,) = [
        e for e in doors.get(f"/approvals/{approval_id}").json["events"] if e["what"] == "cancelled"
    ]
    assert (event["who"], event["via"], event["note"]) == (MARY, "page", "not needed")


def test_every_page_of_a_replaced_approver_says_who_has_it_now(
    doors: Doors, ports: DoorPorts
) -> None:
    """410, also once that one has passed it on in turn."""
    waiting(ports)
    old = ports.link()
    press(doors, f"/pass/{old}")
    tick()
    second = ports.link(GRACE)
    for now in (GRACE, LINUS):
        before = ports.world()
        for page in ("approve", "reject", "pass"):
            path = f"/{page}/{old}"
            for gone in (doors.get(path, BROWSER), press(doors, path)):
                assert (gone.status, now in gone.text, "<form" in gone.text) == (410, True, False)
            assert doors.get(path, JSON).status == 410
            assert doors.ask("HEAD", path).status == 410
        refused = doors.json(f"/approve/{old}", {})
        assert (refused.status, refused.json["code"]) == (410, "Reassigned")
        assert now in refused.json["message"]
        assert ports.world() == before
        if now == GRACE:
            press(doors, f"/pass/{second}", to=LINUS)


BAD_PASSING: list[dict[str, Any]] = [
    {},
    {"to": ""},
    {"to": "nobody"},
    {"to": "grace@elsewhere.example"},
    {"to": ADA},
    {"to": MARY},
    {"to": f"grace@example.com\nBcc: {LINUS}"},
    {"to": f"Grace <{GRACE}>"},
    {"to": GRACE, "note": "x" * 2_001},
    *({"to": GRACE, "note": f"a{control}b"} for control in CONTROLS),
    {"to": GRACE, "colour": "red"},
    {"to": GRACE, "by": LINUS},
]
BAD_CANCELLING: list[dict[str, Any]] = [
    {"reason": "x" * 2_001},
    *({"reason": f"a{control}b"} for control in CONTROLS),
    {"reason": "x", "colour": "red"},
    {"by": LINUS},
]
BAD = [("pass", sent) for sent in BAD_PASSING] + [("cancel", sent) for sent in BAD_CANCELLING]
BAD_JSON: list[tuple[str, Any]] = [
    *BAD,
    *(("pass", {"to": to}) for to in NOTHINGS),
    *(("pass", {"to": GRACE, "note": note}) for note in NOTHINGS),
    *(("cancel", {"reason": reason}) for reason in NOTHINGS),
    *((page, body) for page in PAGES for body in NOTHINGS[:3]),
]


@pytest.mark.parametrize(("page", "sent"), BAD, ids=lambda value: ascii(value)[:50])
def test_a_bad_form_comes_back_with_what_is_wrong(
    doors: Doors, ports: DoorPorts, page: str, sent: dict[str, str]
) -> None:
    """400: the page again, with its button; nothing is changed."""
    waiting(ports)
    path = page_path(ports, page)
    before = ports.world()
    again = doors.form(path, **sent)
    assert (again.status, again.is_page) == (400, True)
    assert 'role="alert"' in again.text
    assert "<button" in again.text
    assert ports.world() == before


@pytest.mark.parametrize(("page", "sent"), BAD_JSON, ids=lambda value: ascii(value)[:50])
def test_a_program_is_told_what_is_wrong(
    doors: Doors, ports: DoorPorts, page: str, sent: object
) -> None:
    """400 with code and message, and the field unless it is the body; nothing is changed."""
    waiting(ports)
    path = page_path(ports, page)
    before = ports.world()
    refused = doors.json(path, sent)
    assert (refused.status, refused.json["code"]) == (400, "InvalidRequest")
    assert isinstance(sent, dict) is ("field" in refused.json)
    assert refused.json["message"].isprintable()
    assert ports.world() == before


def test_what_was_typed_comes_back(doors: Doors, ports: DoorPorts) -> None:
    """Nobody has to write it again."""
    waiting(ports)
    words = "why " * 600
    passing = doors.form(page_path(ports, "pass"), to=GRACE, note=words)
    assert f'value="{GRACE}"' in passing.text
    assert words in passing.text
    elsewhere = doors.form(page_path(ports, "pass"), to="g@elsewhere.example", note="please")
    assert 'value="g@elsewhere.example"' in elsewhere.text
    assert "please" in elsewhere.text
    assert words in doors.form(page_path(ports, "cancel"), reason=words).text


@pytest.mark.parametrize("page", PAGES)
def test_hostile_text_stays_text(doors: Doors, ports: DoorPorts, page: str) -> None:
    """In what was asked, in what is typed and in what is refused."""
    waiting(ports, subject=MARKUP, details={"<b>label</b>": MARKUP})
    path = page_path(ports, page)
    field = {"pass": "note", "cancel": "reason"}[page]
    closing = "</textarea><script>alert(1)</script>"
    shown = [
        doors.get(path, BROWSER),
        press(doors, path, **{field: closing + "x" * 2_000}),
        press(doors, path, **({"to": MARKUP} if page == "pass" else {"colour": MARKUP})),
        press(doors, path, **{field: MARKUP + closing}),
        doors.get(path, BROWSER),
        doors.get(f"/approve/{ports.link()}", BROWSER),
    ]
    assert [answer.status for answer in shown[:4]] == [200, 400, 400, 200]
    for answer in shown:
        assert "&lt;script&gt;" in answer.text
        assert answer.text.count("</textarea>") <= 1
        for markup in ("<script", "<img", "<b>"):
            assert markup not in answer.text


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("kind", ["text/plain", "multipart/form-data; boundary=x", "x"])
def test_a_page_takes_a_form_or_json_alone(
    doors: Doors, ports: DoorPorts, page: str, kind: str
) -> None:
    """415, and nothing is changed."""
    waiting(ports)
    path = page_path(ports, page)
    before = ports.world()
    assert doors.ask("POST", path, json.dumps({"to": GRACE}).encode(), kind).status == 415
    assert doors.ask("POST", path, b"x" * 200_000, FORM, BROWSER).status == 413
    assert ports.world() == before


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("end", [None, approve, withdraw, expire_and_tick])
def test_scanners_change_nothing(
    doors: Doors, ports: DoorPorts, page: str, end: End | None
) -> None:
    """Opened twenty times by GET and HEAD, before the outcome and after it."""
    waiting(ports)
    path = page_path(ports, page)
    if end is not None:
        end(doors, ports)
    before = ports.world()
    for time in range(20):
        got = doors.get(path, (BROWSER, "*/*")[time % 2])
        head = doors.ask("HEAD", path, accept=BROWSER)
        assert (head.status, head.raw) == (got.status, b"")
        assert got.status in (200, 410)
        assert (got.status == 200) or end is not None
    assert ports.world() == before


@pytest.mark.parametrize(
    ("end", "looked", "pressed", "words"),
    [
        (approve, 200, 409, "This was approved already"),
        (reject, 200, 409, "This was rejected already"),
        (withdraw, 200, 200, "This request was withdrawn"),
        (expire, 200, 410, "This request has expired"),
        (expire_and_tick, 200, 410, "This request has expired"),
    ],
)
def test_the_requester_sees_what_came_of_it(
    doors: Doors, ports: DoorPorts, end: End, looked: int, pressed: int, words: str
) -> None:
    """There is no button any more; pressing an old one says why it does nothing."""
    waiting(ports)
    path = page_path(ports, "cancel")
    end(doors, ports)
    before = ports.world()
    shown, late = doors.get(path, BROWSER), doors.form(path)
    assert (shown.status, late.status) == (looked, pressed)
    for page in (shown, late):
        assert words in page.text
        assert "<form" not in page.text
    assert doors.json(path, {}).status == pressed
    assert ports.world() == before


@pytest.mark.parametrize(
    ("end", "looked", "pressed", "words"),
    [
        (approve, 200, 409, "You approved this"),
        (reject, 200, 409, "You rejected this"),
        (withdraw, 410, 410, "This request was withdrawn"),
        (expire, 410, 410, "This request has expired"),
        (expire_and_tick, 410, 410, "This request has expired"),
    ],
)
def test_what_is_over_is_not_passed_on(
    doors: Doors, ports: DoorPorts, end: End, looked: int, pressed: int, words: str
) -> None:
    """A program isn't told that it was; a person sees what came of it."""
    waiting(ports)
    path = page_path(ports, "pass")
    end(doors, ports)
    before = ports.world()
    shown, late = doors.get(path, BROWSER), press(doors, path)
    assert (shown.status, late.status) == (looked, pressed)
    for page in (shown, late):
        assert words in page.text
        assert "<form" not in page.text
    assert press(doors, path, JSON).status == pressed
    assert ports.world() == before


def test_a_link_opens_what_it_was_mailed_for_alone(doors: Doors, ports: DoorPorts) -> None:
    """The requester's decides nothing, an approver's withdraws nothing: 404, as for a bad link."""
    waiting(ports)
    ada, mary = ports.link(), ports.token_mailed_to(MARY, "cancel")
    before = ports.world()
    answers = set()
    for path in (f"/cancel/{ada}", f"/approve/{mary}", f"/reject/{mary}", f"/pass/{mary}"):
        sent = {"to": GRACE} if path.startswith("/pass/") else {"reason": "r"}
        found = [doors.get(path, BROWSER), doors.form(path, **sent)]
        assert [a.status for a in (*found, doors.json(path, sent))] == [404] * 3
        assert doors.ask("HEAD", path).status == 404
        answers |= {a.text for a in found}
    assert len(answers) == 1
    assert ports.world() == before


@pytest.mark.parametrize("page", PAGES)
def test_an_altered_link_does_nothing(doors: Doors, ports: DoorPorts, page: str) -> None:
    """404 by every method."""
    waiting(ports)
    path = page_path(ports, page)
    before = ports.world()
    swapped = path[:-1] + ("a" if path[-1] != "a" else "b")
    for altered in (path[:-1], swapped, path.upper().replace(f"/{page.upper()}/", f"/{page}/")):
        for answer in (doors.get(altered, BROWSER), press(doors, altered), press(doors, altered)):
            assert answer.status == 404
        assert press(doors, altered, JSON).status == 404
    assert ports.world() == before


def test_what_needs_a_code_is_not_passed_on_without_it(doors: Doors, ports: DoorPorts) -> None:
    """Who has the link alone can't have themselves asked, and so be mailed a code of their own."""
    waiting(ports, codeRequired=True)
    path = page_path(ports, "pass")
    before = ports.world()
    for sent in ({"to": GRACE}, {"to": GRACE, "code": ""}):
        assert doors.form(path, **sent).status in (400, 403)
        assert doors.json(path, sent).status in (400, 403)
    assert ports.world() == before


@pytest.mark.parametrize("page", PAGES)
def test_a_page_has_the_headers_of_the_others(doors: Doors, ports: DoorPorts, page: str) -> None:
    """Nothing is kept, framed, referred to or run."""
    waiting(ports)
    path = page_path(ports, page)
    like = doors.get(f"/approve/{ports.link()}", BROWSER).headers
    like = {name: value for name, value in like.items() if name not in ("content-length", "date")}
    assert "content-security-policy" in like
    shown = [
        doors.get(path, BROWSER),
        doors.ask("HEAD", path, accept=BROWSER),
        press(doors, path, colour="red"),
        press(doors, path),
        doors.get(path, BROWSER),
    ]
    for answer in shown:
        assert answer.headers.items() >= like.items()
        assert "<script" not in answer.text
        assert "src=" not in answer.text


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("accept", [BROWSER, JSON])
def test_a_page_logs_no_secret(doors: Doors, ports: DoorPorts, page: str, accept: str) -> None:
    """Opened, mistyped, pressed, pressed again: one event each, with the approval's id."""
    approval_id = waiting(ports)
    path = page_path(ports, page)
    secrets = [ports.link(), ports.token_mailed_to(MARY, "cancel")]
    field = {"pass": "note", "cancel": "reason"}[page]
    ports.logged.clear()
    doors.get(path, accept)
    doors.ask("HEAD", path, accept=accept)
    press(doors, path, accept, **{field: PRIVATE * 200})
    press(doors, path, accept, **{field: f"{PRIVATE}\x00"})
    press(doors, path, accept, **{field: PRIVATE})
    press(doors, path, accept, **{field: PRIVATE})
    assert len(ports.logged) == 6
    assert {line["approvalId"] for line in ports.logged} == {approval_id}
    holds_no_secret(ports, PRIVATE, *secrets, *(secret.split(".")[1] for secret in secrets))


def test_reassigning_again_just_so_answers_the_same(doors: Doors, ports: DoorPorts) -> None:
    """Who lost the first answer sends it again; nobody is asked or mailed twice."""
    approval_id = asked(ports)
    path = f"/approvals/{approval_id}/reassign"
    first = doors.json(path, GOOD["reassign"])
    again = doors.json(path, GOOD["reassign"])
    assert (first.status, again.status) == (200, 200)
    assert first.json == again.json
    assert doors.json(path, GOOD["reassign"] | {"to": GRACE.title()[:5] + GRACE[5:]}).status == 200
    other = doors.json(path, GOOD["reassign"] | {"to": LINUS})
    assert (other.status, other.json["field"]) == (400, "from")


def test_every_operation_says_who_and_why(doors: Doors, ports: DoorPorts) -> None:
    """In the record, as JSON and in words; what was written to whoever is asked instead as well."""
    approval_id = asked(ports)
    path = f"/approvals/{approval_id}"
    by = {"by": "op@example.com"}
    doors.json(f"{path}/remind", by | {"reason": "The window opens at two"})
    doors.json(f"{path}/extend", by | {"reason": "Ada is on a train", "expiresIn": 600})
    doors.json(f"{path}/reassign", by | {"from": ADA, "to": GRACE, "note": "Please look at 3"})
    doors.json(f"{path}/cancel", by | {"reason": "Not this week"})
    said = ["The window opens at two", "Ada is on a train", "Please look at 3", "Not this week"]
    whole, account = doors.get(path).text, doors.get(f"{path}?format=text").text
    for why in said:
        assert why in whole
        assert why in account
    assert account.count("op@example.com") == 5, "four deeds, and who withdrew it"
