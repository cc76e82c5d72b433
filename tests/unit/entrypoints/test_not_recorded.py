"""A press that records nothing: the page says so first, and keeps what was typed."""

import html
import re
from typing import Any, NoReturn

import pytest

from chalicelib.domain.errors import Unavailable
from tests.builders import request_approval
from tests.fakes import FakeStore
from tests.unit.entrypoints.client import ADA, BROWSER, FORM, JSON, AppClient, AppPorts
from tests.unit.entrypoints.functions import tick
from tests.unit.entrypoints.pages import GRACE, PAGES, fields_of, path_of, request_by_mary
from tests.unit.presentation.parsed_page import Page
from tests.unit.steps import decide, mailed_code, other_code, stored, use_store

TYPED = "I saw <errors> in the logs.\nPlease wait."
SHOWN = html.escape(TYPED, quote=False).replace("<", "&lt;").replace(">", "&gt;")


class Away(FakeStore):
    """A store of which each read and write fails."""

    def get(self, approval_id: str) -> NoReturn:
        """Fail as DynamoDB does when it throttles."""
        raise Unavailable(f"DynamoDB answered ThrottlingException about {len(approval_id)}")


@pytest.mark.parametrize("page", PAGES)
def test_a_fault_keeps_what_was_typed_and_the_same_press_works_later(
    client: AppClient, ports: AppPorts, page: str
) -> None:
    """The page is made without the store, which is away. Its button sends all of it again."""
    approval_id = request_by_mary(ports)
    path, fields = path_of(ports, page), fields_of(ports, page)
    typed = "note" if page == "reassign" else "reason"
    fields[typed] = TYPED
    there = ports.store
    use_store(ports, Away(ports.effects))
    refused = client.post_form(path, **fields)
    assert (refused.status, refused.headers["retry-after"]) == (503, "5")
    shown = Page(refused.text)
    assert shown.text("h1").startswith("We couldn't record ")
    assert shown.text("title").startswith("Error: We couldn't record ")
    assert shown.all("main") == [{"class": "wrong"}]
    assert "Trying again is safe: it counts once." in shown.text()
    assert [link["href"] for link in shown.all("a")] == [""]
    again = {str(one["name"]): str(one["value"]) for one in shown.all("input")}
    assert again | {typed: shown.typed()} == fields
    ports.store = there
    assert stored(ports, approval_id).events[-1].what != "rejected"
    assert client.post_form(path, **again, **{typed: shown.typed()}).status == 200


def test_a_fault_tells_a_program_the_same_as_before(client: AppClient, ports: AppPorts) -> None:
    """As JSON, and without what was sent."""
    request_by_mary(ports)
    use_store(ports, Away(ports.effects))
    answer = client.post_form(path_of(ports, "approve"), JSON, reason=TYPED)
    assert (answer.status, answer.json["code"]) == (503, "Unavailable")
    assert "logs" not in answer.text


def test_a_fault_beside_a_form_that_can_not_be_read_is_a_page(
    client: AppClient, ports: AppPorts
) -> None:
    """Nothing of such a form can be kept."""
    request_by_mary(ports)
    path = path_of(ports, "approve")
    use_store(ports, Away(ports.effects))
    answer = client.request("POST", path, b"reason=%ff", FORM, BROWSER)
    assert (answer.status, answer.is_page) == (503, True)
    assert Page(answer.text).all("form") == []


