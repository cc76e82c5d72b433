"""`python -m tools.pictures`: takes the README's screenshots from a running sandbox.

On the map: reads `.sandbox/state.json`, drives Chromium, writes `docs/pictures/*.png`.
"""

import json
import shutil
import time
import urllib.request
from pathlib import Path
from typing import Any

import click
from playwright.sync_api import Page, sync_playwright

from tools.errors import ToolError
from tools.sandbox.people import Person

PICTURES = Path(__file__).parent.parent / "docs" / "pictures"
MORE = [
    {
        "subject": subject,
        "details": details,
        "approvers": ["ada@example.com"],
        "requestedBy": "margaret@example.com",
        "expiresIn": days * 86_400,
    }
    for days, subject, details in (
        (2, "Refund 1,250.00 EUR to customer 88213?", {"Reason": "Delivered twice"}),
        (5, "Let Linus read the archive of invoices?", {"Until": "The end of the audit"}),
    )
]
"""What else waits for Ada, so that there is a list."""
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]


@click.command()
@click.option("--dir", "folder", type=click.Path(path_type=Path), default=".sandbox")
def main(folder: Path) -> None:
    """Photograph mail, page, list and receipt of the first approval; it is approved by that."""
    try:
        state = json.loads((folder / "state.json").read_text("utf-8"))
    except FileNotFoundError as e:
        raise ToolError(f"no sandbox serves from {folder}: start one with `make demo`") from e
    chromium = shutil.which("chromium")
    if chromium is None:
        raise ToolError("no Chromium here: `make browser` installs it")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        page = browser.new_page(device_scale_factor=1.5)
        _photograph(page, state)
        browser.close()


def _photograph(page: Page, state: dict[str, Any]) -> None:
    inbox = state["inbox"]
    keys = state["operator"]
    region = state["aws"]["region"]
    operator = Person("operator", keys["accessKeyId"], keys["secretAccessKey"], region)
    for request in MORE:
        operator.call("POST", f"{state['api']}/executions", request)
    while len(mails := _mails(inbox)) < 1 + len(MORE):
        time.sleep(0.2)
    mail = mails[0]
    link, everything = (
        next(line for line in mail["text"].splitlines() if f"/{name}/" in line)
        for name in ("approve", "mine")
    )
    page.set_viewport_size({"width": 760, "height": 700})
    page.goto(inbox)
    page.get_by_role("link", name="ada@example.com").first.click()
    page.get_by_role("link", name=mail["subject"]).first.click()
    _save(page, "mail")
    page.set_viewport_size({"width": 390, "height": 700})
    page.goto(link)
    _save(page, "page")
    page.goto(everything)
    _save(page, "list")
    page.goto(link)
    page.get_by_label("Reason").fill("Looked through the changes, tests are green.")
    page.get_by_role("button", name="Approve").click()
    page.get_by_text("You approved this").wait_for()
    _save(page, "receipt")


def _mails(inbox: str) -> list[dict[str, Any]]:
    with urllib.request.urlopen(f"{inbox}/messages?to=ada@example.com") as answer:  # noqa: S310 (loopback)
        found: list[dict[str, Any]] = json.loads(answer.read())["messages"]
    return found


def _save(page: Page, name: str) -> None:
    page.screenshot(path=PICTURES / f"{name}.png", full_page=True)
    click.echo(f"docs/pictures/{name}.png")


if __name__ == "__main__":
    main()
