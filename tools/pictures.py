"""`python -m tools.pictures`: takes the README's screenshots of a running sandbox with Chromium.

The screenshots are `docs/pictures/*.png`.
"""

import json
import shutil
import time
import urllib.request
from pathlib import Path

import click
from playwright.sync_api import Page, sync_playwright

from tools.errors import ToolError
from tools.sandbox.mailbox import MessageJson
from tools.sandbox.state import SandboxState, read_state
from tools.sandbox.users import IamUser

PICTURES = Path(__file__).parent.parent / "docs" / "pictures"
APPROVER = "ada@example.com"
MORE_REQUESTS = [
    {
        "subject": subject,
        "details": details,
        "approvers": [APPROVER],
        "requestedBy": "margaret@example.com",
        "expiresIn": days * 86_400,
    }
    for days, subject, details in (
        (2, "Refund 1,250.00 EUR to customer 88213?", {"Reason": "Delivered twice"}),
        (5, "Let Linus read the archive of invoices?", {"Until": "The end of the audit"}),
    )
]
"""Sent beside the sandbox's first request, so that the approver's inbox page shows several."""
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
]


@click.command()
@click.option("--dir", "folder", type=click.Path(path_type=Path), default=".sandbox")
def main(folder: Path) -> None:
    """Take screenshots of a mail, the pages behind its links, and a decision. It approves one."""
    state = read_state(folder)
    chromium = shutil.which("chromium")
    if chromium is None:
        raise ToolError("Chromium is missing: `make browser` installs it")
    mail = _first_mail(state)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_ARGUMENTS)
        page = browser.new_page(device_scale_factor=1.5)
        _take_screenshots(page, state, mail)
        browser.close()


def _first_mail(state: SandboxState) -> MessageJson:
    """Send MORE_REQUESTS, wait for their mails, and return the mail of the first request."""
    keys = state["operator"]
    operator = IamUser(
        "operator", keys["accessKeyId"], keys["secretAccessKey"], state["aws"]["region"]
    )
    for request in MORE_REQUESTS:
        operator.call("POST", f"{state['api']}/executions", request)
    while len(mails := _mails(state["inbox"])) < 1 + len(MORE_REQUESTS):
        time.sleep(0.2)
    return mails[0]


def _take_screenshots(page: Page, state: SandboxState, mail: MessageJson) -> None:
    decision_link, inbox_link = (
        next(line for line in mail["text"].splitlines() if f"/{name}/" in line)
        for name in ("approve", "inbox")
    )
    page.set_viewport_size({"width": 760, "height": 700})
    page.goto(state["inbox"])
    page.get_by_role("link", name=APPROVER).first.click()
    page.get_by_role("link", name=mail["subject"]).first.click()
    _save(page, "mail")
    page.set_viewport_size({"width": 390, "height": 700})
    page.goto(decision_link)
    _save(page, "page")
    page.goto(inbox_link)
    _save(page, "inbox")
    page.goto(decision_link)
    page.get_by_label("Reason").fill("Looked through the changes, tests are green.")
    page.get_by_role("button", name="Approve").click()
    page.get_by_text("You approved this").wait_for()
    _save(page, "receipt")


def _mails(inbox: str) -> list[MessageJson]:
    with urllib.request.urlopen(f"{inbox}/messages?to={APPROVER}") as response:  # noqa: S310 (loopback)
        messages: list[MessageJson] = json.loads(response.read())["messages"]
    return messages


def _save(page: Page, name: str) -> None:
    page.screenshot(path=PICTURES / f"{name}.png", full_page=True)
    click.echo(f"docs/pictures/{name}.png")


if __name__ == "__main__":
    main()
