"""GET, HEAD and POST of /approve/{token} and /reject/{token}."""

from typing import Literal

import pytest

from chalicelib.application import operating, outbox_relay
from chalicelib.domain import link_tokens
from chalicelib.domain.commands import Cancel
from tests.builders import asked, people
from tests.fakes import TOKEN
from tests.unit.entrypoints.client import (
    ADA,
    BROWSER,
    FORM,
    JSON,
    Answered,
    DoorPorts,
    Doors,
    one_asked,
)

CHOICES: list[Literal["approve", "reject"]] = ["approve", "reject"]
PAST = {"approve": "approved", "reject": "rejected"}
OTHER = {"approve": "reject", "reject": "approve"}


@pytest.mark.parametrize("choice", CHOICES)
def test_a_link_opens_the_page_with_the_button(doors: Doors, ports: DoorPorts, choice: str) -> None:
    """The page asks, and pressing its button would post to the same address."""
    token = one_asked(ports)
    shown = doors.get(f"/{choice}/{token}", BROWSER)
    assert (shown.status, shown.is_page) == (200, True)
    assert '<form method="post">' in shown.text
    assert f">{choice.capitalize()}</button>" in shown.text
    assert "Release 4.2" in shown.text
    assert "<script" not in shown.text


@pytest.mark.parametrize("choice", CHOICES)
def test_a_press_of_the_button_decides(doors: Doors, ports: DoorPorts, choice: str) -> None:
    """The receipt says what was recorded; the task is resumed once."""
    token = one_asked(ports)
    receipt = doors.form(f"/{choice}/{token}", reason="because")
    assert (receipt.status, receipt.is_page) == (200, True)
    assert f"You {PAST[choice]} this" in receipt.text
    assert "because" in receipt.text
    assert "has been told" in receipt.text
    (answer,) = ports.executions.answers
    assert answer.task_token == TOKEN
    assert answer.error == (None if choice == "approve" else "Rejected")


@pytest.mark.parametrize("choice", CHOICES)
def test_a_program_decides_with_json(doors: Doors, ports: DoorPorts, choice: str) -> None:
    """The answer is what the approver may see: the approval, who they are, what they chose."""
    token = one_asked(ports)
    answer = doors.json(f"/{choice}/{token}", {"reason": "because"}).json
    assert answer["approver"] == ADA
    assert answer["decision"] == choice
    assert answer["approval"]["outcome"] == PAST[choice]
    assert answer["approval"]["decisions"] == [
        {
            "approver": ADA,
            "decision": choice,
            "reason": "because",
            "decidedAt": "2026-11-22T09:00:00Z",
        }
    ]


def test_a_program_reads_the_question_as_json(doors: Doors, ports: DoorPorts) -> None:
    """GET with Accept says what is asked, and that nothing is decided."""
    answer = doors.get(f"/approve/{one_asked(ports)}", JSON).json
    assert answer["decision"] is None
    assert answer["approval"]["outcome"] == "pending"
    assert answer["approval"]["subject"] == "Release 4.2"
    assert answer["approval"].keys() == {
        "id",
        "outcome",
        "subject",
        "details",
        "requestedBy",
        "approvalsNeeded",
        "rejectionsNeeded",
        "decisions",
        "createdAt",
        "expiresAt",
        "closedAt",
    }


@pytest.mark.parametrize(
    ("accept", "page"),
    [
        (None, True),
        ("*/*", True),
        (BROWSER, True),
        ("text/html", True),
        ("application/json, text/html;q=0.5", True),
        (JSON, False),
        ("application/json, */*", False),
        ("", True),
        ("image/png", True),
    ],
)
def test_who_opens_a_link_gets_a_page_unless_they_ask_for_json(
    doors: Doors, ports: DoorPorts, accept: str | None, page: bool
) -> None:
    """A link is for people: whoever doesn't say what they want is taken for one."""
    assert doors.get(f"/approve/{one_asked(ports)}", accept).is_page is page


@pytest.mark.parametrize(("accept", "page"), [(None, False), ("*/*", False), (BROWSER, True)])
def test_who_sends_json_gets_json_unless_they_ask_for_a_page(
    doors: Doors, ports: DoorPorts, accept: str | None, page: bool
) -> None:
    """A program need not say Accept."""
    assert doors.json(f"/approve/{one_asked(ports)}", {}, accept).is_page is page


