"""Waiting for an execution: who has decided and the time that is left, until it has ended."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from ..errors import AssentError, NotFound
from ..types import Approval, Execution, Standing, Summary
from .output import approvals_of, left, outcome_of, plain

POLL = 3.0
"""Seconds between two looks at the execution."""
SHOWN_WITHIN = 120.0
"""Seconds within which Step Functions surely shows an execution that it has started."""
RUNNING = ("RUNNING", "PENDING_REDRIVE")


def wait_for(session: Any, name: str) -> int:
    """Return 0 once the execution has ended as approved, 1 if otherwise, 130 at Ctrl-C.

    A terminal shows how it stands, live; a file gets a line for each change.
    """
    try:
        with _view(quiet=session.as_json) as view:
            return 0 if _outcome(session.api, name, view) == "approved" else 1
    except KeyboardInterrupt:
        _say_how_to_go_on(name)
        return 130
    except AssentError:
        _say_how_to_go_on(name)
        raise


def _say_how_to_go_on(name: str) -> None:
    said = f"the request still waits; see: assent show --execution {name}"
    click.echo(plain(said), err=True)


def _outcome(api: Any, name: str, view: Any) -> str:
    """Wait until the execution has ended; return its outcome, or how it ended without one."""
    shown_by = time.monotonic() + SHOWN_WITHIN
    while True:
        try:
            found: Execution = api.execution(name)
        except NotFound:  # Step Functions shows an execution some moments after its start.
            if time.monotonic() > shown_by:
                raise
            view.pause(POLL)
            continue
        view.show(found)
        if found["status"] not in RUNNING:
            return str(found["outcome"] or found["status"].lower())
        view.pause(POLL)


def standing(approval: Approval) -> str:
    """Return in one line who has decided, and for whom the approval waits."""
    decided = [
        f"{one['approver']}: {one['decision']['decision']}"
        for one in approval["approvers"]
        if one["decision"] is not None
    ]
    waits = [
        one["approver"]
        for one in approval["approvers"]
        if one["decision"] is None and not one.get("replacedBy") and one.get("groups") != []
    ]
    if approval["outcome"] != "pending":
        return plain(f"{outcome_of(approval)} ({', '.join(decided) or 'nobody decided'})")
    return plain(f"waits for {', '.join(waits)}; {', '.join(decided) or 'nobody has decided'}")


class _Lines:
    """Writes a line to standard error when it stands differently; nothing if `quiet`."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._said = ""

    def show(self, found: Execution) -> None:
        """Write how it stands, unless that was written before."""
        approval = found["approval"]
        said = "" if approval is None or self._quiet else standing(approval)
        if said not in ("", self._said):
            click.echo(said, err=True)
            self._said = said

    def pause(self, seconds: float) -> None:
        """Sleep."""
        time.sleep(seconds)


class _Screen:
    """Shows in a terminal how it stands; the time that is left runs."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._found: Execution | None = None

    def show(self, found: Execution) -> None:
        """Show how it stands now."""
        self._found = found
        self._live.update(_picture(found), refresh=True)

    def pause(self, seconds: float) -> None:
        """Sleep, and let the time run."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            time.sleep(min(1.0, seconds))
            if self._found is not None:
                self._live.update(_picture(self._found), refresh=True)


@contextmanager
def _view(*, quiet: bool) -> Iterator[_Lines | _Screen]:
    if quiet or not sys.stderr.isatty():
        yield _Lines(quiet=quiet)
        return
    console = Console(stderr=True, highlight=False, markup=False, emoji=False)
    with Live(Text("starting"), console=console, auto_refresh=False) as live:
        yield _Screen(live)


def _picture(found: Execution) -> Group | Text:
    if not found["approvals"]:
        return Text(f"{plain(found['execution'])} has asked nobody yet", "dim")
    approval = found["approvals"][0]
    table = Table.grid(padding=(0, 2))
    for one in approval["approvers"]:
        mark, style = _mark(one)
        said = one["answer"] if not one["mail"] else one["mail"]
        table.add_row(Text(mark, style), Text(plain(one["approver"])), Text(plain(said), "dim"))
    return Group(Text(plain(approval["subject"]), "bold"), table, _headline(approval))


def _headline(approval: Summary) -> Text:
    """Return the outcome, or how far the quorum is and the time that is left."""
    if approval["outcome"] == "pending":
        far = approvals_of(approval) + ("" if "groups" in approval else " approvals")
        return Text(f"{plain(far)}; {left(approval['expiresAt'])} left", "cyan")
    return Text(
        plain(outcome_of(approval)), "green" if approval["outcome"] == "approved" else "red"
    )


def _mark(one: Standing) -> tuple[str, str]:
    if one["answer"].startswith("approved"):
        return "+", "bold green"
    if one["answer"].startswith("rejected"):
        return "-", "bold red"
    return "?", "yellow"