@pytest.mark.parametrize(
    ("page", "heading"),
    [
        ("approve", "Your approval was not recorded"),
        ("reject", "Your rejection was not recorded"),
        ("reassign", "The request was not reassigned"),
    ],
)
@pytest.mark.parametrize("over", ["decided", "decided by others", "cancelled", "expired"])
def test_a_refused_press_says_first_what_was_not_recorded(
    client: AppClient, ports: AppPorts, page: str, heading: str, over: str
) -> None:
    """In red, with what was typed, and then how it stands. A repeated decision is no refusal."""
    approval_id = request_by_mary(ports, approvers=[ADA, GRACE])
    path = path_of(ports, page)
    typed = {"to": "linus@example.com", "note": TYPED} if page == "reassign" else {"reason": TYPED}
    opposite = "reject" if page == "approve" else "approve"
    if over == "decided":
        client.post_form(path_of(ports, opposite), reason="So.")
    elif over == "decided by others":
        client.post_form(f"/{opposite}/{ports.link(GRACE)}", reason="So.")
    elif over == "cancelled":
        client.post_form(path_of(ports, "cancel"), reason="So.")
    else:
        ports.time = stored(ports, approval_id).expires_at
    before = ports.snapshot()
    refused = client.post_form(path, **typed)
    assert refused.status in (409, 410)
    shown = Page(refused.text)
    assert shown.text("h2").startswith(heading)
    assert shown.text("title").startswith("Error: ")
    assert shown.all("main") == [{"class": "wrong"}]
    assert refused.text.index(heading) < refused.text.index("<h1>")
    assert SHOWN in refused.text
    assert ports.snapshot() == before
    assert heading not in client.get(path, BROWSER).text


@pytest.mark.parametrize(
    ("action", "heading"),
    [("cancel", "The request was not cancelled"), ("remind", "No reminder was sent")],
)
def test_a_requester_who_comes_too_late_is_told_what_was_not_done(
    client: AppClient, ports: AppPorts, action: str, heading: str
) -> None:
    """After the outcome nothing is cancelled, and nobody reminded."""
    request_by_mary(ports)
    path = path_of(ports, "cancel")
    decide(ports)
    refused = client.post_form(path, action=action, reason=TYPED)
    assert refused.status == 409
    assert Page(refused.text).text("h2").startswith(heading)
    assert SHOWN in refused.text


@pytest.mark.parametrize(("page", "other"), [("approve", "reject"), ("reject", "approve")])
def test_going_to_the_other_choice_keeps_the_reason_and_decides_nothing(
    client: AppClient, ports: AppPorts, page: str, other: str
) -> None:
    """The reason is sent in the body, and never in an address."""
    request_by_mary(ports)
    start = Page(client.get(path_of(ports, page), BROWSER).text)
    _, button = start.all("button")
    assert str(button["formaction"]) == f"..{path_of(ports, other)}"
    before = ports.snapshot()
    shown = client.post_form(path_of(ports, other), reason=TYPED, show="yes")
    assert shown.status == 200
    assert Page(shown.text).typed() == TYPED
    assert Page(shown.text).text("title").startswith(other.capitalize())
    assert ports.snapshot() == before
    assert client.post_form(path_of(ports, other), reason=TYPED, show="perhaps").status == 400
    assert ports.snapshot() == before


def test_a_locked_link_shows_no_form_and_says_who_can_help(
    client: AppClient, ports: AppPorts
) -> None:
    """So does opening it later; the link of a newer mail works."""
    request_by_mary(ports, codeRequired=True)
    path, wrong = path_of(ports, "approve"), other_code(mailed_code(ports))
    answers = [client.post_form(path, reason=TYPED, code=wrong) for _ in range(5)]
    assert [answer.status for answer in answers] == [403] * 5
    left = re.findall(r"(\d) tr(?:y is|ies are) left", "".join(a.text for a in answers))
    assert left == [number for number in "4321" for _ in range(2)]
    for shown in (answers[-1], client.get(path, BROWSER)):
        page = Page(shown.text)
        assert (shown.status, page.all("form"), page.all("a")) == (403, [], [])
        assert page.text("h2").startswith("This link is locked")
        assert "mary@example.com or the people who run Assent can have a reminder" in page.text()
    client.post_form(path_of(ports, "cancel"), action="remind")
    tick()
    sent: dict[str, Any] = {"code": mailed_code(ports)}
    assert client.post_form(path_of(ports, "approve"), **sent).status == 200


def test_without_a_requester_those_who_run_assent_can_help(
    client: AppClient, ports: AppPorts
) -> None:
    """A request in nobody's name has no page for a requester."""
    request_approval(ports, codeRequired=True)
    path, wrong = path_of(ports, "approve"), other_code(mailed_code(ports))
    for _ in range(5):
        shown = client.post_form(path, code=wrong)
    assert "If there is none, the people who run Assent can have a reminder" in shown.text
