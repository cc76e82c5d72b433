"""The operators' routes: executions, approvals, approvers, health."""

from urllib.parse import quote

import pytest

from chalicelib.application import operating
from chalicelib.application.ports import ExecutionJson, Subscription
from chalicelib.domain.approval import Approval
from chalicelib.domain.commands import Cancel
from tests.builders import asked, body
from tests.fakes import EXECUTION, START, FakeExecutions, FakeStore
from tests.unit.entrypoints.client import ADA, BROWSER, DoorPorts, Doors


def test_an_execution_is_started(doors: Doors, ports: DoorPorts) -> None:
    """201 with its name, its ARN, its status and where to look."""
    answer = doors.json("/executions", body(), Idempotency_Key="release-42")
    assert answer.status == 201
    assert answer.json == {
        "execution": "release-42",
        "executionArn": EXECUTION,
        "status": "RUNNING",
        "links": {"self": f"{ports.public_url}/executions/release-42"},
    }


def test_an_execution_without_a_key_gets_a_name_of_its_own(doors: Doors, ports: DoorPorts) -> None:
    """Two requests without a key are two executions."""
    first, second = (doors.json("/executions", body()) for _ in range(2))
    assert first.status == second.status == 201
    assert first.json["execution"] != second.json["execution"]
    assert len(ports.executions.inputs) == 2


def test_the_same_key_and_body_are_the_same_execution(doors: Doors, ports: DoorPorts) -> None:
    """However the body is spelled: order and blanks make no difference."""
    first = doors.json("/executions", body(), Idempotency_Key="key")
    spelled = b'{ "approvers": ["ada@example.com"],\n "subject": "Release 4.2" }'
    again = doors.ask("POST", "/executions", spelled, "application/json", Idempotency_Key="key")
    assert (again.status, again.json) == (first.status, first.json)
    assert len(ports.executions.inputs) == 1


def test_the_same_key_with_another_body_is_a_conflict(doors: Doors, ports: DoorPorts) -> None:
    """409, and the first execution is as it was."""
    doors.json("/executions", body(), Idempotency_Key="key")
    started = dict(ports.executions.inputs)
    refused = doors.json("/executions", body(subject="Other"), Idempotency_Key="key")
    assert (refused.status, refused.json["code"]) == (409, "IdempotencyConflict")
    assert refused.json["field"] == "Idempotency-Key"
    assert ports.executions.inputs == started


@pytest.mark.parametrize("key", ["", " ", "a b", "é", "k" * 81, "a/b", "a:b", "a.b", "<b>"])
def test_a_key_that_cannot_name_an_execution_is_refused(
    doors: Doors, ports: DoorPorts, key: str
) -> None:
    """400 naming the header; nothing is started."""
    refused = doors.json("/executions", body(), Idempotency_Key=key)
    assert (refused.status, refused.json["field"]) == (400, "Idempotency-Key")
    assert ports.executions.inputs == {}


@pytest.mark.parametrize("key", ["k", "k" * 80, "A-z_09"])
def test_a_key_of_up_to_80_plain_characters_is_taken(doors: Doors, key: str) -> None:
    """What Step Functions takes as a name."""
    assert doors.json("/executions", body(), Idempotency_Key=key).json["execution"] == key


def test_an_execution_that_has_not_asked_yet_has_no_approval(doors: Doors) -> None:
    """Both fields are there, and null."""
    doors.json("/executions", body(), Idempotency_Key="release-42")
    assert doors.get("/executions/release-42").json == {
        "execution": "release-42",
        "executionArn": EXECUTION,
        "status": "RUNNING",
        "outcome": None,
        "approval": None,
    }


def test_an_execution_shows_its_approval(doors: Doors, ports: DoorPorts) -> None:
    """The same as the approval's own route shows."""
    doors.json("/executions", body(), Idempotency_Key="release-42")
    approval_id = asked(ports)
    shown = doors.get("/executions/release-42").json
    assert shown["outcome"] == "pending"
    assert shown["approval"] == doors.get(f"/approvals/{approval_id}").json


