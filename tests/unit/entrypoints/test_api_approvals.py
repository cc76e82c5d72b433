"""The operators' routes of approvals: show, list, cancel, remind, extend, reassign."""

import json
from typing import Any

import pytest

import app as app_module
from chalicelib.application import operating
from chalicelib.domain import link_tokens
from chalicelib.domain.approval import Approval
from chalicelib.domain.commands import Cancel
from chalicelib.presentation.audit_report import audit_report
from chalicelib.presentation.serializers import operator_view
from tests.builders import request_approval
from tests.fakes import FakeStore
from tests.unit.entrypoints.client import ADA, JSON, AppClient, AppPorts
from tests.unit.steps import decide, stored

GRACE, OPERATOR = "grace@example.com", "boss@elsewhere.example"
ARN = "arn:aws:sts::000000000000:assumed-role/operators/boss"
COMMANDS: dict[str, tuple[dict[str, Any], str]] = {
    "cancel": ({"reason": "not needed"}, "cancelled"),
    "remind": ({}, "reminded"),
    "extend": ({"expiresIn": 999_999}, "extended"),
    "reassign": ({"from": ADA, "to": GRACE, "note": "Ada is away"}, "reassigned"),
}
each_command = pytest.mark.parametrize("command", COMMANDS)


def test_an_approval_is_shown_as_the_operators_view(client: AppClient, ports: AppPorts) -> None:
    approval_id = request_approval(ports, requestedBy="eve@example.com", details={"Cost": 12.5})
    decide(ports)
    shown = client.get(f"/approvals/{approval_id}").json
    assert shown == operator_view(stored(ports, approval_id))


def test_an_approval_is_shown_as_an_audit_report_on_request(
    client: AppClient, ports: AppPorts
) -> None:
    """As plain text that is never cached; there is no other format."""
    approval_id = request_approval(ports)
    report = client.get(f"/approvals/{approval_id}?format=text")
    assert report.status == 200
    assert report.headers["content-type"] == "text/plain; charset=utf-8"
    assert report.headers["cache-control"] == "no-store"
    assert "requested by" in report.text
    refused = client.get(f"/approvals/{approval_id}?format=pdf")
    assert (refused.status, refused.json["field"]) == (400, "format")


class WatchedStore(FakeStore):
    """Counts the reads."""

    reads = 0

    def get(self, approval_id: str) -> Approval | None:
        self.reads += 1
        return super().get(approval_id)


@pytest.mark.parametrize("approval_id", ["a" * 300, "a" * 3_000])
def test_an_id_that_no_approval_can_have_is_not_looked_up(
    client: AppClient, ports: AppPorts, approval_id: str
) -> None:
    """DynamoDB refuses keys over 2,048 bytes with an error that would become a 503."""
    ports.store = store = WatchedStore(ports.effects)
    assert client.get(f"/approvals/{approval_id}").status == 404
    for command, (body, _) in COMMANDS.items():
        assert client.post_json(f"/approvals/{approval_id}/{command}", body).status == 404
    assert store.reads == 0


def test_approvals_are_listed_by_outcome_newest_first(client: AppClient, ports: AppPorts) -> None:
    """Page by page, and as summaries."""
    ids = []
    for n in range(3):
        ports.later(minutes=1)
        ids.append(request_approval(ports, f"token-{n}"))
    operating.change(ports, ids[1], Cancel(), by="op", via="api")
    first = client.get("/approvals?limit=1").json
    assert [one["id"] for one in first["approvals"]] == [ids[2]]
    second = client.get(f"/approvals?outcome=pending&limit=1&next={first['next']}").json
    assert [one["id"] for one in second["approvals"]] == [ids[0]]
    assert second["next"] is None
    (cancelled,) = client.get("/approvals?outcome=cancelled").json["approvals"]
    assert (cancelled["id"], cancelled["waitsFor"]) == (ids[1], [])
    assert second["approvals"][0]["waitsFor"] == [ADA]


