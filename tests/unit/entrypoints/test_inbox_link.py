"""GET, HEAD and POST of /inbox/{token}: selecting asks, and only confirming decides."""

import re
from typing import Any

import pytest

from chalicelib.application import operating
from chalicelib.application.bulk_deciding import PAGE_SIZE
from chalicelib.domain.commands import Reassign
from chalicelib.domain.link_tokens import approval_id
from tests.builders import request_approval
from tests.unit.entrypoints.client import ADA, BROWSER, AppClient, AppPorts
from tests.unit.steps import decide, stored

GRACE = "grace@example.com"


@pytest.fixture
def ids(ports: AppPorts) -> list[str]:
    """Request three approvals of Ada and return their ids."""
    subjects = ("Release <b>4.2</b>", "Refund 17", "Hire Grace")
    return [
        request_approval(ports, f"token-{n}", subject=subject, expiresIn=3_600 * (n + 1))
        for n, subject in enumerate(subjects)
    ]


def path_of(ports: AppPorts, address: str = ADA) -> str:
    """Return the path of that approver's inbox."""
    return f"/inbox/{ports.token_mailed_to(address, 'inbox')}"


def boxes(page: str) -> list[str]:
    """Return the ids of the requests that the page has a field for."""
    return re.findall(r'name="chosen" value="(\w+)"', page)


def outcomes(ports: AppPorts, ids: list[str]) -> list[str]:
    return [stored(ports, approval_id).outcome for approval_id in ids]


def test_the_inbox_shows_all_waiting_requests_by_deadline(
    client: AppClient, ports: AppPorts, ids: list[str]
) -> None:
    page = client.get(path_of(ports))
    assert (page.status, page.is_page) == (200, True)
    assert boxes(page.text) == ids
    assert "Release &lt;b&gt;4.2&lt;/b&gt;" in page.text
    assert "3 requests wait for you" in page.text


def test_selecting_asks_to_confirm_and_changes_nothing(
    client: AppClient, ports: AppPorts, ids: list[str]
) -> None:
    before = ports.snapshot()
    page = client.post_form(path_of(ports), chosen=ids[::2], choice="reject")
    assert page.status == 200
    assert "Reject 2 requests?" in page.text
    assert ("Hire Grace" in page.text, "Refund 17" in page.text) == (True, False)
    assert "(required)" in page.text
    assert ports.snapshot() == before


def test_confirming_decides_the_selected_requests(
    client: AppClient, ports: AppPorts, ids: list[str]
) -> None:
    """The receipt has a line for each; the others still wait."""
    page = client.post_form(
        path_of(ports), chosen=ids[::2], choice="reject", reason="No", confirmed="yes"
    )
    assert page.status == 200
    assert "You rejected 2 requests" in page.text
    assert page.text.count("Rejected. The request was rejected on") == 2
    assert outcomes(ports, ids) == ["rejected", "pending", "rejected"]
    assert boxes(client.get(path_of(ports)).text) == [ids[1]]


def test_a_missing_reason_is_asked_for_on_the_same_page(
    client: AppClient, ports: AppPorts, ids: list[str]
) -> None:
    """400; the same requests are still selected."""
    page = client.post_form(path_of(ports), chosen=ids, choice="reject", confirmed="yes")
    assert page.status == 400
    assert "Please say why" in page.text
    assert boxes(page.text) == ids
    assert outcomes(ports, ids) == ["pending"] * 3


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"choice": "approve"}, "Please select at least one request."),
        ({"choice": "maybe", "chosen": "x"}, "Choice: this must be one of approve, reject."),
        ({"chosen": "x"}, "Choice: this is required."),
        ({"choice": "approve", "chosen": "x"}, "You were not asked about all of these."),
        (
            {"choice": "approve", "chosen": "x", "confirmed": "perhaps"},
            "Confirmed: this must be one of yes.",
        ),
        ({"choice": "approve", "nonsense": "1"}, "Nonsense: this is not a field of this request."),
        ({"chosen": [str(n) for n in range(200)]}, "is not a form in UTF-8"),
    ],
)
def test_a_bad_form_shows_the_inbox_again_with_what_is_wrong(
    client: AppClient, ports: AppPorts, ids: list[str], sent: dict[str, Any], words: str
) -> None:
    """400, and nothing is decided."""
    before = ports.snapshot()
    page = client.post_form(path_of(ports), **sent)
    assert page.status == 400
    assert words in page.text
    assert boxes(page.text) == ids
    assert ports.snapshot() == before


def test_a_request_decided_since_it_was_selected_is_reported(
    client: AppClient, ports: AppPorts, ids: list[str]
) -> None:
    """On the confirm page, in the receipt, and in the inbox if no other is selected."""
    decide(ports, choice="reject")
    look = client.post_form(path_of(ports), chosen=ids[1:], choice="approve")
    assert "Approve 1 request?" in look.text
    assert "1 of the selected no longer waits" in look.text
    page = client.post_form(path_of(ports), chosen=ids[1:], choice="approve", confirmed="yes")
    assert "You approved 1 of 2 requests" in page.text
    assert "You have decided on this already" in page.text
    again = client.post_form(path_of(ports), chosen=[ids[2]], choice="approve")
    assert again.status == 409
    assert "None of these waits for you any more." in again.text


