"""Bytecode in the package of code: nothing is compiled at a cold start, and no old code can run."""

import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from datetime import datetime
from pathlib import Path

import pytest

from tools.bytecode import package

from .conftest import CHECKOUT

TAG = str(sys.implementation.cache_tag)
START = """
import importlib.machinery, json, sys
sys.implementation.cache_tag = sys.argv[1]
compiled, loader = [], importlib.machinery.SourceFileLoader
compile_source = loader.source_to_code
def source_to_code(self, data, path, **more):
    compiled.append(path)
    return compile_source(self, data, path, **more)
loader.source_to_code = source_to_code
import app
print(json.dumps([len(sys.modules), [path for path in compiled if path.startswith(sys.argv[2])]]))
"""
"""Imports app.py as a cold start does, and prints which modules of a folder were compiled."""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Give a copy of the code without requirements, which the tests' Python has."""
    project = tmp_path / "project"
    shutil.copytree(CHECKOUT / "chalicelib", project / "chalicelib")
    shutil.copy(CHECKOUT / "app.py", project)
    (project / "requirements.txt").touch()
    (project / ".chalice").mkdir()
    (project / ".chalice" / "config.json").write_text('{"version": "2.0", "app_name": "assent"}')
    return project


def packaged(project: Path) -> Path:
    """Return the package of that project."""
    return package(project, "dev", io.StringIO())


def compiled_at_start(zipped: Path, folder: Path, tag: str = TAG) -> list[str]:
    """Return the modules of the package that a cold start compiles; `tag` names the Python.

    The files have the zip's dates, which Chalice sets to 1980 (decision 0034).
    """
    with zipfile.ZipFile(zipped) as archive:
        for file in archive.infolist():
            date = datetime(*file.date_time).timestamp()  # noqa: DTZ001 (a zip has no time zone)
            os.utime(archive.extract(file, folder), (date, date))
    printed = subprocess.run(
        [sys.executable, "-c", START, tag, str(folder)],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    imported, compiled = json.loads(printed)
    assert imported > 200
    return [Path(path).relative_to(folder).as_posix() for path in compiled]


def test_a_cold_start_compiles_no_module_of_the_package(source: Path, tmp_path: Path) -> None:
    """Neither Assent's nor those of Chalice."""
    assert compiled_at_start(packaged(source), tmp_path / "unpacked") == []


def test_another_python_version_compiles_the_sources(source: Path, tmp_path: Path) -> None:
    """Bytecode has the version in its name, so a runtime of another version leaves it alone."""
    compiled = compiled_at_start(packaged(source), tmp_path / "unpacked", "cpython-399")
    assert {"app.py", "chalice/app.py", "chalicelib/wiring.py"} <= set(compiled)


def test_after_an_edit_another_package_is_made(source: Path, tmp_path: Path) -> None:
    """The bytecode of one that Chalice makes by itself is stale, so nothing old can run."""
    before = packaged(source)
    settings = source / "chalicelib" / "settings.py"
    settings.write_text(settings.read_text() + "\nEDITED = True\n")
    environment = os.environ | {"AWS_DEFAULT_REGION": "us-east-1"}
    command = "import sys, chalice.cli; sys.exit(chalice.cli.main())"
    subprocess.run(
        [sys.executable, "-c", command, "package", "--stage", "dev", str(tmp_path / "out")],
        cwd=source,
        env=environment,
        check=True,
        capture_output=True,
    )
    compiled = compiled_at_start(tmp_path / "out" / "deployment.zip", tmp_path / "unpacked")
    assert "chalicelib/settings.py" in compiled
    after = packaged(source)
    assert before != after
    with zipfile.ZipFile(after) as archive:
        assert b"EDITED" in archive.read("chalicelib/settings.py")


def test_a_package_depends_on_nothing_but_its_sources(source: Path) -> None:
    """The tests' own bytecode isn't shipped; made again, the package has the same bytes."""
    first = packaged(source)
    made = first.read_bytes()
    cache = source / "chalicelib" / "__pycache__"
    cache.mkdir()
    (cache / "settings.cpython-310.pyc").write_bytes(b"old")
    assert packaged(source) == first
    assert first.read_bytes() == made
    first.unlink()
    assert packaged(source).read_bytes() == made
