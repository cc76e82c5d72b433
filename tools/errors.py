"""The error that a command reports to its user."""

import click


class ToolError(click.ClickException):
    """An error that the user can fix; its message says how. click prints it and exits with 1."""
