"""What people are asked, and why a document is held."""

import json
from typing import Any

import pytest

from chalicelib.domain.validation import check_request
from examples.document_release.chalicelib.question import SHOWN, question, why_held
from examples.document_release.chalicelib.scan import Finding, Looked

ADA = "ada@example.com"


def ask(name: str = "report.txt", looked: tuple[Looked, ...] = ()) -> Any:
    """Return the question about a document of these chunks."""
    return question(name, looked, [ADA], "documents@example.com")


def card(line: int) -> Finding:
    """Return a finding on that line."""
    return Finding("card number", 0, line, "**** 1111")


def test_the_question_says_what_was_found_and_where() -> None:
    """How much of what, and the first of it by line of the document, from 1."""
    looked = (
        Looked(0, 100, {"card number": 2}, [card(3), card(99)]),
        Looked(1, 50, {}, []),
        Looked(2, 7, {"card number": 1, "IBAN": 1200}, [card(0)]),
    )
    assert ask(looked=looked) == {
        "subject": "Release report.txt? It holds 1,200 IBANs, 3 card numbers",
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


def test_a_clean_document_is_asked_about_all_the_same() -> None:
    """That nothing was found is no leave to go."""
    asked = ask()
    assert asked["subject"] == "Release report.txt? It holds nothing of the kind"
    assert asked["details"] == {"Document": "report.txt", "Found": "nothing of the kind"}


@pytest.mark.parametrize(
    ("count", "kind", "said"),
    [
        (1, "e-mail address", "1 e-mail address"),
        (2, "e-mail address", "2 e-mail addresses"),
        (1, "IBAN", "1 IBAN"),
        (2, "private key", "2 private keys"),
    ],
)
def test_one_is_one_and_two_are_two(count: int, kind: str, said: str) -> None:
    """In words as people write them."""
    assert ask(looked=(Looked(0, 1, {kind: count}, []),))["details"]["Found"] == said


@pytest.mark.parametrize(
    "name",
    ["report.txt", "ü" * 900, "a\nb\r\tc\x00\x1b[31m", "\u202etxt.exe", "\u2028", " ", "🙂" * 300],
)
def test_assent_takes_the_question_whatever_the_documents_name(name: str) -> None:
    """And however much was found: at most so many lines, none of them longer than a mail's."""
    many = [Finding("e-mail address", 0, n, "x***@" + "d" * 270) for n in range(10)]
    looked = [Looked(n, 10, {"e-mail address": 10_000}, many) for n in range(10_000)]
    asked = question(name, looked, [ADA], "documents@example.com")
    request = check_request(asked, ("example.com",))
    assert request.on_reject == "return"
    assert len(asked["details"]["Where"].splitlines()) == SHOWN + 1


def test_nobody_need_ask() -> None:
    """Without a requester the field isn't sent."""
    assert "requestedBy" not in question("report.txt", [], [ADA], "")


def child(error: str, cause: str = "{}") -> Any:
    """Return what a parent finds of a child that failed."""
    ended = {"ExecutionArn": "arn:...", "Status": "FAILED", "Error": error, "Cause": cause}
    return {"Error": "States.TaskFailed", "Cause": json.dumps(ended)}


def rejected(reason: str) -> Any:
    """Return Assent's answer when one of two said no."""
    said = [("bob@example.com", "approve", ""), (ADA, "reject", reason)]
    decisions = [dict(zip(("approver", "decision", "reason"), one, strict=True)) for one in said]
    return {"outcome": "rejected", "decisions": decisions}


@pytest.mark.parametrize(
    ("because", "error", "reason"),
    [
        (rejected("too early"), "Rejected", "rejected by ada@example.com (too early)"),
        (rejected(""), "Rejected", "rejected by ada@example.com (no reason given)"),
        (child("Expired"), "Expired", "nobody answered in time"),
        (child("Cancelled"), "Cancelled", "the request was withdrawn"),
        (child("InvalidRequest", "approvers[0]"), "InvalidRequest", "approvers[0]"),
        ({"Error": "States.TaskFailed", "Cause": "no JSON"}, "TaskFailed", "no JSON"),
        ({"Error": "States.TaskFailed", "Cause": "[1]"}, "TaskFailed", "[1]"),
        ({"Error": "UnreadableChunk", "Cause": "chunk 3: ..."}, "UnreadableChunk", "chunk 3: ..."),
        ({"Error": "States.Timeout"}, "Timeout", "not every chunk was looked at in time"),
        ({"Error": "KeyError", "Cause": ""}, "KeyError", "nothing more is known"),
    ],
)
def test_the_reason_is_a_name_and_a_sentence(because: Any, error: str, reason: str) -> None:
    """Whether people said no, nobody said anything, or nobody could be asked."""
    assert why_held(because) == (error, reason)


def test_a_reason_is_no_longer_than_step_functions_takes() -> None:
    """A trace of a function that failed may be."""
    _, reason = why_held({"Error": "KeyError", "Cause": "x" * 40_000})
    assert len(reason) == 2_000
