"""The headers of every kind of response."""

import re

import pytest

from tests.builders import request_body
from tests.unit.entrypoints.client import (
    BROWSER,
    FORM,
    JSON,
    AppClient,
    AppPorts,
    HttpResponse,
    new_link,
)
from tests.unit.entrypoints.pages import PAGES, path_of, request_by_mary

COMMON = {
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "strict-transport-security": "max-age=31536000",
}


def responses(client: AppClient, ports: AppPorts) -> dict[str, HttpResponse]:
    """Return a response of every kind that the app itself makes."""
    approval_id = request_by_mary(ports)
    token = ports.link()
    kinds = {
        **{page: client.get(path_of(ports, page), BROWSER) for page in PAGES},
        "page as json": client.get(f"/approve/{token}", JSON),
        "head": client.head(f"/approve/{token}"),
        "bad link": client.get("/approve/x", BROWSER),
        "bad link as json": client.get("/approve/x", JSON),
        "bad form": client.post_form(f"/reject/{token}"),
        "bad form to reassign": client.post_form(f"/reassign/{token}"),
        "too large": client.request("POST", f"/approve/{token}", b"x" * 200_000, FORM, BROWSER),
        "receipt": client.post_form(f"/approve/{token}"),
        "conflict": client.post_form(f"/reject/{token}", reason="r"),
        "started": client.post_json("/executions", request_body(), Idempotency_Key="key"),
        "refused": client.post_json("/executions", {}),
        "execution": client.get("/executions/key"),
        "approval": client.get("/approvals/unknown"),
        "audit report": client.get(f"/approvals/{approval_id}?format=text"),
        "approver": client.get("/approvers/ada@example.com"),
        "forgotten": client.request("DELETE", "/approvers/ada@example.com"),
        "unsupported type": client.request("POST", f"/approve/{token}", b"<a/>", "text/xml", JSON),
        "health": client.get("/health"),
    }
    ports.effects.faulty = {"executions.start"}
    kinds["unavailable"] = client.post_json("/executions", request_body())
    return kinds


def test_no_response_is_cached_or_indexed_and_none_sends_a_referrer(
    client: AppClient, ports: AppPorts
) -> None:
    """The address of some has a link token."""
    for kind, response in responses(client, ports).items():
        assert response.headers.items() >= COMMON.items(), kind
        assert "noindex" in response.headers["x-robots-tag"], kind


def test_every_page_forbids_scripts_frames_and_other_sources(
    client: AppClient, ports: AppPorts
) -> None:
    """Its forms post to its own origin alone."""
    pages = {kind: r for kind, r in responses(client, ports).items() if r.is_page}
    assert set(PAGES) < set(pages)
    for kind, page in pages.items():
        policy = page.headers["content-security-policy"]
        for rule in ("default-src 'none'", "frame-ancestors 'none'", "form-action 'self'"):
            assert rule in policy, kind
        assert "base-uri 'none'" in policy
        assert "unsafe" not in policy
        assert "script-src" not in policy
        assert page.headers["x-frame-options"] == "DENY"
        assert page.headers["content-type"] == "text/html; charset=utf-8"


def test_no_page_refers_to_anything_outside(client: AppClient, ports: AppPorts) -> None:
    """The server of an image, font or script would see the link."""
    for kind, page in responses(client, ports).items():
        if page.is_page and page.raw:
            refers = page.text.replace("xmlns='http://www.w3.org/2000/svg'", "")
            assert not re.search(r"https?://|src=|@import|url\(", refers), kind


def test_only_a_response_that_may_be_another_one_later_has_retry_after(
    client: AppClient, ports: AppPorts
) -> None:
    """503, in seconds."""
    for kind, response in responses(client, ports).items():
        assert ("retry-after" in response.headers) is (response.status == 503), kind
        assert int(response.headers.get("retry-after", 1)) > 0
        assert (response.status == 503) is (kind == "unavailable"), kind


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_a_response_of_chalice_itself_repeats_no_token(
    client: AppClient, ports: AppPorts, method: str
) -> None:
    """A method that isn't allowed never reaches the app's code."""
    token = new_link(ports)
    response = client.request(method, f"/approve/{token}")
    assert (response.status, token in response.text) == (405, False)
