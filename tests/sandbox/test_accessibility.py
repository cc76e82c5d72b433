"""Each page and mail in each state, in Chromium: readable and usable by everybody.

The pages come from the code with their real headers; the sandbox's other tests open deployed ones.
"""

from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.pictures import RENDERINGS, URL, Rendering, shown
from tests.states import every_state

STATES = every_state()
PHONE = RENDERINGS["phone-light"]
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
    "locked": "error",
    "refused": "error",
    "approve alone without a reason": "reason",
    "console not found": "q",
    "console approval approved": "error",
    "console approval elsewhere": "notice",
    "console extend wrong": "number",
    "console reassign wrong": "to",
    "console approvers wrong": "email",
    "console approver unconfirmed": "notice",
    "console approver wrong": "url",
    "console sessions": "notice",
}
"""State -> id or class of the element that has focus; in the others none has, or the heading."""
TARGETS = "button, .other, .link, summary, label.choice, nav a, li a, input, textarea"
"""What people press or type into. Links inside a sentence are as high as its line (WCAG 2.5.8)."""
SMALL = """
elements => elements.filter(element => element.checkVisibility() && element.type !== 'hidden')
    .filter(element => element.type !== 'checkbox' && element.getBoundingClientRect().height < 44)
    .map(element => element.outerHTML)
"""
LUMINANCE = """
element => {
    const [r, g, b] = getComputedStyle(element).backgroundColor.match(/[\\d.]+/g)
        .map(part => part / 255).map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
}
"""
"""The relative luminance of an element's background, as WCAG 2 defines it."""


@pytest.fixture(scope="module", params=["phone-light", "phone-dark"])
def page(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    """Open a window as wide as a phone, light and then dark, and as high as the longest page.

    What stays at the bottom of a window covers nothing there, which axe couldn't see through.
    """
    with shown(browser, STATES, RENDERINGS[request.param]) as page:
        page.set_viewport_size({"width": PHONE.width, "height": 8_000})
        yield page


@pytest.fixture(scope="module")
def phone(browser: Browser) -> Iterator[Page]:
    """Open a phone's window."""
    with shown(browser, STATES, PHONE) as page:
        yield page


@pytest.fixture(scope="module")
def axe() -> str:
    """Give the script of axe-core."""
    return files("axe_playwright_python").joinpath("axe.min.js").read_text()


@pytest.mark.parametrize("state", STATES)
def test_axe_finds_nothing(page: Page, axe: str, state: str) -> None:
    """Of all its rules, and in the dark of that about contrast, as no other depends on colours.

    What it can't decide by itself counts as well.
    """
    page.goto(URL + state)
    page.evaluate(axe)
    in_the_dark = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    rules = "{runOnly: ['color-contrast']}" if in_the_dark else "{}"
    # It can't tell what is behind text in a picture: test_text_in_a_picture_stands_out.
    found: dict[str, Any] = page.evaluate(f"axe.run({{exclude: ['svg text']}}, {rules})")
    assert len(found["passes"]) > (0 if in_the_dark else 10)
    wrong = [*found["violations"], *found["incomplete"]]
    assert [(rule["id"], [node["html"] for node in rule["nodes"]]) for rule in wrong] == []


@pytest.mark.parametrize("state", STATES)
def test_focus_is_where_it_helps(phone: Page, state: str) -> None:
    """On the field in error, or on the words that say what happened, and in sight."""
    phone.goto(URL + state)
    focused = phone.locator(":focus")
    if state not in FOCUS:
        assert focused.count() == (1 if state == "not recorded yet" else 0)
        return
    assert FOCUS[state] in (focused.get_attribute("id"), focused.get_attribute("class"))
    box = focused.bounding_box()
    assert box is not None
    assert 0 <= box["y"] < 844


@pytest.mark.parametrize("how", RENDERINGS.values(), ids=RENDERINGS)
def test_nothing_scrolls_sideways(browser: Browser, how: Rendering) -> None:
    """In any state, on a phone and a desk, and with large text in a narrow window."""
    with shown(browser, STATES, how) as page:
        wide = {}
        for state in STATES:
            page.goto(URL + state)
            wide[state] = page.evaluate("document.documentElement.scrollWidth")
    assert {state: width for state, width in wide.items() if width > how.width} == {}


def test_whatever_is_pressed_is_as_large_as_a_finger(phone: Page) -> None:
    """44 pixels high, in any state."""
    small = {}
    for state in STATES:
        phone.goto(URL + state)
        small[state] = phone.locator(TARGETS).evaluate_all(SMALL)
    assert {state: found for state, found in small.items() if found} == {}


@pytest.mark.parametrize("state", ["approve", "reject", "one approver", "with a code", "many rows"])
def test_the_button_is_on_a_phones_first_screen(phone: Page, state: str) -> None:
    """Whatever the number of details; in a window of 390 by 844 pixels."""
    phone.goto(URL + state)
    box = phone.locator("button").first.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] <= 844


