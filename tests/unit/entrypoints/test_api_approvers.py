"""The operators' routes of approvers: status, invitation, delegation, confirmation."""

import json
from urllib.parse import quote

import pytest

from chalicelib.application.ports import Subscription
from tests.builders import request_approval
from tests.unit.entrypoints.client import ADA, AppClient, AppPorts

URL = "https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn={}&Token={}"


@pytest.mark.parametrize("path", ["ada@example.com", "ada%40example.com", quote(ADA, safe="")])
def test_an_address_in_a_path_may_be_percent_encoded(
    client: AppClient, ports: AppPorts, path: str
) -> None:
    ports.mailer.subscriptions[ADA] = "pending"
    response = client.get(f"/approvers/{path}")
    assert (response.status, response.json) == (200, {"approver": ADA, "subscription": "pending"})


@pytest.mark.parametrize("address", ["a+b@example.com", "a&b=c@example.com", "a#b?@example.com"])
def test_every_character_of_an_address_arrives_as_it_is(
    client: AppClient, ports: AppPorts, address: str
) -> None:
    """A plus sign isn't a blank."""
    ports.mailer.subscriptions[address] = "none"
    response = client.request("PUT", f"/approvers/{quote(address, safe='')}")
    assert response.json["approver"] == address
    assert ports.mailer.invitations == [address]


@pytest.mark.parametrize(
    ("before", "after"), [("none", "pending"), ("pending", "pending"), ("confirmed", "confirmed")]
)
def test_put_invites_an_approver_and_may_be_repeated(
    client: AppClient, ports: AppPorts, before: Subscription, after: Subscription
) -> None:
    ports.mailer.subscriptions[ADA] = before
    for _ in range(2):
        response = client.request("PUT", f"/approvers/{ADA}")
        assert (response.status, response.json["subscription"]) == (200, after)


def test_put_with_a_body_stores_a_delegation(client: AppClient, ports: AppPorts) -> None:
    """The status shows it; a bad one is refused by field."""
    period = b'"from": "2026-11-22T09:00:00Z", "until": "%s"'
    body = b'{"delegate": "grace@example.com", "by": "boss@example.com", ' + period + b"}"
    stored = client.request("PUT", f"/approvers/{ADA}", body % b"2026-11-29T09:00:00Z")
    assert (stored.status, stored.json["absence"]["delegate"]) == (200, "grace@example.com")
    assert stored.json["absence"]["by"] == ports.logged[-1]["by"] == "boss@example.com"
    assert client.get(f"/approvers/{ADA}").json == stored.json
    before = ports.snapshot()
    refused = client.request("PUT", f"/approvers/{ADA}", body % b"2026-11-21T09:00:00Z")
    assert (refused.status, refused.json["field"]) == (400, "until")
    assert ports.snapshot() == before


@pytest.mark.usefixtures("ports")
def test_delete_ends_a_delegation_and_may_be_repeated(client: AppClient) -> None:
    """204 without a body; the approver stays."""
    body = {"delegate": "grace@example.com", "from": "2026-11-22T09:00:00Z"}
    client.request(
        "PUT", f"/approvers/{ADA}", json.dumps(body | {"until": "2026-11-29T09:00:00Z"}).encode()
    )
    for _ in range(2):
        ended = client.request("DELETE", f"/approvers/{quote(ADA)}/delegation")
        assert (ended.status, ended.raw) == (204, b"")
        shown = client.get(f"/approvers/{ADA}").json
        assert shown == {"approver": ADA, "subscription": "confirmed"}
    assert client.request("DELETE", "/approvers/nobody/delegation").status == 400


def test_delete_forgets_an_approver_and_may_be_repeated(client: AppClient, ports: AppPorts) -> None:
    """204 without a body."""
    for _ in range(2):
        response = client.request("DELETE", f"/approvers/{ADA}")
        assert (response.status, response.raw) == (204, b"")
    assert ports.mailer.subscriptions[ADA] == "none"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize("address", ["nobody", "a@b", "%00@example.com", "a b@example.com", "@"])
def test_a_path_that_is_no_address_is_refused(
    client: AppClient, ports: AppPorts, method: str, address: str
) -> None:
    """400, and SNS isn't asked."""
    assert client.request(method, f"/approvers/{quote(address, safe='%')}").status == 400
    assert ports.effects.done == []


