"""The one kind of error that a person at the command line is meant to read."""

import click


class ToolError(click.ClickException):
    """What the person can put right; the message says how. click prints it and exits with 1."""
