import json
import sys
from pathlib import Path

import pytest

from tools.chalice_cli import Api, Chalice
from tools.errors import ToolError

from .conftest import DEV


def record(project: Path) -> None:
    """Write what Chalice writes after a deploy of stage dev."""
    (project / ".chalice" / "deployed").mkdir()
    (project / ".chalice" / "deployed" / "dev.json").write_text(
        json.dumps(
            {
                "resources": [
                    {"name": "tick", "resource_type": "lambda_function", "lambda_arn": "arn"},
                    {
                        "name": "rest_api",
                        "resource_type": "rest_api",
                        "rest_api_id": "abc123",
                        "rest_api_url": "https://abc123.execute-api.eu-west-1.amazonaws.com/api/",
                    },
                ]
            }
        )
    )


def test_the_api_is_known_from_chalices_record(project: Path) -> None:
    """Id and URL, without the slash at its end: links are appended to it."""
    record(project)
    found = Chalice(project, environment={}).api(DEV)
    assert found == Api("abc123", "https://abc123.execute-api.eu-west-1.amazonaws.com/api")


def test_there_is_no_api_before_the_first_deploy(project: Path) -> None:
    """Its URL isn't known then, and nothing pretends that it is."""
    assert Chalice(project, environment={}).api(DEV) is None


def test_the_functions_are_known_from_chalices_record(project: Path) -> None:
    """Those that `chalice delete` deletes, and none before the first deploy."""
    assert Chalice(project, environment={}).functions(DEV) == set()
    record(project)
    assert Chalice(project, environment={}).functions(DEV) == {"arn"}


def test_an_api_may_be_reached_otherwise_than_chalice_thinks(project: Path) -> None:
    """The sandbox's API has the emulator's address."""
    record(project)
    chalice = Chalice(project, environment={}, public_url=lambda api: f"http://localhost/{api}/")
    assert chalice.api(DEV) == Api("abc123", "http://localhost/abc123")


def test_chalice_is_run_for_the_stage_in_the_project(project: Path) -> None:
    """The command gets the folder, the action, the stage, and the account's variables."""
    script = (
        "import os, sys; open(sys.argv[2] + '/ran', 'w').write(repr((sys.argv, os.environ['A'])))"
    )
    Chalice(project, environment={"A": "1"}, command=(sys.executable, "-c", script)).deploy(DEV)
    arguments = ["-c", "--project-dir", str(project), "deploy", "--stage", "dev"]
    assert (project / "ran").read_text() == repr((arguments, "1"))


def test_what_chalice_says_when_it_fails_is_told(project: Path) -> None:
    """Its words are the only ones that help."""
    command = (sys.executable, "-c", "print('no such role'); raise SystemExit(2)")
    with pytest.raises(ToolError, match=r"chalice deploy --stage dev failed\nno such role"):
        Chalice(project, environment={}, command=command, quiet=True).deploy(DEV)


def test_nothing_is_deleted_where_nothing_was_deployed(project: Path) -> None:
    """Chalice isn't even asked."""
    command = (sys.executable, "-c", "raise SystemExit(2)")
    Chalice(project, environment={}, command=command).delete(DEV)
