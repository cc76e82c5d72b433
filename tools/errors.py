"""The errors that a command reports to its user, in the words of the Makefile."""

import click


class ToolError(click.ClickException):
    """An error that the user can fix; its message says how. click prints it and exits with 1."""


class MakeCommand(click.Command):
    """A command that `make` runs, so a bad option is named as make takes it: `PORT=`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Return what click does; raise ToolError for a value that it refuses."""
        try:
            return super().parse_args(ctx, args)
        except click.BadParameter as e:
            if e.param is None:
                raise
            option = max(e.param.opts, key=len).lstrip("-").replace("-", "_").upper()
            raise ToolError(f"bad {option}=: {e.message}") from e
