"""The package of code that Chalice deploys, with bytecode for each of its modules.

Lambda can't write `__pycache__`, so a module without bytecode is compiled at each cold start.
Chalice dates every file of a package 1980, which makes ordinary bytecode stale. The bytecode made
here is never compared with its source: both are in one zip, which Chalice caches under a hash of
the sources. After an edit Chalice makes another zip; bytecode that it finds for it is stale.
"""

import compileall
import json
import shutil
import sys
import zipfile
from pathlib import Path
from py_compile import PycInvalidationMode
from tempfile import TemporaryDirectory
from typing import TextIO

import click
from chalice.config import Config
from chalice.deploy.packager import (
    DependencyBuilder,
    LambdaDeploymentPackager,
    PipRunner,
    SubprocessPip,
)
from chalice.utils import UI, OSUtils

from tools.errors import MakeCommand, ToolError
from tools.stage import Stage


def package(project: Path, stage: str, out: TextIO) -> Path:
    """Return the zip that Chalice deploys next for the stage; all its modules have bytecode.

    Chalice's words are written to `out`. Raises ToolError if there is no code.
    """
    if not (project / "app.py").exists():
        raise ToolError(f"{project} has no app.py, so there is no code to deploy")
    for folder in (project / "chalicelib").rglob("__pycache__"):
        shutil.rmtree(folder)  # Chalice would hash it and ship it, of any Python's version
    found = json.loads((project / ".chalice" / "config.json").read_text("utf-8"))
    config = Config(chalice_stage=stage, config_from_disk=found)
    files = OSUtils()
    dependencies = DependencyBuilder(
        files,
        pip_runner=PipRunner(SubprocessPip(files), files),
        architecture=config.lambda_architecture,
    )
    packager = LambdaDeploymentPackager(
        files, dependencies, UI(out, out), architecture=config.lambda_architecture
    )
    path = Path(packager.create_deployment_package(str(project), config.lambda_python_version))
    with zipfile.ZipFile(path) as archive:
        if any(name.endswith(".pyc") for name in archive.namelist()):
            return path
    _compile(path, files)
    return path


def _compile(path: Path, files: OSUtils) -> None:
    """Replace a package in one step; the bytes depend on nothing but its sources."""
    with TemporaryDirectory() as folder:
        with zipfile.ZipFile(path) as archive:
            archive.extractall(folder)
        compiled = compileall.compile_dir(
            folder,
            quiet=1,
            force=True,
            stripdir=folder,
            prependdir="/var/task",
            invalidation_mode=PycInvalidationMode.UNCHECKED_HASH,
        )
        if not compiled:
            raise ToolError(f"{path} has a module that this Python can't compile, see above")
        new = path.with_suffix(".new")
        with files.open_zip(str(new), "w") as archive:
            for file in sorted(Path(folder).rglob("*")):
                if file.is_file():
                    archive.write(file, str(file.relative_to(folder)))
    new.replace(path)


@click.command(cls=MakeCommand)
@click.option("--stage", required=True, help="The Chalice stage, such as dev.")
@click.option(
    "--project",
    type=click.Path(path_type=Path, file_okay=False, exists=True, resolve_path=True),
    default=".",
    hidden=True,
)
def main(stage: str, project: Path) -> None:
    """Make the package that the next `chalice deploy` takes, with bytecode."""
    made = package(project, Stage(stage).name, sys.stdout)
    click.echo(f"{made}: {made.stat().st_size // 1000} kB, with bytecode")


if __name__ == "__main__":
    main()
