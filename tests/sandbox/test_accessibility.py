"""Each page in each state, in Chromium: axe finds nothing, nothing is cut, focus is where it helps.

The pages come from the code with their real headers; the sandbox's other tests open deployed ones.
"""

from collections.abc import Iterator
from importlib.resources import files
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page, Route

from chalicelib.presentation.pages.parts import HEADERS
from tests.unit.presentation.states import every_state

URL = "http://pages.test/"
STATES = every_state()
FOCUS = {
    "wrong code": "code",
    "reason too long": "reason",
    "reassign to nobody": "to",
    "request with a reason too long": "reason",
    "inbox nothing selected": "chosen",
    "confirm without a reason": "reason",
    "unknown field": "error",
    "inbox codes alone": "error",
    "request reminded too soon": "error",
    "request reminded": "notice",
    "delegation without a day": "until",
}
"""State -> id or class of the element that has focus; in the others none has."""


@pytest.fixture(scope="module", params=["light", "dark"])
def page(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    """Open a phone's window that gets the page of each state at URL + its name."""
    scheme: Literal["light", "dark"] = request.param
    context = browser.new_context(viewport={"width": 390, "height": 844}, color_scheme=scheme)
    headers = {name: str(value) for name, value in HEADERS.items()}

    def answer(route: Route) -> None:
        state = route.request.url.removeprefix(URL).replace("%20", " ")
        route.fulfill(body=STATES[state], headers=headers)

    context.route(f"{URL}**", answer)
    yield context.new_page()
    context.close()


@pytest.fixture(scope="module")
def axe() -> str:
    """Give the script of axe-core."""
    pytest.importorskip("axe_playwright_python", reason="`make install` brings axe")
    return files("axe_playwright_python").joinpath("axe.min.js").read_text()


@pytest.mark.parametrize("state", STATES)
def test_axe_finds_nothing(page: Page, axe: str, state: str) -> None:
    """Of all its rules; what it can't decide by itself counts as well."""
    page.goto(URL + state)
    page.evaluate(axe)
    found: dict[str, Any] = page.evaluate("axe.run()")
    assert len(found["passes"]) > 10
    wrong = [*found["violations"], *found["incomplete"]]
    assert [(rule["id"], [node["html"] for node in rule["nodes"]]) for rule in wrong] == []


@pytest.mark.parametrize("state", STATES)
def test_nothing_is_cut_and_focus_is_where_it_helps(page: Page, state: str) -> None:
    """On the field in error, or on the words that say what happened, and in sight."""
    page.goto(URL + state)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    focused = page.locator(":focus")
    if state not in FOCUS:
        assert focused.count() == 0
        return
    assert FOCUS[state] in (focused.get_attribute("id"), focused.get_attribute("class"))
    box = focused.bounding_box()
    assert box is not None
    assert 0 <= box["y"] < 844
