"""AWS unavailable: 503 where nothing was recorded, and a receipt where the decision was."""

import pytest

from chalicelib.application.ports import Subscription
from chalicelib.domain import link_tokens
from chalicelib.domain.approval import Approval
from chalicelib.domain.errors import Unavailable
from tests.fakes import FakeMailer, FakeStore
from tests.unit.entrypoints.client import BROWSER, JSON, AppClient, AppPorts, new_link
from tests.unit.entrypoints.functions import tick
from tests.unit.steps import use_store


class Unreadable(FakeStore):
    """A store that can't be read while `away`."""

    away = True

    def get(self, approval_id: str) -> Approval | None:
        if self.away:
            raise Unavailable("DynamoDB answered ThrottlingException; please try again")
        return super().get(approval_id)


@pytest.mark.parametrize("accept", [BROWSER, JSON])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_store_that_can_not_be_read_is_503(
    client: AppClient, ports: AppPorts, method: str, accept: str
) -> None:
    """With Retry-After and a reference, and without AWS's words; the link works later."""
    token = new_link(ports)
    store = use_store(ports, Unreadable(ports.effects))
    before = ports.snapshot()
    response = client.request(method, f"/approve/{token}", b"{}", JSON, accept)
    assert (response.status, response.is_page) == (503, accept == BROWSER)
    assert int(response.headers["retry-after"]) > 0
    assert "reference" in response.text
    assert "DynamoDB" not in response.text
    assert ports.snapshot() == before
    store.away = False
    assert client.post_form(f"/approve/{token}").status == 200


@pytest.mark.parametrize("accept", [BROWSER, JSON])
def test_a_decision_that_can_not_be_written_is_503(
    client: AppClient, ports: AppPorts, accept: str
) -> None:
    """The task isn't answered; pressing the button again decides."""
    token = new_link(ports)
    before = ports.snapshot()
    ports.effects.faulty = {"store.replace"}
    response = client.post_form(f"/reject/{token}", accept, reason="r")
    assert (response.status, response.is_page) == (503, accept == BROWSER)
    assert ports.snapshot() == before
    ports.effects.faulty = set()
    assert client.post_form(f"/reject/{token}", accept, reason="r").status == 200
    assert [answer.error for answer in ports.executions.answers] == ["Rejected"]


@pytest.mark.parametrize("choice", ["approve", "reject"])
def test_a_decision_whose_task_can_not_be_resumed_now_gets_a_receipt(
    client: AppClient, ports: AppPorts, choice: str
) -> None:
    """It says that the workflow will be told; after the tick, that it has been."""
    path = f"/{choice}/{new_link(ports)}"
    ports.effects.faulty = {"executions.answer"}
    receipt = client.post_form(path, reason="r")
    assert (receipt.status, "will be told within a few minutes" in receipt.text) == (200, True)
    ports.effects.faulty = set()
    ports.later(minutes=2)
    tick()
    again = client.post_form(path, reason="r")
    assert (again.status, "has been told" in again.text) == (200, True)


class NoAnswer(FakeMailer):
    """SNS that doesn't answer."""

    def subscription(self, address: str) -> Subscription:
        raise Unavailable(f"SNS didn't answer about {len(address)} characters")


@pytest.mark.parametrize("accept", [BROWSER, JSON])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/executions"),
        ("GET", "/approvals/" + link_tokens.approval_id("x")),
        ("GET", "/approvers/ada@example.com"),
        ("PUT", "/approvers/ada@example.com"),
        ("DELETE", "/approvers/ada@example.com"),
    ],
)
def test_an_operators_route_that_needs_aws_is_503(
    client: AppClient, ports: AppPorts, method: str, path: str, accept: str
) -> None:
    ports.mailer = NoAnswer(ports.effects)
    ports.store = Unreadable(ports.effects)
    ports.effects.faulty = {"executions.start", "mailer.forget"}
    raw = b'{"subject": "x", "approvers": ["ada@example.com"]}' if method == "POST" else b""
    response = client.request(method, path, raw, JSON, accept)
    assert (response.status, response.is_page) == (503, accept == BROWSER)
    assert "retry-after" in response.headers