def test_the_inboxs_buttons_stay_in_sight(phone: Page) -> None:
    """Also with 25 requests, and what is focused isn't behind them."""
    phone.goto(URL + "inbox of many")
    assert phone.evaluate("document.documentElement.scrollHeight") > 3 * 844
    bar = phone.locator(".buttons")
    for number in (0, 12, 24):
        phone.get_by_role("checkbox").nth(number).focus()
        box, focused = bar.bounding_box(), phone.locator(":focus").bounding_box()
        assert box is not None
        assert focused is not None
        assert 0 < box["y"] < box["y"] + box["height"] <= 844
        assert focused["y"] >= 0
        assert focused["y"] + focused["height"] <= box["y"]


def test_approve_and_reject_differ_without_colour(page: Page) -> None:
    """One is filled and one is outlined, so that their luminance differs; each has a sign."""
    page.goto(URL + "inbox")
    approve, reject = (page.get_by_role("button", name=name) for name in ("approve", "reject"))
    light, dark = sorted((one.evaluate(LUMINANCE) for one in (approve, reject)), reverse=True)
    assert (light + 0.05) / (dark + 0.05) > 4.5
    sign = "one => getComputedStyle(one, '::before').content"
    assert [one.evaluate(sign)[1] for one in (approve, reject)] == ["✓", "✕"]


def test_forced_colours_keep_the_edges_of_buttons(browser: Browser) -> None:
    """They lose their colours, and so the shape that a background gave them."""
    with shown(browser, STATES, RENDERINGS["forced-colours"]) as page:
        for state in ("approve", "inbox", "confirm", "request"):
            page.goto(URL + state)
            edges = "all => all.map(one => getComputedStyle(one).borderTopWidth)"
            assert set(page.locator("button").evaluate_all(edges)) <= {"1px", "2px"}, state


def test_text_that_runs_from_right_to_left_begins_at_the_right(phone: Page) -> None:
    """The subject, and the columns of the details."""
    phone.goto(URL + "right to left")
    heading, label, value = (phone.locator(name).first for name in ("h1", "th", "td"))
    direction = "one => getComputedStyle(one).direction"
    assert heading.evaluate(direction) == "rtl"
    left, right = value.bounding_box(), label.bounding_box()
    assert left is not None
    assert right is not None
    assert left["x"] < right["x"]


def test_large_text_stands_below_its_name(browser: Browser) -> None:
    """Two columns would have room for a few letters each."""
    with shown(browser, STATES, RENDERINGS["large-text"]) as page:
        page.goto(URL + "approve")
        name, value = (page.locator(one).first.bounding_box() for one in ("th", "td"))
        assert name is not None
        assert value is not None
        assert value["y"] >= name["y"] + name["height"]


def test_headings_follow_one_h1(phone: Page) -> None:
    """Each page has one; below it nothing but h2, and an error's h2 before it."""
    for state in STATES:
        phone.goto(URL + state)
        levels = phone.locator("h1, h2, h3, h4").evaluate_all("all => all.map(h => h.tagName)")
        assert levels.count("H1") == 1, state
        assert set(levels) <= {"H1", "H2"}, state


CONTRAST = """
texts => texts.map(text => {
    const luminance = colour => {
        const [r, g, b] = colour.match(/[\\d.]+/g).map(part => part / 255)
            .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
        return 0.2126 * r + 0.7152 * g + 0.0722 * b
    }
    const card = getComputedStyle(document.querySelector('main')).backgroundColor
    const both = [luminance(getComputedStyle(text).fill), luminance(card)].sort()
    return (both[1] + 0.05) / (both[0] + 0.05)
})
"""


@pytest.mark.parametrize(
    "state", ["console approval", "console approval rejected", "console figures"]
)
def test_text_in_a_picture_stands_out(page: Page, state: str) -> None:
    """Axe can't tell what is behind it: the colour of the page."""
    page.goto(URL + state)
    contrasts = page.locator("svg text").evaluate_all(CONTRAST)
    assert len(contrasts) > 10
    assert min(contrasts) >= 4.5
