"""The routes of policies: what they answer, and what they refuse."""

import json
from typing import Any
from urllib.parse import quote

import pytest

from chalicelib.application import asking, operating
from chalicelib.domain.commands import Cancel
from chalicelib.domain.invitation import Invitation
from tests.builders import task_request
from tests.policies import group, policy_body
from tests.unit.entrypoints.client import AppClient, AppPorts

PATH = "/policies/production-release"


def put(client: AppClient, path: str = PATH, body: Any = None) -> Any:
    sent = json.dumps(policy_body() if body is None else body).encode()
    return client.request("PUT", path, sent, "application/json")


def test_a_policy_is_written_read_listed_and_deleted(client: AppClient) -> None:
    written = put(client)
    assert written.status == 200
    assert (written.json["name"], written.json["version"]) == ("production-release", 1)
    assert written.json["writtenBy"]
    assert client.get(PATH).json == written.json | {"waiting": 0}
    assert client.get("/policies").json == {
        "policies": [written.json | {"waiting": 0}],
        "next": None,
    }
    assert client.request("DELETE", PATH).status == 204
    assert client.get(PATH).status == 404
    assert client.get(f"{PATH}?version=1").json == written.json
    assert client.get(f"{PATH}?version=2").json["deleted"] is True
    assert client.get("/policies").json == {"policies": [], "next": None}


def test_what_is_read_can_be_written_again(client: AppClient) -> None:
    """Every field is there, and it is no new version."""
    written = put(
        client,
        body=policy_body(
            description="For releases.",
            requesters=["*@example.com"],
            escalation={"after": 60, "approvers": ["lead@example.com"], "group": "operations"},
            breakGlass=["cto@example.com"],
        ),
    ).json
    assert put(client, body=written["policy"]).json == written
    assert put(client, body=policy_body(group("a", "x", needed="all"))).json["version"] == 2


def test_a_writer_who_read_another_version_gets_409(client: AppClient) -> None:
    put(client)
    other = policy_body(rejectionsNeeded=2)
    refused = put(client, f"{PATH}?replaces=0", other)
    assert (refused.status, refused.json["code"]) == (409, "VersionConflict")
    assert client.request("DELETE", f"{PATH}?replaces=7").status == 409
    assert put(client, f"{PATH}?replaces=1", other).json["version"] == 2


def test_a_dry_run_is_answered_and_not_written(client: AppClient, ports: AppPorts) -> None:
    before = ports.snapshot()
    assert put(client, f"{PATH}?dryRun=yes").json["version"] == 1
    assert ports.snapshot() == before
    assert client.get(PATH).status == 404


def test_check_says_whether_mail_reaches_its_people(client: AppClient, ports: AppPorts) -> None:
    put(client, body=policy_body(group("security", "sam")))
    ports.store.put_approver("sam@example.com", Invitation(ports.now(), "InvalidParameter"))
    checked = client.get(f"{PATH}?check=yes").json
    assert checked["people"] == [
        {
            "approver": "sam@example.com",
            "subscription": "refused",
            "refusal": "InvalidParameter",
        }
    ]
    assert checked["problems"] == [
        "group security needs 1 approval, and nobody can give one; SNS refuses sam@example.com"
    ]
    assert "people" not in client.get(PATH).json


@pytest.mark.parametrize(
    "name", ["Production-Release", "a%2Fb", "..%2F..%2Fapprovals", "n" * 200, "a.b", quote("ä")]
)
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_a_name_that_no_policy_can_have_is_a_400(
    client: AppClient, ports: AppPorts, method: str, name: str
) -> None:
    before = ports.snapshot()
    body = json.dumps(policy_body()).encode() if method == "PUT" else b""
    refused = client.request(method, f"/policies/{name}", body)
    assert (refused.status, refused.json["field"]) == (400, "policy")
    assert ports.snapshot() == before


@pytest.mark.parametrize(
    "query", ["version=0", "version=x", "check=no", "replaces=1", "version=99999999999", "x=y"]
)
def test_a_wrong_query_is_a_400(client: AppClient, query: str) -> None:
    put(client)
    assert client.get(f"{PATH}?{query}").status == 400


def test_what_waits_under_a_policy_is_counted_and_listed(
    client: AppClient, ports: AppPorts
) -> None:
    """Until it is decided."""
    put(client)
    task = task_request() | {"request": {"subject": "x", "policy": "production-release"}}
    approval_id = asking.request_approval(ports, task, "function")
    assert approval_id is not None
    assert client.get("/policies").json["policies"][0]["waiting"] == 1
    path = "/approvals?policy=production-release"
    (found,) = client.get(path).json["approvals"]
    assert found["id"] == approval_id
    assert found["policy"] == {"name": "production-release", "version": 1}
    assert [(g["name"], g["approvalsNeeded"], g["approvals"]) for g in found["groups"]] == [
        ("security", 1, 0),
        ("operations", 2, 0),
    ]
    operating.change(ports, approval_id, Cancel(), by="x", via="api")
    assert client.get(path).json["approvals"] == []
    assert client.get("/approvals?policy=Nope").status == 400
