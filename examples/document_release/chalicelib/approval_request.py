"""The request to Assent about a document, and the reason for which a document is held."""

import json
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .scan import ScannedChunk

MAX_SHOWN = 20
"""The number of findings that the mail lists with their line; the rest is one number."""

Json = dict[str, Any]


def approval_request(
    name: str, chunks: Iterable[ScannedChunk], *, approvers: Sequence[str], requested_by: str
) -> Json:
    """Return the request: the document's name, the count of findings by kind, the first by line.

    `chunks` come in the document's order. Only the findings that are shown are held in memory.
    """
    counts: Counter[str] = Counter()
    where: list[str] = []
    lines = 0
    for chunk in chunks:
        where += [
            f"line {lines + finding.line + 1:,}: {finding.kind} {finding.mask[:80]}"
            for finding in chunk.findings[: MAX_SHOWN - len(where)]
        ]
        counts.update(chunk.counts)
        lines += chunk.lines
    found = ", ".join(_counted(count, kind) for kind, count in sorted(counts.items()))
    found = found or "nothing"
    if counts.total() > len(where):
        where.append(f"... and {counts.total() - len(where):,} more")
    return {
        "subject": f"Release {_one_line(name, 100)}? Found: {_one_line(found, 80)}",
        "details": {"Document": _one_line(name, 1_000), "Found": found}
        | ({"Where": "\n".join(where)} if where else {}),
        "approvers": list(approvers),
        "onReject": "return",  # a rejection holds the document; it doesn't fail the execution
    } | ({"requestedBy": requested_by} if requested_by else {})


def hold_reason(because: Mapping[str, Any]) -> tuple[str, str]:
    """Return why a document isn't released: an error name and a sentence.

    `because` is Assent's result (`{"outcome", "decisions"}`), or the error that ended the scan or
    the approval (`{"Error", "Cause"}`).
    """
    if "outcome" in because:
        rejections = [
            f"{decision['approver']} ({decision['reason'] or 'no reason given'})"
            for decision in because["decisions"]
            if decision["decision"] == "reject"
        ]
        return "Rejected", f"rejected by {', '.join(rejections)}"
    error, cause = because["Error"], because.get("Cause", "")
    if error == "States.TaskFailed":  # of a child execution; its own error is in the cause
        child = _json(cause)
        error, cause = child.get("Error", error), child.get("Cause", cause)
    name = error.removeprefix("States.")  # which a Fail state may not use
    return name, _SENTENCES.get(name, cause[:2_000] or "no cause was given")


_SENTENCES = {
    "Expired": "no approver decided in time",
    "Cancelled": "the request was cancelled",
    "Timeout": "not every chunk was scanned in time",
}


def _json(text: str) -> Json:
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _counted(count: int, kind: str) -> str:
    ending = "" if count == 1 else "es" if kind.endswith("s") else "s"
    return f"{count:,} {kind}{ending}"


def _one_line(text: str, limit: int) -> str:
    """Return the text on one line of at most `limit` characters, all of them printable."""
    printable = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    if len(printable) <= limit:
        return printable
    end = limit - 3
    while end and unicodedata.category(printable[end]).startswith("M"):
        end -= 1  # An accent stays with its letter: macOS writes names so.
    return f"{printable[:end]}..."