def test_a_permanent_refusal_of_sns_is_named(client: AppClient, ports: AppPorts) -> None:
    """409 with SNS's name for it; an address that SNS takes no mail for is a bad request."""
    ports.mailer.subscriptions[ADA] = "none"
    ports.mailer.refuses = "TopicLimitExceeded"
    refused = client.request("PUT", f"/approvers/{ADA}")
    assert (refused.status, refused.json["code"]) == (409, "Refused")
    assert "TopicLimitExceeded" in refused.json["message"]
    ports.mailer.refuses = "InvalidParameter"
    refused = client.request("PUT", f"/approvers/{ADA}")
    assert (refused.status, refused.json["code"]) == (400, "InvalidRequest")


@pytest.mark.parametrize(("method", "status"), [("GET", 400), ("PUT", 400), ("DELETE", 204)])
def test_an_approver_at_a_foreign_domain_can_only_be_deleted(
    client: AppClient, method: str, status: int
) -> None:
    assert client.request(method, "/approvers/ada@elsewhere.org").status == status


def test_a_foreign_subscription_is_shown_until_the_approver_is_deleted(
    client: AppClient, ports: AppPorts
) -> None:
    """GET and PUT answer 409 with its name; DELETE removes the topic with all subscriptions."""
    ports.mailer.foreign = {ADA}
    for method in ("GET", "PUT"):
        refused = client.request(method, f"/approvers/{ADA}")
        assert (refused.status, refused.json["code"]) == (409, "Refused")
        assert "ForeignSubscription" in refused.json["message"]
        assert ports.mailer.invitations == []
    assert client.request("DELETE", f"/approvers/{ADA}").status == 204
    assert client.get(f"/approvers/{ADA}").json["subscription"] == "none"


def test_an_operator_confirms_an_approver(client: AppClient, ports: AppPorts) -> None:
    """With the address of the link in SNS's invitation."""
    ports.mailer.subscriptions[ADA] = "pending"
    url = URL.format(ports.mailer.topic_arn(ADA), "ab" * 32)
    response = client.post_json(f"/approvers/{ADA}/confirmation", {"url": url})
    assert (response.status, response.json["subscription"]) == (200, "confirmed")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "url"), ({"url": 7}, "url"), ({"url": "x"}, "url"), ({"url": "x" * 3000}, "url"),
        ({"url": "x", "link": "x"}, "link"),
    ],
)  # fmt: skip
def test_a_bad_confirmation_is_refused(
    client: AppClient, ports: AppPorts, body: object, field: str
) -> None:
    """400 with the field; nothing is confirmed."""
    before = ports.snapshot()
    refused = client.post_json(f"/approvers/{ADA}/confirmation", body)
    assert (refused.status, refused.json["field"]) == (400, field)
    assert ports.snapshot() == before


def test_approvers_are_listed_with_their_mail_and_what_waits(
    client: AppClient, ports: AppPorts
) -> None:
    """By a request or an operator's invitation; a removed one isn't listed."""
    ports.mailer.subscriptions = {ADA: "none", "linus@example.com": "none"}
    request_approval(ports, approvers=[ADA, "grace@example.com"])
    ports.later(minutes=1)
    for invited in ("linus@example.com", "gone@example.com"):
        client.request("PUT", f"/approvers/{invited}")
    client.request("DELETE", "/approvers/gone@example.com")
    ports.mailer.foreign.add("linus@example.com")
    assert client.get("/approvers").json == {
        "approvers": [
            {
                "approver": "linus@example.com",
                "subscription": "refused",
                "refusal": "ForeignSubscription",
                "waiting": 0,
            },
            {"approver": ADA, "subscription": "pending", "waiting": 1},
        ],
        "next": None,
    }


def test_a_list_of_approvers_goes_on_where_its_page_ended(client: AppClient) -> None:
    """A place that no page gave is refused by name."""
    names = [f"p{n}@example.com" for n in range(3)]
    for one in names:
        client.request("PUT", f"/approvers/{one}")
    first = client.get("/approvers?limit=2").json
    second = client.get(f"/approvers?limit=2&next={quote(first['next'])}").json
    assert (len(first["approvers"]), second["next"]) == (2, None)
    listed = {one["approver"] for one in [*first["approvers"], *second["approvers"]]}
    assert listed == set(names)
    refused = client.get("/approvers?next=yesterday")
    assert (refused.status, refused.json["field"]) == (400, "next")
