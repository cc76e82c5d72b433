"""An approver's browser: Chromium opens the mail, follows its link, presses the button."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.sandbox.client import Sandbox, press

PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 900}


@pytest.fixture(params=["phone", "desktop", "phone without script"])
def page(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    """Open a window of that kind; fail if a page logs an error."""
    script = "without" not in request.param
    size = PHONE if "phone" in request.param else DESKTOP
    context = browser.new_context(
        viewport={"width": size["width"], "height": size["height"]}, java_script_enabled=script
    )
    errors: list[str] = []
    context.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    yield context.new_page()
    context.close()
    # Chromium logs each 4xx answer as an error; tests that expect one assert its status.
    assert all("the server responded with a status of 4" in error for error in errors), errors


def test_an_approver_approves(sandbox: Sandbox, page: Page, tmp_path: Path) -> None:
    """From the mailbox to the receipt, with a reason, and the execution goes on."""
    subject = f"Browser {tmp_path.name}"
    name = sandbox.start(
        subject=subject,
        details={"Change": "New checkout <b>bold</b>", "Window": "14:00 UTC"},
        requestedBy="margaret@example.com",
    )
    sandbox.link("ada@example.com", subject)
    page.goto(sandbox.state["inbox"])
    page.get_by_role("link", name="ada@example.com").first.click()
    page.get_by_role("link", name=subject).first.click()
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="/approve/").click()
    page = opened.value

    expect(page.get_by_role("heading", name=subject)).to_be_visible()
    expect(page.get_by_role("cell", name="New checkout <b>bold</b>")).to_be_visible()
    _fits(page)
    page.get_by_label("Reason").fill("Tested on staging.\nGo.")
    page.get_by_role("button", name="Approve", exact=True).click()

    expect(page.get_by_role("heading", name="You approved this")).to_be_visible()
    expect(page.get_by_text("The workflow has been told.")).to_be_visible()
    expect(page.get_by_text("Tested on staging.")).to_be_visible()
    _fits(page)
    found = sandbox.ended(name)
    assert found["output"]["decisions"][0]["reason"] == "Tested on staging.\nGo."


def test_an_approver_rejects_instead(sandbox: Sandbox, page: Page, tmp_path: Path) -> None:
    """The other choice is one press away, keeps what was typed, and is final."""
    subject = f"Browser {tmp_path.name}"
    name = sandbox.start(subject=subject)
    page.goto(sandbox.link("ada@example.com", subject))
    page.get_by_label("Reason").fill("The tests are red.")
    page.get_by_role("button", name="Reject instead").click()
    expect(page.get_by_label("Reason (required)")).to_have_value("The tests are red.")
    page.get_by_label("Reason").fill("")
    page.get_by_role("button", name="Reject", exact=True).click()
    # The browser itself refuses an empty reason; nothing was sent.
    expect(page.get_by_role("heading", name=subject)).to_be_visible()
    assert sandbox.execution(name)["status"] == "RUNNING"
    page.get_by_label("Reason").fill("The tests are red.")
    page.get_by_role("button", name="Reject", exact=True).click()
    expect(page.get_by_role("heading", name="You rejected this")).to_be_visible()
    page.goto(sandbox.link("ada@example.com", subject))
    expect(page.get_by_role("heading", name="You rejected this")).to_be_visible()
    expect(page.get_by_role("button")).to_have_count(0)
    assert sandbox.ended(name)["error"] == "Rejected"


def test_a_blank_reason_is_refused(sandbox: Sandbox, page: Page, tmp_path: Path) -> None:
    """Spaces pass the browser's own check; the page says what is missing, nothing is recorded."""
    subject = f"Browser {tmp_path.name}"
    name = sandbox.start(subject=subject)
    page.goto(sandbox.link("ada@example.com", subject, "reject"))
    page.get_by_label("Reason").fill("   ")
    with page.expect_response(lambda answer: answer.request.method == "POST") as posted:
        page.get_by_role("button", name="Reject", exact=True).click()
    assert posted.value.status == 400
    expect(page).to_have_title(f"Error: Reject: {subject}")
    expect(page.get_by_label("Reason")).to_be_focused()
    expect(page.get_by_role("alert")).to_contain_text("please say why")
    assert sandbox.decisions(name) == []
    press(sandbox.link("ada@example.com", subject))


def test_an_approver_decides_several_requests_at_once(
    sandbox: Sandbox, page: Page, tmp_path: Path
) -> None:
    """From the inbox link of a mail: select two of three, confirm, one receipt."""
    subjects = [f"{what} {tmp_path.name}" for what in ("Refund", "Release", "Rename")]
    names = [
        sandbox.start(subject=subject, expiresIn=600 + 60 * n, details={"Why": "It is due."})
        for n, subject in enumerate(subjects)
    ]
    for subject in subjects:
        sandbox.link("ada@example.com", subject)
    page.goto(sandbox.link("ada@example.com", subjects[0], "inbox"))
    boxes = page.get_by_role("checkbox")
    expect(boxes.first).to_be_visible()
    shown = [page.get_by_role("checkbox", name=subject) for subject in subjects]
    places = [box.evaluate("box => box.getBoundingClientRect().y") for box in shown]
    assert places == sorted(places), "earliest deadline first"
    _fits(page)
    for box in shown[:2]:
        box.check()
    page.get_by_role("button", name="Review to approve").click()

    expect(page.get_by_role("heading", name="Approve 2 requests?")).to_be_visible()
    expect(page.get_by_text(subjects[2])).to_have_count(0)
    _fits(page)
    assert [sandbox.execution(name)["status"] for name in names] == ["RUNNING"] * 3
    page.get_by_label("Reason").fill("Both are fine.")
    page.get_by_role("button", name="Approve 2 requests").click()

    expect(page.get_by_role("heading", name="You approved 2 requests")).to_be_visible()
    expect(page.get_by_text("The request was approved on")).to_have_count(2)
    _fits(page)
    for name in names[:2]:
        (decision,) = sandbox.ended(name)["output"]["decisions"]
        assert decision["reason"] == "Both are fine."
    assert sandbox.execution(names[2])["status"] == "RUNNING"
    page.get_by_role("link", name="Back to the inbox").click()
    expect(page.get_by_role("checkbox", name=subjects[0])).to_have_count(0)
    expect(page.get_by_role("checkbox", name=subjects[2])).to_be_visible()
    press(sandbox.link("ada@example.com", subjects[2]))


def test_an_unknown_link_is_a_helpful_page(sandbox: Sandbox, page: Page) -> None:
    """A link cut short gets a page that says what to do, and nothing about any approval."""
    page.goto(f"{sandbox.state['api']}/health")
    answer = page.goto(f"{sandbox.state['api']}/approve/kflubmmyppnli4cxkn6kxiatvz.uais5fy")
    assert answer is not None
    assert answer.status == 404
    expect(page.get_by_text("open it again from the mail")).to_be_visible()
    _fits(page)


def _fits(page: Page) -> None:
    """Check that nothing has to be scrolled sideways."""
    viewport = page.viewport_size
    assert viewport is not None
    assert page.locator("html").evaluate("html => html.scrollWidth") <= viewport["width"]
