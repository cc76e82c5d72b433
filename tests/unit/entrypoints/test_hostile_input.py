"""Requests that no honest client sends: refused with a 4xx, and without any effect."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import app as app_module
from tests.builders import request_body
from tests.unit.entrypoints.client import BROWSER, FORM, JSON, AppClient, AppPorts, new_link
from tests.unit.entrypoints.pages import GRACE, PAGES, path_of, request_by_mary

MARKUP = '"><script>alert(1)</script>{{7*7}}{0}%s${x}&amp;'
COMMANDS: dict[str, dict[str, object]] = {
    "cancel": {"reason": "not needed"},
    "remind": {},
    "extend": {"expiresIn": 999_999},
    "reassign": {"from": "ada@example.com", "to": GRACE},
}
APPROVER = "/approvers/ada@example.com"


def json_paths(ports: AppPorts) -> list[str]:
    """Return the paths of the operators' routes that take a body."""
    approval_id = request_by_mary(ports)
    commands = [f"/approvals/{approval_id}/{name}" for name in COMMANDS]
    return ["/executions", *commands, f"{APPROVER}/confirmation"]


def page_paths(ports: AppPorts) -> list[str]:
    """Return the paths of every page."""
    request_by_mary(ports)
    return [path_of(ports, page) for page in PAGES]


@pytest.mark.parametrize(
    "raw",
    [b"{", b"[]", b"null", b"1", b'"text"', b"\xff\xfe", b'{"by": "\\ud800"}', b"[" * 100_000],
    ids=lambda raw: repr(raw[:20]),
)
def test_a_body_that_is_no_json_object_has_no_effect(
    client: AppClient, ports: AppPorts, raw: bytes
) -> None:
    """400 on every operators' route, as JSON or as a page."""
    paths = json_paths(ports)
    before = ports.snapshot()
    for path in paths:
        for accept in (JSON, BROWSER):
            refused = client.request("POST", path, raw, JSON, accept)
            assert (refused.status, refused.is_page) == (400, accept == BROWSER), path
        assert client.request("POST", path, raw, JSON, JSON).json["code"] == "InvalidRequest"
    assert client.request("PUT", APPROVER, raw, JSON).status == 400
    assert ports.snapshot() == before


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"subject": "a\x00b"}, "subject"),
        ({"details": {"Cost": "a\u202eb"}}, "details.Cost"),
        ({"approvers": ["ada@example.com", "x@elsewhere.org"]}, "approvers[1]"),
        ({"expiresIn": 59}, "expiresIn"),
        ({MARKUP: 1}, MARKUP),
    ],
)
def test_a_refusal_names_the_field_in_a_clean_message(
    client: AppClient, ports: AppPorts, fields: dict[str, object], field: str
) -> None:
    before = ports.snapshot()
    refused = client.post_json("/executions", request_body(**fields))
    assert refused.status == 400
    assert refused.json.keys() == {"code", "message", "field"}
    assert (refused.json["code"], refused.json["field"]) == ("InvalidRequest", field)
    assert refused.json["message"].isprintable()
    assert ports.snapshot() == before


@pytest.mark.parametrize("command", COMMANDS)
def test_a_bad_field_of_a_command_is_named(
    client: AppClient, ports: AppPorts, command: str
) -> None:
    approval_id = request_by_mary(ports)
    before = ports.snapshot()
    path = f"/approvals/{approval_id}/{command}"
    for wrong, field in (({"by": "nobody"}, "by"), ({"by": 1}, "by"), ({MARKUP: 1}, MARKUP)):
        refused = client.post_json(path, COMMANDS[command] | wrong)
        assert (refused.status, refused.json["field"]) == (400, field)
        assert refused.json["message"].isprintable()
    assert ports.snapshot() == before