def test_a_request_that_is_gone_or_not_the_readers_has_its_own_result(
    client: AppClient, ports: AppPorts, ids: list[str]
) -> None:
    """The same one, so that nobody learns whether an id exists; the others are decided."""
    foreign = request_approval(ports, "foreign", approvers=[GRACE], subject="Secret plan")
    before = stored(ports, foreign)
    unknown = approval_id("never")
    body = {"choice": "approve", "chosen": [foreign, ids[0], unknown], "confirmed": "yes"}
    done = client.post_json(path_of(ports), body).json["decided"]
    error = {"code": "NotFound", "message": "This request is gone, or you were not asked about it."}
    assert done == [
        {"id": ids[0], "outcome": "approved"},
        {"id": foreign, "error": error},
        {"id": unknown, "error": error},
    ]
    look = client.post_form(path_of(ports), choice="approve", chosen=[ids[1], foreign, unknown])
    assert "2 of the selected no longer wait" in look.text
    assert boxes(look.text) == [ids[1]]
    page = client.post_form(
        path_of(ports), choice="approve", chosen=[ids[1], foreign, unknown], confirmed="yes"
    )
    assert (page.status, "You approved 1 of 3 requests" in page.text) == (200, True)
    assert page.text.count("This request is gone, or you were not asked about it.") == 2
    assert "Secret plan" not in look.text + page.text
    for none_left in (foreign, unknown):
        refused = client.post_json(path_of(ports), body | {"chosen": [none_left]})
        assert (refused.status, refused.json["field"]) == (400, "chosen")
    assert stored(ports, foreign) == before


def test_a_request_that_needs_a_code_is_not_decided_from_the_inbox(
    client: AppClient, ports: AppPorts
) -> None:
    """It has no box, and sending its id all the same decides nothing."""
    coded = request_approval(ports, codeRequired=True)
    assert boxes(client.get(path_of(ports)).text) == []
    done = client.post_form(path_of(ports), chosen=coded, choice="approve", confirmed="yes")
    assert "Nothing was recorded" in done.text
    assert outcomes(ports, [coded]) == ["pending"]


def test_an_empty_inbox_says_so(client: AppClient, ports: AppPorts) -> None:
    """The link still opens after the last decision."""
    request_approval(ports)
    path = path_of(ports)
    decide(ports)
    page = client.get(path)
    assert (page.status, "No request waits for you" in page.text) == (200, True)


def test_a_long_inbox_links_to_its_next_page(client: AppClient, ports: AppPorts) -> None:
    """Any other place to begin is refused."""
    for n in range(PAGE_SIZE + 1):
        request_approval(ports, f"token-{n}", expiresIn=3_600 + n)
    first = client.get(path_of(ports))
    (place,) = re.findall(r'href="\?after=([^"]+)"', first.text)
    second = client.get(f"{path_of(ports)}?after={place}")
    assert (len(boxes(first.text)), len(boxes(second.text))) == (PAGE_SIZE, 1)
    assert "after=" not in second.text
    assert client.get(f"{path_of(ports)}?after=x' OR 1").status == 400


def test_programs_read_and_decide_with_json(
    client: AppClient, ports: AppPorts, ids: list[str]
) -> None:
    """Without `confirmed` nothing is decided; the same again has the same response."""
    path = path_of(ports)
    seen = client.get(path, accept="application/json").json
    assert [one["id"] for one in seen["approvals"]] == ids
    assert (seen["approver"], seen["next"]) == (ADA, None)
    body: dict[str, Any] = {"choice": "approve", "chosen": ids[:2]}
    refused = client.post_json(path, body)
    assert (refused.status, refused.json["field"]) == (400, "confirmed")
    assert client.post_json(path, {"choice": "approve"}).json["field"] == "chosen"
    done = client.post_json(path, body | {"confirmed": "yes"})
    assert done.json["approver"] == ADA
    assert done.json["decided"] == [{"id": one, "outcome": "approved"} for one in ids[:2]]
    assert client.post_json(path, body | {"confirmed": "yes"}).json == done.json
    other = client.post_json(path, body | {"confirmed": "yes", "choice": "reject", "reason": "No"})
    assert [one["error"]["code"] for one in other.json["decided"]] == ["AlreadyDecided"] * 2
    assert outcomes(ports, ids) == ["approved", "approved", "pending"]


def test_a_dead_inbox_link_shows_no_request(client: AppClient, ports: AppPorts) -> None:
    """410 once its approver was replaced, by GET and POST."""
    approval_id = request_approval(ports, subject="Secret plan")
    path = path_of(ports)
    command = Reassign(from_=ADA, to=GRACE)
    operating.change(ports, approval_id, command, by="operator@example.com", via="api")
    for method in ("GET", "POST"):
        dead = client.request(method, path, accept=BROWSER)
        assert (dead.status, "Secret plan" in dead.text) == (410, False)
