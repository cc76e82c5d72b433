"""The two apps as Lambda gets them: packaged by `chalice package`, without compiled files."""

import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
CHALICE = (sys.executable, "-c", "import sys, chalice.cli; sys.exit(chalice.cli.main())")


@dataclass(frozen=True)
class Package:
    """A deployment zip, unpacked to a folder."""

    name: str
    zipped_bytes: int
    folder: Path


def package_assent(work: Path) -> Package:
    """Package a copy of the checkout, so that the checkout stays unchanged."""
    project = work / "assent"
    project.mkdir()
    for name in ("app.py", "requirements.txt", "chalicelib", ".chalice/config.json"):
        _copy(ROOT / name, project / name)
    return _package("assent", project)


def package_bare(work: Path) -> Package:
    """Package the bare handler."""
    project = work / "bare"
    _copy(ROOT / "bench" / "bare", project)
    return _package("bare", project)


def _package(name: str, project: Path) -> Package:
    out = project.parent / f"{name}-out"
    subprocess.run(
        [*CHALICE, "--project-dir", str(project), "package", "--stage", "dev", str(out)],
        check=True,
        stdout=subprocess.DEVNULL,
        env=os.environ | {"AWS_DEFAULT_REGION": "us-east-1"},
    )
    zipped = out / "deployment.zip"
    folder = project.parent / f"{name}-unpacked"
    with zipfile.ZipFile(zipped) as archive:
        archive.extractall(folder)
    return Package(name, zipped.stat().st_size, folder)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "deployed"))
    else:
        shutil.copy(source, target)
