"""Chalice's own commands in a checkout that `make deploy` hasn't configured."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.aws.closed_port import closed_port
from tools.chalice_cli import COMMAND

from .conftest import CHECKOUT


@pytest.fixture
def fresh(tmp_path: Path) -> Path:
    """Give what Chalice reads of a fresh checkout."""
    for name in ("app.py", ".chalice/config.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copyfile(CHECKOUT / name, tmp_path / name)
    shutil.copytree(
        CHECKOUT / "chalicelib",
        tmp_path / "chalicelib",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    (tmp_path / "requirements.txt").write_text("")
    return tmp_path


def chalice(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Chalice where AWS can't be reached."""
    with closed_port() as nowhere:
        aws = {
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_ENDPOINT_URL": nowhere,
        }
        return subprocess.run(
            [*COMMAND, "--project-dir", str(project), *arguments],
            env=os.environ | aws,
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.mark.parametrize("stage", ["dev", "pord"])
def test_a_stage_without_roles_is_refused_before_any_call(fresh: Path, stage: str) -> None:
    """Also a mistyped stage. A call of AWS would find no one here, and say so."""
    done = chalice(fresh, "deploy", "--stage", stage)
    assert done.returncode == 2
    assert "you must provide an 'iam_role_arn' in config.json" in done.stderr
    assert "connect" not in done.stderr


def test_the_code_can_be_packaged_without_a_stage(fresh: Path) -> None:
    """`bench/` measures that package."""
    done = chalice(fresh, "package", "--stage", "dev", str(fresh / "out"))
    assert done.returncode == 0, done.stderr
    assert (fresh / "out" / "deployment.zip").exists()