def test_an_approval_is_shown_whole_and_without_secrets(doors: Doors, ports: DoorPorts) -> None:
    """As the wire describes it: no task token, link or hash."""
    approval_id = asked(ports, requestedBy="eve@example.com", details={"Cost": 12.5})
    doors.form(f"/approve/{ports.link()}", reason="fine")
    at = "2026-11-22T09:00:00Z"
    shown = doors.get(f"/approvals/{approval_id}").json
    decided = {"approver": ADA, "decision": "approve", "reason": "fine", "decidedAt": at}
    expected = {
        "id": approval_id,
        "outcome": "approved",
        "subject": "Release 4.2",
        "details": {"Cost": 12.5},
        "requestedBy": "eve@example.com",
        "approvers": [{"approver": ADA, "mail": "sent", "decision": decided}],
        "approvalsNeeded": 1,
        "rejectionsNeeded": 1,
        "createdAt": at,
        "expiresAt": "2026-11-29T09:00:00Z",
        "closedAt": at,
        "settledAt": at,
        "executionArn": EXECUTION,
    }
    assert {key: shown[key] for key in expected} == expected
    assert [event["what"] for event in shown["events"]] == [
        "requested",
        "mailed",
        "approved",
        "resumed",
    ]


@pytest.mark.parametrize("accept", [None, "application/json", BROWSER])
@pytest.mark.parametrize("path", ["/approvals/unknown", "/executions/unknown"])
def test_what_is_unknown_is_not_found(doors: Doors, path: str, accept: str | None) -> None:
    """404, as JSON or as a page."""
    found = doors.get(path, accept)
    assert found.status == 404
    assert found.is_page is (accept == BROWSER)


class WatchedStore(FakeStore):
    looked_up = 0

    def get(self, approval_id: str) -> Approval | None:
        self.looked_up += 1
        return super().get(approval_id)


class WatchedExecutions(FakeExecutions):
    looked_up = 0

    def describe(self, name: str) -> ExecutionJson:
        self.looked_up += 1
        return super().describe(name)


@pytest.mark.parametrize("approval_id", ["a" * 300, "a" * 3_000])
def test_an_id_that_cannot_be_one_is_never_looked_up(
    doors: Doors, ports: DoorPorts, approval_id: str
) -> None:
    """DynamoDB answers keys over 2,048 bytes with an error, which would be our 503."""
    ports.store = store = WatchedStore(ports.effects)
    assert doors.get(f"/approvals/{approval_id}").status == 404
    assert store.looked_up == 0


def test_a_name_that_cannot_be_an_executions_is_never_looked_up(
    doors: Doors, ports: DoorPorts
) -> None:
    """Step Functions answers ARNs over 256 characters with an error, which would be our 503."""
    ports.executions = executions = WatchedExecutions(ports.effects)
    assert doors.get(f"/executions/{'n' * 300}").status == 404
    assert executions.looked_up == 0


@pytest.mark.parametrize("path", ["ada@example.com", "ada%40example.com", quote(ADA, safe="")])
def test_an_approver_is_asked_for_by_address(doors: Doors, ports: DoorPorts, path: str) -> None:
    """Percent-encoded or not, it is the same person."""
    ports.mailer.subscriptions[ADA] = "pending"
    answer = doors.get(f"/approvers/{path}")
    assert (answer.status, answer.json) == (200, {"approver": ADA, "subscription": "pending"})


@pytest.mark.parametrize("address", ["a+b@example.com", "a&b=c@example.com", "a#b?@example.com"])
def test_an_address_with_odd_characters_arrives_as_it_is(
    doors: Doors, ports: DoorPorts, address: str
) -> None:
    """A plus sign is a plus sign."""
    ports.mailer.subscriptions[address] = "none"
    answer = doors.ask("PUT", f"/approvers/{quote(address, safe='')}")
    assert answer.json["approver"] == address
    assert ports.mailer.invitations == [address]


