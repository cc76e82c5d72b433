"""The log: one event for each request, without token, link, reason, note or code."""

import json
import re
from typing import Any

import pytest

import app as app_module
from chalicelib.domain.approval import Approval
from chalicelib.domain.commands import Reassign
from chalicelib.domain.errors import AssentError, Unavailable
from tests.builders import request_approval, request_body, task_request
from tests.fakes import TOKEN, FakeStore
from tests.unit.entrypoints.client import BROWSER, JSON, AppClient, AppPorts, new_link
from tests.unit.entrypoints.functions import deliver, invoke, tick
from tests.unit.entrypoints.pages import PAGES, fields_of, path_of, request_by_mary
from tests.unit.steps import mailed_code, operate, use_store

REASON = "a private reason 271828"


def assert_no_secret_is_logged(ports: AppPorts, *secrets: str) -> None:
    """Fail if a log event holds one of these, the task token or REASON, however it is written."""
    lines = [json.dumps(line) for line in ports.logged] + [repr(line) for line in ports.logged]
    assert lines
    for secret in (TOKEN, REASON, *secrets):
        assert secret not in "\n".join(lines)
        assert json.dumps(secret)[1:-1] not in "\n".join(lines)


def test_each_request_is_one_event(client: AppClient, ports: AppPorts) -> None:
    """With route, method, status, milliseconds, and the approval's id."""
    token = new_link(ports)
    client.get(f"/approve/{token}")
    (event,) = ports.logged
    assert event.keys() == {"event", "method", "status", "ms", "requestId", "approvalId"}
    assert (event["event"], event["method"], event["status"]) == ("approve", "GET", 200)
    assert event["approvalId"] == token.partition(".")[0]
    assert isinstance(event["ms"], float)


def test_an_error_is_logged_by_its_code(client: AppClient, ports: AppPorts) -> None:
    """Without its message, which may quote the request."""
    client.post_json("/executions", request_body(subject=""))
    (event,) = ports.logged
    assert (event["status"], event["code"]) == (400, "InvalidRequest")
    assert not event.keys() & {"message", "why"}


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("accept", [BROWSER, JSON])
def test_no_request_of_a_page_logs_a_secret(
    client: AppClient, ports: AppPorts, page: str, accept: str
) -> None:
    """Opened, altered, refused, pressed, and pressed again: one event each, with the id."""
    approval_id = request_by_mary(ports, codeRequired=page != "inbox")
    tokens = [path_of(ports, one).split("/")[2] for one in PAGES]
    path = path_of(ports, page)
    code = "" if page == "inbox" else mailed_code(ports)
    coded = {"code": code} if page in ("approve", "reject", "reassign") else {}
    texts = {name: REASON for name in fields_of(ports, page) if name in ("reason", "note")}
    fields = fields_of(ports, page) | coded | texts
    ports.logged.clear()
    client.get(path, accept)
    client.head(path, accept)
    for sent in (
        {name: text * 200 for name, text in texts.items()},
        {name: f"{text}\x00" for name, text in texts.items()},
        {"code": f"{code}1"},
        {"colour": REASON},
        {},
    ):
        client.post_form(path, accept, **(fields | sent))
        client.post_json(path, fields | sent)
    client.get(path, accept)
    assert len(ports.logged) >= 13
    assert {line["approvalId"] for line in ports.logged if "method" in line} == {approval_id}
    client.get(f"{path}x", accept)
    assert {line["status"] for line in ports.logged if "method" in line} >= {200, 400, 404}
    secrets = [*tokens, *(token.split(".")[1] for token in tokens), *coded.values()]
    assert_no_secret_is_logged(ports, *secrets)


@pytest.mark.parametrize("command", ["cancel", "remind", "extend", "reassign"])
def test_no_command_logs_a_secret(client: AppClient, ports: AppPorts, command: str) -> None:
    """The approval's id says enough."""
    approval_id = request_approval(ports)
    secret = ports.link().split(".")[1]
    bodies: dict[str, dict[str, object]] = {
        "extend": {"expiresIn": 999_999, "reason": REASON},
        "reassign": {"from": "ada@example.com", "to": "grace@example.com", "note": REASON},
    }
    body = bodies.get(command, {"reason": REASON})
    ports.logged.clear()
    for sent in (body | {"colour": REASON}, body):
        client.post_json(f"/approvals/{approval_id}/{command}", sent)
    tick()
    lines = [line for line in ports.logged if line.get("approvalId") == approval_id]
    assert [line["status"] for line in lines if "method" in line] == [400, 200]
    assert_no_secret_is_logged(ports, secret)


