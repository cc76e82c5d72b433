"""The command `export`: whole, resumable, and harmless in a spreadsheet."""

import csv
import io
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from assent_client.commands.export import COLUMNS, _cell
from assent_client.commands.output import plain
from click.testing import Result

from chalicelib.application import operating
from chalicelib.domain.commands import Cancel
from tests.builders import request_approval
from tests.unit.client.conftest import InProcess
from tests.unit.entrypoints.client import AppPorts

Run = Callable[..., Result]


def made(ports: AppPorts) -> list[str]:
    """Make an approval on each of three days, the second cancelled; return their ids."""
    ids = []
    for day in range(3):
        ids.append(request_approval(ports, f"token-{day}"))
        ports.later(minutes=24 * 60)
    operating.change(ports, ids[1], Cancel(), by="op", via="api")
    return ids


def test_an_export_has_every_outcome_of_its_time(run: Run, ports: AppPorts) -> None:
    """The first day is 22 November; `--to` is exclusive."""
    first, second, third = made(ports)
    rows = list(csv.DictReader(io.StringIO(run("export", "--from", "2026-11-22").stdout)))
    assert [row["id"] for row in rows] == [third, first, second]
    assert tuple(rows[0]) == COLUMNS
    cut = run("export", "--from", "2026-11-23", "--to", "2026-11-24", "--format", "jsonl").stdout
    assert [json.loads(line)["id"] for line in cut.splitlines()] == [second]


@pytest.mark.parametrize("form", ["csv", "jsonl"])
@pytest.mark.parametrize("part", [0, 0.1, 0.3, 0.5, 0.7, 0.99])
def test_an_export_that_was_broken_off_goes_on(
    run: Run, ports: AppPorts, tmp_path: Path, form: str, part: float
) -> None:
    """A line that was cut is written anew, and none comes twice."""
    made(ports)
    file = tmp_path / "approvals"
    arguments = ("export", "--from", "2026", "--format", form, "--file", str(file))
    assert run(*arguments).exit_code == 0
    whole = file.read_bytes()
    file.write_bytes(whole[: int(len(whole) * part)])
    assert run(*arguments).exit_code == 0
    assert sorted(file.read_bytes().splitlines()) == sorted(whole.splitlines())
    assert run(*arguments).exit_code == 0
    assert len(file.read_bytes().splitlines()) == len(whole.splitlines())


def test_an_export_reads_no_page_before_its_time(
    run: Run, ports: AppPorts, server: InProcess
) -> None:
    """Lists are newest first, so it stops at the first that is older."""
    made(ports)
    run("export", "--from", "2026-11-24")
    assert len(server.sent) == 5


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_spreadsheet_computes_nothing(text: str) -> None:
    """Nor does a terminal obey it."""
    assert _cell(text) == _cell([text]) == f"'{plain(text)}"
    assert _cell("x\x1b[31m") == "x\N{REPLACEMENT CHARACTER}[31m"
    assert _cell("1 = 1") == "1 = 1"


@pytest.mark.parametrize("form", ["csv", "jsonl"])
@pytest.mark.parametrize(
    "text",
    [
        '{"name":"my-config","id":"x","keep":true}',
        '{"id":"other"}\n{"id":"mine","x":',
        "i",
        "id,name\r\n1,ada\r\n",
        '{"id": "aaaaaaaaaaaaaaaaaaaaaaaaaa", "x": 1}\n',
    ],
)
def test_a_file_that_is_no_export_keeps_its_content(
    run: Run, tmp_path: Path, form: str, text: str
) -> None:
    file = tmp_path / "mine"
    file.write_text(text, newline="")
    ended = run("export", "--from", "2026", "--format", form, "--file", str(file))
    assert (ended.exit_code, file.read_bytes()) == (2, text.encode())


def test_what_is_no_regular_file_is_refused(run: Run, tmp_path: Path) -> None:
    """A fifo would be waited for, for ever."""
    os.mkfifo(tmp_path / "fifo")
    ended = run("export", "--from", "2026", "--file", str(tmp_path / "fifo"))
    assert (ended.exit_code, "no regular file" in ended.stderr) == (2, True)
