"""Assent deployed in the sandbox, over HTTP: start, mail, click, and the execution goes on."""

import json
import re
import urllib.parse
from functools import partial

import pytest

from chalicelib.presentation.layout import LINE_BYTES
from tests.sandbox.announced import Announced
from tests.sandbox.client import BROWSER, Json, Sandbox, http, press, until


def test_approving_resumes_the_execution_with_the_decision(sandbox: Sandbox) -> None:
    """The output of the succeeded execution says who approved, and why."""
    name = sandbox.start(subject="Whole way", details={"Risk": "low"})
    link = sandbox.link("ada@example.com", "Whole way")
    page = http("GET", link, headers=BROWSER)
    assert (page.status, "Risk" in page.text) == (200, True)
    receipt = press(link, "tested on staging", BROWSER)
    assert (receipt.status, "You approved this" in receipt.text) == (200, True)
    found = sandbox.ended(name)
    assert (found["status"], found["outcome"]) == ("SUCCEEDED", "approved")
    (decision,) = found["output"]["decisions"]
    assert decision["approver"] == "ada@example.com"
    assert decision["reason"] == "tested on staging"
    assert _event_kinds(found) == ["requested", "mailed", "approved", "resumed"]


def test_rejecting_fails_the_execution_by_name(sandbox: Sandbox) -> None:
    """`Rejected`, with the result as JSON in the cause."""
    name = sandbox.start(subject="To be rejected")
    press(sandbox.link("ada@example.com", "To be rejected", "reject"), "not yet")
    found = sandbox.ended(name)
    assert (found["status"], found["error"]) == ("FAILED", "Rejected")
    assert json.loads(found["cause"])["decisions"][0]["reason"] == "not yet"


def test_a_rejection_can_be_returned(sandbox: Sandbox) -> None:
    """With `onReject: return` the execution succeeds with the outcome `rejected`."""
    name = sandbox.start(subject="Returned rejection", onReject="return")
    press(sandbox.link("ada@example.com", "Returned rejection", "reject"), "no")
    found = sandbox.ended(name)
    assert (found["status"], found["output"]["outcome"]) == ("SUCCEEDED", "rejected")


def test_two_of_three_have_to_approve(sandbox: Sandbox) -> None:
    """The execution goes on after the second approval."""
    people = sandbox.state["approvers"]
    name = sandbox.start(subject="Two of three", approvers=people, approvalsNeeded=2)
    first = press(sandbox.link(people[0], "Two of three"))
    assert first.json["approval"]["outcome"] == "pending"
    assert sandbox.execution(name)["status"] == "RUNNING"
    press(sandbox.link(people[2], "Two of three"))
    assert sandbox.ended(name)["outcome"] == "approved"
    late = press(sandbox.link(people[1], "Two of three", "reject"), "too late")
    assert late.status == 409
    assert len(sandbox.decisions(name)) == 2


def test_a_bad_request_from_a_state_machine_fails_at_once(sandbox: Sandbox) -> None:
    """Without the API's check before it, the function refuses it and names the field."""
    machine = sandbox.client("stepfunctions")
    arn = machine.start_execution(
        stateMachineArn=sandbox.state["stateMachineArn"],
        input=json.dumps({"subject": "x", "approvers": ["somebody@elsewhere.example"]}),
    )["executionArn"]
    found = until(
        lambda: machine.describe_execution(executionArn=arn),
        lambda seen: seen["status"] != "RUNNING",
        seconds=20,
    )
    assert (found["status"], found["error"]) == ("FAILED", "InvalidRequest")
    assert json.loads(found["cause"])["field"] == "approvers[0]"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"approvers": ["ada@example.com"]}, "subject"),
        ({"subject": "x\u0007", "approvers": ["ada@example.com"]}, "subject"),
        ({"subject": "x", "approvers": "ada@example.com"}, "approvers"),
        ({"subject": "x", "approvers": ["ada@example.com"], "urgent": True}, "urgent"),
    ],
)
def test_a_bad_request_over_http_is_refused_naming_the_field(
    sandbox: Sandbox, body: object, field: str
) -> None:
    """400 with code, message and field; no execution is started."""
    refused = sandbox.call("POST", "/executions", body)
    assert (refused.status, refused.json["code"]) == (400, "InvalidRequest")
    assert refused.json["field"] == field


def test_the_same_key_and_body_are_one_execution(sandbox: Sandbox) -> None:
    """A caller that got no answer may repeat the call."""
    body = {"subject": "Asked twice", "approvers": ["ada@example.com"]}
    key = {"headers": {"Idempotency-Key": "asked-twice"}}
    first = sandbox.call("POST", "/executions", body, **key)
    again = sandbox.call("POST", "/executions", body, **key)
    assert first.status == again.status == 201
    assert first.json["executionArn"] == again.json["executionArn"]
    other = sandbox.call("POST", "/executions", body | {"subject": "Other"}, **key)
    assert (other.status, other.json["code"]) == (409, "IdempotencyConflict")
    sandbox.link("ada@example.com", "Asked twice")
    assert len(sandbox.mails("ada@example.com", "Asked twice")) == 1


