"""The console, deployed: signing in through IAM, and an operator's way through it in a browser."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.sandbox.client import BROWSER, FORM, Answer, Sandbox, http, until

OWN = {"Sec-Fetch-Site": "same-origin", **BROWSER}
TABS = 60
"""More presses of Tab than any page here has stops."""


def offered(sandbox: Sandbox, kind: str = "sessions", who: str = "operator") -> str:
    """Return a link that opens the console."""
    answer = sandbox.call("POST", f"/console/{kind}", who=who)
    assert answer.status == 201, answer
    url: str = answer.json["url"]
    return url


@pytest.fixture
def window(browser: Browser) -> Iterator[BrowserContext]:
    """Open a browser of its own; fail if a page logs an error."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    errors: list[str] = []
    context.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    yield context
    context.close()
    # Chromium logs each 4xx answer as an error; tests that expect one assert its status.
    assert all("the server responded with a status of 4" in error for error in errors), errors


def signed_in(sandbox: Sandbox, window: BrowserContext, kind: str = "sessions") -> Page:
    """Return a page of the console, signed in by its link's button."""
    page = window.new_page()
    page.goto(offered(sandbox, kind))
    page.get_by_role("button", name="Open the console").click()
    expect(page.get_by_role("heading", name="Approvals", exact=True)).to_be_visible()
    return page


def test_an_operator_finds_why_a_mail_did_not_arrive(
    sandbox: Sandbox, window: BrowserContext, tmp_path: Path
) -> None:
    """In the console alone: from the person to the cause, then another one is asked."""
    person, subject = f"late-{time.time_ns()}@example.com", f"Silent {tmp_path.name}"
    name = sandbox.start(subject=subject, approvers=[person])
    until(
        lambda: (sandbox.execution(name).get("approval") or {}).get("approvers", [{}])[0],
        lambda approver: approver.get("why") == "invited",
        seconds=20,
    )
    page = signed_in(sandbox, window)
    page.get_by_label("Find").fill(person)
    page.get_by_role("button", name="Find").click()
    expect(page.get_by_text("Has not confirmed: AWS mailed an invitation")).to_be_visible()
    page.get_by_role("link", name=subject).click()
    expect(page.get_by_role("cell", name="Has not confirmed")).to_be_visible()
    expect(page.locator("svg .waits")).to_have_count(1)

    page.get_by_role("link", name="Reassign").click()
    page.get_by_label("Ask instead").fill("ada@example.com")
    page.get_by_label("Note, mailed to them").fill("Grace is away.\n<b>Please.</b>")
    page.get_by_role("button", name="Review").click()
    expect(page.get_by_role("definition").filter(has_text="ada@example.com")).to_be_visible()
    page.get_by_role("button", name="Reassign this request").click()
    expect(page.get_by_role("status")).to_contain_text("reassigned")
    expect(page.get_by_text("<b>Please.</b>").first).to_be_visible()
    event = sandbox.execution(name)["approval"]["events"][-1]
    assert (event["what"], event["via"]) == ("reassigned", "console")
    assert event["principal"].endswith(":user/operator")


def test_an_operator_steers_with_the_keyboard_alone(
    sandbox: Sandbox, window: BrowserContext, tmp_path: Path
) -> None:
    """From the link in the mail or terminal to a cancelled request, and out again."""
    subject = f"Keys {tmp_path.name}"
    name = sandbox.start(subject=subject)
    sandbox.link("ada@example.com", subject)
    page = window.new_page()
    page.goto(offered(sandbox))
    for wanted in ("Open the console", subject, "Cancel", "Review", "Cancel this request"):
        _tab_to(page, wanted)
        page.keyboard.press("Enter")
        page.wait_for_load_state()
    expect(page.get_by_role("status")).to_contain_text("cancelled")
    found = sandbox.ended(name)
    assert (found["outcome"], found["error"]) == ("cancelled", "Cancelled")
    expect(page.get_by_text("The request was cancelled.")).to_be_visible()
    _tab_to(page, "Sign out")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="You are signed out")).to_be_visible()
    assert page.goto(f"{sandbox.state['api']}/console").status == 403  # type: ignore[union-attr]
    expect(page.get_by_role("heading", name="Please sign in")).to_be_visible()


