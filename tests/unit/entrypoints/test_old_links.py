"""Links of mails and pages that were made before 0.9 still open."""

import pytest

from tests.builders import request_approval
from tests.unit.entrypoints.client import ADA, BROWSER, JSON, AppClient, AppPorts, new_link
from tests.unit.steps import stored

GRACE = "grace@example.com"


@pytest.mark.parametrize("accept", [BROWSER, JSON])
def test_an_old_inbox_link_opens_the_inbox(client: AppClient, ports: AppPorts, accept: str) -> None:
    """`/mine/{token}`, by GET and HEAD as `/inbox/{token}`."""
    request_approval(ports)
    token = ports.token_mailed_to(ADA, "inbox")
    old, new = (client.get(f"/{name}/{token}", accept) for name in ("mine", "inbox"))
    assert (old.status, old.text) == (200, new.text)
    assert client.head(f"/mine/{token}", accept).status == 200


def test_an_old_inbox_link_decides(client: AppClient, ports: AppPorts) -> None:
    approval_id = request_approval(ports)
    path = f"/mine/{ports.token_mailed_to(ADA, 'inbox')}"
    done = client.post_form(path, chosen=approval_id, choice="approve", confirmed="yes")
    assert "You approved 1 request" in done.text
    assert stored(ports, approval_id).outcome == "approved"


@pytest.mark.parametrize("accept", [BROWSER, JSON])
def test_an_old_link_to_reassign_opens_the_page(
    client: AppClient, ports: AppPorts, accept: str
) -> None:
    """`/pass/{token}`, by GET and HEAD as `/reassign/{token}`."""
    token = new_link(ports)
    old, new = (client.get(f"/{name}/{token}", accept) for name in ("pass", "reassign"))
    assert (old.status, old.text) == (200, new.text)
    assert client.head(f"/pass/{token}", accept).status == 200


def test_an_old_link_to_reassign_reassigns(client: AppClient, ports: AppPorts) -> None:
    approval_id = request_approval(ports)
    assert client.post_form(f"/pass/{ports.link()}", to=GRACE).status == 200
    assert stored(ports, approval_id).approver(ADA).replaced_by == GRACE
