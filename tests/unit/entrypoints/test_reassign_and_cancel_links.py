"""The page on which an approver reassigns, and the one on which the requester cancels."""

import re
from collections.abc import Callable

import pytest

from tests.unit.entrypoints.client import ADA, BROWSER, JSON, AppClient, AppPorts, HttpResponse
from tests.unit.entrypoints.functions import tick
from tests.unit.entrypoints.pages import GRACE, MARY, path_of, request_by_mary
from tests.unit.steps import mailed_code, stored

LINUS = "linus@example.com"
PAGES = ["reassign", "cancel"]


def press(client: AppClient, path: str, accept: str = BROWSER, **fields: str) -> HttpResponse:
    """Press the page's button, or send the same as a program; the request goes to Grace."""
    sent = {"to": GRACE, **fields} if path.startswith("/reassign/") else fields
    if accept == BROWSER:
        return client.post_form(path, accept, **sent)
    return client.post_json(path, sent)


@pytest.mark.parametrize("page", PAGES)
def test_opening_the_page_shows_the_request_and_its_button(
    client: AppClient, ports: AppPorts, page: str
) -> None:
    request_by_mary(ports)
    shown = client.get(path_of(ports, page), BROWSER)
    assert (shown.status, shown.is_page) == (200, True)
    assert "Release 4.2" in shown.text
    buttons = {
        "reassign": ["Reassign"],
        "cancel": ["Remind the approvers", "Cancel request"],
    }
    assert re.findall("<button[^>]*>(.*)</button>", shown.text) == buttons[page]
    assert f"as <strong>{ADA if page == 'reassign' else MARY}</strong>" in shown.text


@pytest.mark.parametrize("page", PAGES)
def test_a_program_reads_the_approval_as_json(
    client: AppClient, ports: AppPorts, page: str
) -> None:
    approval_id = request_by_mary(ports)
    response = client.get(path_of(ports, page), JSON).json
    assert response["approval"]["outcome"] == "pending"
    assert response["approval"]["id"] == approval_id


def test_the_decision_page_and_the_page_to_reassign_link_to_each_other(
    client: AppClient, ports: AppPorts
) -> None:
    request_by_mary(ports)
    token = ports.link()
    assert f'href="../reassign/{token}"' in client.get(f"/reject/{token}", BROWSER).text
    assert f'href="../approve/{token}"' in client.get(f"/reassign/{token}", BROWSER).text


@pytest.mark.parametrize("accept", [BROWSER, JSON])
def test_an_approver_reassigns_the_request(client: AppClient, ports: AppPorts, accept: str) -> None:
    """The response says who is asked now; the new approver is mailed with the note."""
    approval_id = request_by_mary(ports)
    response = press(client, path_of(ports, "reassign"), accept, note="please")
    assert (response.status, response.is_page) == (200, accept == BROWSER)
    if accept == BROWSER:
        assert f"You reassigned this to {GRACE}" in response.text
        assert f"{GRACE} gets a mail with links of their own" in response.text
        again = client.get(path_of(ports, "approve"), BROWSER).text
        assert f"{GRACE} was asked instead of you" in again
    else:
        assert (response.json["approver"], response.json["decision"]) == (ADA, None)
    event = stored(ports, approval_id).events[-1]
    assert (event.what, event.who, event.via) == ("reassigned", ADA, "page")
    tick()
    assert "| please" in ports.mailer.sent[-1][1].text
    assert client.post_form(f"/approve/{ports.link(GRACE)}").status == 200


@pytest.mark.parametrize("accept", [BROWSER, JSON])
def test_the_requester_cancels_the_request(client: AppClient, ports: AppPorts, accept: str) -> None:
    """A second press shows the same."""
    approval_id = request_by_mary(ports)
    path = path_of(ports, "cancel")
    for response in (press(client, path, accept, reason="not needed"), press(client, path, accept)):
        assert (response.status, response.is_page) == (200, accept == BROWSER)
        if accept == BROWSER:
            assert "This request was cancelled" in response.text
            assert "not needed" in response.text
        else:
            assert response.json["approval"]["outcome"] == "cancelled"
    assert [answer.error for answer in ports.executions.answers] == ["Cancelled"]
    (event,) = (e for e in stored(ports, approval_id).events if e.what == "cancelled")
    assert (event.who, event.via, event.note) == (MARY, "page", "not needed")


def test_a_replaced_approver_can_not_reassign_again(client: AppClient, ports: AppPorts) -> None:
    """410 by every method, with who is asked now."""
    request_by_mary(ports)
    path = path_of(ports, "reassign")
    press(client, path)
    before = ports.snapshot()
    for gone in (client.get(path, BROWSER), press(client, path, to=LINUS)):
        assert gone.status == 410
        assert (GRACE in gone.text, "<form" in gone.text) == (True, False)
    refused = press(client, path, JSON, to=LINUS)
    assert (refused.status, refused.json["code"]) == (410, "Reassigned")
    assert client.head(path).status == 410
    assert ports.snapshot() == before


def test_a_link_of_before_somebody_was_asked_again_is_dead(
    client: AppClient, ports: AppPorts
) -> None:
    """410 on each page, with what to do; the newest mail's link decides."""
    request_by_mary(ports)
    old = {page: path_of(ports, page) for page in ("approve", "reject", "reassign", "inbox")}
    press(client, old["reassign"])
    tick()
    client.post_form(f"/reassign/{ports.link(GRACE)}", to=ADA)
    tick()
    before = ports.snapshot()
    for path in old.values():
        for dead in (client.get(path, BROWSER), press(client, path)):
            assert (dead.status, dead.is_page) == (410, True)
            assert "the links in your newest mail" in dead.text
            assert "Release 4.2" not in dead.text
        refused = client.get(path, JSON)
        assert (refused.status, refused.json["code"]) == (410, "Reassigned")
    assert ports.snapshot() == before
    assert client.post_form(path_of(ports, "approve")).status == 200


