"""CORE: what Assent is asked about a document, and in which words a document is held."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .scan import Looked

SHOWN = 20
"""How many findings stand in the mail with their line; of the others, how many there are."""

Json = dict[str, Any]


def question(
    name: str, looked: Iterable[Looked], approvers: Sequence[str], requested_by: str
) -> Json:
    """Return the request to Assent, with what was found: how much of what, and the first by line.

    `looked` are the chunks in their order; only the first findings are held in memory.
    """
    kinds: Counter[str] = Counter()
    where: list[str] = []
    lines = 0
    for chunk in looked:
        where += [
            f"line {lines + finding.line + 1:,}: {finding.kind} {finding.mask[:80]}"
            for finding in chunk.first[: SHOWN - len(where)]
        ]
        kinds.update(chunk.kinds)
        lines += chunk.lines
    found = ", ".join(_counted(count, kind) for kind, count in sorted(kinds.items()))
    found = found or "nothing of the kind"
    if kinds.total() > len(where):
        where.append(f"... and {kinds.total() - len(where):,} more")
    return {
        "subject": f"Release {_plain(name, 100)}? It holds {_plain(found, 80)}",
        "details": {"Document": _plain(name, 1_000), "Found": found}
        | ({"Where": "\n".join(where)} if where else {}),
        "approvers": list(approvers),
        "onReject": "return",  # a rejection is an answer, not a failure of ours
    } | ({"requestedBy": requested_by} if requested_by else {})


def why_held(because: Mapping[str, Any]) -> tuple[str, str]:
    """Return why a document isn't released: a name for it, and a sentence.

    `because` is Assent's answer (`{"outcome", "decisions"}`), or the error that ended the scan or
    the question (`{"Error", "Cause"}`).
    """
    if "outcome" in because:
        said = [
            f"{one['approver']} ({one['reason'] or 'no reason given'})"
            for one in because["decisions"]
            if one["decision"] == "reject"
        ]
        return "Rejected", f"rejected by {', '.join(said)}"
    error, cause = because["Error"], because.get("Cause", "")
    if error == "States.TaskFailed":  # so a parent sees its child fail; why is in the cause
        child = _json(cause)
        error, cause = child.get("Error", error), child.get("Cause", cause)
    name = error.removeprefix("States.")  # names that begin so are kept for Step Functions
    return name, _SENTENCES.get(name, cause[:2_000] or "nothing more is known")


_SENTENCES = {
    "Expired": "nobody answered in time",
    "Cancelled": "the request was withdrawn",
    "Timeout": "not every chunk was looked at in time",
}


def _json(text: str) -> Json:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _counted(count: int, kind: str) -> str:
    ending = "" if count == 1 else "es" if kind.endswith("s") else "s"
    return f"{count:,} {kind}{ending}"


def _plain(text: str, most: int) -> str:
    """Return the text on one line of at most that many characters, every one of them visible."""
    seen = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    return seen if len(seen) <= most else f"{seen[: most - 3]}..."
