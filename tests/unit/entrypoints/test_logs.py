"""What stands in the log: one event a request, and never a token, a link, a reason or a code."""

import json
from pathlib import Path

import pytest
from chalice.test import Client

import app as doors_module
from chalicelib.domain.approval import Approval
from chalicelib.domain.errors import Unavailable
from tests.builders import asked, body
from tests.fakes import TOKEN, FakeStore
from tests.unit.entrypoints.client import BROWSER, JSON, DoorPorts, Doors, one_asked
from tests.unit.entrypoints.functions import tick

REASON = "a private reason 271828"


class Talkative(FakeStore):
    """A store with a bug, whose error tells all it knows."""

    secret = ""

    def get(self, approval_id: str) -> Approval | None:
        raise RuntimeError(f"about {approval_id}: {TOKEN} {self.secret} {REASON}")


def holds_no_secret(ports: DoorPorts, *secrets: str) -> None:
    """Assert that none of these is in any line of the log, however it is written."""
    lines = [json.dumps(line) for line in ports.logged] + [repr(line) for line in ports.logged]
    assert lines
    for secret in (TOKEN, REASON, *secrets):
        assert secret not in "\n".join(lines)
        assert json.dumps(secret)[1:-1] not in "\n".join(lines)


def test_every_request_is_one_event(doors: Doors, ports: DoorPorts) -> None:
    """Its door, method, status, milliseconds, and what it was about."""
    token = one_asked(ports)
    doors.get(f"/approve/{token}")
    (event,) = ports.logged
    assert event.keys() == {"event", "method", "status", "ms", "requestId", "approvalId"}
    assert (event["event"], event["method"], event["status"]) == ("approve", "GET", 200)
    assert event["approvalId"] == token.partition(".")[0]
    assert isinstance(event["ms"], float)


def test_an_error_of_ours_is_logged_by_its_code(doors: Doors, ports: DoorPorts) -> None:
    """Not by its message, which may quote what was sent."""
    doors.json("/executions", body(subject=""))
    (event,) = ports.logged
    assert (event["status"], event["code"]) == (400, "InvalidRequest")
    assert "message" not in event


def test_the_whole_life_of_an_approval_logs_no_secret(doors: Doors, ports: DoorPorts) -> None:
    """Asked, scanned, mistyped, decided, decided again, refused, shown."""
    approval_id = asked(ports)
    token = ports.link()
    secret = token.split(".")[1]
    for accept in (BROWSER, JSON):
        for choice in ("approve", "reject"):
            path = f"/{choice}/{token}"
            doors.get(path, accept)
            doors.ask("HEAD", path, accept=accept)
            doors.get(f"{path}x", accept)
            doors.form(path, accept, reason=REASON * 200)
            doors.form(path, accept, reason=f"{REASON}\x00")
            doors.form(path, accept, reason=REASON, code="271828")
            doors.form(path, accept, reason=REASON)
            doors.json(path, {"reason": REASON}, accept)
    doors.get(f"/approvals/{approval_id}")
    holds_no_secret(ports, token, secret, "271828")


@pytest.mark.parametrize("accept", [BROWSER, JSON])
def test_a_bug_is_logged_by_its_kind_and_place(doors: Doors, ports: DoorPorts, accept: str) -> None:
    """Its message, which may hold anything, is neither logged nor shown."""
    token = one_asked(ports)
    ports.store = Talkative(ports.effects)
    ports.store.secret = token
    for answer in (
        doors.get(f"/approve/{token}", accept),
        doors.form(f"/reject/{token}", accept, reason=REASON),
    ):
        assert (answer.status, answer.is_page) == (500, accept == BROWSER)
        for inside in (TOKEN, token, REASON, "RuntimeError", "Traceback", "chalicelib", ".py"):
            assert inside not in answer.text
    holds_no_secret(ports, token, token.split(".")[1])
    event = ports.logged[0]
    assert (event["status"], event["error"]) == (500, "RuntimeError")
    assert "in get" in str(event["trace"])


@pytest.mark.parametrize("accept", [BROWSER, JSON])
def test_who_saw_a_fault_can_name_it_to_who_reads_the_log(ports: DoorPorts, accept: str) -> None:
    """The reference on the answer is the request's id in the log."""
    ports.store = Talkative(ports.effects)
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
    answer = doors_module.app(event, None)
    assert answer["statusCode"] == 500
    assert "c0ffee-42" in answer["body"]
    assert [line["requestId"] for line in ports.logged] == ["c0ffee-42"]


def test_a_promise_that_waits_logs_why_without_what(doors: Doors, ports: DoorPorts) -> None:
    """A fault while settling names the service, never the task."""
    token = one_asked(ports)
    ports.effects.faulty = {"executions.answer"}
    doors.form(f"/reject/{token}", reason=REASON)
    assert [line["event"] for line in ports.logged] == ["promise_waits", "reject"]
    holds_no_secret(ports, token, token.split(".")[1])


def test_a_tick_that_fails_logs_no_secret(ports: DoorPorts) -> None:
    """A bug met by the tick is logged by its kind, with the approval's id."""
    approval_id = asked(ports)
    token = ports.link()
    broken = Talkative(ports.effects)
    broken._items = ports.store._items
    broken.secret = token
    ports.store = broken
    ports.later(days=8)
    tick()
    failed = ports.logged[0]
    assert failed["event"] == "tick_failed"
    assert (failed["approvalId"], failed["error"]) == (approval_id, "RuntimeError")
    holds_no_secret(ports, token, token.split(".")[1])


def test_asking_is_logged_without_what_is_asked(ports: DoorPorts, tmp_path: Path) -> None:
    """The approval's id says enough."""
    client = Client(doors_module.app, project_dir=str(tmp_path))
    arn = "arn:aws:states:us-east-1:000000000000:execution:assent-test:x"
    event = {"taskToken": TOKEN, "executionArn": arn, "request": body(details=REASON)}
    client.lambda_.invoke("request_approval", event)
    assert [line.keys() for line in ports.logged] == [{"event", "approvalId", "ms", "requestId"}]
    holds_no_secret(ports, ports.link())


class Away(FakeStore):
    """A store that DynamoDB doesn't answer, with a cause that quotes the request."""

    def get(self, approval_id: str) -> Approval | None:
        raise Unavailable("DynamoDB answered ThrottlingException") from ValueError(
            f"{approval_id} {TOKEN}"
        )


def test_a_fault_of_the_cloud_is_logged_without_its_cause(doors: Doors, ports: DoorPorts) -> None:
    """What botocore raised may hold the request; what we log doesn't."""
    token = one_asked(ports)
    ports.store = Away(ports.effects)
    assert doors.get(f"/approve/{token}").status == 503
    assert ports.logged[0]["code"] == "Unavailable"
    holds_no_secret(ports, token)


def test_a_page_never_shows_a_task_token_or_the_secret_of_another(
    doors: Doors, ports: DoorPorts
) -> None:
    """Nor does the approval's JSON."""
    asked(ports, approvers=["ada@example.com", "bob@example.com"])
    ada, bob = ports.link(), ports.link("bob@example.com")
    answers = [doors.get(f"/approve/{ada}", accept) for accept in (BROWSER, JSON)]
    answers += [doors.get(f"/approvals/{ada.split('.')[0]}"), doors.form(f"/approve/{ada}")]
    stored = ports.store.get(ada.split(".")[0])
    assert stored is not None
    hashes = [h for approver in stored.approvers for h in approver.link_hashes]
    for answer in answers:
        for secret in (TOKEN, bob.split(".")[1], *hashes):
            assert secret not in answer.text
