"""The requester's link as an HTTP route: how it stands, and the button that reminds."""

import pytest

from chalicelib.domain.reminding import PAUSE
from tests.unit.entrypoints.client import ADA, BROWSER, JSON, AppClient, AppPorts, HttpResponse
from tests.unit.entrypoints.functions import tick
from tests.unit.entrypoints.pages import MARY, path_of, request_by_mary
from tests.unit.steps import events, stored, subjects

REMINDER = "Reminder, approval needed: Release 4.2"


def remind(client: AppClient, path: str, accept: str = BROWSER) -> HttpResponse:
    """Press the button, or send the same as a program."""
    if accept == BROWSER:
        return client.post_form(path, accept, action="remind")
    return client.post_json(path, {"action": "remind"})


@pytest.mark.parametrize("accept", [BROWSER, JSON])
def test_the_requester_has_the_others_reminded(
    client: AppClient, ports: AppPorts, accept: str
) -> None:
    """It is recorded as theirs, by a page; the next tick mails; the request stays open."""
    approval_id = request_by_mary(ports)
    response = remind(client, path_of(ports, "cancel"), accept)
    assert (response.status, response.is_page) == (200, accept == BROWSER)
    if accept == BROWSER:
        assert "get another mail within a few minutes" in response.text
        assert "A reminder is on its way" in response.text
    else:
        assert response.json["approval"]["outcome"] == "pending"
        assert response.json["mayRemindAt"] == "2026-11-22T10:00:00Z"
        assert [one["approver"] for one in response.json["approvers"]] == [ADA]
    (event,) = events(ports, approval_id, "reminded")
    assert (event.who, event.via) == (MARY, "page")
    assert REMINDER not in subjects(ports, ADA)
    tick()
    assert subjects(ports, ADA).count(REMINDER) == 1


@pytest.mark.parametrize("accept", [BROWSER, JSON])
def test_the_button_pressed_twice_reminds_once(
    client: AppClient, ports: AppPorts, accept: str
) -> None:
    """Within a minute it is the same press: 200. Afterwards 429, with the time to wait."""
    request_by_mary(ports)
    path = path_of(ports, "cancel")
    remind(client, path, accept)
    before = ports.snapshot()
    assert remind(client, path, accept).status == 200
    ports.later(minutes=20)
    late = remind(client, path, accept)
    assert (late.status, late.headers["retry-after"]) == (429, "2400")
    if accept == BROWSER:
        assert "the next reminder is possible in 40 minutes." in late.text
        assert "<title>Error: " in late.text
        assert "Cancel request" in late.text
    else:
        assert (late.json["code"], "field" in late.json) == ("TooSoon", False)
        assert "in 40 minutes" in late.json["message"]
    assert ports.snapshot() == before


def test_after_an_hour_the_requester_may_remind_again(client: AppClient, ports: AppPorts) -> None:
    approval_id = request_by_mary(ports)
    path = path_of(ports, "cancel")
    for _ in range(3):
        assert remind(client, path).status == 200
        tick()
        ports.later(seconds=int(PAUSE.total_seconds()))
    assert len(events(ports, approval_id, "reminded")) == 3
    assert subjects(ports, ADA).count(REMINDER) == 3


def test_looking_changes_nothing(client: AppClient, ports: AppPorts) -> None:
    """GET and HEAD, also with the action in the query."""
    request_by_mary(ports)
    path = path_of(ports, "cancel")
    before = ports.snapshot()
    for asked in (path, f"{path}?action=remind"):
        assert client.get(asked, BROWSER).status == client.head(asked).status == 200
    assert client.get(path, JSON).json["approvers"][0]["mail"] == "sent"
    assert ports.snapshot() == before


@pytest.mark.parametrize("action", ["", "Remind", "reject"])
def test_an_unknown_action_neither_reminds_nor_cancels(
    client: AppClient, ports: AppPorts, action: str
) -> None:
    """400; a program gets the field and its values."""
    request_by_mary(ports)
    path = path_of(ports, "cancel")
    before = ports.snapshot()
    assert client.post_form(path, action=action).status == 400
    refused = client.post_json(path, {"action": action})
    assert (refused.status, refused.json["field"]) == (400, "action")
    assert "cancel, remind" in refused.json["message"]
    assert ports.snapshot() == before


def test_without_an_action_the_button_cancels(client: AppClient, ports: AppPorts) -> None:
    """As pages and programs of earlier versions do."""
    approval_id = request_by_mary(ports)
    assert client.post_form(path_of(ports, "cancel")).status == 200
    assert stored(ports, approval_id).outcome == "cancelled"


@pytest.mark.parametrize(("days", "status"), [(0, 409), (8, 410)])
def test_nobody_is_reminded_of_what_is_over(
    client: AppClient, ports: AppPorts, days: int, status: int
) -> None:
    """409 once it is decided or cancelled, 410 after the deadline, with how it ended."""
    request_by_mary(ports)
    path = path_of(ports, "cancel")
    if days:
        ports.later(days=days)
    else:
        client.post_form(path)
    before = ports.snapshot()
    late = remind(client, path)
    assert (late.status, "<form" in late.text) == (status, False)
    assert remind(client, path, JSON).status == status
    assert ports.snapshot() == before


def test_an_approvers_link_reminds_nobody(client: AppClient, ports: AppPorts) -> None:
    """404, as for any link that isn't the requester's."""
    request_by_mary(ports)
    before = ports.snapshot()
    assert remind(client, f"/cancel/{ports.link()}").status == 404
    assert ports.snapshot() == before
