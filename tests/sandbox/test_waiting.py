"""While an approval waits, in the deployed whole: passed on, withdrawn, reminded, escalated.

Mails of the tick come within about a minute, so all stories begin at once and wait together.
"""

import re
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.sandbox.client import BROWSER, Json, Sandbox, http, press, until
from tests.sandbox.test_browser import PHONE

ADA, GRACE, LINUS = "ada@example.com", "grace@example.com", "linus@example.com"
MARY = "mary@example.com"
A_TICK = 75
"""Seconds within which the next tick's mails are there."""
PASSED, WITHDRAWN, REMINDED = "Passed on by page", "Withdrawn by mail", "Reminded by hand"
ESCALATED, EXTENDED = "Escalated after a minute", "Given more time"


@pytest.fixture(scope="module", autouse=True)
def stories(sandbox: Sandbox) -> dict[str, str]:
    """Begin everything; subject -> execution. Mary asks, and mail reaches her."""
    assert sandbox.call("PUT", f"/approvers/{MARY}").status == 200
    asked: dict[str, Json] = {
        EXTENDED: {"expiresIn": 60},
        ESCALATED: {"escalation": {"after": 60, "approvers": [LINUS]}},
        WITHDRAWN: {"requestedBy": MARY},
        PASSED: {"requestedBy": MARY},
        REMINDED: {"approvers": [ADA, GRACE]},
    }
    names = {subject: sandbox.start(subject=subject, **more) for subject, more in asked.items()}
    operate(sandbox, names[EXTENDED], "extend", {"expiresIn": 600})
    sandbox.link(GRACE, REMINDED)
    operate(sandbox, names[REMINDED], "remind", {"by": MARY})
    return names


@pytest.fixture
def phone(browser: Browser) -> Iterator[Page]:
    """Open a window as wide as a phone."""
    width, height = PHONE["width"], PHONE["height"]
    page = browser.new_page(viewport={"width": width, "height": height})
    yield page
    page.close()


def operate(sandbox: Sandbox, name: str, operation: str, body: Json) -> Json:
    """Do what an operator may do to an execution's approval, and return the answer."""
    seen = until(lambda: sandbox.execution(name)["approval"], bool, seconds=20)
    answer = sandbox.call("POST", f"/approvals/{seen['id']}/{operation}", body)
    assert answer.status == 200, answer
    return answer.json


def mailed(sandbox: Sandbox, address: str, subject: str, seconds: float = A_TICK) -> Json:
    """Return the newest mail of that whole subject line to that person, waiting for it."""

    def look() -> list[Json]:
        return [m for m in sandbox.mails(address, subject) if m["subject"] == subject]

    found = until(look, bool, seconds)
    return found[-1]


def links(mail: Json) -> dict[str, str]:
    """Return the links of a mail, by the page that they open."""
    return {m[1]: m[0] for m in re.finditer(r"http\S+/(\w+)/[a-z2-7.]+", mail["text"])}


def whats(sandbox: Sandbox, name: str) -> list[str]:
    """Return what happened to an execution's approval."""
    return [event["what"] for event in sandbox.execution(name)["approval"]["events"]]


def test_an_approver_passes_it_on_at_a_phone(
    sandbox: Sandbox, stories: dict[str, str], phone: Page
) -> None:
    """A foreign address is refused on the page; the right one has it now, the old link is dead."""
    link = sandbox.link(ADA, PASSED)
    phone.goto(link)
    phone.get_by_role("link", name="Pass it on").click()
    expect(phone.get_by_role("heading", name=PASSED)).to_be_visible()
    fits(phone)
    phone.get_by_label("Their e-mail address").fill("grace@elsewhere.example")
    phone.get_by_label("A note to them").fill("I am away.\nThank you!")
    phone.get_by_role("button", name="Pass it on").click()
    expect(phone.get_by_role("alert")).to_contain_text("may not be asked")
    expect(phone.get_by_label("A note to them")).to_have_value("I am away.\nThank you!")
    fits(phone)
    phone.get_by_label("Their e-mail address").fill(GRACE)
    phone.get_by_role("button", name="Pass it on").click()
    expect(phone.get_by_role("heading", name=f"{GRACE} was asked instead of you")).to_be_visible()
    fits(phone)
    phone.goto(link)
    expect(phone.get_by_role("heading", name=f"{GRACE} was asked instead of you")).to_be_visible()
    expect(phone.get_by_role("button")).to_have_count(0)
    assert press(link).status == 410
    assert sandbox.votes(stories[PASSED]) == []