def test_each_outcome_is_one_line_for_the_dashboard(client: AppClient, ports: AppPorts) -> None:
    """Of which its figures are made: the outcome, and the seconds until then."""
    approval_id = request_approval(ports)
    ports.later(minutes=3)
    client.post_json(f"/approvals/{approval_id}/cancel", {})
    for _ in range(2):
        tick()
    closed = [line for line in ports.logged if line["event"] == "closed"]
    line = {"approvalId": approval_id, "outcome": "cancelled", "seconds": 180}
    assert closed == [{"event": "closed", **line}]


class Talkative(FakeStore):
    """A store with a bug, whose error message has secrets."""

    secret = ""

    def get(self, approval_id: str) -> Approval | None:
        raise RuntimeError(f"about {approval_id}: {TOKEN} {self.secret} {REASON}")


@pytest.mark.parametrize("accept", [BROWSER, JSON])
def test_a_bug_is_logged_by_its_type_and_place_alone(
    client: AppClient, ports: AppPorts, accept: str
) -> None:
    """Its message may hold anything, so it is neither logged nor answered.

    What a person typed is kept in their own form.
    """
    token = new_link(ports)
    use_store(ports, Talkative(ports.effects)).secret = token
    for response in (
        client.get(f"/approve/{token}", accept),
        client.post_form(f"/reject/{token}", accept, reason=REASON),
    ):
        assert (response.status, response.is_page) == (500, accept == BROWSER)
        answered = re.sub("<textarea.*?</textarea>", "", response.text, flags=re.DOTALL)
        for inside in (TOKEN, token, REASON, "RuntimeError", "Traceback", "chalicelib", ".py"):
            assert inside not in answered
    assert_no_secret_is_logged(ports, token, token.split(".")[1])
    event = ports.logged[0]
    assert (event["status"], event["error"]) == (500, "RuntimeError")
    assert "in get" in str(event["trace"])


@pytest.mark.parametrize("accept", [BROWSER, JSON])
def test_the_reference_of_a_fault_is_the_request_id_in_the_log(
    ports: AppPorts, accept: str
) -> None:
    """A reader of the page can name it to a reader of the log."""
    use_store(ports, Talkative(ports.effects))
    event = {
        "requestContext": {
            "requestId": "c0ffee-42",
            "httpMethod": "GET",
            "resourcePath": "/approvals/{approval_id}",
        },
        "headers": {"Accept": accept},
        "multiValueQueryStringParameters": None,
        "pathParameters": {"approval_id": "x" * 26},
        "stageVariables": None,
        "body": None,
    }
    response = app_module.app(event, None)
    assert response["statusCode"] == 500
    assert "c0ffee-42" in response["body"]
    assert [line["requestId"] for line in ports.logged] == ["c0ffee-42"]


def test_a_failed_delivery_logs_the_service_and_no_secret(
    client: AppClient, ports: AppPorts
) -> None:
    token = new_link(ports)
    ports.effects.faulty = {"executions.answer"}
    client.post_form(f"/reject/{token}", reason=REASON)
    assert [line["event"] for line in ports.logged] == ["delivery_failed", "reject"]
    assert_no_secret_is_logged(ports, token, token.split(".")[1])


def test_a_tick_that_fails_logs_the_approval_and_no_secret(ports: AppPorts) -> None:
    approval_id = request_approval(ports)
    token = ports.link()
    use_store(ports, Talkative(ports.effects)).secret = token
    ports.later(days=8)
    tick()
    failed = ports.logged[0]
    assert failed["event"] == "tick_failed"
    assert (failed["approvalId"], failed["error"]) == (approval_id, "RuntimeError")
    assert_no_secret_is_logged(ports, token, token.split(".")[1])


@pytest.mark.parametrize(
    ("subject", "status"), [("Release 4.2", 200), ("", 400)], ids=["allowed", "refused"]
)
def test_a_request_is_logged_without_its_text(ports: AppPorts, subject: str, status: int) -> None:
    """By its function and by its queue; a refused one by its status, and by a line that says why.

    The function itself succeeds: it has failed the task.
    """
    sent = task_request(subject=subject, details=REASON)
    invoke("request_approval", sent)
    line = ports.logged[-1]
    assert line.keys() == {"event", "status", "approvalId", "ms", "requestId"}
    assert line["status"] == status
    deliver("request_from_queue", sent)
    assert ports.logged[-1]["status"] == status
    refused = [line for line in ports.logged if line["event"] == "request_refused"]
    assert [(line["field"], line["code"]) for line in refused] == [
        ("subject", "InvalidRequest") for _ in range(2 if status == 400 else 0)
    ]
    assert_no_secret_is_logged(ports)


