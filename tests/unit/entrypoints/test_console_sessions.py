"""Signing in to the console: nobody gets in without IAM, and nothing secret is stored or logged."""

import json
import re
from typing import Any

import pytest

from chalicelib.domain.console_session import ConsoleSession
from tests.builders import request_approval
from tests.fakes import FakeSessions
from tests.unit.entrypoints.client import BROWSER, FORM, JSON, AppClient, AppPorts, new_link
from tests.unit.entrypoints.console import COOKIE, OWN, Console, offered

FOREIGN: list[dict[str, Any]] = [
    {},
    {"Sec_Fetch_Site": "cross-site"},
    {"Sec_Fetch_Site": "same-site"},
    {"Sec_Fetch_Site": "none"},
    {"Sec_Fetch_Site": "cross-site", "Origin": "https://assent.example.com"},
    {"Origin": "null"},
    {"Origin": "https://evil.example.net"},
    {"Origin": "https://assent.example.com.evil.example.net"},
    {"Origin": "http://assent.example.com"},
    {"Referer": "https://assent.example.com/api/console"},
]
"""What a browser says of a form that another page sent; one that says nothing."""


def paths(ports: AppPorts) -> list[str]:
    """Return the path of every page of the console."""
    approval_id = request_approval(ports)
    approval = f"/console/approvals/{approval_id}"
    commands = [f"{approval}/{name}" for name in ("cancel", "remind", "extend", "reassign")]
    people = ["/console/approvers", "/console/approvers/ada@example.com"]
    return ["/console", approval, *commands, *people, "/console/figures", "/console/sessions"]


def posts(ports: AppPorts) -> list[tuple[str, dict[str, Any]]]:
    """Return the path of every form of the console that changes something, and its fields."""
    approval = f"/console/approvals/{request_approval(ports)}"
    ada, day = "/console/approvers/ada@example.com", "2026-11-30"
    sure = {"confirmed": "yes"}
    return [
        (f"{approval}/remind", sure),
        (f"{approval}/extend", {"number": "30", "unit": "days", **sure}),
        (f"{approval}/reassign", {"from": "ada@example.com", "to": "grace@example.com", **sure}),
        (f"{approval}/cancel", {"reason": "because", **sure}),
        ("/console/approvers", {"email": "new@example.com"}),
        (ada, {"change": "invite"}),
        (ada, {"change": "delegate", "delegate": "grace@example.com", "until": day}),
        (ada, {"change": "end"}),
        (ada, {"change": "remove", **sure}),
    ]


def test_a_link_opens_a_session_of_eight_hours(client: AppClient, ports: AppPorts) -> None:
    """By its button; the cookie belongs to this host alone, and no script reads it."""
    console = Console(client)
    name, _, rest = console.set_cookie.partition("=")
    value, *attributes = rest.split("; ")
    assert name == COOKIE
    assert len(value) == 59
    assert set(attributes) == {
        "Path=/", "Secure", "HttpOnly", "SameSite=Lax", "Max-Age=28800",
    }  # fmt: skip
    assert console.get("/console").status == 200
    ports.later(hours=7, minutes=59)
    assert console.get("/console").status == 200
    ports.later(minutes=1)
    assert console.get("/console").status == 403


def test_the_answer_of_the_button_leads_to_the_list(client: AppClient) -> None:
    """Relative, so that it works below a domain of one's own, also where the link got a slash."""
    link = offered(client)
    answer = client.request("POST", link, accept=BROWSER, **OWN)
    assert answer.headers["location"] == "../../console"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_opening_a_link_changes_nothing(client: AppClient, ports: AppPorts, method: str) -> None:
    """A mail scanner may open it any number of times."""
    link = offered(client)
    before = ports.snapshot()
    for _ in range(3):
        opened = client.request(method, link, accept=BROWSER)
        assert opened.status == 200
        assert "set-cookie" not in opened.headers
    assert ports.snapshot() == before
    assert "operator" in client.get(link, BROWSER).text


def test_a_link_opens_one_session(client: AppClient, ports: AppPorts) -> None:
    console = Console(client)
    for method in ("GET", "POST"):
        again = client.request(method, console.link, accept=BROWSER, **OWN)
        assert (again.status, "set-cookie" in again.headers) == (410, False)
    assert console.get("/console").status == 200
    assert len(ports.sessions.items) == 1


