"""Copies a project for the sandbox to deploy, so that the checkout stays untouched.

A new copy keeps the old one's cache of packaged dependencies. The cache is keyed by
requirements.txt, and Chalice adds the current code to it at each deploy.
"""

import platform
import shutil
import sys
from pathlib import Path

from tools.account import Account
from tools.chalice_cli import Chalice
from tools.errors import ToolError
from tools.sandbox.emulator import HOST
from tools.stage import API_STAGE

CHECKOUT = Path(__file__).parents[2]
_NEEDED = (
    "app.py",
    "requirements.txt",
    "infrastructure.yaml",
    "statemachine.asl.json",
)
_OPTIONAL = ("chalicelib", "vendor", ".chalice/config.json")
_CACHE = ".chalice/deployments"


def copy_project(source: Path, target: Path) -> None:
    """Copy the deployed files of `source` to `target`; Chalice's cache in `target` stays.

    Raises ToolError if files are missing, and names them.
    """
    missing = [name for name in _NEEDED if not (source / name).exists()]
    if missing:
        raise ToolError(f"{source} lacks {', '.join(missing)}")
    cache = target.with_name(f"{target.name}-cache")
    if (target / _CACHE).exists():
        shutil.rmtree(cache, ignore_errors=True)
        (target / _CACHE).rename(cache)
    shutil.rmtree(target, ignore_errors=True)
    (target / ".chalice").mkdir(parents=True)
    for name in (*_NEEDED, *_OPTIONAL):
        if (source / name).is_dir():
            shutil.copytree(
                source / name, target / name, ignore=shutil.ignore_patterns("__pycache__")
            )
        elif (source / name).exists():
            shutil.copyfile(source / name, target / name)
    if cache.exists():
        cache.rename(target / _CACHE)
    if not _can_load_lambda_wheels():
        # Chalice packages wheels for Lambda, which this machine can't load. The emulator runs
        # functions with this Python, where the same packages are installed.
        (target / "requirements.txt").write_text("")


def chalice_for_emulator(project: Path, account: Account) -> Chalice:
    """Return a quiet Chalice that deploys the copy into the emulated account."""
    emulator = (account.endpoint_url or "").replace(HOST, "localhost")
    return Chalice(
        project,
        environment=account.environment,
        command=(sys.executable, "-m", "tools.sandbox.chalice"),
        api_url=lambda api_id: f"{emulator}/_aws/execute-api/{api_id}/{API_STAGE}",
        quiet=True,
    )


def _can_load_lambda_wheels() -> bool:
    return (platform.system(), platform.machine()) == ("Linux", "x86_64")