JANE = "jane.doe@example.com"


@pytest.mark.parametrize(
    ("fields", "logged"),
    [
        ({"approvers": [JANE, JANE]}, "approvers[1]"),
        ({"approvers": [JANE], "requestedBy": JANE}, "approvers[0]"),
        ({"escalation": {"after": 60, "approvers": [JANE, JANE]}}, "escalation.approvers[1]"),
        ({"details": {"Salary of Jane Doe": 2**60}}, "details"),
        ({"details": {f"Salary of {JANE}": []}}, "details"),
        ({JANE: "Salary"}, None),
        ({"Jane Doe": "Salary"}, None),
        ({"remindevery": 600}, "remindevery"),
    ],
)
def test_a_refused_request_is_logged_without_what_its_sender_wrote(
    ports: AppPorts, fields: dict[str, Any], logged: str | None
) -> None:
    """By code and field alone; the whole message is in the error of its execution."""
    sent = task_request(**fields)
    invoke("request_approval", sent)
    (refused, line) = ports.logged
    assert refused == {
        "event": "request_refused",
        "executionArn": sent["executionArn"],
        "code": "InvalidRequest",
        **({"field": logged} if logged else {}),
    }
    assert line["status"] == 400
    assert "jane" not in str(ports.logged).lower()
    (answer,) = ports.executions.answers
    assert "jane" in str(answer.cause).lower() or logged == "remindevery"


def test_text_in_the_place_of_the_executions_arn_is_not_logged(ports: AppPorts) -> None:
    """It may be the task token, in the wrong place."""
    invoke("request_approval", {"taskToken": "t", "executionArn": TOKEN, "request": {}})
    assert ports.logged[0] == {
        "event": "request_refused",
        "code": "InvalidRequest",
        "field": "executionArn",
    }
    assert_no_secret_is_logged(ports)


@pytest.mark.parametrize("sent", [{JANE: 1}, {"token": JANE}, {"reason": JANE, "decision": JANE}])
def test_a_refused_decision_is_logged_without_what_its_sender_wrote(
    ports: AppPorts, sent: dict[str, object]
) -> None:
    """By its function and by its queue."""
    with pytest.raises(AssentError):
        invoke("record_decision", sent)
    deliver("decision_from_queue", sent)
    assert len(ports.logged) == 2
    assert all(str(line["status"]).startswith("4") for line in ports.logged)
    assert "jane" not in str(ports.logged).lower()


def test_who_was_asked_instead_is_not_logged(ports: AppPorts) -> None:
    """The answer names them; the log has the code."""
    approval_id = request_approval(ports)
    token = ports.link()
    operate(ports, approval_id, Reassign(from_="ada@example.com", to=JANE))
    deliver("decision_from_queue", {"token": token, "decision": "approve"})
    assert (ports.logged[-1]["code"], "why" in ports.logged[-1]) == ("Reassigned", False)
    assert "jane" not in str(ports.logged).lower()


def test_a_code_is_not_logged_by_the_function(ports: AppPorts) -> None:
    request_approval(ports, codeRequired=True)
    sent = {"token": ports.link(), "decision": "approve", "reason": REASON}
    invoke("record_decision", sent | {"code": mailed_code(ports)})
    line = ports.logged[-1]
    assert (line["event"], line["status"]) == ("record_decision", 200)
    assert_no_secret_is_logged(ports, ports.link().split(".")[1], mailed_code(ports))


class Away(FakeStore):
    """A store that raises Unavailable, with a cause that quotes the request as botocore may."""

    def get(self, approval_id: str) -> Approval | None:
        raise Unavailable("DynamoDB answered ThrottlingException") from ValueError(
            f"{approval_id} {TOKEN}"
        )


def test_a_fault_of_aws_is_logged_without_its_cause(client: AppClient, ports: AppPorts) -> None:
    token = new_link(ports)
    use_store(ports, Away(ports.effects))
    assert client.get(f"/approve/{token}").status == 503
    assert ports.logged[0]["code"] == "Unavailable"
    assert ports.logged[0]["why"] == "DynamoDB answered ThrottlingException"
    assert_no_secret_is_logged(ports, token)
