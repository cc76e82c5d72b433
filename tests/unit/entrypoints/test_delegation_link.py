"""The page of an approver's own delegation, which their inbox leads to."""

from typing import Any

import pytest

from chalicelib.application import approvers
from chalicelib.domain.commands import Reassign
from tests.builders import request_approval
from tests.unit.entrypoints.client import ADA, BROWSER, JSON, AppClient, AppPorts
from tests.unit.entrypoints.functions import tick
from tests.unit.entrypoints.pages import GRACE, path_of, request_by_mary
from tests.unit.steps import operate, subjects

PERIOD = {"from": "2026-11-22T09:00:00Z", "until": "2026-11-29T09:00:00Z"}
SENT = {"delegate": GRACE, "until": "2026-11-30", "reason": "On leave"}


def test_the_inbox_leads_to_the_page(client: AppClient, ports: AppPorts) -> None:
    """It has a form, and changes nothing by itself; there is no script."""
    request_by_mary(ports)
    inbox, path = path_of(ports, "inbox"), path_of(ports, "delegation")
    before = ports.snapshot()
    assert f'href="..{path}"' in client.get(inbox, BROWSER).text
    page = client.get(path, BROWSER)
    assert (page.status, "You have no delegate" in page.text) == (200, True)
    assert ("<button" in page.text, "<script" in page.text) == (True, False)
    assert client.get(path, JSON).json == {"approver": ADA, "absence": None}
    assert ports.snapshot() == before


@pytest.mark.parametrize("accept", [BROWSER, JSON])
def test_an_approver_delegates_and_ends_it(client: AppClient, ports: AppPorts, accept: str) -> None:
    """From now to the end of the last day; recorded as their own; both are told each time."""
    request_by_mary(ports)
    path = path_of(ports, "delegation")
    done = press(client, path, accept, **SENT)
    absence = client.get(path, JSON).json["absence"]
    assert absence == {
        "delegate": GRACE, "from": "2026-11-22T09:00:00Z", "until": "2026-12-01T00:00:00Z",
        "reason": "On leave", "by": ADA, "at": "2026-11-22T09:00:00Z",
    }  # fmt: skip
    assert client.get(f"/approvers/{ADA}").json["absence"] == absence
    assert (done.status, done.is_page) == (200, accept == BROWSER)
    assert f"{GRACE} is your delegate" in client.get(path, BROWSER).text
    tick()
    assert (subjects(ports, ADA)[-1], subjects(ports, GRACE)) == ("Delegation", ["Delegation"])
    request_approval(ports, "another")
    assert len(subjects(ports, GRACE)) == 2
    for _ in range(2):
        assert press(client, path, accept, end="yes").status == 200
        assert client.get(path, JSON).json == {"approver": ADA, "absence": None}
    ports.later(minutes=2)
    tick()
    assert subjects(ports, GRACE)[-1] == subjects(ports, ADA)[-1] == "Delegation ended"


def press(client: AppClient, path: str, accept: str, **fields: str) -> Any:
    """Press the page's button, or send the same as a program."""
    if accept == BROWSER:
        return client.post_form(path, accept, **fields)
    return client.post_json(path, fields)


def test_the_page_says_who_set_a_delegation(client: AppClient, ports: AppPorts) -> None:
    """An operator's is the operator's; the approver may end it."""
    request_by_mary(ports)
    path = path_of(ports, "delegation")
    approvers.delegate(
        ports, ADA, {"delegate": GRACE, "by": "mary@x.org"} | PERIOD, "arn:aws:iam::1:user/boss"
    )
    page = client.get(path, BROWSER).text
    assert "an operator (as mary@x.org)" in page
    client.post_form(path, end="yes")
    assert "absence" not in client.get(f"/approvers/{ADA}").json


def test_a_decision_link_opens_no_delegation(client: AppClient, ports: AppPorts) -> None:
    """It may have been forwarded. Neither does the link of somebody who was replaced."""
    approval_id = request_by_mary(ports)
    decision, inbox = path_of(ports, "approve"), path_of(ports, "delegation")
    before = ports.snapshot()
    for answer in (
        client.get(decision.replace("/approve/", "/delegation/")),
        client.post_json(decision.replace("/approve/", "/delegation/"), SENT),
    ):
        assert answer.status == 404
    assert ports.snapshot() == before
    operate(ports, approval_id, Reassign(from_=ADA, to=GRACE))
    before = ports.snapshot()
    assert client.get(inbox).status == 410
    assert client.post_json(inbox, SENT).status == 410
    assert ports.snapshot() == before


BAD = [
    ({}, "delegate"),
    ({"delegate": "nobody"}, "delegate"),
    ({"delegate": "grace@elsewhere.example"}, "delegate"),
    ({"delegate": ADA}, "delegate"),
    ({"delegate": GRACE, "until": ""}, "until"),
    ({"delegate": GRACE, "until": "soon"}, "until"),
    ({"delegate": GRACE, "until": "2026-11-20"}, "until"),
    ({"delegate": GRACE, "until": "9999-12-31"}, "until"),
    ({"delegate": GRACE, "until": "2027-12-24"}, "until"),
    ({"delegate": GRACE, "from": "x", "until": "2026-12-24"}, "from"),
    ({"delegate": GRACE, "from": "2026-12-26", "until": "2026-12-24"}, "until"),
    ({"delegate": GRACE, "until": "2026-12-24", "reason": "x" * 2_001}, "reason"),
    ({"end": "no"}, "end"),
    ({"by": GRACE}, "by"),
]


@pytest.mark.parametrize(("sent", "field"), BAD, ids=lambda value: ascii(value)[:60])
def test_a_bad_form_is_shown_again_with_what_is_wrong(
    client: AppClient, ports: AppPorts, sent: dict[str, str], field: str
) -> None:
    """400; a program gets the field; nothing is written."""
    request_by_mary(ports)
    path = path_of(ports, "delegation")
    before = ports.snapshot()
    again = client.post_form(path, **({"until": "2026-11-30"} | sent))
    assert (again.status, 'role="alert"' in again.text) == (400, True)
    refused = client.post_json(path, {"until": "2026-11-30"} | sent)
    assert (refused.status, refused.json["field"]) == (400, field)
    assert ports.snapshot() == before
