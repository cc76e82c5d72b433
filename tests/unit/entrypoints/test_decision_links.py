"""GET, HEAD and POST of /approve/{token} and /reject/{token}."""

from typing import Literal

import pytest

from chalicelib.application import operating, outbox_relay
from chalicelib.domain import link_tokens
from chalicelib.domain.commands import Cancel, Reassign
from tests.builders import people, request_approval
from tests.fakes import TOKEN
from tests.unit.entrypoints.client import (
    ADA,
    BROWSER,
    FORM,
    JSON,
    AppClient,
    AppPorts,
    HttpResponse,
    new_link,
)
from tests.unit.steps import mailed_code, run_tick, stored

CHOICES: list[Literal["approve", "reject"]] = ["approve", "reject"]
PAST = {"approve": "approved", "reject": "rejected"}
OTHER = {"approve": "reject", "reject": "approve"}
GRACE, OPERATOR = "grace@example.com", "operator@example.com"


@pytest.mark.parametrize("choice", CHOICES)
def test_a_link_opens_the_page_with_the_button(
    client: AppClient, ports: AppPorts, choice: str
) -> None:
    """The button posts to the page's own address."""
    token = new_link(ports)
    shown = client.get(f"/{choice}/{token}", BROWSER)
    assert (shown.status, shown.is_page) == (200, True)
    assert '<form method="post">' in shown.text
    assert f">{choice.capitalize()}</button>" in shown.text
    assert "Release 4.2" in shown.text


@pytest.mark.parametrize("choice", CHOICES)
def test_the_button_decides(client: AppClient, ports: AppPorts, choice: str) -> None:
    """The receipt says what was recorded; the task is resumed."""
    token = new_link(ports)
    receipt = client.post_form(f"/{choice}/{token}", reason="because")
    assert (receipt.status, receipt.is_page) == (200, True)
    assert f"You {PAST[choice]} this" in receipt.text
    assert "because" in receipt.text
    assert "has been told" in receipt.text
    (answer,) = ports.executions.answers
    assert answer.task_token == TOKEN
    assert answer.error == (None if choice == "approve" else "Rejected")
    assert ports.store._all()[0].events[-2].via == "page"


@pytest.mark.parametrize("choice", CHOICES)
def test_a_program_decides_with_json(client: AppClient, ports: AppPorts, choice: str) -> None:
    """The response has the approval as its approver sees it, the approver and the decision."""
    response = client.post_json(f"/{choice}/{new_link(ports)}", {"reason": "because"}).json
    assert response.keys() == {"approval", "approver", "decision"}
    assert (response["approver"], response["decision"]) == (ADA, choice)
    assert response["approval"]["outcome"] == PAST[choice]
    assert response["approval"]["decisions"][0]["reason"] == "because"


def test_a_program_reads_the_question_as_json(client: AppClient, ports: AppPorts) -> None:
    response = client.get(f"/approve/{new_link(ports)}", JSON).json
    assert (response["approver"], response["decision"]) == (ADA, None)
    assert response["approval"]["outcome"] == "pending"
    assert response["approval"]["subject"] == "Release 4.2"


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
def test_a_link_is_answered_with_a_page_unless_json_is_asked_for(
    client: AppClient, ports: AppPorts, accept: str | None, page: bool
) -> None:
    """Links are for people."""
    assert client.get(f"/approve/{new_link(ports)}", accept).is_page is page


@pytest.mark.parametrize(("accept", "page"), [(None, False), ("*/*", False), (BROWSER, True)])
def test_json_is_answered_with_json_unless_a_page_is_asked_for(
    client: AppClient, ports: AppPorts, accept: str | None, page: bool
) -> None:
    """A program needs no Accept header."""
    assert client.post_json(f"/approve/{new_link(ports)}", {}, accept).is_page is page


@pytest.mark.parametrize("accept", [None, JSON])
def test_a_body_without_a_content_type_is_read_as_json(
    client: AppClient, ports: AppPorts, accept: str | None
) -> None:
    """As API Gateway and Chalice treat it."""
    path = f"/reject/{new_link(ports)}"
    assert client.request("POST", path, b'{"reason": "r"}', None, accept).status == 200


