"""Options of the commands that make runs: a bad one is named as make takes it."""

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from examples.__main__ import main as example
from tools.destroy import main as destroy
from tools.errors import ToolError
from tools.sandbox.__main__ import main as demo
from tools.sandbox.state import StateFile
from tools.template import main as template

A_FILE = str(Path(__file__))


@pytest.mark.parametrize(
    ("command", "arguments", "named"),
    [
        (demo, ["--port", "abc"], "PORT=: 'abc' is"),
        (demo, ["--inbox-port", "65536"], "INBOX_PORT=: 65536 is"),
        (demo, ["--dir", A_FILE], "DIR=: Directory"),
        (example, ["callback_basics", "--dir", A_FILE], "DIR=: Directory"),
        (example, [""], "NAME=: there is no example"),
        (example, ["sqs_callback", "--deploy", "x_y"], "STAGE=: 'x_y' is no stage name"),
        (destroy, ["--stage", ""], "STAGE=: '' is no stage name"),
        (template, [f"{A_FILE}/template.json"], "FILE=: "),
    ],
)
def test_a_bad_option_is_named_as_make_takes_it(
    command: click.Command, arguments: list[str], named: str
) -> None:
    """In one line, without a traceback or another command's usage."""
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"Error: bad {named}")
    assert result.stderr.count("\n") == 1


def test_a_folder_that_cannot_be_made_is_named_as_make_takes_it() -> None:
    """For example below a file."""
    with pytest.raises(ToolError, match="bad DIR=: no files can be made in"):
        StateFile(Path(A_FILE) / "sub" / "state.json").__enter__()
