"""The samples that README.md and docs/ tell people to copy, read from there as they are."""

import json
import re
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).parents[1]
DOCUMENTS = (_ROOT / "README.md", *sorted((_ROOT / "docs").glob("*.md")))
"""Where a heading is looked for; a heading that a test names stands in one of them alone."""
ACCOUNT, STAGE = "111122223333", "dev"
"""The account and the stage of all samples."""
NEXT_STATES: dict[str, Any] = {
    "Release": {"Type": "Succeed"},
    "TellThem": {"Type": "Fail", "Error": "TheyWereTold"},
    "GiveUp": {"Type": "Pass", "End": True},
}
"""The reader's own states that the samples go on to; GiveUp's output is what was caught."""


def section(title: str) -> str:
    """Return the text under a heading, down to the next one."""
    pattern = re.compile(rf"^#+ {title}\n(.*?)(?=^#+ |\Z)", re.M | re.S)
    found = [match[1] for document in DOCUMENTS for match in pattern.finditer(document.read_text())]
    assert len(found) == 1, f"{len(found)} documents have the heading {title}"
    return found[0]


def snippet(title: str, number: int = 0, of: int = 1) -> str:
    """Return a fenced block under a heading that has so many."""
    found: list[str] = re.findall(r"^```\w+\n(.*?)^```$", section(title), re.M | re.S)
    assert len(found) == of
    return found[number]


def states(title: str, of: int = 1) -> dict[str, Any]:
    """Return the definition of a state machine that begins with the first snippet's states."""
    sample: dict[str, Any] = json.loads("{" + snippet(title, of=of) + "}")
    return {"StartAt": next(iter(sample)), "States": sample | NEXT_STATES}


def permissions(purpose: str) -> list[tuple[list[str], str]]:
    """Return the actions and the resource of each row that the table has for that purpose."""
    rows = re.findall(r"^\|(.*)\|(.*)\|(.*)\|$", section("Permissions"), re.M)
    found, last = [], ""
    for about, actions, resource in rows:
        last = about.strip() or last
        if last == purpose:
            found.append((re.findall(r"`([^`]+)`", actions), resource.strip(" `")))
    assert found, f"the documentation has no permissions for {purpose}"
    return found
