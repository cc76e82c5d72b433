"""Links of a request under a policy: groups on the pages, and approving alone."""

import json
from typing import Any

import pytest

from chalicelib.application import asking, policies
from tests.builders import task_request
from tests.policies import OPERATOR, policy_body
from tests.unit.entrypoints.client import JSON, AppClient, AppPorts

SAM, OPS, CTO = "sam@example.com", "ops1@example.com", "cto@example.com"


@pytest.fixture
def asked(ports: AppPorts) -> str:
    """Ask under a policy of one of security and two of operations; return the approval's id."""
    body = policy_body(breakGlass=[CTO, SAM])
    policies.write_policy(ports, "release", body, replaces=None, by=OPERATOR)
    task = task_request() | {"request": {"subject": "Release 4.2", "policy": "release"}}
    approval_id = asking.request_approval(ports, task, "function")
    assert approval_id is not None
    return approval_id


def press(
    client: AppClient, ports: AppPorts, person: str, page: str = "approve", **fields: str
) -> Any:
    return client.post_form(f"/{page}/{ports.token_mailed_to(person)}", **fields)


@pytest.mark.usefixtures("asked")
def test_a_page_says_for_which_group_its_reader_decides(client: AppClient, ports: AppPorts) -> None:
    """And what each group needs."""
    text = client.get(f"/approve/{ports.token_mailed_to(OPS)}", "text/html").text
    assert "Policy release, version 1, needs 1 of 2 in security and 2 of 3 in operations;" in text
    assert "<strong>ops1@example.com</strong>, for operations." in text
    assert "Approve alone" not in text


def test_each_group_counts_and_the_page_says_which_still_waits(
    client: AppClient, ports: AppPorts, asked: str
) -> None:
    text = press(client, ports, SAM).text
    assert "Still needed: 2 approvals for operations, from ops1@example.com" in text
    press(client, ports, OPS)
    assert ports.store.get(asked).outcome == "pending"  # type: ignore[union-attr]
    text = press(client, ports, "ops2@example.com").text
    assert "approved for operations" in text
    result = json.loads(ports.executions.answers[0].output or "")
    assert result["policy"] == {"name": "release", "version": 1}
    assert result["groups"] == [
        {"name": "security", "approvalsNeeded": 1, "approvals": 1},
        {"name": "operations", "approvalsNeeded": 2, "approvals": 2},
    ]
    assert [d["group"] for d in result["decisions"]] == ["security", "operations", "operations"]
    assert len(result["shown"]) == 64


@pytest.mark.usefixtures("asked")
def test_who_is_in_no_group_has_one_button(client: AppClient, ports: AppPorts) -> None:
    """By either link; the mail has one."""
    token = ports.token_mailed_to(CTO)
    assert f"/reject/{token}" not in ports.mailer.sent[-1][1].text
    for page in ("approve", "reject"):
        text = client.get(f"/{page}/{token}", "text/html").text
        assert text.count("<button") == 1
        assert f'name="breakGlass" value="yes" formaction="../approve/{token}"' in text


@pytest.mark.parametrize("person", [CTO, SAM])
def test_an_approval_alone_resumes_with_the_mark(
    client: AppClient, ports: AppPorts, asked: str, person: str
) -> None:
    """In result, event and answer; everybody else is mailed."""
    answer = press(client, ports, person, reason="Checkout is down", breakGlass="yes")
    assert answer.status == 200
    approval = ports.store.get(asked)
    assert approval is not None
    assert (approval.outcome, approval.events[-2].note) == ("approved", "break-glass")
    result = json.loads(ports.executions.answers[0].output or "")
    assert result["breakGlass"] is True
    assert result["decisions"][0]["breakGlass"] is True
    seen = client.get(f"/approvals/{asked}").json
    assert seen["breakGlass"] is True
    assert [d["decision"]["breakGlass"] for d in seen["approvers"] if d["decision"]] == [True]


@pytest.mark.parametrize(
    ("person", "page", "fields", "field"),
    [
        (CTO, "approve", {"breakGlass": "yes"}, "reason"),
        (CTO, "approve", {"reason": "x"}, "breakGlass"),
        (CTO, "reject", {"reason": "x"}, "breakGlass"),
        (CTO, "reject", {"reason": "x", "breakGlass": "yes"}, "breakGlass"),
        (OPS, "approve", {"reason": "x", "breakGlass": "yes"}, "breakGlass"),
        (SAM, "reject", {"reason": "x", "breakGlass": "yes"}, "breakGlass"),
        (SAM, "approve", {"reason": "x", "breakGlass": "true"}, "breakGlass"),
        (CTO, "reassign", {"to": "max@example.com"}, "from"),
    ],
)
def test_a_press_that_is_not_allowed_changes_nothing(
    client: AppClient,
    ports: AppPorts,
    asked: str,
    person: str,
    page: str,
    fields: dict[str, str],
    field: str,
) -> None:
    """A program gets the field, a browser the page again."""
    before = ports.snapshot()
    path = f"/{page}/{ports.token_mailed_to(person)}"
    refused = client.post_json(path, fields, JSON)
    assert (refused.status, refused.json["field"]) == (400, field)
    shown = client.post_form(path, **fields)
    assert shown.status == 400
    assert "<h1" in shown.text
    assert ports.snapshot() == before
    assert ports.store.get(asked).outcome == "pending"  # type: ignore[union-attr]


def test_an_inbox_does_not_approve_alone(client: AppClient, ports: AppPorts, asked: str) -> None:
    """It decides for a group; for who is in none it shows and decides nothing."""
    token = ports.token_mailed_to(SAM, "inbox")
    waiting = client.get(f"/inbox/{token}", JSON).json["approvals"]
    assert [one["policy"]["name"] for one in waiting] == ["release"]
    press = {"choice": "approve", "chosen": [asked], "reason": "x", "confirmed": "yes"}
    refused = client.post_json(f"/inbox/{token}", press | {"breakGlass": "yes"}, JSON)
    assert (refused.status, refused.json["field"]) == (400, "breakGlass")
    assert ports.store.waiting_for(CTO, ports.now(), 10) == ([], "")
    assert client.post_json(f"/inbox/{token}", press, JSON).json["decided"][0]["id"] == asked
    assert ports.store.get(asked).outcome == "pending"  # type: ignore[union-attr]
