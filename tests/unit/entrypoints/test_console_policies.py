"""Policies in the console: listed, shown with their people, and what waits under them."""

import pytest

from chalicelib.application import asking, policies
from chalicelib.domain.invitation import Invitation
from tests.builders import task_request
from tests.policies import OPERATOR, policy_body
from tests.unit.entrypoints.client import AppClient, AppPorts
from tests.unit.entrypoints.console import Console

PAGE = "/console/policies/release"


@pytest.fixture
def console(client: AppClient, ports: AppPorts) -> Console:
    """Return a signed-in browser, in a stage with a policy."""
    body = policy_body(description="For <releases>.", breakGlass=["cto@example.com"])
    policies.write_policy(ports, "release", body, replaces=None, by=OPERATOR)
    return Console(client)


def ask(ports: AppPorts) -> None:
    task = task_request() | {"request": {"subject": "Release 4.2", "policy": "release"}}
    assert asking.request_approval(ports, task, "function")


def test_policies_are_listed_with_what_waits(console: Console, ports: AppPorts) -> None:
    ask(ports)
    page = console.get("/console/policies").text
    assert 'href="../console/policies/release"' in page
    assert "security 1 of 2, operations 2 of 3" in page
    assert "1 request<" in page
    assert "version 1, 22 Nov 2026, 09:00 UTC" in page


def test_a_policy_is_shown_with_its_people_and_what_waits(
    console: Console, ports: AppPorts
) -> None:
    """Each person leads to their page; text of its writer is text."""
    ports.mailer.subscriptions["ops1@example.com"] = "pending"
    ask(ports)
    page = console.get(PAGE).text
    assert "For &lt;releases&gt;." in page
    assert 'href="../../console/approvers/ops1@example.com"' in page
    assert "Invited, and has not confirmed" in page
    assert "These may approve alone, in an emergency:" in page
    assert "Release 4.2" in page
    assert OPERATOR in page


def test_a_policy_in_trouble_says_so(console: Console, ports: AppPorts) -> None:
    for name in ("sam", "sue"):
        ports.store.put_approver(f"{name}@example.com", Invitation(ports.now(), "InvalidParameter"))
    page = console.get(PAGE).text
    assert "Group security needs 1 approval, and nobody can give one" in page


def test_what_waits_under_a_policy_is_found(console: Console, ports: AppPorts) -> None:
    """By its name; another name finds nothing, and one that none can have is said."""
    ask(ports)
    page = console.get("/console?by=policy&q=release").text
    assert "Waiting under policy release: 1 request" in page
    assert "security 0 of 1, operations 0 of 2" in page
    assert "no request" in console.get("/console?by=policy&q=other").text
    wrong = console.get("/console?by=policy&q=A/B")
    assert (wrong.status, 'id="q-error"' in wrong.text) == (400, True)


@pytest.mark.parametrize("name", ["nothing", "A%2FB", "..%2F..", "n" * 200])
def test_a_policy_that_there_is_not_is_a_404(console: Console, name: str) -> None:
    assert console.get(f"/console/policies/{name}").status == 404


@pytest.mark.parametrize("path", ["/console/policies", PAGE])
def test_only_a_session_shows_policies(client: AppClient, path: str) -> None:
    assert client.get(path, "text/html").status == 403


def test_an_approval_under_a_policy_leads_to_it(console: Console, ports: AppPorts) -> None:
    ask(ports)
    (approval,) = ports.store.waiting_under("release", ports.now(), 10)[0]
    page = console.get(f"/console/approvals/{approval.id}").text
    assert '<a href="../../console/policies/release">release</a>, version 1' in page
    assert "approval by 1 of 2 in security and 2 of 3 in operations" in page
