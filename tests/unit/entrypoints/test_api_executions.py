"""The operators' routes of executions, and the health route."""

from urllib.parse import quote

import pytest

from chalicelib.application.ports import ExecutionJson
from tests.builders import request_approval, request_body
from tests.fakes import EXECUTION, FakeExecutions
from tests.unit.entrypoints.client import BROWSER, AppClient, AppPorts


def test_an_execution_is_started(client: AppClient, ports: AppPorts) -> None:
    """201 with its name, ARN, status, and a link to itself."""
    started = client.post_json("/executions", request_body(), Idempotency_Key="release-42")
    assert started.status == 201
    assert started.json == {
        "execution": "release-42",
        "executionArn": EXECUTION,
        "status": "RUNNING",
        "links": {"self": f"{ports.public_url}/executions/release-42"},
    }


def test_without_a_key_each_request_starts_an_execution(client: AppClient, ports: AppPorts) -> None:
    first, second = (client.post_json("/executions", request_body()) for _ in range(2))
    assert first.status == second.status == 201
    assert first.json["execution"] != second.json["execution"]
    assert len(ports.executions.inputs) == 2


def test_the_same_key_and_body_find_the_same_execution(client: AppClient, ports: AppPorts) -> None:
    """Also with other blanks and another order of fields."""
    first = client.post_json("/executions", request_body(), Idempotency_Key="key")
    spelled = b'{ "approvers": ["ada@example.com"],\n "subject": "Release 4.2" }'
    again = client.request(
        "POST", "/executions", spelled, "application/json", Idempotency_Key="key"
    )
    assert (again.status, again.json) == (first.status, first.json)
    assert len(ports.executions.inputs) == 1


def test_the_same_key_with_another_body_is_a_conflict(client: AppClient, ports: AppPorts) -> None:
    client.post_json("/executions", request_body(), Idempotency_Key="key")
    started = dict(ports.executions.inputs)
    refused = client.post_json("/executions", request_body(subject="Other"), Idempotency_Key="key")
    assert (refused.status, refused.json["code"]) == (409, "IdempotencyConflict")
    assert refused.json["field"] == "Idempotency-Key"
    assert ports.executions.inputs == started


@pytest.mark.parametrize("key", ["", " ", "a b", "é", "k" * 81, "a/b", "a:b", "a.b", "<b>"])
def test_a_key_that_can_not_name_an_execution_is_refused(
    client: AppClient, ports: AppPorts, key: str
) -> None:
    """400 naming the header."""
    refused = client.post_json("/executions", request_body(), Idempotency_Key=key)
    assert (refused.status, refused.json["field"]) == (400, "Idempotency-Key")
    assert ports.executions.inputs == {}


@pytest.mark.parametrize("key", ["k", "k" * 80, "A-z_09"])
def test_a_key_of_up_to_80_letters_and_digits_is_allowed(client: AppClient, key: str) -> None:
    started = client.post_json("/executions", request_body(), Idempotency_Key=key)
    assert started.json["execution"] == key


def test_an_execution_without_an_approval_yet_has_null_for_it(client: AppClient) -> None:
    client.post_json("/executions", request_body(), Idempotency_Key="release-42")
    assert client.get("/executions/release-42").json == {
        "execution": "release-42",
        "executionArn": EXECUTION,
        "status": "RUNNING",
        "outcome": None,
        "approval": None,
        "approvals": [],
    }


def test_an_execution_has_its_approval(client: AppClient, ports: AppPorts) -> None:
    """As the approval's own route shows it."""
    client.post_json("/executions", request_body(), Idempotency_Key="release-42")
    approval_id = request_approval(ports)
    shown = client.get("/executions/release-42").json
    assert shown["outcome"] == "pending"
    assert shown["approval"] == client.get(f"/approvals/{approval_id}").json


@pytest.mark.parametrize("accept", [None, "application/json", BROWSER])
@pytest.mark.parametrize("path", ["/approvals/unknown", "/executions/unknown"])
def test_an_unknown_name_is_not_found(client: AppClient, path: str, accept: str | None) -> None:
    """404, as JSON or as a page."""
    found = client.get(path, accept)
    assert found.status == 404
    assert found.is_page is (accept == BROWSER)


class WatchedExecutions(FakeExecutions):
    """Counts the calls of `describe`."""

    described = 0

    def describe(self, name: str) -> ExecutionJson:
        self.described += 1
        return super().describe(name)


def test_a_name_that_no_execution_can_have_is_not_looked_up(
    client: AppClient, ports: AppPorts
) -> None:
    """Step Functions refuses ARNs over 256 characters with an error that would become a 503."""
    ports.executions = executions = WatchedExecutions(ports.effects)
    assert client.get(f"/executions/{'n' * 300}").status == 404
    assert executions.described == 0


@pytest.mark.parametrize("name", ["v1.2+rc", "第四版"])
def test_an_execution_is_found_by_every_name_it_can_have(
    client: AppClient, ports: AppPorts, name: str
) -> None:
    """API Gateway hands a name on percent-encoded, as it was sent; the log has it decoded."""
    ports.executions.start(name, "{}")
    found = client.get(f"/executions/{quote(name)}")
    assert (found.status, found.json["execution"]) == (200, name)
    assert ports.logged[-1]["execution"] == name


def test_health_names_the_stage(client: AppClient) -> None:
    assert client.get("/health").json == {"status": "ok", "stage": "test"}