def test_every_link_of_a_page_works_however_its_own_link_was_copied(sandbox: Sandbox) -> None:
    """API Gateway's route takes a slash at the end; a browser counts it as one more folder.

    And a pasted reason is recorded as its writer saw it.
    """
    name = sandbox.start(
        subject="Copied", details={"ชื่อ": "กำลัง" * 30, "Team": "👩🏽\u200d🚀🇩🇪" * 40}
    )
    start, _, token = sandbox.link("ada@example.com", "Copied").rpartition("/")
    for copied in (f"{token}/", f"{token.upper()})", f"{token}.", f"{token}%20", f"{token}./"):
        page = http("GET", f"{start}/{copied}", headers=BROWSER)
        assert page.status == 200, copied
        links = re.findall(r'<a[^>]* href="([^"]+)"', page.text)
        assert len(links) == 1
        for link in links:
            linked = urllib.parse.urljoin(f"{start}/{copied}", link)
            assert http("GET", linked, headers=BROWSER).status == 200, linked
    decided = press(f"{start}/{token.upper()}/", "Budget is 1250\u202c")
    assert decided.json["approval"]["decisions"][0]["reason"] == "Budget is 1250"
    assert sandbox.ended(name)["status"] == "SUCCEEDED"
    (mail,) = sandbox.mails("ada@example.com", "Copied")
    assert max(len(line.encode()) for line in mail["text"].split("\n")) <= LINE_BYTES


def test_a_scanner_decides_nothing(sandbox: Sandbox) -> None:
    """Each link is opened 20 times by GET and by HEAD, and the stored item doesn't change."""
    name = sandbox.start(subject="Scanned")
    links = [sandbox.link("ada@example.com", "Scanned", choice) for choice in ("approve", "reject")]
    before = sandbox.item(name)
    _open(links)
    assert sandbox.item(name) == before
    press(links[0])
    ended = sandbox.ended(name)
    assert sandbox.item(name) != before
    _open(links)
    after = sandbox.execution(name)
    assert _event_kinds(after) == _event_kinds(ended)
    assert after["approval"]["approvers"] == ended["approval"]["approvers"]
    assert after["outcome"] == ended["outcome"] == "approved"


def _event_kinds(found: Json) -> list[str]:
    """Return the kinds of an approval's events but `announced`, which depends on the tick."""
    events = [event["what"] for event in found["approval"]["events"]]
    return [what for what in events if what != "announced"]


def _open(links: list[str]) -> None:
    for _ in range(20):
        for link in links:
            assert http("GET", link, headers=BROWSER).status == 200
            head = http("HEAD", link)
            assert (head.status, head.text) == (200, "")


def test_no_secret_is_in_any_log(sandbox: Sandbox) -> None:
    """No log group holds a task token, a link token or a reason of a whole approval."""
    name = sandbox.start(subject="Logged")
    link = sandbox.link("ada@example.com", "Logged")
    task_token = json.loads(sandbox.item(name)["approval"]["S"])["taskToken"]
    press(link, "a very private reason")
    sandbox.ended(name)
    logs = sandbox.client("logs")
    groups = [group["logGroupName"] for group in logs.describe_log_groups()["logGroups"]]
    assert "/aws/lambda/assent-sandbox" in groups
    said = "\n".join(
        event["message"]
        for group in groups
        for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group)
        for event in page["events"]
    )
    assert '"event": "approve"' in said
    token = link.rpartition("/")[2]
    for secret in (task_token, token, token.split(".")[1], "a very private reason"):
        assert secret not in said


def test_an_approval_without_decisions_expires(sandbox: Sandbox, slow: dict[str, str]) -> None:
    """The scheduled tick fails the execution as `Expired`; the link's page says so."""
    link = sandbox.link("ada@example.com", "Nobody answers")
    found = until(
        lambda: sandbox.execution(slow["expires"]),
        lambda seen: seen["status"] != "RUNNING",
        seconds=150,
    )
    assert (found["status"], found["error"]) == ("FAILED", "Expired")
    late = http("GET", link, headers=BROWSER)
    assert (late.status, "has expired" in late.text) == (410, True)
    assert press(link).status == 410


def test_a_new_approver_is_invited_and_mailed_by_a_later_tick(
    sandbox: Sandbox, slow: dict[str, str]
) -> None:
    """No approver has to be registered first: SNS invites them, and the mail follows."""
    until(
        lambda: sandbox.mails("newcomer@example.com", "For a newcomer"), bool, seconds=240
    )  # the invited mail waits for its lease (90 s), then for the next minute's tick
    press(sandbox.link("newcomer@example.com", "For a newcomer"))
    found = sandbox.ended(slow["invites"])
    assert found["outcome"] == "approved"
    assert _event_kinds(found) == ["requested", "invited", "mailed", "approved", "resumed"]


def test_each_outcome_is_announced_once(
    sandbox: Sandbox, slow: dict[str, str], announced: Announced
) -> None:
    """A rule on the event bus gives its target the outcome, decided or expired."""
    for name, outcome in (("expires", "expired"), ("decided", "approved")):
        approval = sandbox.execution(slow[name])["approval"]
        (event,) = until(partial(announced.of, approval["id"]), bool, seconds=70)
        assert (event["source"], event["detail-type"]) == ("assent", "Approval closed")
        assert event["resources"] == [approval["executionArn"]]
        detail = event["detail"]
        assert (detail["stage"], detail["outcome"]) == ("sandbox", outcome)
        assert (detail["subject"], detail["closedAt"]) == (
            approval["subject"],
            approval["closedAt"],
        )
        assert [made["approver"] for made in detail["decisions"]] == (
            ["ada@example.com"] if outcome == "approved" else []
        )
        assert "reason" not in str(detail)