@pytest.mark.parametrize("accept", [BROWSER, JSON])
@pytest.mark.parametrize("coded", [False, True])
def test_the_same_reassignment_again_answers_as_the_first_time(
    client: AppClient, ports: AppPorts, accept: str, coded: bool
) -> None:
    """200: a second press of the button is no error, and changes nothing. It needs no code."""
    request_by_mary(ports, codeRequired=coded)
    path = path_of(ports, "reassign")
    code = {"code": mailed_code(ports)} if coded else {}
    first = press(client, path, accept, to=GRACE, **code)
    before = ports.snapshot()
    again = press(client, path, accept, to=GRACE.upper().replace("EXAMPLE.COM", "example.com"))
    assert (first.status, again.status) == (200, 200)
    assert again.raw == first.raw
    assert ports.snapshot() == before


BAD = [
    ("reassign", {}, "to"),
    ("reassign", {"to": "grace@elsewhere.example"}, "to"),
    ("reassign", {"to": GRACE, "note": "x" * 2_001}, "note"),
    ("reassign", {"to": GRACE, "colour": "red"}, "colour"),
    ("reassign", {"to": GRACE, "by": LINUS}, "by"),
    ("cancel", {"reason": "x" * 2_001}, "reason"),
    ("cancel", {"reason": "x", "colour": "red"}, "colour"),
    ("cancel", {"by": LINUS}, "by"),
]


@pytest.mark.parametrize(("page", "sent", "field"), BAD, ids=lambda value: ascii(value)[:40])
def test_a_bad_form_is_shown_again_with_what_is_wrong(
    client: AppClient, ports: AppPorts, page: str, sent: dict[str, str], field: str
) -> None:
    """400; a program gets the field; nothing is written."""
    request_by_mary(ports)
    path = path_of(ports, page)
    before = ports.snapshot()
    again = client.post_form(path, **sent)
    assert (again.status, again.is_page) == (400, True)
    assert 'role="alert"' in again.text
    assert "<button" in again.text
    refused = client.post_json(path, sent)
    assert (refused.status, refused.json["code"]) == (400, "InvalidRequest")
    assert refused.json["field"] == field
    assert refused.json["message"].isprintable()
    assert ports.snapshot() == before


def test_typed_text_comes_back_in_the_form(client: AppClient, ports: AppPorts) -> None:
    """Also if another field was wrong."""
    request_by_mary(ports)
    words = "why " * 600
    long = client.post_form(path_of(ports, "reassign"), to=GRACE, note=words)
    assert f'value="{GRACE}"' in long.text
    assert words in long.text
    foreign = client.post_form(path_of(ports, "reassign"), to="g@elsewhere.example", note="please")
    assert 'value="g@elsewhere.example"' in foreign.text
    assert "please" in foreign.text
    assert words in client.post_form(path_of(ports, "cancel"), reason=words).text


def test_a_missing_or_wrong_code_reassigns_nothing(client: AppClient, ports: AppPorts) -> None:
    """400 and 403, as for a decision."""
    request_by_mary(ports, codeRequired=True)
    path = path_of(ports, "reassign")
    for code, status in (("", 400), ("12345", 400), ("000000", 403)):
        assert client.post_form(path, to=GRACE, code=code).status == status
        assert client.post_json(path, {"to": GRACE, "code": code}).status == status
    assert ports.store._all()[0].approver(ADA).replaced_by is None


def approve(client: AppClient, ports: AppPorts) -> None:
    assert client.post_form(f"/approve/{ports.link()}").status == 200


def reject(client: AppClient, ports: AppPorts) -> None:
    assert client.post_form(f"/reject/{ports.link()}", reason="no").status == 200


def cancel(client: AppClient, ports: AppPorts) -> None:
    assert client.post_form(path_of(ports, "cancel")).status == 200


def pass_deadline(client: AppClient, ports: AppPorts) -> None:  # noqa: ARG001 (as the others)
    ports.later(days=8)


def expire(client: AppClient, ports: AppPorts) -> None:
    pass_deadline(client, ports)
    tick()


End = Callable[[AppClient, AppPorts], None]


@pytest.mark.parametrize(
    ("page", "end", "opened", "pressed", "words"),
    [
        ("cancel", approve, 200, 409, "This was approved"),
        ("cancel", reject, 200, 409, "This was rejected"),
        ("cancel", pass_deadline, 200, 410, "This request has expired"),
        ("cancel", expire, 200, 410, "This request has expired"),
        ("reassign", approve, 200, 409, "You approved this"),
        ("reassign", reject, 200, 409, "You rejected this"),
        ("reassign", cancel, 410, 410, "This request was cancelled"),
        ("reassign", pass_deadline, 410, 410, "This request has expired"),
        ("reassign", expire, 410, 410, "This request has expired"),
    ],
)
def test_once_it_is_over_the_page_shows_the_outcome_and_has_no_button(
    client: AppClient, ports: AppPorts, page: str, end: End, opened: int, pressed: int, words: str
) -> None:
    """Pressing an old button answers 409 or 410, and changes nothing."""
    request_by_mary(ports)
    path = path_of(ports, page)
    end(client, ports)
    before = ports.snapshot()
    shown, late = client.get(path, BROWSER), press(client, path)
    assert (shown.status, late.status) == (opened, pressed)
    for response in (shown, late):
        assert words in response.text
        assert "<form" not in response.text
    assert press(client, path, JSON).status == pressed
    assert ports.snapshot() == before