@pytest.mark.parametrize("accept", [None, JSON])
def test_json_without_a_content_type_is_read_as_json(
    doors: Doors, ports: DoorPorts, accept: str | None
) -> None:
    """As API Gateway and Chalice have it."""
    path = f"/reject/{one_asked(ports)}"
    assert doors.ask("POST", path, b'{"reason": "r"}', None, accept).status == 200


def test_a_post_without_a_body_approves(doors: Doors, ports: DoorPorts) -> None:
    """An approval needs no reason, so it needs no body."""
    assert doors.ask("POST", f"/approve/{one_asked(ports)}", b"", JSON).status == 200


@pytest.mark.parametrize(
    "content_type",
    [
        FORM,
        f"{FORM}; charset=UTF-8",
        f"{FORM};charset=utf-8",
        "Application/X-WWW-Form-URLEncoded",
        "APPLICATION/X-WWW-FORM-URLENCODED; charset=UTF-8",
    ],
)
def test_a_form_is_read_however_its_type_is_spelled(
    doors: Doors, ports: DoorPorts, content_type: str
) -> None:
    """Media types have no case, and may have parameters."""
    path = f"/reject/{one_asked(ports)}"
    assert doors.ask("POST", path, b"reason=too+dear", content_type, BROWSER).status == 200


@pytest.mark.parametrize("choice", CHOICES)
def test_the_same_decision_again_is_the_receipt_again(
    doors: Doors, ports: DoorPorts, choice: str
) -> None:
    """200, and nothing is written or resumed a second time."""
    path = f"/{choice}/{one_asked(ports)}"
    doors.form(path, reason="first")
    before = ports.world()
    for again in (
        doors.form(path, reason="second"),
        doors.json(path, {"reason": "third"}),
        doors.get(path, BROWSER),
        doors.get(path, JSON),
    ):
        assert again.status == 200
        assert "first" in again.text
        assert "second" not in again.text
    assert ports.world() == before


@pytest.mark.parametrize("choice", CHOICES)
def test_the_opposite_decision_is_a_conflict(doors: Doors, ports: DoorPorts, choice: str) -> None:
    """409; the page shows what was decided, a program is told the code."""
    token = one_asked(ports)
    doors.form(f"/{choice}/{token}", reason="first")
    before = ports.world()
    opposite = f"/{OTHER[choice]}/{token}"
    page = doors.form(opposite, reason="second")
    assert (page.status, page.is_page) == (409, True)
    assert f"You {PAST[choice]} this" in page.text
    refused = doors.json(opposite, {"reason": "second"})
    assert (refused.status, refused.json["code"]) == (409, "AlreadyDecided")
    assert ports.world() == before


def test_the_other_link_of_who_has_decided_shows_what_they_decided(
    doors: Doors, ports: DoorPorts
) -> None:
    """Looking is no conflict."""
    token = one_asked(ports)
    doors.form(f"/approve/{token}")
    shown = doors.get(f"/reject/{token}", BROWSER)
    assert (shown.status, "You approved this" in shown.text) == (200, True)
    assert "<form" not in shown.text


@pytest.mark.parametrize(("choice", "status"), [("approve", 200), ("reject", 409)])
def test_who_comes_after_the_others_is_told_by_whom_it_was_decided(
    doors: Doors, ports: DoorPorts, choice: str, status: int
) -> None:
    """Their answer isn't needed: the same is fine, the opposite a conflict."""
    asked(ports, approvers=people(2))
    first, second = (ports.link(address) for address in people(2))
    doors.form(f"/approve/{first}")
    before = ports.world()
    late = doors.form(f"/{choice}/{second}", reason="late")
    assert late.status == status
    assert "This was approved already" in late.text
    assert "approver0@example.com" in late.text
    assert ports.world() == before


def test_the_first_of_two_votes_waits_for_the_second(doors: Doors, ports: DoorPorts) -> None:
    """The receipt doesn't say that the workflow was told, for it wasn't."""
    asked(ports, approvers=people(2), approvalsNeeded="all")
    first, second = (ports.link(address) for address in people(2))
    assert "has been told" not in doors.form(f"/approve/{first}").text
    assert ports.executions.answers == []
    assert "has been told" in doors.form(f"/approve/{second}").text
    assert len(ports.executions.answers) == 1