def test_every_page_shows_to_a_session_that_may_only_read(
    sandbox: Sandbox, window: BrowserContext, tmp_path: Path
) -> None:
    """And has no button that changes anything."""
    subject = f"Read {tmp_path.name}"
    sandbox.start(subject=subject)
    sandbox.link("ada@example.com", subject)
    page = signed_in(sandbox, window, "read-only-sessions")
    page.get_by_role("link", name=subject).click()
    for button in ("Remind", "Cancel", "Extend", "Reassign"):
        expect(page.get_by_role("link", name=button, exact=True)).to_have_count(0)
    places = {"Approvers": "ada@example.com", "Figures": "Median", "Sessions": "may only read"}
    for place, text in places.items():
        page.get_by_label("Console", exact=True).get_by_role("link", name=place, exact=True).click()
        expect(page.get_by_text(text).first).to_be_visible()
    expect(page.get_by_role("button", name="Invite")).to_have_count(0)
    refused = page.request.post(
        page.url.replace("/sessions", "/approvers"),
        form={"email": "x@example.com", "csrf": page.locator("[name=csrf]").first.input_value()},
        headers={"Sec-Fetch-Site": "same-origin"},
    )
    assert refused.status == 403


def test_of_twenty_presses_at_once_one_opens_the_session(sandbox: Sandbox) -> None:
    """Against real Lambda processes: one cookie is given out."""
    link = offered(sandbox)

    def press(_: int) -> Answer:
        return _press(link)

    with ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(press, range(20)))
    assert sorted(answer.status for answer in answers) == [303] + [410] * 19
    cookies = [answer.headers["Set-Cookie"] for answer in answers if "Set-Cookie" in answer.headers]
    assert len(cookies) == 1


def test_nobody_gets_in_without_iam(sandbox: Sandbox) -> None:
    """No cookie, a made-up one, another stage's name for a good one; a form of another site."""
    link = offered(sandbox)
    cookie = _press(link).headers["Set-Cookie"].split(";")[0]
    page = f"{sandbox.state['api']}/console"
    assert http("GET", page, headers={**BROWSER, "Cookie": cookie}).status == 200
    name, _, value = cookie.partition("=")
    for bad in ("", f"{name}=x", f"__Host-assent-prod={value}", f"{name}={'a' * 26}.{'a' * 32}"):
        refused = http("GET", page, headers={**BROWSER, "Cookie": bad})
        assert (refused.status, "assent console" in refused.text) == (403, True)
    other = offered(sandbox)
    for said in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example.net"}, {}):
        assert _press(other, said).status == 403
    assert _press(other).status == 303
    for used in (link, other):
        assert http("GET", used, headers=BROWSER).status == 410
    form = b"csrf=x&session="
    more = {**OWN, "Cookie": cookie, "Content-Type": FORM}
    assert http("POST", f"{page}/sign-out", form, more).status == 403
    assert http("GET", page, headers={**BROWSER, "Cookie": cookie}).status == 200


def test_the_read_only_policy_opens_what_changes_nothing(sandbox: Sandbox) -> None:
    """A user with it sees everything, and gets a session that may only read."""
    reader = sandbox.with_user("reader", "ReadOnlyPolicyArn")
    for path in ("/approvals", "/approvers", "/approvers/ada%40example.com"):
        assert reader.call("GET", path, who="reader").status == 200
    assert reader.call("GET", "/approvals/some-id", who="reader").status == 404
    for method, path in (
        ("POST", "/executions"),
        ("POST", "/approvals/some-id/cancel"),
        ("PUT", "/approvers/ada%40example.com"),
        ("POST", "/console/sessions"),
    ):
        assert reader.call(method, path, who="reader").status == 403
    assert "/console/sessions/" in offered(reader, "read-only-sessions", "reader")


def test_the_dashboard_is_the_stages(sandbox: Sandbox) -> None:
    """The names in its widgets are filled in."""
    cloudwatch = sandbox.client("cloudwatch")
    body = cloudwatch.get_dashboard(DashboardName="assent-sandbox-us-east-1")["DashboardBody"]
    assert "SOURCE '/aws/lambda/assent-sandbox-tick'" in body
    assert "${" not in body


def _press(link: str, said: dict[str, str] = OWN) -> Answer:
    """Press the button of a link's page, and follow no redirect."""
    parts = urlsplit(link)
    connection = HTTPConnection(parts.netloc, timeout=60)
    headers = {"Content-Type": FORM, **BROWSER, **said}
    connection.request("POST", parts.path, b"", headers)
    answer = connection.getresponse()
    found = Answer(answer.status, dict(answer.headers.items()), answer.read().decode())
    connection.close()
    return found


def _tab_to(page: Page, name: str) -> None:
    """Press Tab until what has that name has focus, and it is seen."""
    for _ in range(TABS):
        page.keyboard.press("Tab")
        focused = page.locator(":focus")
        if focused.count() and (focused.text_content() or "").strip() == name:
            outline = focused.evaluate("one => getComputedStyle(one).outlineStyle")
            assert outline == "solid"
            return
    raise AssertionError(f"{name} can't be reached")