def test_of_two_presses_at_once_one_opens_the_session(
    client: AppClient, ports: AppPorts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other one is refused, though it had read the link as unused."""
    link = offered(client)
    replace = ports.sessions.replace

    def beaten(read: ConsoleSession, changed: ConsoleSession) -> bool:
        monkeypatch.setattr(ports.sessions, "replace", replace)
        assert client.request("POST", link, accept=BROWSER, **OWN).status == 303
        return replace(read, changed)

    monkeypatch.setattr(ports.sessions, "replace", beaten)
    assert client.request("POST", link, accept=BROWSER, **OWN).status == 410


def test_a_link_is_good_for_two_minutes(client: AppClient, ports: AppPorts) -> None:
    link = offered(client)
    ports.later(minutes=1, seconds=59)
    assert client.get(link, BROWSER).status == 200
    ports.later(seconds=1)
    assert client.get(link, BROWSER).status == 410
    assert client.request("POST", link, accept=BROWSER, **OWN).status == 410


@pytest.mark.parametrize("end", ["x", "%00", "é", ".." * 20])
def test_a_bad_link_opens_nothing(client: AppClient, ports: AppPorts, end: str) -> None:
    """Altered, cut, or of another kind: a decision link, for example."""
    link, decision = offered(client), new_link(ports)
    for bad in (
        link[:-1],
        f"{link[:-2]}aa",
        *(f"/console/sessions/{one}" for one in (end, decision)),
    ):
        for method in ("GET", "POST"):
            assert client.request(method, bad, accept=BROWSER, **OWN).status in (404, 410)


def test_without_a_session_no_page_is_shown(client: AppClient, ports: AppPorts) -> None:
    """Without a cookie, with a made-up one, with a wrong secret, under another stage's name."""
    console = Console(client)
    name, _, value = console.cookie.partition("=")
    session_id = value.partition(".")[0]
    bad: list[dict[str, Any]] = [
        {},
        {"Cookie": f"{name}="},
        {"Cookie": f"{name}=x"},
        {"Cookie": f"{name}={'a' * 26}.{'a' * 32}"},
        {"Cookie": f"{name}={session_id}.{'a' * 32}"},
        {"Cookie": f"__Host-assent-prod={value}"},
        {"Cookie": f"x{name}={value}"},
        {"Cookie": f"{name}={console.link.rpartition('/')[2]}"},
    ]
    pages = paths(ports)
    for headers in bad:
        for path in pages:
            refused = client.request("GET", path, accept=BROWSER, **headers)
            assert (refused.status, refused.is_page) == (403, True), path
            assert "assent console" in refused.text
            assert "Release 4.2" not in refused.text
    assert (
        client.request("GET", pages[0], accept=BROWSER, Cookie=f"a=b; {name}={value}").status == 200
    )


def test_an_ended_session_is_over_at_once(client: AppClient, ports: AppPorts) -> None:
    """The button also has the browser drop the cookie."""
    console = Console(client)
    out = console.post("/console/sign-out")
    assert out.status == 200
    assert out.headers["set-cookie"].startswith(f"{COOKIE}=; ")
    assert "Max-Age=0" in out.headers["set-cookie"]
    for path in paths(ports):
        assert console.get(path).status == 403


def test_a_session_of_another_stage_is_unknown(
    client: AppClient, ports: AppPorts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each stage has a table and a name of its cookie of its own."""
    console = Console(client)
    value = console.cookie.partition("=")[2]
    monkeypatch.setattr(ports, "stage", "prod")
    assert console.get("/console").status == 403, "under its own name"
    monkeypatch.setattr(ports, "sessions", FakeSessions())
    renamed = {"Cookie": f"__Host-assent-prod={value}"}
    refused = client.request("GET", "/console", accept=BROWSER, **renamed)  # type: ignore[arg-type]
    assert refused.status == 403, "under the other stage's"


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_a_form_of_another_site_changes_nothing(
    client: AppClient, ports: AppPorts, headers: dict[str, Any]
) -> None:
    """Even with cookie and token."""
    console = Console(client)
    token, forms = console.form_token, posts(ports)
    before = ports.snapshot()
    for path, fields in [*forms, ("/console/sign-out", {})]:
        refused = console.send(path, headers, csrf=token, **fields)
        assert refused.status == 403, path
        assert "another site" in refused.text
    link = offered(client)
    assert client.request("POST", link, accept=BROWSER, **headers).status == 403
    assert client.get(link, BROWSER).status == 200
    assert ports.snapshot()[1:-1] == before[1:-1], "effects and sessions: a link was offered"


@pytest.mark.parametrize(
    "headers",
    [
        OWN,
        {"Origin": "https://assent.example.com"},
        {"Origin": "https://abc.example.org", "Host": "abc.example.org"},
        {"Sec_Fetch_Site": "same-origin", "Origin": "null"},
    ],
    ids=str,
)
def test_a_form_of_our_own_pages_is_taken(
    client: AppClient, ports: AppPorts, headers: dict[str, Any]
) -> None:
    """Also from browsers that name the origin alone, and on the API's own domain."""
    console = Console(client)
    approval_id = request_approval(ports)
    path = f"/console/approvals/{approval_id}/cancel"
    assert console.send(path, headers, csrf=console.form_token, confirmed="yes").status == 303
    assert ports.store.get(approval_id).outcome == "cancelled"  # type: ignore[union-attr]


@pytest.mark.parametrize("token", ["", "x", "é", "a" * 32, None])
def test_a_form_without_the_sessions_token_changes_nothing(
    client: AppClient, ports: AppPorts, token: str | None
) -> None:
    """Missing, wrong, or of another session."""
    console, other = Console(client), Console(client)
    given = other.form_token if token is None else token
    forms = posts(ports)
    before = ports.snapshot()
    for path, fields in [*forms, ("/console/sign-out", {})]:
        for sent in ({"csrf": given}, {} if token == "" else {"csrf": given}):
            refused = console.send(path, OWN, **sent, **fields)
            assert refused.status == 403, path
    assert ports.snapshot() == before


def test_a_session_that_may_only_read_changes_nothing(client: AppClient, ports: AppPorts) -> None:
    """It sees no button, and a form made by hand is refused."""
    console, other = Console(client, read_only=True), Console(client)
    forms = posts(ports)
    before = ports.snapshot()
    for path, fields in forms:
        assert console.post(path, **fields).status == 403, path
    ended = console.post("/console/sign-out", session=other.cookie.partition("=")[2][:26])
    assert ended.status == 403
    assert ports.snapshot() == before
    for path in paths(ports):
        page = console.get(path)
        refused = path.rpartition("/")[2] in ("cancel", "remind", "extend", "reassign")
        assert page.status == (403 if refused else 200), path
        if not refused:
            assert page.text.count('method="post"') == 1 + (path == "/console/sessions"), path
    assert other.get("/console").status == 200


def test_sessions_are_listed_and_ended(client: AppClient) -> None:
    """By whom they are, what they may do, and until when."""
    console, other = Console(client), Console(client, read_only=True)
    offered(client)
    page = console.get("/console/sessions").text
    assert page.count("may only read") == 1
    assert page.count("this session") == 1
    assert page.count(">End<") == 2
    other_id = other.cookie.partition("=")[2][:26]
    ended = console.post("/console/sign-out", session=other_id)
    assert "is over" in ended.text
    assert "may only read" not in ended.text
    assert other.get("/console").status == 403
    assert console.post("/console/sign-out", session=other_id).status == 200
    assert console.post("/console/sign-out", session="nobody").status == 404
    assert console.get("/console").status == 200


def test_a_long_list_of_sessions_has_pages(client: AppClient, ports: AppPorts) -> None:
    """So that no number of new sessions hides an older one."""
    console = Console(client)
    ports.later(seconds=1)
    for _ in range(50):
        Console(client, read_only=True)
    first = console.get("/console/sessions").text
    assert first.count("may only read") == 50
    assert "this session" not in first
    (more,) = re.findall(r'href="\?(next=[^"]*)"', first)
    assert "this session" in console.get(f"/console/sessions?{more}").text
    assert console.get("/console/sessions?next=x").status == 400


def test_two_who_end_a_session_at_once_have_both_ended_it(
    client: AppClient, ports: AppPorts, monkeypatch: pytest.MonkeyPatch
) -> None:
    console, other = Console(client), Console(client)
    named = other.cookie.partition("=")[2][:26]
    replace = ports.sessions.replace

    def beaten(read: ConsoleSession, changed: ConsoleSession) -> bool:
        monkeypatch.setattr(ports.sessions, "replace", replace)
        assert replace(read, changed)
        return replace(read, changed)

    monkeypatch.setattr(ports.sessions, "replace", beaten)
    assert "is over" in console.post("/console/sign-out", session=named).text
    assert other.get("/console").status == 403
    assert console.post("/console/sign-out", session="x" * 100_000).status == 404


def test_no_secret_is_stored_or_logged(client: AppClient, ports: AppPorts) -> None:
    """Neither the link's nor the cookie's, nor the token of forms; the log names the principal."""
    console = Console(client)
    cookie = console.cookie.partition("=")[2]
    secrets = [cookie.partition(".")[2], console.link.rpartition(".")[2], console.form_token]
    for path in paths(ports):
        console.get(path)
    for path, fields in posts(ports):
        console.post(path, **fields)
        console.send(path, {}, csrf=secrets[-1], **fields)
    console.post("/console/sign-out")
    stored = b"\n".join(ports.sessions.items.values()).decode()
    logged = json.dumps(ports.logged)
    for secret in secrets:
        assert secret not in stored
        assert secret not in logged
    opened = [line for line in ports.logged if line["event"] == "console_sign_in"]
    assert [(line["status"], line["principal"]) for line in opened] == [(303, "operator")]


def test_a_bad_form_is_refused_in_words(client: AppClient, ports: AppPorts) -> None:
    """Of another type, too large, with unknown fields."""
    console = Console(client)
    path = f"/console/approvals/{request_approval(ports)}/cancel"
    more: dict[str, Any] = {"Cookie": console.cookie, **OWN}
    assert console.post(path, colour="red").status == 400
    assert client.request("POST", path, b"<a/>", "text/xml", BROWSER, **more).status == 415
    assert client.request("POST", path, b"x" * 200_000, FORM, BROWSER, **more).status == 413
    assert client.request("POST", path, b"\xff=1", FORM, BROWSER, **more).status == 400
    assert client.request("POST", path, b'{"csrf": 1}', JSON, BROWSER, **more).status == 400


def test_a_fault_while_signing_in_leaves_the_link_unused(
    client: AppClient, ports: AppPorts
) -> None:
    """AWS is away: the same button works later."""
    link = offered(client)
    ports.effects.faulty = {"sessions.replace"}
    assert client.request("POST", link, accept=BROWSER, **OWN).status == 503
    ports.effects.faulty = set()
    assert client.request("POST", link, accept=BROWSER, **OWN).status == 303
