"""`python -m tools.pictures`: takes the README's screenshots from a running sandbox.

On the map: reads `.sandbox/state.json`, drives Chromium, writes `docs/pictures/*.png`.
"""

import json
import shutil
import urllib.request
from pathlib import Path

import click
from playwright.sync_api import Page, sync_playwright

from tools.errors import ToolError

PICTURES = Path(__file__).parent.parent / "docs" / "pictures"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]


@click.command()
@click.option("--dir", "folder", type=click.Path(path_type=Path), default=".sandbox")
def main(folder: Path) -> None:
    """Photograph mail, page and receipt of the first approval; it is approved by that."""
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
        _photograph(page, state["inbox"])
        browser.close()


def _photograph(page: Page, inbox: str) -> None:
    with urllib.request.urlopen(f"{inbox}/messages?to=ada@example.com") as answer:  # noqa: S310 (loopback)
        mail = json.loads(answer.read())["messages"][0]
    link = next(line for line in mail["text"].splitlines() if "/approve/" in line)
    page.set_viewport_size({"width": 760, "height": 700})
    page.goto(inbox)
    page.get_by_role("link", name="ada@example.com").first.click()
    page.get_by_role("link", name=mail["subject"]).first.click()
    _save(page, "mail")
    page.set_viewport_size({"width": 390, "height": 700})
    page.goto(link)
    _save(page, "page")
    page.get_by_label("Reason").fill("Looked through the changes, tests are green.")
    page.get_by_role("button", name="Approve").click()
    page.get_by_text("You approved this").wait_for()
    _save(page, "receipt")


def _save(page: Page, name: str) -> None:
    page.screenshot(path=PICTURES / f"{name}.png", full_page=True)
    click.echo(f"docs/pictures/{name}.png")


if __name__ == "__main__":
    main()
