"""The function `execution_ended`, its log line, and what pages say of outcomes in vain."""

import pytest

from chalicelib.domain.errors import Unavailable
from chalicelib.domain.link_tokens import approval_id
from tests.builders import request_approval, task_request
from tests.fakes import EXECUTION
from tests.unit.entrypoints.client import BROWSER, FORM, AppClient, AppPorts, new_link
from tests.unit.entrypoints.functions import deliver, invoke

ENDED = {"executionArn": EXECUTION, "status": "ABORTED", "stopDate": 1_800_000_000_000}


def test_the_end_of_an_execution_cancels_its_approval_and_is_logged(
    client: AppClient, ports: AppPorts
) -> None:
    """The line names the approvals."""
    token = new_link(ports)
    approval_id = token.partition(".")[0]
    deliver("execution_ended", ENDED)
    line = ports.logged[-1]
    assert (line["event"], line["status"], line["via"]) == ("execution_ended", 200, "queue")
    assert line["approvalIds"] == [approval_id]
    shown = client.get(f"/approve/{token}", BROWSER)
    assert shown.status == 410
    assert "This request was cancelled" in shown.text
    assert "because its workflow was stopped" in shown.text
    assert "(ABORTED)" not in shown.text, "that is for operators"
    found = client.get(f"/approvals/{approval_id}").json
    assert (found["outcome"], found["executionEnded"], found["resumed"]) == (
        "cancelled",
        "ABORTED",
        False,
    )


def test_a_message_that_is_no_end_becomes_a_dead_letter(ports: AppPorts) -> None:
    """It says what was wrong, and changes nothing."""
    request_approval(ports)
    items = dict(ports.store._items)
    deliver("execution_ended", {"executionArn": EXECUTION, "status": "RUNNING", "stopDate": 1})
    (letter,) = ports.dead_letters.letters
    assert (letter["refused"]["code"], letter["refused"]["field"]) == ("InvalidRequest", "status")
    assert "SUCCEEDED" in letter["refused"]["message"]
    assert ports.store._items == items


def test_while_aws_is_away_the_message_comes_again(ports: AppPorts) -> None:
    request_approval(ports)
    ports.effects.faulty = {"store.replace"}
    with pytest.raises(Unavailable):
        deliver("execution_ended", ENDED)
    assert ports.dead_letters.letters == []


def test_the_page_of_a_decision_that_came_too_late_says_so(
    client: AppClient, ports: AppPorts
) -> None:
    """Also when the link is opened again."""
    token = new_link(ports)
    ports.executions.closed = True
    for answer in (
        client.post_form(f"/approve/{token}"),
        client.get(f"/approve/{token}", BROWSER),
    ):
        assert answer.status == 200
        assert "You approved this, but too late" in answer.text
        assert "but the workflow was not waiting any more" in answer.text


def test_programs_get_resumed_false(client: AppClient, ports: AppPorts) -> None:
    """From a decision link, the inbox and the function `record_decision`."""
    ports.executions.closed = True
    by_link = client.request("POST", f"/approve/{new_link(ports)}", b"", FORM, "application/json")
    assert by_link.json["approval"]["resumed"] is False
    token = new_link(ports, "token-2")
    inbox = ports.token_mailed_to("ada@example.com", "inbox")
    chosen = {"choice": "approve", "chosen": [token.partition(".")[0]], "confirmed": "yes"}
    (one,) = client.post_json(f"/inbox/{inbox}", chosen).json["decided"]
    assert one["resumed"] is False
    message = {"token": new_link(ports, "token-3"), "decision": "approve"}
    assert invoke("record_decision", message)["resumed"] is False


def test_the_receipt_of_the_inbox_says_that_it_was_too_late(
    client: AppClient, ports: AppPorts
) -> None:
    ports.executions.closed = True
    token = new_link(ports)
    inbox = ports.token_mailed_to("ada@example.com", "inbox")
    pressed = client.post_form(
        f"/inbox/{inbox}", choice="approve", chosen=[token.partition(".")[0]], confirmed="yes"
    )
    assert "but the workflow was not waiting any more" in pressed.text


def test_an_execution_shows_its_newest_approval_and_all_of_them(
    client: AppClient, ports: AppPorts
) -> None:
    """A retried or redriven execution has asked more than once."""
    client.post_json("/executions", task_request()["request"], Idempotency_Key="release-42")
    ids: list[str] = []
    for n in range(3):
        ids.insert(0, request_approval(ports, f"token-{n}", execution=EXECUTION))
        ports.later(minutes=5)
    shown = client.get("/executions/release-42").json
    assert shown["approval"]["id"] == ids[0]
    assert [one["id"] for one in shown["approvals"]] == ids
    assert [one["outcome"] for one in shown["approvals"]] == ["pending", "cancelled", "cancelled"]
    assert [one.get("supersededBy") for one in shown["approvals"]] == [None, *ids[:2]]


def test_of_two_approvals_in_one_second_the_pending_one_is_the_newest(
    client: AppClient, ports: AppPorts
) -> None:
    """An execution asks again after it was answered."""
    client.post_json("/executions", task_request()["request"], Idempotency_Key="release-42")
    tokens = sorted(["token-1", "token-2"], key=approval_id)
    for first, second in (tokens, reversed(tokens)):
        ports.store._items.clear()
        request_approval(ports, first, execution=EXECUTION)
        client.post_form(f"/approve/{ports.link()}")
        newer = request_approval(ports, second, execution=EXECUTION)
        assert client.get("/executions/release-42").json["approval"]["id"] == newer
