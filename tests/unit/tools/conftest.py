"""A project to deploy from, in a folder of its own."""

import shutil
from pathlib import Path

import pytest

from tools.stage import Stage

CHECKOUT = Path(__file__).parents[3]
DEV = Stage("dev")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Give a folder with the stack's files and a config.json without stages."""
    for name in ("infrastructure.yaml", "statemachine.asl.json"):
        shutil.copyfile(CHECKOUT / name, tmp_path / name)
    (tmp_path / ".chalice").mkdir()
    (tmp_path / ".chalice" / "config.json").write_text('{"version": "2.0", "app_name": "assent"}')
    return tmp_path
