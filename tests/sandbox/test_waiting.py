"""Approvals in the sandbox that are reassigned, cancelled, reminded, escalated, extended.

Mails of the tick come within about a minute, so all requests start at once and wait together.
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
"""Seconds within which the next tick has sent its mails."""
REASSIGNED, CANCELLED, REMINDED = "Reassigned by page", "Cancelled by mail", "Reminded by hand"
FOLLOWED = "Followed by its requester"
ESCALATED, EXTENDED = "Escalated after a minute", "Extended by hand"


@pytest.fixture(scope="module", autouse=True)
def executions(sandbox: Sandbox) -> dict[str, str]:
    """Start all requests and return their executions by subject. Mary is a reachable requester."""
    assert sandbox.call("PUT", f"/approvers/{MARY}").status == 200
    fields: dict[str, Json] = {
        EXTENDED: {"expiresIn": 60},
        ESCALATED: {"escalation": {"after": 60, "approvers": [LINUS]}},
        CANCELLED: {"requestedBy": MARY},
        FOLLOWED: {"requestedBy": MARY, "approvers": [ADA, GRACE], "approvalsNeeded": "all"},
        REASSIGNED: {"requestedBy": MARY},
        REMINDED: {"approvers": [ADA, GRACE]},
    }
    names = {subject: sandbox.start(subject=subject, **more) for subject, more in fields.items()}
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


def operate(sandbox: Sandbox, name: str, command: str, body: Json) -> Json:
    """Send an operator's command for an execution's approval, and return the answer."""
    seen = until(lambda: sandbox.execution(name)["approval"], bool, seconds=20)
    answer = sandbox.call("POST", f"/approvals/{seen['id']}/{command}", body)
    assert answer.status == 200, answer
    return answer.json


def mailed(sandbox: Sandbox, address: str, subject: str, seconds: float = A_TICK) -> Json:
    """Return the newest mail to that person with exactly that subject, waiting for it."""

    def look() -> list[Json]:
        return [m for m in sandbox.mails(address, subject) if m["subject"] == subject]

    found = until(look, bool, seconds)
    return found[-1]


def links(mail: Json) -> dict[str, str]:
    """Return the links of a mail, by the page that they open."""
    return {m[1]: m[0] for m in re.finditer(r"http\S+/(\w+)/[a-z2-7.]+", mail["text"])}


def event_kinds(sandbox: Sandbox, name: str) -> list[str]:
    """Return the kinds of the events of an execution's approval."""
    return [event["what"] for event in sandbox.execution(name)["approval"]["events"]]


def test_an_approver_reassigns_at_a_phone(
    sandbox: Sandbox, executions: dict[str, str], phone: Page
) -> None:
    """The page refuses an address of another domain; afterwards the old link decides nothing."""
    link = sandbox.link(ADA, REASSIGNED)
    phone.goto(link)
    phone.get_by_role("link", name="Reassign to somebody else").click()
    expect(phone.get_by_role("heading", name=REASSIGNED)).to_be_visible()
    fits(phone)
    phone.get_by_label("Their e-mail address").fill("grace@elsewhere.example")
    phone.get_by_label("A note to them").fill("I am away.\nThank you!")
    phone.get_by_role("button", name="Reassign").click()
    expect(phone.get_by_role("alert")).to_contain_text("may not be asked")
    expect(phone.get_by_label("A note to them")).to_have_value("I am away.\nThank you!")
    fits(phone)
    phone.get_by_label("Their e-mail address").fill(GRACE)
    phone.get_by_role("button", name="Reassign").click()
    expect(phone.get_by_role("heading", name=f"You reassigned this to {GRACE}")).to_be_visible()
    fits(phone)
    phone.goto(link)
    expect(phone.get_by_role("heading", name=f"{GRACE} was asked instead of you")).to_be_visible()
    expect(phone.get_by_role("button")).to_have_count(0)
    assert press(link).status == 410
    assert sandbox.decisions(executions[REASSIGNED]) == []


def test_the_requester_has_the_others_reminded_at_a_phone(
    sandbox: Sandbox, executions: dict[str, str], phone: Page
) -> None:
    """The link of the receipt shows who has answered; its button reminds those who haven't."""
    assert press(sandbox.link(ADA, FOLLOWED)).status == 200
    phone.goto(links(mailed(sandbox, MARY, f"Asked: {FOLLOWED}"))["cancel"])
    people = phone.get_by_role("listitem")
    expect(people.filter(has_text=ADA)).to_contain_text("approved on")
    expect(people.filter(has_text=GRACE)).to_contain_text("has not decided")
    expect(people.filter(has_text=GRACE)).to_contain_text("Mailed on")
    fits(phone)
    phone.get_by_role("button", name="Remind the others").click()
    expect(phone.get_by_role("status")).to_be_focused()
    expect(phone.get_by_text("You had them reminded on")).to_be_visible()
    expect(phone.get_by_role("button", name="Remind")).to_have_count(0)
    fits(phone)
    reminder = mailed(sandbox, GRACE, f"Reminder, approval needed: {FOLLOWED}")
    assert sandbox.mails(ADA, f"Reminder, approval needed: {FOLLOWED}") == []
    assert press(links(reminder)["approve"]).status == 200
    events = sandbox.ended(executions[FOLLOWED])["approval"]["events"]
    (event,) = [e for e in events if e["what"] == "reminded"]
    assert (event["who"], event["via"]) == (MARY, "page")


