import json
import sys
from pathlib import Path

import pytest

from tools.chalice_cli import Api, Chalice
from tools.deployed_record import RecordedResource
from tools.errors import ToolError

from .conftest import DEV


def record(project: Path) -> None:
    """Write the record that Chalice makes at a deploy of stage dev."""
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


def test_the_api_is_read_from_chalices_record(project: Path) -> None:
    """Its id and URL, without the slash at the end, since paths are appended to it."""
    record(project)
    found = Chalice(project, environment={}).api(DEV)
    assert found == Api("abc123", "https://abc123.execute-api.eu-west-1.amazonaws.com/api")


def test_there_is_no_api_before_the_first_deploy(project: Path) -> None:
    """Chalice has no record yet."""
    assert Chalice(project, environment={}).api(DEV) is None


def test_a_record_is_replaced_and_without_resources_removed(project: Path) -> None:
    """In the form that Chalice reads: it refuses any other schema version."""
    record(project)
    chalice = Chalice(project, environment={})
    path = project / ".chalice" / "deployed" / "dev.json"
    resources: list[RecordedResource] = [{"name": "tick", "resource_type": "lambda_function"}]
    chalice.record(DEV, resources)
    assert json.loads(path.read_text())["schema_version"] == "2.0"
    assert chalice.recorded(DEV) == resources
    chalice.record(DEV, [])
    assert not path.exists()
    assert chalice.recorded(DEV) == []


def test_the_apis_url_can_differ_from_the_recorded_one(project: Path) -> None:
    """The sandbox's API has the emulator's address."""
    record(project)
    chalice = Chalice(project, environment={}, api_url=lambda api_id: f"http://localhost/{api_id}/")
    assert chalice.api(DEV) == Api("abc123", "http://localhost/abc123")


def test_chalice_runs_for_the_stage_in_the_projects_folder(project: Path) -> None:
    """The command gets the folder, the action, the stage and the environment variables."""
    script = (
        "import os, sys; open(sys.argv[2] + '/ran', 'w').write(repr((sys.argv, os.environ['A'])))"
    )
    Chalice(project, environment={"A": "1"}, command=(sys.executable, "-c", script)).deploy(DEV)
    arguments = ["-c", "--project-dir", str(project), "deploy", "--stage", "dev"]
    assert (project / "ran").read_text() == repr((arguments, "1"))


def test_a_failure_is_raised_with_chalices_output(project: Path) -> None:
    """Chalice's output has the cause."""
    command = (sys.executable, "-c", "print('no such role'); raise SystemExit(2)")
    with pytest.raises(ToolError, match=r"chalice deploy --stage dev failed\nno such role"):
        Chalice(project, environment={}, command=command, quiet=True).deploy(DEV)


def test_a_delete_without_a_record_does_nothing(project: Path) -> None:
    """Chalice isn't started."""
    command = (sys.executable, "-c", "raise SystemExit(2)")
    Chalice(project, environment={}, command=command).delete(DEV)


def test_a_delete_runs_in_a_bare_project(project: Path) -> None:
    """Chalice gets the record, an app without routes, and a config.json without roles to check."""
    record(project)
    script = (
        "import pathlib, shutil, sys;"
        f"shutil.copytree(sys.argv[2], {str(project / 'ran')!r});"
        "raise SystemExit(sys.argv[3:] != ['delete', '--stage', 'dev'])"
    )
    chalice = Chalice(project, environment={}, command=(sys.executable, "-c", script))
    recorded = chalice.recorded(DEV)
    chalice.delete(DEV)
    assert Chalice(project / "ran", environment={}).recorded(DEV) == recorded
    config = json.loads((project / "ran" / ".chalice" / "config.json").read_text())
    assert config == {"version": "2.0", "app_name": "assent"}
    assert "app = Chalice('assent')" in (project / "ran" / "app.py").read_text()
    assert chalice.recorded(DEV) == []


def test_a_failed_delete_keeps_the_record(project: Path) -> None:
    """The next one looks again at what it names."""
    record(project)
    chalice = Chalice(
        project, environment={}, command=(sys.executable, "-c", "raise SystemExit(2)")
    )
    with pytest.raises(ToolError, match="chalice delete --stage dev failed"):
        chalice.delete(DEV)
    assert chalice.recorded(DEV) != []
