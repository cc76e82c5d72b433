"""Approvers in the console: seen, invited, confirmed, delegated for and removed."""

import pytest

from chalicelib.domain.errors import Unavailable
from tests.builders import request_approval
from tests.unit.entrypoints.client import ADA, AppClient, AppPorts
from tests.unit.entrypoints.console import Console
from tests.unit.entrypoints.functions import tick
from tests.unit.entrypoints.test_api_approvers import URL

GRACE, NEW = "grace@example.com", "new@example.com"
PAGE = f"/console/approvers/{ADA}"


@pytest.fixture
def console(client: AppClient, ports: AppPorts) -> Console:  # noqa: ARG001 (it must be set first)
    """Return a signed-in browser."""
    return Console(client)


def test_an_approver_is_invited_and_listed(console: Console, ports: AppPorts) -> None:
    """With the state of the subscription, and what waits for them."""
    ports.mailer.subscriptions[NEW] = "none"
    done = console.post("/console/approvers", email=f" {NEW} ")
    assert (done.status, "Invited: AWS" in done.text) == (200, True)
    assert ports.mailer.invitations == [NEW]
    request_approval(ports, approvers=[NEW])
    page = console.get("/console/approvers").text
    assert f'href="../console/approvers/{NEW}"' in page
    assert "has not confirmed" in page
    assert "1 request<" in page
    assert "Release 4.2" in console.get(f"/console/approvers/{NEW}").text


@pytest.mark.parametrize("email", ["", "new", "new@elsewhere.example", "<b>@example.com"])
def test_who_may_not_be_asked_is_not_invited(console: Console, ports: AppPorts, email: str) -> None:
    before = ports.snapshot()
    page = console.post("/console/approvers", email=email)
    assert (page.status, 'id="email-error"' in page.text) == (400, True)
    assert ports.snapshot() == before


def test_a_refusal_of_sns_is_shown(console: Console, ports: AppPorts) -> None:
    """With its name; the page of such an approver too."""
    ports.mailer.subscriptions[NEW] = "none"
    ports.mailer.refuses = "TopicLimitExceeded"
    page = console.post("/console/approvers", email=NEW)
    assert (page.status, "TopicLimitExceeded" in page.text) == (400, True)
    again = console.post(f"/console/approvers/{NEW}", change="invite")
    assert (again.status, "TopicLimitExceeded" in again.text) == (409, True)


def test_people_are_shown_and_changed_though_sns_is_away(
    console: Console, ports: AppPorts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error would have the operator do it again; and here they look for the cause."""
    console.post("/console/approvers", email=ADA)

    def away(_: str) -> str:
        raise Unavailable("SNS is away")

    monkeypatch.setattr(ports.mailer, "subscription", away)
    for path in ("/console/approvers", PAGE):
        page = console.get(path)
        assert (page.status, "SNS does not answer just now" in page.text) == (200, True)
    done = console.post(PAGE, change="delegate", delegate=GRACE, until="2026-11-30")
    assert (done.status, 'role="status"' in done.text) == (200, True)
    assert console.post(PAGE, change="end").status == 200
    assert console.post(PAGE, change="remove", confirmed="yes").status == 200
    changes = [line["change"] for line in ports.logged if "change" in line]
    assert changes == ["invite", "delegate", "end", "remove"]


def test_an_unknown_change_is_named(console: Console) -> None:
    page = console.post(PAGE, change="promote")
    assert (page.status, "invite, confirm, delegate, end, remove" in page.text) == (400, True)


def test_a_delegation_is_stored_and_ended(console: Console, ports: AppPorts) -> None:
    """By the session's principal; a bad day is named and changes nothing."""
    days = {"from": "2026-11-23", "until": "2026-11-30", "reason": "On holiday"}
    done = console.post(PAGE, change="delegate", delegate=GRACE, **days)
    assert (done.status, GRACE in done.text) == (200, True)
    found = ports.store.delegation(ADA)
    assert found is not None
    assert (found.by, found.principal, found.reason) == ("operator", "operator", "On holiday")
    wrong = console.post(PAGE, change="delegate", delegate=GRACE, until="soon")
    assert (wrong.status, 'id="until-error"' in wrong.text) == (400, True)
    itself = console.post(PAGE, change="delegate", delegate=ADA, until="2026-11-30")
    assert itself.status == 400
    assert ports.store.delegation(ADA) == found
    assert console.post(PAGE, change="end").status == 200
    ended = ports.store.delegation(ADA)
    assert ended is not None
    assert ended.ended
    tick()
    assert {to for to, email in ports.mailer.sent} == {ADA, GRACE}


def test_an_approver_is_removed_after_a_second_look(console: Console, ports: AppPorts) -> None:
    console.post("/console/approvers", email=ADA)
    before = ports.snapshot()
    look = console.post(PAGE, change="remove")
    assert "look once more" in look.text
    assert ports.snapshot() == before
    removed = console.post(PAGE, change="remove", confirmed="yes")
    assert (removed.status, "The approver is removed." in removed.text) == (200, True)
    assert ports.mailer.subscription(ADA) == "none"
    assert ADA not in console.get("/console/approvers").text


def test_an_approver_is_confirmed_from_the_page_that_inviting_leads_to(
    console: Console, ports: AppPorts
) -> None:
    """Each form of that page posts to the approver's own address."""
    ports.mailer.subscriptions[ADA] = "pending"
    invited = console.post("/console/approvers", email=ADA)
    assert "Confirm for them" in invited.text
    assert "action=" not in invited.text.partition("<main")[2], "forms post to their own page"
    url = URL.format(ports.mailer.topic_arn(ADA), "ab" * 32)
    confirmed = console.post(PAGE, change="confirm", url=url)
    assert (confirmed.status, "Confirmed: mail reaches them" in confirmed.text) == (200, True)
    assert ports.mailer.subscription(ADA) == "confirmed"


def test_what_was_done_is_said_only_where_our_own_page_led(console: Console) -> None:
    """A link from elsewhere would tell of what never happened."""
    assert 'role="status"' not in console.get(f"{PAGE}?done=invite").text


@pytest.mark.parametrize(
    "url", ["", "https://evil.example.net", "javascript:alert(1)", "x" * 3_000]
)
def test_a_link_that_confirms_nothing_is_refused(
    console: Console, ports: AppPorts, url: str
) -> None:
    ports.mailer.subscriptions[ADA] = "pending"
    page = console.post(PAGE, change="confirm", url=url)
    assert (page.status, page.is_page) == (400, True)
    assert ports.mailer.subscription(ADA) == "pending"


@pytest.mark.parametrize("path", ["x", "%20", "a%2Fb", "..%2Fconsole", "<b>", "x" * 300])
def test_a_path_that_is_no_address_is_refused(console: Console, path: str) -> None:
    page = console.get(f"/console/approvers/{path}")
    assert (page.status, page.is_page) == (400, True)
    assert "<b>" not in page.text


def test_an_odd_address_has_a_page(console: Console) -> None:
    """Its characters mean something in a path, and in HTML."""
    odd = "o'brien+x/y&z?%23@example.com"
    console.post("/console/approvers", email=odd)
    listed = console.get("/console/approvers").text
    path = "o%27brien%2Bx%2Fy%26z%3F%2523@example.com"
    assert f'href="../console/approvers/{path}"' in listed
    page = console.get(f"/console/approvers/{path}")
    assert "o&#39;brien+x/y&amp;z?%23@example.com" in page.text