def test_the_requester_cancels_by_the_link_in_their_mail(
    sandbox: Sandbox, executions: dict[str, str]
) -> None:
    """Only its page's button cancels; the execution fails, and the approver's link answers 410."""
    mail = mailed(sandbox, MARY, f"Asked: {CANCELLED}")
    link = links(mail)["cancel"]
    page = http("GET", link, headers=BROWSER)
    assert (page.status, ">Cancel request</button>" in page.text) == (200, True)
    assert sandbox.execution(executions[CANCELLED])["status"] == "RUNNING"
    done = press(link, "not needed any more", BROWSER)
    assert (done.status, "This request was cancelled" in done.text) == (200, True)
    found = sandbox.ended(executions[CANCELLED])
    assert (found["status"], found["error"]) == ("FAILED", "Cancelled")
    assert press(sandbox.link(ADA, CANCELLED)).status == 410
    assert press(link).status == 200


def test_an_operator_reminds_the_approvers(sandbox: Sandbox, executions: dict[str, str]) -> None:
    """The second mail has links of its own; those of the first still decide."""
    reminder = mailed(sandbox, GRACE, f"Reminder, approval needed: {REMINDED}")
    first = mailed(sandbox, GRACE, f"Approval needed: {REMINDED}")
    assert links(first)["approve"] != links(reminder)["approve"]
    assert reminder["text"].startswith("Reminder: ")
    assert press(links(first)["approve"]).status == 200
    found = sandbox.ended(executions[REMINDED])
    (decision,) = found["output"]["decisions"]
    assert decision["approver"] == GRACE
    (event,) = [e for e in found["approval"]["events"] if e["what"] == "reminded"]
    assert (event["who"], event["via"]) == (MARY, "api")


def test_the_person_asked_instead_decides(sandbox: Sandbox, executions: dict[str, str]) -> None:
    """The mail names the approver before, with the note."""
    mail = mailed(sandbox, GRACE, f"Approval needed: {REASSIGNED}")
    assert f"You are asked instead of {ADA}" in mail["text"]
    assert "| I am away.\n| Thank you!" in mail["text"]
    assert press(links(mail)["approve"]).status == 200
    assert sandbox.ended(executions[REASSIGNED])["output"]["decisions"][0]["approver"] == GRACE


def test_the_fallback_approver_is_asked_after_a_while(
    sandbox: Sandbox, executions: dict[str, str]
) -> None:
    """The mail says why, and their approval counts."""
    mail = mailed(sandbox, LINUS, f"Approval needed: {ESCALATED}", 60 + A_TICK)
    assert mail["text"].startswith("Nobody has decided within ")
    assert press(links(mail)["approve"]).status == 200
    assert sandbox.ended(executions[ESCALATED])["outcome"] == "approved"
    assert "escalated" in event_kinds(sandbox, executions[ESCALATED])


def test_an_extended_approval_is_still_pending(
    sandbox: Sandbox, executions: dict[str, str]
) -> None:
    """Its first deadline was before the escalation's tick; it still takes a decision."""
    time.sleep(2)  # for the rest of that tick
    assert sandbox.execution(executions[EXTENDED])["status"] == "RUNNING"
    assert press(sandbox.link(ADA, EXTENDED)).status == 200
    assert sandbox.ended(executions[EXTENDED])["outcome"] == "approved"
    assert "extended" in event_kinds(sandbox, executions[EXTENDED])


@pytest.mark.parametrize(
    ("to", "subject"),
    [
        (ADA, f"Cancelled: {CANCELLED}"),
        (ADA, f"Approved: {REMINDED}"),
        (MARY, f"Approved: {REASSIGNED}"),
    ],
)
def test_the_others_get_the_outcome(sandbox: Sandbox, to: str, subject: str) -> None:
    """It asks nothing and has no link, but an approver's inbox."""
    mail = mailed(sandbox, to, subject)
    assert "You don't need to do anything." in mail["text"]
    assert links(mail).keys() == ({"inbox"} if to == ADA else set())


def fits(page: Page) -> None:
    """Check that nothing has to be scrolled sideways."""
    assert page.locator("html").evaluate("html => html.scrollWidth") <= PHONE["width"]