@pytest.mark.parametrize(
    ("before", "invited"), [("none", [ADA]), ("pending", [ADA]), ("confirmed", [])]
)
def test_an_approver_is_invited_unless_they_are_confirmed(
    doors: Doors, ports: DoorPorts, before: Subscription, invited: list[str]
) -> None:
    """PUT may be repeated: a pending invitation is mailed again, a confirmed one is left alone."""
    ports.mailer.subscriptions[ADA] = before
    answer = doors.ask("PUT", f"/approvers/{ADA}")
    assert answer.status == 200
    assert answer.json["subscription"] == ("confirmed" if before == "confirmed" else "pending")
    assert ports.mailer.invitations == invited


def test_an_approver_is_forgotten(doors: Doors, ports: DoorPorts) -> None:
    """204 without a body, as often as it is said."""
    for _ in range(2):
        answer = doors.ask("DELETE", f"/approvers/{ADA}")
        assert (answer.status, answer.raw) == (204, b"")
    assert ports.mailer.subscriptions[ADA] == "none"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize("address", ["nobody", "a@b", "%00@example.com", "a b@example.com", "@"])
def test_what_is_no_address_is_refused(
    doors: Doors, ports: DoorPorts, method: str, address: str
) -> None:
    """400, and SNS isn't asked."""
    assert doors.ask(method, f"/approvers/{quote(address, safe='%')}").status == 400
    assert ports.effects.done == []


@pytest.mark.parametrize(("method", "status"), [("GET", 400), ("PUT", 400), ("DELETE", 204)])
def test_an_address_elsewhere_can_only_be_forgotten(doors: Doors, method: str, status: int) -> None:
    """A domain that may not be asked any more can still be cleaned up."""
    assert doors.ask(method, "/approvers/ada@elsewhere.org").status == status


def test_health_says_that_the_stage_runs(doors: Doors) -> None:
    """And which one it is."""
    assert doors.get("/health").json == {"status": "ok", "stage": "test"}


def test_the_record_of_a_withdrawal_is_shown(doors: Doors, ports: DoorPorts) -> None:
    """Who, when and why stand in the events."""
    approval_id = asked(ports)
    operating.change(
        ports, approval_id, Cancel(reason="not needed"), by="boss@example.com", via="api"
    )
    shown = doors.get(f"/approvals/{approval_id}").json
    (event,) = [e for e in shown["events"] if e["what"] == "cancelled"]
    assert (event["who"], event["note"]) == ("boss@example.com", "not needed")
    assert event["at"] == START.isoformat().replace("+00:00", "Z")


def test_approvals_are_listed_by_outcome(doors: Doors, ports: DoorPorts) -> None:
    """Newest first, page by page, in short: what is long stands in `GET /approvals/{id}`."""
    ids = []
    for n in range(3):
        ports.later(minutes=1)
        ids.append(asked(ports, f"token-{n}"))
    operating.change(ports, ids[1], Cancel(), by="op", via="api")
    first = doors.get("/approvals?limit=1").json
    assert [one["id"] for one in first["approvals"]] == [ids[2]]
    second = doors.get(f"/approvals?outcome=pending&limit=1&next={first['next']}").json
    assert [one["id"] for one in second["approvals"]] == [ids[0]]
    assert second["next"] is None
    (gone,) = doors.get("/approvals?outcome=cancelled").json["approvals"]
    whole = doors.get(f"/approvals/{ids[1]}").json
    shared = gone.keys() & whole.keys() - {"approvals"}
    assert {key: gone[key] for key in shared} == {key: whole[key] for key in shared}
    assert (gone["waitsFor"], second["approvals"][0]["waitsFor"]) == ([], [ADA])
    assert not gone.keys() & {"details", "decisions", "events"}
    assert "token-" not in str(first)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("outcome=open", "outcome"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=many", "limit"),
        ("next=x", "next"),
        ("page=2", "page"),
    ],
)
def test_a_list_that_makes_no_sense_is_refused(doors: Doors, query: str, field: str) -> None:
    """400 with the field; no list that is not the one that was meant."""
    refused = doors.get(f"/approvals?{query}")
    assert (refused.status, refused.json["field"]) == (400, field)
    assert refused.json["message"].isprintable()