def test_the_requester_withdraws_by_the_link_in_their_mail(
    sandbox: Sandbox, stories: dict[str, str]
) -> None:
    """The page asks first; the execution fails as `Cancelled`, and the approver's link is gone."""
    mail = mailed(sandbox, MARY, f"Asked: {WITHDRAWN}")
    link = links(mail)["cancel"]
    page = http("GET", link, headers=BROWSER)
    assert (page.status, ">Withdraw</button>" in page.text) == (200, True)
    assert sandbox.execution(stories[WITHDRAWN])["status"] == "RUNNING"
    done = press(link, "not needed any more", BROWSER)
    assert (done.status, "This request was withdrawn" in done.text) == (200, True)
    found = sandbox.ended(stories[WITHDRAWN])
    assert (found["status"], found["error"]) == ("FAILED", "Cancelled")
    assert press(sandbox.link(ADA, WITHDRAWN)).status == 410
    assert press(link).status == 200


def test_an_operator_has_everybody_reminded(sandbox: Sandbox, stories: dict[str, str]) -> None:
    """A second mail with links of its own; those of the first are as good."""
    reminder = mailed(sandbox, GRACE, f"Reminder, approval needed: {REMINDED}")
    first = mailed(sandbox, GRACE, f"Approval needed: {REMINDED}")
    assert links(first)["approve"] != links(reminder)["approve"]
    assert "your decision is still needed" in reminder["text"]
    assert press(links(first)["approve"]).status == 200
    found = sandbox.ended(stories[REMINDED])
    (decision,) = found["output"]["decisions"]
    assert decision["approver"] == GRACE
    (event,) = [e for e in found["approval"]["events"] if e["what"] == "reminded"]
    assert (event["who"], event["via"]) == (MARY, "api")


def test_who_was_asked_instead_decides(sandbox: Sandbox, stories: dict[str, str]) -> None:
    """The mail says instead of whom, with the note."""
    mail = mailed(sandbox, GRACE, f"Approval needed: {PASSED}")
    assert f"you are asked instead of {ADA}" in mail["text"]
    assert "| I am away.\n| Thank you!" in mail["text"]
    assert press(links(mail)["approve"]).status == 200
    assert sandbox.ended(stories[PASSED])["output"]["decisions"][0]["approver"] == GRACE


def test_the_fallback_is_asked_when_nobody_answers(
    sandbox: Sandbox, stories: dict[str, str]
) -> None:
    """They are told why, and their approval counts."""
    mail = mailed(sandbox, LINUS, f"Approval needed: {ESCALATED}", 60 + A_TICK)
    assert "because it hasn't been decided in time" in " ".join(mail["text"].split())
    assert press(links(mail)["approve"]).status == 200
    assert sandbox.ended(stories[ESCALATED])["outcome"] == "approved"
    assert "escalated" in whats(sandbox, stories[ESCALATED])


def test_more_time_was_given(sandbox: Sandbox, stories: dict[str, str]) -> None:
    """Its first deadline came before the escalation's tick; it waits, and takes an answer still."""
    time.sleep(2)  # for the rest of that tick
    assert sandbox.execution(stories[EXTENDED])["status"] == "RUNNING"
    assert press(sandbox.link(ADA, EXTENDED)).status == 200
    assert sandbox.ended(stories[EXTENDED])["outcome"] == "approved"
    assert "extended" in whats(sandbox, stories[EXTENDED])


@pytest.mark.parametrize(
    ("to", "subject"),
    [
        (ADA, f"Withdrawn: {WITHDRAWN}"),
        (ADA, f"Approved: {REMINDED}"),
        (MARY, f"Approved: {PASSED}"),
    ],
)
def test_the_others_are_told_what_came_of_it(sandbox: Sandbox, to: str, subject: str) -> None:
    """By whom, with nothing more asked: no link but the approver's list."""
    mail = mailed(sandbox, to, subject)
    assert "Nothing more is asked of you about this." in mail["text"]
    assert links(mail).keys() == ({"mine"} if to == ADA else set())


def fits(page: Page) -> None:
    """Check that nothing has to be scrolled sideways."""
    assert page.locator("html").evaluate("html => html.scrollWidth") <= PHONE["width"]