def test_what_waits_for_a_person_is_listed_by_its_deadline(
    client: AppClient, ports: AppPorts
) -> None:
    """Page by page, of that person alone, and not what they have decided."""
    ids = [
        request_approval(ports, f"token-{n}", approvers=[ADA], expiresIn=days * 86_400)
        for n, days in enumerate((3, 1, 2))
    ]
    request_approval(ports, "another's", approvers=["grace@example.com"])
    operating.change(ports, ids[2], Cancel(), by="op", via="api")
    first = client.get("/approvals?approver=Ada%40example.com&limit=1").json
    assert [one["id"] for one in first["approvals"]] == [ids[1]]
    path = f"/approvals?approver={ADA}&limit=1&next={first['next']}"
    second = client.get(path).json
    assert ([one["id"] for one in second["approvals"]], second["next"]) == ([ids[0]], None)


def test_what_a_person_asked_is_listed_until_it_is_erased(
    client: AppClient, ports: AppPorts
) -> None:
    """Decided or not, newest first."""
    who = "margaret@example.com"
    ids = []
    for n in range(3):
        ports.later(minutes=1)
        ids.append(request_approval(ports, f"token-{n}", requestedBy=who))
    operating.change(ports, ids[1], Cancel(), by="op", via="api")
    path = "/approvals?requestedBy=Margaret%40example.com&limit=2"
    first = client.get(path).json
    assert [one["id"] for one in first["approvals"]] == [ids[2], ids[1]]
    second = client.get(f"{path}&next={first['next']}").json
    assert ([one["id"] for one in second["approvals"]], second["next"]) == ([ids[0]], None)


def test_what_is_due_soon_is_listed_by_its_deadline(client: AppClient, ports: AppPorts) -> None:
    """Within a day, and pending."""
    ids = [
        request_approval(ports, f"token-{n}", approvers=[ADA], expiresIn=hours * 3_600)
        for n, hours in enumerate((20, 25, 2, 3))
    ]
    operating.change(ports, ids[3], Cancel(), by="op", via="api")
    assert [one["id"] for one in client.get("/approvals?due=soon").json["approvals"]] == [
        ids[2],
        ids[0],
    ]


def test_what_ticks_have_left_undone_is_overdue(client: AppClient, ports: AppPorts) -> None:
    """Ten minutes after a deadline without a tick, and not before."""
    expires = request_approval(ports, "token-0", expiresIn=60)
    request_approval(ports, "token-1")
    ports.later(minutes=10)
    assert client.get("/approvals?due=overdue").json["approvals"] == []
    ports.later(minutes=1)
    (found,) = client.get("/approvals?due=overdue").json["approvals"]
    assert (found["id"], found["outcome"]) == (expires, "pending")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("outcome=open", "outcome"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=many", "limit"),
        ("next=x", "next"),
        ("approver=ada", "approver"),
        ("approver=ada@example.com&outcome=approved", "outcome"),
        ("due=soon&requestedBy=ada@example.com", "requestedBy"),
        ("requestedBy=ada", "requestedBy"),
        ("due=never", "due"),
        ("page=2", "page"),
    ],
)
def test_a_bad_query_of_a_list_is_refused(client: AppClient, query: str, field: str) -> None:
    """400 with the field, instead of a list that wasn't meant."""
    refused = client.get(f"/approvals?{query}")
    assert (refused.status, refused.json["field"]) == (400, field)
    assert refused.json["message"].isprintable()


@each_command
def test_a_command_answers_with_the_changed_approval(
    client: AppClient, ports: AppPorts, command: str
) -> None:
    """The event has its actor and the channel."""
    approval_id = request_approval(ports)
    body, what = COMMANDS[command]
    response = client.post_json(f"/approvals/{approval_id}/{command}", body | {"by": OPERATOR})
    assert response.status == 200
    assert response.json == operator_view(stored(ports, approval_id))
    (event,) = [event for event in response.json["events"] if event["who"] == OPERATOR]
    assert (event["what"], event["via"]) == (what, "api")


def test_a_reminder_needs_no_body(client: AppClient, ports: AppPorts) -> None:
    approval_id = request_approval(ports)
    assert client.request("POST", f"/approvals/{approval_id}/remind").status == 200


