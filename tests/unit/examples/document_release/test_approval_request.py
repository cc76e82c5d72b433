"""The request to Assent, and the reason for which a document is held."""

import json
from collections.abc import Iterable
from typing import Any

import pytest

from chalicelib.domain.validation import check_request
from examples.document_release.chalicelib.approval_request import (
    MAX_SHOWN,
    approval_request,
    hold_reason,
)
from examples.document_release.chalicelib.scan import Finding, ScannedChunk

ADA = "ada@example.com"


def request_for(
    name: str = "report.txt",
    chunks: Iterable[ScannedChunk] = (),
    requested_by: str = "documents@example.com",
) -> Any:
    """Return the request about a document with these chunks."""
    return approval_request(name, chunks, approvers=[ADA], requested_by=requested_by)


def card(line: int) -> Finding:
    """Return a finding on that line."""
    return Finding("card number", 0, line, "**** 1111")


def test_the_request_counts_the_findings_and_lists_the_first_by_line() -> None:
    """Lines are those of the document, from 1."""
    chunks = (
        ScannedChunk(0, 100, {"card number": 2}, [card(3), card(99)]),
        ScannedChunk(1, 50, {}, []),
        ScannedChunk(2, 7, {"card number": 1, "IBAN": 1200}, [card(0)]),
    )
    assert request_for(chunks=chunks) == {
        "subject": "Release report.txt? Found: 1,200 IBANs, 3 card numbers",
        "details": {
            "Document": "report.txt",
            "Found": "1,200 IBANs, 3 card numbers",
            "Where": "line 4: card number **** 1111\n"
            "line 100: card number **** 1111\n"
            "line 151: card number **** 1111\n"
            "... and 1,200 more",
        },
        "approvers": [ADA],
        "onReject": "return",
        "requestedBy": "documents@example.com",
    }


def test_a_document_without_findings_needs_approval_too() -> None:
    """The scan finds only what it knows."""
    request = request_for()
    assert request["subject"] == "Release report.txt? Found: nothing"
    assert request["details"] == {"Document": "report.txt", "Found": "nothing"}


@pytest.mark.parametrize(
    ("count", "kind", "text"),
    [
        (1, "e-mail address", "1 e-mail address"),
        (2, "e-mail address", "2 e-mail addresses"),
        (1, "IBAN", "1 IBAN"),
        (2, "private key", "2 private keys"),
    ],
)
def test_findings_are_counted_in_singular_and_plural(count: int, kind: str, text: str) -> None:
    """As one would write them."""
    chunk = ScannedChunk(0, 1, {kind: count}, [])
    assert request_for(chunks=[chunk])["details"]["Found"] == text


@pytest.mark.parametrize(
    "name",
    ["report.txt", "ü" * 900, "a\nb\r\tc\x00\x1b[31m", "\u202etxt.exe", "\u2028", " ", "🙂" * 300],
)
def test_assent_accepts_the_request_for_any_document_name(name: str) -> None:
    """With any number of findings: the mail lists MAX_SHOWN of them and the number of the rest."""
    many = [Finding("e-mail address", 0, n, "x***@" + "d" * 270) for n in range(10)]
    chunks = [ScannedChunk(n, 10, {"e-mail address": 10_000}, many) for n in range(10_000)]
    request = request_for(name, chunks)
    assert check_request(request, ("example.com",)).on_reject == "return"
    assert len(request["details"]["Where"].splitlines()) == MAX_SHOWN + 1


def test_a_long_name_is_cut_between_letters_and_not_before_an_accent() -> None:
    """The names of macOS have letters and accents apart."""
    for shift in ("", "x"):
        subject = request_for(shift + "e\u0301" * 60)["subject"]
        name = subject.removeprefix("Release ").partition("...")[0]
        assert name == shift + "e\u0301" * ((97 - len(shift)) // 2)


def test_the_requester_is_optional() -> None:
    """Without a requester the field is missing."""
    assert "requestedBy" not in request_for(requested_by="")


def child(error: str, cause: str = "{}") -> Any:
    """Return the error of a child execution that failed, as its parent gets it."""
    ended = {"ExecutionArn": "arn:...", "Status": "FAILED", "Error": error, "Cause": cause}
    return {"Error": "States.TaskFailed", "Cause": json.dumps(ended)}


def rejected(reason: str) -> Any:
    """Return Assent's result after one approval and one rejection."""
    made = [("bob@example.com", "approve", ""), (ADA, "reject", reason)]
    decisions = [dict(zip(("approver", "decision", "reason"), one, strict=True)) for one in made]
    return {"outcome": "rejected", "decisions": decisions}


@pytest.mark.parametrize(
    ("because", "error", "reason"),
    [
        (rejected("too early"), "Rejected", "rejected by ada@example.com (too early)"),
        (rejected(""), "Rejected", "rejected by ada@example.com (no reason given)"),
        (child("Expired"), "Expired", "no approver decided in time"),
        (child("Cancelled"), "Cancelled", "the request was cancelled"),
        (child("InvalidRequest", "approvers[0]"), "InvalidRequest", "approvers[0]"),
        ({"Error": "States.TaskFailed", "Cause": "no JSON"}, "TaskFailed", "no JSON"),
        ({"Error": "States.TaskFailed", "Cause": "[1]"}, "TaskFailed", "[1]"),
        ({"Error": "UnreadableChunk", "Cause": "chunk 3: ..."}, "UnreadableChunk", "chunk 3: ..."),
        ({"Error": "States.Timeout"}, "Timeout", "not every chunk was scanned in time"),
        ({"Error": "KeyError", "Cause": ""}, "KeyError", "no cause was given"),
    ],
)
def test_the_hold_reason_is_a_name_and_a_sentence(because: Any, error: str, reason: str) -> None:
    """After a rejection, after no decision, and after a fault."""
    assert hold_reason(because) == (error, reason)


def test_a_hold_reason_fits_into_step_functions() -> None:
    """A failed function's trace may be longer than a cause can be."""
    _, reason = hold_reason({"Error": "KeyError", "Cause": "x" * 40_000})
    assert len(reason) == 2_000