def test_an_approval_needs_no_body(client: AppClient, ports: AppPorts) -> None:
    assert client.request("POST", f"/approve/{new_link(ports)}", b"", JSON).status == 200


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
def test_a_form_is_read_in_every_spelling_of_its_media_type(
    client: AppClient, ports: AppPorts, content_type: str
) -> None:
    """Media types have no case and may have parameters."""
    path = f"/reject/{new_link(ports)}"
    assert client.request("POST", path, b"reason=too+dear", content_type, BROWSER).status == 200


@pytest.mark.parametrize("choice", CHOICES)
def test_the_second_click_shows_the_receipt_again(
    client: AppClient, ports: AppPorts, choice: str
) -> None:
    """200, by page and by program; nothing is written or resumed again."""
    path = f"/{choice}/{new_link(ports)}"
    client.post_form(path, reason="first")
    before = ports.snapshot()
    for again in (
        client.post_form(path, reason="second"),
        client.post_json(path, {"reason": "third"}),
        client.get(path, BROWSER),
        client.get(path, JSON),
    ):
        assert again.status == 200
        assert "first" in again.text
        assert "second" not in again.text
    assert ports.snapshot() == before


@pytest.mark.parametrize("choice", CHOICES)
def test_the_opposite_decision_is_a_conflict(
    client: AppClient, ports: AppPorts, choice: str
) -> None:
    """409: a person sees what was decided, a program also gets the code."""
    token = new_link(ports)
    client.post_form(f"/{choice}/{token}", reason="first")
    opposite = f"/{OTHER[choice]}/{token}"
    page = client.post_form(opposite, reason="second")
    assert (page.status, page.is_page) == (409, True)
    assert f"You {PAST[choice]} this" in page.text
    refused = client.post_json(opposite, {"reason": "second"})
    assert (refused.status, refused.json["code"]) == (409, "AlreadyDecided")
    assert refused.json["decision"] == choice


def test_opening_the_other_link_after_deciding_is_no_conflict(
    client: AppClient, ports: AppPorts
) -> None:
    token = new_link(ports)
    client.post_form(f"/approve/{token}")
    shown = client.get(f"/reject/{token}", BROWSER)
    assert (shown.status, "You approved this" in shown.text) == (200, True)
    assert "<form" not in shown.text


@pytest.mark.parametrize(("choice", "status"), [("approve", 200), ("reject", 409)])
def test_an_approver_who_comes_after_the_outcome_sees_who_decided(
    client: AppClient, ports: AppPorts, choice: str, status: int
) -> None:
    """The same choice is fine, the opposite a conflict."""
    request_approval(ports, approvers=people(2))
    first, second = (ports.link(address) for address in people(2))
    client.post_form(f"/approve/{first}")
    late = client.post_form(f"/{choice}/{second}", reason="late")
    assert late.status == status
    assert "This was approved" in late.text
    assert people(1)[0] in late.text
    assert client.post_json(f"/{choice}/{second}", {"reason": "late"}).json["decision"] is None


@pytest.mark.parametrize("after_tick", [False, True])
def test_a_link_is_gone_from_the_deadline_on(
    client: AppClient, ports: AppPorts, after_tick: bool
) -> None:
    """410, before the tick as well as after it."""
    token = new_link(ports, expiresIn=60)
    ports.later(seconds=59)
    assert client.get(f"/approve/{token}", BROWSER).status == 200
    ports.later(seconds=1)
    if after_tick:
        outbox_relay.relay(ports, link_tokens.approval_id(TOKEN))
    _gone(client, ports, token, "Expired", "has expired")


def test_the_link_of_a_cancelled_request_is_gone(client: AppClient, ports: AppPorts) -> None:
    """410, with who cancelled it and why."""
    approval_id = request_approval(ports)
    operating.change(ports, approval_id, Cancel(reason="not needed"), by=OPERATOR, via="api")
    _gone(client, ports, ports.link(), "Cancelled", f"was cancelled by {OPERATOR}")
    assert "not needed" in client.get(f"/approve/{ports.link()}").text


