"""The headers that every answer carries, whatever the answer is."""

import re

import pytest

from tests.builders import body
from tests.unit.entrypoints.client import BROWSER, FORM, JSON, Answered, DoorPorts, Doors, one_asked

COMMON = {
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


def answers(doors: Doors, ports: DoorPorts) -> dict[str, Answered]:
    """Return an answer of every kind that the app itself gives."""
    token = one_asked(ports)
    kinds = {
        "page": doors.get(f"/approve/{token}", BROWSER),
        "page as json": doors.get(f"/approve/{token}", JSON),
        "head": doors.ask("HEAD", f"/approve/{token}"),
        "unknown link": doors.get("/approve/x", BROWSER),
        "unknown link as json": doors.get("/approve/x", JSON),
        "bad form": doors.form(f"/reject/{token}"),
        "too large": doors.ask("POST", f"/approve/{token}", b"x" * 200_000, FORM, BROWSER),
        "receipt": doors.form(f"/approve/{token}"),
        "conflict": doors.form(f"/reject/{token}", reason="r"),
        "started": doors.json("/executions", body(), Idempotency_Key="key"),
        "refused": doors.json("/executions", {}),
        "execution": doors.get("/executions/key"),
        "approval": doors.get("/approvals/unknown"),
        "approver": doors.get("/approvers/ada@example.com"),
        "forgotten": doors.ask("DELETE", "/approvers/ada@example.com"),
        "health": doors.get("/health"),
    }
    ports.effects.faulty = {"executions.start"}
    kinds["away"] = doors.json("/executions", body())
    return kinds


def test_no_answer_is_stored_referred_to_or_guessed_at(doors: Doors, ports: DoorPorts) -> None:
    """Every kind of answer has them: a link token is in the address of some."""
    for kind, answer in answers(doors, ports).items():
        assert answer.headers.items() >= COMMON.items(), kind
        assert "noindex" in answer.headers["x-robots-tag"], kind


def test_every_page_forbids_scripts_frames_and_what_is_not_ours(
    doors: Doors, ports: DoorPorts
) -> None:
    """Nothing loads, nobody frames it, forms go home only."""
    pages = {kind: a for kind, a in answers(doors, ports).items() if a.is_page}
    assert len(pages) >= 5
    for kind, page in pages.items():
        policy = page.headers["content-security-policy"]
        for rule in ("default-src 'none'", "frame-ancestors 'none'", "form-action 'self'"):
            assert rule in policy, kind
        assert "base-uri 'none'" in policy
        assert "unsafe" not in policy
        assert "script-src" not in policy
        assert page.headers["x-frame-options"] == "DENY"
        assert page.headers["content-type"] == "text/html; charset=utf-8"


def test_a_page_refers_to_nothing_outside(doors: Doors, ports: DoorPorts) -> None:
    """No image, font or script whose server would see the link."""
    for kind, page in answers(doors, ports).items():
        if page.is_page and page.raw:
            assert not re.search(r"https?://|src=|@import|url\(", page.text), kind


def test_what_may_work_later_says_when(doors: Doors, ports: DoorPorts) -> None:
    """503 with Retry-After in seconds."""
    away = answers(doors, ports)["away"]
    assert away.status == 503
    assert int(away.headers["retry-after"]) > 0


def test_no_other_answer_says_to_come_back(doors: Doors, ports: DoorPorts) -> None:
    """Retry-After on an answer that would be the same again is a lie."""
    for kind, answer in answers(doors, ports).items():
        assert ("retry-after" in answer.headers) is (answer.status == 503), kind


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_what_chalice_answers_itself_tells_nothing(
    doors: Doors, ports: DoorPorts, method: str
) -> None:
    """A wrong method or type never reaches our doors; its answer repeats no token."""
    token = one_asked(ports)
    for answer in (
        doors.ask(method, f"/approve/{token}"),
        doors.ask("POST", f"/approve/{token}", b"<a/>", "text/xml"),
    ):
        assert answer.status in (405, 415)
        assert token not in answer.text


def test_a_type_that_is_refused_is_answered_by_our_doors(doors: Doors, ports: DoorPorts) -> None:
    """415 with the headers and the body of every other error."""
    answer = doors.ask("POST", f"/approve/{one_asked(ports)}", b"<a/>", "text/xml", JSON)
    assert answer.status == 415
    assert answer.headers.items() >= COMMON.items()
    assert answer.json.keys() >= {"code", "message"}