def signed(path: str, body: object, identity: object) -> Any:
    """Return the response to a request whose signature API Gateway has verified."""
    approval_id, command = path.split("/")[2:]
    event = {
        "requestContext": {
            "requestId": "c0ffee-42",
            "httpMethod": "POST",
            "resourcePath": f"/approvals/{{approval_id}}/{command}",
            "identity": identity,
        },
        "headers": {"Content-Type": JSON},
        "multiValueQueryStringParameters": None,
        "pathParameters": {"approval_id": approval_id},
        "stageVariables": None,
        "body": json.dumps(body),
    }
    response = app_module.app(event, None)
    assert response["statusCode"] == 200, response
    return json.loads(response["body"])


@each_command
@pytest.mark.parametrize("more", [{}, {"by": None}], ids=["left out", "null"])
@pytest.mark.usefixtures("client")
def test_without_by_the_callers_iam_principal_is_recorded(
    ports: AppPorts, command: str, more: dict[str, None]
) -> None:
    approval_id = request_approval(ports)
    body = COMMANDS[command][0] | more
    found = signed(f"/approvals/{approval_id}/{command}", body, {"userArn": ARN})
    (event,) = [event for event in found["events"] if event["who"] == ARN]
    assert (event["via"], event["principal"], "by" in event) == ("api", ARN, False)
    assert (ports.logged[-1]["principal"], "by" in ports.logged[-1]) == (ARN, False)


@each_command
@pytest.mark.usefixtures("client")
def test_by_is_a_claim_beside_the_principal_that_signed(ports: AppPorts, command: str) -> None:
    """In the events, in the audit report and in the log."""
    approval_id = request_approval(ports)
    body = COMMANDS[command][0] | {"by": OPERATOR}
    found = signed(f"/approvals/{approval_id}/{command}", body, {"userArn": ARN})
    (event,) = [event for event in found["events"] if event["who"] == OPERATOR]
    assert (event["by"], event["principal"]) == (OPERATOR, ARN)
    assert (ports.logged[-1]["by"], ports.logged[-1]["principal"]) == (OPERATOR, ARN)
    report = audit_report(stored(ports, approval_id))
    assert f"by {OPERATOR} (signed by {ARN}) via api" in report


@pytest.mark.parametrize("identity", [{}, {"userArn": None}])
@pytest.mark.usefixtures("client")
def test_a_caller_without_a_principal_is_recorded_as_operator(
    ports: AppPorts, identity: object
) -> None:
    found = signed(f"/approvals/{request_approval(ports)}/remind", {}, identity)
    assert found["events"][-1]["who"] == "operator"


@pytest.mark.parametrize(
    ("outcome", "status", "code"),
    [("approved", 409, "AlreadyDecided"), ("expired", 410, "Expired")],
)
def test_a_command_to_a_closed_approval_is_refused_with_the_errors_status(
    client: AppClient, ports: AppPorts, outcome: str, status: int, code: str
) -> None:
    approval_id = request_approval(ports)
    if outcome == "approved":
        decide(ports)
    else:
        ports.later(days=8)
    refused = client.post_json(f"/approvals/{approval_id}/remind", {})
    assert (refused.status, refused.json["code"]) == (status, code)


@each_command
def test_a_command_to_an_unknown_approval_is_not_found(
    client: AppClient, ports: AppPorts, command: str
) -> None:
    for unknown in (link_tokens.approval_id("never"), "a" * 25, "A" * 26, "1", "%00", "%2e"):
        refused = client.post_json(f"/approvals/{unknown}/{command}", COMMANDS[command][0])
        assert (refused.status, refused.json["code"]) == (404, "NotFound")
    assert ports.effects.done == []


@each_command
def test_a_command_is_taken_by_post_alone(client: AppClient, ports: AppPorts, command: str) -> None:
    approval_id = request_approval(ports)
    before = ports.snapshot()
    for method in ("GET", "HEAD", "PUT", "DELETE", "PATCH"):
        assert client.request(method, f"/approvals/{approval_id}/{command}").status == 405
    assert ports.snapshot() == before


def test_a_mail_that_was_not_sent_says_why(client: AppClient, ports: AppPorts) -> None:
    """So an operator sees whom no mail has reached."""
    ports.mailer.subscriptions[ADA] = "pending"
    approval_id = request_approval(ports)
    (shown,) = client.get(f"/approvals/{approval_id}").json["approvers"]
    assert (shown["mail"], shown["why"]) == ("waiting", "invited")