def test_the_links_of_a_replaced_approver_are_gone(client: AppClient, ports: AppPorts) -> None:
    """410, with who is asked now, also after another reassignment."""
    approval_id = request_approval(ports)
    command = Reassign(from_=ADA, to=GRACE)
    operating.change(ports, approval_id, command, by=OPERATOR, via="api")
    _gone(client, ports, ports.link(), "Reassigned", f"{GRACE} was asked instead of you")
    command = Reassign(from_=GRACE, to="linus@example.com")
    operating.change(ports, approval_id, command, by=OPERATOR, via="api")
    words = "linus@example.com was asked instead of you"
    _gone(client, ports, ports.link(), "Reassigned", words)


@pytest.mark.parametrize("by_operator", [True, False])
def test_the_link_of_a_replaced_approver_shows_who_is_asked_and_nothing_else(
    client: AppClient, ports: AppPorts, by_operator: bool
) -> None:
    """Neither as a page nor as JSON, also after the outcome."""
    approval_id = request_approval(
        ports, requestedBy="mary@example.com", subject="Buy the moon", details={"Price": "a secret"}
    )
    token = ports.link()
    if by_operator:
        command = Reassign(from_=ADA, to=GRACE, note="a private note")
        operating.change(ports, approval_id, command, by=OPERATOR, via="api")
    else:
        client.post_json(f"/reassign/{token}", {"to": GRACE, "note": "a private note"})
    run_tick(ports)
    for _ in range(2):
        for path in (f"/approve/{token}", f"/reassign/{token}", f"/reject/{token}"):
            page = client.get(path, BROWSER)
            words = {"moon", "secret", "Price", "mary@", "private note", "Nov 2026", OPERATOR}
            assert [word for word in words if word in page.text] == []
            assert GRACE in page.text
            sent = {"to": "linus@example.com"} if "reassign" in path else {"reason": "x"}
            for seen in (client.get(path, JSON), client.post_json(path, sent)):
                assert seen.json.keys() == {"code", "message", "approver", "decision", "replacedBy"}
                assert (seen.status, seen.json["replacedBy"]) == (410, GRACE)
                assert seen.json["message"] == f"{GRACE} has been asked instead of you."
        if not stored(ports, approval_id).closed_at:
            client.post_json(f"/approve/{ports.link(GRACE)}", {"reason": "a private note"})


@pytest.mark.parametrize("outcome", ["approved", "cancelled", "expired"])
def test_links_show_the_outcome_alone_when_it_is_thirty_days_old(
    client: AppClient, ports: AppPorts, outcome: str
) -> None:
    """Neither details nor reasons, as page and as JSON, by the approver's and requester's link."""
    approval_id = request_approval(
        ports, requestedBy="mary@example.com", details={"Price": "12 gold"}, expiresIn=86_400
    )
    run_tick(ports)
    token, own = ports.link(), ports.token_mailed_to("mary@example.com", "cancel")
    if outcome == "approved":
        client.post_json(f"/approve/{token}", {"reason": "cheap enough"})
    elif outcome == "cancelled":
        client.post_json(f"/cancel/{own}", {"reason": "cheap enough"})
    else:
        ports.later(days=1)
    run_tick(ports)
    assert stored(ports, approval_id).outcome == outcome
    paths = [f"/approve/{token}", f"/reassign/{token}", f"/cancel/{own}"]
    for private in (True, False):
        for path in paths:
            page, shown = client.get(path, BROWSER), client.get(path, JSON)
            for text in (page.text, shown.text):
                assert ("12 gold" in text) is private
                assert not private or outcome == "expired" or "cheap enough" in page.text
                assert private or "cheap enough" not in text
            assert shown.json["approval"]["outcome"] == outcome
            assert shown.json["approval"].get("outcomeAlone", False) is not private
            assert outcome in page.text
            assert ("not shown any more" in page.text) is not private
        ports.later(days=29, hours=24 if private else 0)
    ports.details_kept = None
    assert "12 gold" in client.get(paths[0], BROWSER).text