@pytest.mark.parametrize(
    ("raw", "content_type"),
    [
        (b"\xff\xfe\x00", FORM),
        (b"reason=\xff", FORM),
        (b"reason=%ff%fe", FORM),
        (b"&".join(b"f%d=x" % n for n in range(100)), FORM),
        (b"reason=x&colour=red", FORM),
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
def test_a_bad_body_of_a_page_has_no_effect(
    client: AppClient, ports: AppPorts, raw: bytes, content_type: str, accept: str | None
) -> None:
    """400 to people and programs, on every page."""
    paths = page_paths(ports)
    before = ports.snapshot()
    for path in paths:
        assert client.request("POST", path, raw, content_type, accept).status == 400, path
    assert ports.snapshot() == before


@pytest.mark.parametrize("accept", [JSON, BROWSER])
def test_a_body_over_the_limit_is_not_read(client: AppClient, ports: AppPorts, accept: str) -> None:
    """413 on every route."""
    paths = [*page_paths(ports), *json_paths(ports)]
    before = ports.snapshot()
    raw = json.dumps({"reason": "x" * 200_000}).encode()
    for path in paths:
        refused = client.request("POST", path, raw, JSON, accept)
        assert (refused.status, refused.is_page) == (413, accept == BROWSER), path
    assert ports.snapshot() == before


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "text/html", "multipart/form-data; boundary=x", "application/xml", "x"],
)
def test_a_body_of_another_type_is_not_read(
    client: AppClient, ports: AppPorts, content_type: str
) -> None:
    """415: a form on a foreign site can send text/plain or multipart."""
    pages, operators = page_paths(ports), json_paths(ports)
    before = ports.snapshot()
    for path in (*pages, *operators):
        refused = client.request("POST", path, b'{"reason": "x"}', content_type, JSON)
        assert (refused.status, refused.json["code"]) == (415, "UnsupportedType"), path
    for path in operators:
        assert client.request("POST", path, b"reason=x", FORM).status == 415, path
    assert client.request("PUT", APPROVER, b"{}", content_type).status == 415
    assert ports.snapshot() == before


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_a_wrong_type_is_refused_in_our_words_by_methods_without_a_body(
    client: AppClient, ports: AppPorts, method: str
) -> None:
    """With our code, and a line in the log, on every route that takes JSON."""
    gets = ["/executions/x", "/approvals", "/health"] if method == "GET" else []
    before = ports.snapshot()
    for path in (*gets, f"/approvals/{'a' * 26}", APPROVER):
        refused = client.request(method, path, b"", "text/plain")
        assert (refused.status, refused.json["code"]) == (415, "UnsupportedType"), path
        assert (ports.logged[-1]["status"], ports.logged[-1]["code"]) == (415, "UnsupportedType")
        assert client.request(method, path, b"", "application/json; charset=utf-8").status != 415
    assert ports.snapshot()[1:] == before[1:]


def test_every_route_takes_every_type_from_chalice() -> None:
    """Chalice's own refusal has another form and no line in the log."""
    routes = [entry for methods in app_module.app.routes.values() for entry in methods.values()]
    assert len(routes) > 20
    assert {tuple(entry.content_types) for entry in routes} == {("*/*",)}


def _altered(token: str) -> list[str]:
    approval_id, secret = token.split(".")
    swapped = "b" if secret[0] == "a" else "a"
    return [
        token[:-1],
        token + "a",
        token[1:],
        f"{approval_id}.{swapped}{secret[1:]}",
        f"{approval_id}.{secret[::-1]}",
        f"{secret[:26]}.{secret}",
        f"{approval_id}.",
        f"{approval_id}{secret}",
        f"{approval_id}.{approval_id}",
        approval_id,
        f".{secret}",
        f"%20{token}",
        f"{token}%3bx=1",
        f"{token}.2",
        "%2e%2e",
        "%ff",
        "é",
        "a" * 5_000,
        "null",
        "*",
        MARKUP.replace("/", "").replace("?", "").replace("#", ""),
    ]


def test_every_altered_token_gets_the_same_page(client: AppClient, ports: AppPorts) -> None:
    """404 by every method, on every page, so a stranger learns nothing."""
    request_by_mary(ports)
    before = ports.snapshot()
    pages, answers = set(), set()
    for page in PAGES:
        for altered in _altered(path_of(ports, page).split("/")[2]):
            path = f"/{page}/{altered}"
            sent = {"to": GRACE} if page == "reassign" else {}
            sent |= {"choice": "approve"} if page == "inbox" else {}
            shown, pressed = client.get(path, BROWSER), client.post_form(path, **sent)
            read, posted = client.get(path, JSON), client.post_json(path, sent)
            for response in (shown, pressed, read, posted, client.head(path)):
                assert response.status == 404, path
            pages |= {shown.text, pressed.text}
            answers |= {read.text, posted.text}
    assert len(pages) == len(answers) == 1
    assert ports.snapshot() == before


@pytest.mark.parametrize(
    "accept",
    [
        "", ",", ";;;q=", "text/html;q=not-a-number", "*/*;q=0", "a" * 8_000, "text/html\t",
        "TEXT/HTML", "application/json;v=1;;", "é", "application/octet-stream", MARKUP,
    ],
)  # fmt: skip
def test_an_odd_accept_header_is_answered_like_any_other(
    client: AppClient, ports: AppPorts, accept: str
) -> None:
    token = new_link(ports)
    before = ports.snapshot()
    assert client.get(f"/approve/{token}", accept).status == 200
    assert client.get("/approve/x", accept).status == 404
    assert client.get("/approvals/x", accept).status == 404
    assert client.get("/health", accept).status == 200
    assert client.post_json("/executions", {}, accept).status == 400
    assert ports.snapshot() == before


@settings(
    suppress_health_check=[
        *settings().suppress_health_check,
        HealthCheck.function_scoped_fixture,  # each example requests an approval of its own
    ]
)
@given(raw=st.binary(max_size=200), form=st.booleans())
def test_no_bytes_cause_a_fault(client: AppClient, ports: AppPorts, raw: bytes, form: bool) -> None:
    """A rejection is 200 if the bytes have a reason, and 400 otherwise."""
    path = f"/reject/{new_link(ports, raw.hex() or 'none')}"
    assert client.request("POST", path, raw, FORM if form else JSON).status in (200, 400)
    if raw != b"{}":
        assert client.request("POST", "/executions", raw, JSON).status == 400
