"""The picture of a terminal in README: the command `assent`, over the client's fake."""

import re
from datetime import UTC, datetime
from importlib import import_module
from io import StringIO
from unittest.mock import patch

from assent_client.commands import Session, assent, listing, output, waiting
from assent_client.testing import FakeAssent
from click.testing import CliRunner
from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.text import Text

WIDTH = 116
NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
START = (
    "start --subject 'Release 4.2.0 of the shop?' --approver ada@example.com \\\n"
    "    --approver grace@example.com --needed 2 --wait"
)
# Rich's own names a font on another site, which no picture of ours fetches.
FORMAT = re.sub(r"@font-face \{\{.*?\}\}\s*", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)


def terminal_svg() -> str:
    """Return the picture: who has decided while `start --wait` waits, then `list` and `show`."""
    api = FakeAssent(NOW)
    ada, grace = "ada@example.com", "grace@example.com"
    name = "release-4-2-0"
    request = {"subject": "Release 4.2.0 of the shop?", "approvers": [ada, grace]}
    details = {"Version": "4.2.0", "Window": "14:00 to 15:00 UTC"}
    api.start(request | {"approvalsNeeded": 2, "details": details}, key=name)
    question = {"subject": "Delete the backups of 2019?", "approvers": ["linus@example.com"]}
    api.start(question | {"requestedBy": "margaret@example.com"}, key="backups")
    approval = api.execution(name)["approval"]
    assert approval is not None
    api.later(minutes=12)
    api.decide(approval["id"], ada, "approve", "Tests are green")
    screen = Console(width=WIDTH, record=True, file=StringIO(), force_terminal=True)

    def typed(line: str) -> None:
        screen.print(Text(f"$ assent {line}", "bold"))

    def left(expires_at: str) -> str:
        return output.left(expires_at, api.now)

    with (
        patch.object(Session, "api", api),
        patch.object(listing, "left", left),
        patch.object(waiting, "left", left),
        patch.object(import_module("assent_client.commands.show"), "left", left),
        patch.object(output, "console", lambda: _console(StringIO())),
    ):
        typed(START)
        screen.print(waiting._picture(api.execution(name)))
        screen.print()
        for line in ("list", f"show --execution {name}"):
            typed(line)
            printed = CliRunner(env={"ASSENT_URL": api.url}).invoke(
                assent, line.split(), color=True, catch_exceptions=False
            )
            screen.print(Text.from_ansi(printed.stdout))
    return screen.export_svg(title="assent", code_format=FORMAT, unique_id="assent")


def _console(file: StringIO) -> Console:
    return Console(width=WIDTH, file=file, force_terminal=True, highlight=False)