def _gone(client: AppClient, ports: AppPorts, token: str, code: str, words: str) -> None:
    """Assert that both links answer 410 to every method, and change nothing."""
    before = ports.snapshot()
    for choice in CHOICES:
        path = f"/{choice}/{token}"
        for page in (client.get(path, BROWSER), client.post_form(path, reason="r")):
            assert (page.status, page.is_page) == (410, True)
            assert words in page.text
            assert "<form" not in page.text
        refused = client.post_json(path, {"reason": "r"})
        assert (refused.status, refused.json["code"]) == (410, code)
        seen = client.get(path, JSON)
        assert (seen.status, seen.json["code"], "message" in seen.json) == (410, code, True)
        assert (ports.logged[-1]["status"], ports.logged[-1]["code"]) == (410, code)
        assert client.head(path).status == 410
    assert ports.snapshot() == before


def test_a_missing_reason_is_asked_for_on_the_same_page(client: AppClient, ports: AppPorts) -> None:
    """400; a program gets the field; nothing is written."""
    path = f"/reject/{new_link(ports)}"
    before = ports.snapshot()
    for reason in ("", "   ", "\r\n"):
        page = client.post_form(path, reason=reason)
        assert (page.status, page.is_page) == (400, True)
        assert "Please say why, it is required." in page.text
        assert ">Reject</button>" in page.text
    refused = client.post_json(path, {})
    assert (refused.status, refused.json["field"]) == (400, "reason")
    assert ports.snapshot() == before


def test_a_reason_that_is_too_long_comes_back_in_the_form(
    client: AppClient, ports: AppPorts
) -> None:
    reason = "why " * 600
    page = client.post_form(f"/reject/{new_link(ports)}", reason=reason)
    assert page.status == 400
    assert reason in page.text
    assert "This is 399 characters too long. At most 2,000 characters" in page.text


def test_a_wrong_code_is_asked_for_again_and_the_right_one_decides(
    client: AppClient, ports: AppPorts
) -> None:
    """403, with the reason still in the form; a program without a code gets 400."""
    token = new_link(ports, codeRequired=True)
    assert 'name="code"' in client.get(f"/approve/{token}", BROWSER).text
    wrong = client.post_form(f"/approve/{token}", reason="kept", code="000000")
    assert (wrong.status, "not the code" in wrong.text, "kept" in wrong.text) == (403, True, True)
    assert client.post_json(f"/approve/{token}", {"code": "000000"}).status == 403
    missing = client.post_json(f"/approve/{token}", {"reason": "x"})
    assert (missing.status, missing.json["field"]) == (400, "code")
    right = client.post_form(f"/approve/{token}", reason="kept", code=mailed_code(ports))
    assert (right.status, "You approved this" in right.text) == (200, True)


@pytest.mark.parametrize("choice", CHOICES)
@pytest.mark.parametrize("accept", [None, BROWSER, JSON])
def test_head_answers_as_get_without_a_body(
    client: AppClient, ports: AppPorts, choice: str, accept: str | None
) -> None:
    """Before the decision and after it, and for a bad link."""
    token = new_link(ports)

    def same(path: str) -> HttpResponse:
        got, head = client.get(path, accept), client.head(path, accept)
        assert head.raw == b""
        assert (head.status, head.headers) == (got.status, got.headers)
        return head

    assert same(f"/{choice}/{token}").status == 200
    assert same(f"/{choice}/{token[:-1]}").status == 404
    client.post_form(f"/{choice}/{token}", reason="r")
    assert same(f"/{choice}/{token}").status == 200


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_any_other_method_is_not_allowed(client: AppClient, ports: AppPorts, method: str) -> None:
    refused = client.request(method, f"/approve/{new_link(ports)}")
    assert refused.status == 405
    assert {"GET", "HEAD", "POST"} == set(refused.headers["allow"].split(", "))


def test_the_link_alone_says_who_decides(client: AppClient, ports: AppPorts) -> None:
    """Two approvers of one approval have the same id in their links, and different secrets."""
    request_approval(ports, approvers=people(2), approvalsNeeded="all")
    first, second = (ports.link(address) for address in people(2))
    assert first.split(".")[0] == second.split(".")[0]
    assert client.post_form(f"/approve/{first}", JSON).json["approver"] == people(2)[0]
    assert client.get(f"/approve/{second}", JSON).json["decision"] is None
