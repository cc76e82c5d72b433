"""`make pictures`: photographs of every page and mail in every state, with Chromium.

Each state is taken on a phone and on a desk, light and dark; in forced colours; and with text of
twice the size in the narrowest window. The pictures of README and the contact sheet of
docs/pictures are made of the same states.
"""

import base64
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, NamedTuple

import click
from playwright.sync_api import Browser, Page, Route, sync_playwright
from rich.progress import track

from tests.states import State, every_state
from tests.terminal import terminal_svg
from tools.errors import MakeCommand, ToolError

DOCUMENTED = Path(__file__).parent.parent / "docs" / "pictures"
URL = "http://pages.test/"
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""As root, Chromium has no sandbox of its own; the others keep it from calling home."""

TERMINAL = DOCUMENTED / "terminal.svg"
README = {
    "mail": ("mail", 760),
    "approve": ("page", 390),
    "inbox": ("inbox", 390),
    "approved": ("receipt", 390),
    "console": ("console", 1000),
    "console approval": ("console-approval", 1280),
    "console figures": ("console-figures", 1280),
}
"""State -> name and width of its picture in docs/pictures."""
SHEET = (
    "approve", "with a code", "wrong code", "many rows", "refused", "waiting for others",
    "not recorded yet", "cancelled", "request half answered", "inbox", "confirm", "receipt",
)  # fmt: skip
"""The states on the contact sheet, each light and dark."""


class Rendering(NamedTuple):
    """How a state is shown."""

    width: int
    scheme: Literal["light", "dark"]
    forced_colours: bool = False
    zoom: int = 1
    """Text of twice the size in a window of 320 pixels is what half the width shows, enlarged."""


RENDERINGS = {
    "phone-light": Rendering(390, "light"),
    "phone-dark": Rendering(390, "dark"),
    "desk-light": Rendering(1280, "light"),
    "desk-dark": Rendering(1280, "dark"),
    "forced-colours": Rendering(390, "light", forced_colours=True),
    "large-text": Rendering(160, "light", zoom=2),
}


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start Chromium; raise ToolError if there is none."""
    found = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if found is None:
        raise ToolError("no Chromium here: `make browser` installs it")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield browser
        browser.close()


@contextmanager
def shown(browser: Browser, states: Mapping[str, State], how: Rendering) -> Iterator[Page]:
    """Open a window that gets the page of each state at URL + its name."""
    context = browser.new_context(
        viewport={"width": how.width, "height": 844 // how.zoom},
        color_scheme=how.scheme,
        forced_colors="active" if how.forced_colours else "none",
        device_scale_factor=how.zoom,
    )

    def answer(route: Route) -> None:
        name = route.request.url.removeprefix(URL).replace("%20", " ")
        state = states[name]
        route.fulfill(body=state.html, headers=dict(state.headers))

    context.route(f"{URL}**", answer)
    yield context.new_page()
    context.close()


@click.command(cls=MakeCommand)
@click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path, file_okay=False, resolve_path=True),
    default=".pictures",
    help="The folder for the pictures (.pictures).",
)
def main(folder: Path) -> None:
    """Photograph every state into a folder, and make docs/pictures again."""
    states = every_state()
    with chromium() as browser:
        for rendering, how in RENDERINGS.items():
            (folder / rendering).mkdir(parents=True, exist_ok=True)
            with shown(browser, states, how) as page:
                for name in track(states, f"{rendering:15}"):
                    page.goto(URL + name)
                    page.screenshot(path=folder / rendering / f"{name}.png", full_page=True)
        _take_documented(browser, states)
        _make_sheet(browser, folder)
    TERMINAL.write_text(terminal_svg(), "utf-8")
    click.echo(f"{folder}: {len(states)} states in {len(RENDERINGS)} renderings; docs/pictures")


def _take_documented(browser: Browser, states: Mapping[str, State]) -> None:
    for state, (name, width) in README.items():
        with shown(browser, states, Rendering(width, "light")) as page:
            page.goto(URL + state)
            page.screenshot(path=DOCUMENTED / f"{name}.png", full_page=True)


def _make_sheet(browser: Browser, folder: Path) -> None:
    """Make one picture of the states of SHEET, light above dark."""
    figures = "".join(
        f"<figure><figcaption>{name}</figcaption>{_image(folder, 'phone-light', name)}"
        f"{_image(folder, 'phone-dark', name)}</figure>"
        for name in SHEET
    )
    page = browser.new_page(viewport={"width": 1320, "height": 600})
    page.set_content(
        "<style>body{margin:12px;background:#777;color:#fff;font:13px sans-serif;display:grid;"
        "grid-template-columns:repeat(6,1fr);gap:12px;align-items:start}figure{margin:0}"
        f"img{{width:100%;margin:4px 0 0;border-radius:4px}}</style>{figures}"
    )
    page.screenshot(path=DOCUMENTED / "states.jpg", full_page=True, type="jpeg", quality=75)
    page.close()


def _image(folder: Path, rendering: str, name: str) -> str:
    picture = (folder / rendering / f"{name}.png").read_bytes()
    return f'<img src="data:image/png;base64,{base64.b64encode(picture).decode()}">'


if __name__ == "__main__":
    main()