@pytest.mark.parametrize("ticked", [False, True])
def test_a_link_that_has_expired_is_gone(doors: Doors, ports: DoorPorts, ticked: bool) -> None:
    """410 from the very second on, whether or not a tick has been there."""
    asked(ports, expiresIn=60)
    token = ports.link()
    ports.later(seconds=59)
    assert doors.get(f"/approve/{token}", BROWSER).status == 200
    ports.later(seconds=1)
    if ticked:
        outbox_relay.relay(ports, link_tokens.approval_id(TOKEN))
    before = ports.world()
    _gone(doors, token, "Expired", "has expired")
    assert ports.world() == before


def test_a_link_of_a_withdrawn_request_is_gone(doors: Doors, ports: DoorPorts) -> None:
    """410, with who withdrew it."""
    approval_id = asked(ports)
    operating.change(
        ports, approval_id, Cancel(reason="not needed"), by="boss@example.com", via="api"
    )
    before = ports.world()
    _gone(doors, ports.link(), "Cancelled", "was withdrawn")
    assert ports.world() == before


def _gone(doors: Doors, token: str, code: str, words: str) -> None:
    for choice in CHOICES:
        path = f"/{choice}/{token}"
        for page in (doors.get(path, BROWSER), doors.form(path, reason="r")):
            assert (page.status, page.is_page) == (410, True)
            assert words in page.text
            assert "<form" not in page.text
        refused = doors.json(path, {"reason": "r"})
        assert (refused.status, refused.json["code"]) == (410, code)
        assert doors.get(path, JSON).status == 410
        assert doors.ask("HEAD", path).status == 410


def test_a_rejection_needs_a_reason(doors: Doors, ports: DoorPorts) -> None:
    """400: a person gets the page again, with what is wrong; nothing is written."""
    path = f"/reject/{one_asked(ports)}"
    before = ports.world()
    for reason in ("", "   ", "\r\n"):
        page = doors.form(path, reason=reason)
        assert (page.status, page.is_page) == (400, True)
        assert "reason" in page.text
        assert ">Reject</button>" in page.text
    refused = doors.json(path, {})
    assert (refused.status, refused.json["field"]) == (400, "reason")
    assert ports.world() == before


def test_a_reason_that_is_too_long_comes_back_to_who_wrote_it(
    doors: Doors, ports: DoorPorts
) -> None:
    """Nobody has to write it again."""
    reason = "why " * 600
    page = doors.form(f"/reject/{one_asked(ports)}", reason=reason)
    assert page.status == 400
    assert reason in page.text


@pytest.mark.parametrize("choice", CHOICES)
@pytest.mark.parametrize("accept", [None, BROWSER, JSON])
def test_head_answers_as_get_does_without_a_body(
    doors: Doors, ports: DoorPorts, choice: str, accept: str | None
) -> None:
    """Before the decision, after it, and for a link that nobody knows."""
    token = one_asked(ports)

    def same(path: str) -> Answered:
        got, head = doors.get(path, accept), doors.ask("HEAD", path, accept=accept)
        assert head.raw == b""
        assert (head.status, head.headers) == (got.status, got.headers)
        return head

    assert same(f"/{choice}/{token}").status == 200
    assert same(f"/{choice}/{token[:-1]}a").status in (200, 404)
    doors.form(f"/{choice}/{token}", reason="r")
    assert same(f"/{choice}/{token}").status == 200


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_no_other_method_opens_a_link(doors: Doors, ports: DoorPorts, method: str) -> None:
    """405, and it says which do."""
    refused = doors.ask(method, f"/approve/{one_asked(ports)}")
    assert refused.status == 405
    assert {"GET", "HEAD", "POST"} == set(refused.headers["allow"].split(", "))


def test_a_link_is_short_and_has_nothing_for_mail_to_break(ports: DoorPorts) -> None:
    """Under 150 characters, without a query string."""
    token = one_asked(ports)
    link = f"{ports.public_url}/approve/{token}"
    assert len(link) < 150
    assert not set("?&=%#") & set(link)
