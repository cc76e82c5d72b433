"""The two apps as Lambda gets them: Assent's as `make deploy` packages it, with bytecode."""

import io
import os
import shutil
import subprocess
import zipfile
from dataclasses import dataclass
from pathlib import Path

from tools.bytecode import package
from tools.chalice_cli import COMMAND

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Package:
    """A deployment zip, unpacked to a folder."""

    name: str
    zipped_bytes: int
    folder: Path


Packages = tuple[Package, Package]
"""The bare app's, and Assent's."""


def package_assent(work: Path) -> Package:
    """Package a copy of the checkout, so that the checkout stays unchanged."""
    project = work / "assent"
    project.mkdir()
    for name in ("app.py", "requirements.txt", "chalicelib", ".chalice/config.json"):
        _copy(ROOT / name, project / name)
    return _unpacked("assent", package(project, "dev", io.StringIO()), work)


def package_bare(work: Path) -> Package:
    """Package the bare handler as Chalice does by itself."""
    project = work / "bare"
    _copy(ROOT / "bench" / "bare", project)
    out = work / "bare-out"
    subprocess.run(
        [*COMMAND, "--project-dir", str(project), "package", "--stage", "dev", str(out)],
        check=True,
        stdout=subprocess.DEVNULL,
        env=os.environ | {"AWS_DEFAULT_REGION": "us-east-1"},
    )
    return _unpacked("bare", out / "deployment.zip", work)


def _unpacked(name: str, zipped: Path, work: Path) -> Package:
    folder = work / f"{name}-unpacked"
    with zipfile.ZipFile(zipped) as archive:
        archive.extractall(folder)
    return Package(name, zipped.stat().st_size, folder)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "deployed"))
    else:
        shutil.copy(source, target)
