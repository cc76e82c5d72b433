"""What README.md tells people to copy, taken from it as it stands there."""

import json
import re
from pathlib import Path
from typing import Any

README = Path(__file__).parents[1] / "README.md"
ACCOUNT, STAGE = "111122223333", "dev"
"""What the samples are of."""
ENDS: dict[str, Any] = {
    "Release": {"Type": "Succeed"},
    "TellThem": {"Type": "Fail", "Error": "TheyWereTold"},
    "GiveUp": {"Type": "Pass", "End": True},
}
"""The states that the snippets go on to, the reader's own; GiveUp shows what was caught."""


def section(title: str) -> str:
    """Return what stands under a heading, down to the next one."""
    found = re.search(rf"^#+ {title}\n(.*?)(?=^#+ |\Z)", README.read_text(), re.M | re.S)
    assert found is not None, f"README.md has no heading {title}"
    return found[1]


def snippet(title: str) -> str:
    """Return the one fenced block under a heading."""
    (found,) = re.findall(r"^```\w+\n(.*?)^```$", section(title), re.M | re.S)
    text: str = found
    return text


def states(title: str) -> dict[str, Any]:
    """Return the definition of a state machine that begins with a snippet's states."""
    ours: dict[str, Any] = json.loads("{" + snippet(title) + "}")
    return {"StartAt": next(iter(ours)), "States": ours | ENDS}


def permissions(purpose: str) -> list[tuple[list[str], str]]:
    """Return the actions and the resource of each row that the table has for that purpose."""
    rows = re.findall(r"^\|(.*)\|(.*)\|(.*)\|$", section("Permissions"), re.M)
    found, last = [], ""
    for about, actions, resource in rows:
        last = about.strip() or last
        if last == purpose:
            found.append((re.findall(r"`([^`]+)`", actions), resource.strip(" `")))
    assert found, f"README.md has no permissions for {purpose}"
    return found
