"""The command `console`: asks IAM for a link to the console, and opens it in a browser."""

import os
import sys
import webbrowser
from typing import Any

import click

from ..errors import Forbidden
from .output import print_json


@click.command()
@click.option("--read-only", is_flag=True, help="A session that may change nothing.")
@click.option("--no-browser", is_flag=True, help="Print the link, and open nothing.")
@click.pass_obj
def console(session: Any, read_only: bool, no_browser: bool) -> None:
    """Open the console in a browser, signed in as the principal of these credentials.

    The link works once, within two minutes; its session lasts eight hours.
    """
    try:
        offered = session.api.console_session(read_only=read_only)
    except Forbidden as e:
        if read_only:
            raise
        advice = "a session that may change nothing: assent console --read-only"
        raise Forbidden(e.status, e.code, f"{e.message}; {advice}") from None
    if session.as_json:
        print_json(offered)
        return
    click.echo(offered["url"])
    if not no_browser and sys.stdout.isatty() and _has_screen():
        webbrowser.open(offered["url"])
    if sys.stdout.isatty():
        click.echo("It works once, within two minutes.", err=True)


def _has_screen() -> bool:
    """Return whether a browser would have a window: on Linux one may run in the terminal."""
    on_linux = sys.platform.startswith("linux")
    return not on_linux or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
