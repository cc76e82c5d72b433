"""The routes beside asking and deciding: the account in words, codes, confirmations."""

import re

import pytest

from chalicelib.application import operating, outbox_relay
from tests.builders import asked
from tests.unit.entrypoints.client import ADA, BROWSER, DoorPorts, Doors, one_asked

URL = "https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn={}&Token={}"


def test_the_record_is_had_in_words(doors: Doors, ports: DoorPorts) -> None:
    """Plain text, never cached, for whoever asks for it."""
    approval_id = asked(ports)
    told = doors.get(f"/approvals/{approval_id}?format=text")
    assert told.status == 200
    assert told.headers["content-type"] == "text/plain; charset=utf-8"
    assert told.headers["cache-control"] == "no-store"
    assert "requested by" in told.text
    refused = doors.get(f"/approvals/{approval_id}?format=pdf")
    assert (refused.status, refused.json["field"]) == (400, "format")


def test_a_page_that_wants_a_code_asks_for_it(doors: Doors, ports: DoorPorts) -> None:
    """A wrong one is 403 and the page asks again, the reason kept; the right one decides."""
    token = one_asked(ports, codeRequired=True)
    found = re.search(r"^CODE.*\n(\d{6})$", ports.mailer.sent[-1][1].text, re.MULTILINE)
    assert found is not None
    page = doors.get(f"/approve/{token}", BROWSER)
    assert 'name="code"' in page.text
    wrong = doors.form(f"/approve/{token}", reason="kept", code="12345")
    assert (wrong.status, "not the code" in wrong.text, "kept" in wrong.text) == (403, True, True)
    missing = doors.json(f"/approve/{token}", {"reason": "x"})
    assert (missing.status, missing.json["field"]) == (400, "code")
    right = doors.form(f"/approve/{token}", reason="kept", code=found[1])
    assert (right.status, "You approved this" in right.text) == (200, True)
    logged = str(ports.logged)
    assert found[1] not in logged
    assert "12345" not in logged


def test_an_operator_confirms_an_approver(doors: Doors, ports: DoorPorts) -> None:
    """With the address of the invitation's link."""
    ports.mailer.subscriptions[ADA] = "pending"
    url = URL.format(ports.mailer.topic_arn(ADA), "ab" * 32)
    answer = doors.json(f"/approvers/{ADA}/confirmation", {"url": url})
    assert (answer.status, answer.json["subscription"]) == (200, "confirmed")


@pytest.mark.parametrize("body", [{}, {"url": 7}, {"url": "x"}, {"url": "x" * 3000}, {"link": "x"}])
def test_a_bad_confirmation_is_refused(doors: Doors, ports: DoorPorts, body: object) -> None:
    """400, naming the field; nothing is confirmed."""
    before = ports.world()
    refused = doors.json(f"/approvers/{ADA}/confirmation", body)
    assert (refused.status, refused.json["code"]) == (400, "InvalidRequest")
    assert ports.world() == before


def test_a_waiting_mail_says_why(doors: Doors, ports: DoorPorts) -> None:
    """Whoever asks how it stands sees whom no mail reached, and what it waits for."""
    ports.mailer.subscriptions[ADA] = "pending"
    approval_id = asked(ports)
    (shown,) = doors.get(f"/approvals/{approval_id}").json["approvers"]
    assert (shown["mail"], shown["why"]) == ("waiting", "invited")
    ports.mailer.subscriptions[ADA] = "confirmed"
    ports.later(minutes=20)
    for waiting in ports.store.due(ports.now()):
        outbox_relay.relay(ports, waiting)
    (shown,) = doors.get(f"/approvals/{approval_id}").json["approvers"]
    assert (shown["mail"], "why" in shown) == ("sent", False)
    assert operating.find_approval(ports, approval_id).outcome == "pending"
