"""DELETE /approvals/{id}: erases personal data, keeps the outcome."""

from chalicelib.domain.errors import NotFound
from tests.builders import request_approval
from tests.unit.entrypoints.client import BROWSER, AppClient, AppPorts, new_link
from tests.unit.steps import decide, pass_minutes, run_tick, stored


def test_a_delivered_approval_is_erased(client: AppClient, ports: AppPorts) -> None:
    """200 with what is kept; the second time as well, and nothing is written."""
    approval_id = request_approval(ports, subject="A private question")
    decide(ports)
    run_tick(ports)
    erased = client.request("DELETE", f"/approvals/{approval_id}")
    assert (erased.status, erased.json["outcome"], erased.json["subject"]) == (
        200,
        "approved",
        "(erased)",
    )
    assert "ada@" not in erased.text
    assert stored(ports, approval_id).erased_at == ports.time
    before = ports.snapshot()
    ports.later(days=1)
    again = client.request("DELETE", f"/approvals/{approval_id}")
    assert (again.status, again.json) == (200, erased.json)
    assert ports.snapshot() == before
    assert client.get(f"/approvals/{approval_id}").json == erased.json


def test_what_is_not_delivered_is_refused(client: AppClient, ports: AppPorts) -> None:
    """409 while it is pending, and while its outcome is undelivered; nothing is written."""
    approval_id = request_approval(ports)
    for _ in range(2):
        before = ports.snapshot()
        refused = client.request("DELETE", f"/approvals/{approval_id}")
        assert (refused.status, refused.json["code"]) == (409, "NotSettled")
        assert ports.snapshot() == before
        decide(ports)  # its event isn't announced yet
    pass_minutes(ports, 1)
    assert client.request("DELETE", f"/approvals/{approval_id}").status == 200


def test_an_unknown_approval_is_not_found(client: AppClient) -> None:
    for name in ("unknown", "a" * 26):
        refused = client.request("DELETE", f"/approvals/{name}")
        assert (refused.status, refused.json["code"]) == (404, NotFound.code)


def test_the_links_of_an_erased_approval_lead_nowhere(client: AppClient, ports: AppPorts) -> None:
    """As those of an approval that never was."""
    token = new_link(ports)
    decide(ports)
    run_tick(ports)
    client.request("DELETE", f"/approvals/{token.partition('.')[0]}")
    for answer in (client.get(f"/approve/{token}", BROWSER), client.post_form(f"/reject/{token}")):
        assert answer.status == 404
        assert "Nothing found here" in answer.text


def test_the_request_of_an_erased_approval_is_still_known(
    client: AppClient, ports: AppPorts
) -> None:
    """A message that is delivered again asks nobody."""
    approval_id = request_approval(ports)
    decide(ports)
    run_tick(ports)
    client.request("DELETE", f"/approvals/{approval_id}")
    mailed = list(ports.mailer.sent)
    assert request_approval(ports) == approval_id
    assert ports.mailer.sent == mailed


def test_an_erased_approval_stays_listed(client: AppClient, ports: AppPorts) -> None:
    """By its outcome and by its execution."""
    approval_id = request_approval(ports)
    decide(ports)
    run_tick(ports)
    client.request("DELETE", f"/approvals/{approval_id}")
    (listed,) = client.get("/approvals?outcome=approved").json["approvals"]
    assert (listed["id"], listed["subject"]) == (approval_id, "(erased)")
    (found,) = ports.store.of_execution(stored(ports, approval_id).execution_arn)
    assert found.id == approval_id
