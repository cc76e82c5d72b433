"""The copy of a project that the sandbox deploys, so that nothing in the checkout is touched.

On the map: used by `system` and by the examples. Chalice's cache of packaged dependencies stays in
the copy from one start to the next: it is keyed by requirements.txt, and Chalice ships the current
code with it.
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
    """Make `target` a fresh copy of what is deployed of `source`; Chalice's cache in it stays.

    Raises ToolError, naming them, if needed files are missing.
    """
    missing = [name for name in _NEEDED if not (source / name).exists()]
    if missing:
        raise ToolError(f"{source} lacks {', '.join(missing)}")
    kept = target.with_name(f"{target.name}-cache")
    if (target / _CACHE).exists():
        shutil.rmtree(kept, ignore_errors=True)
        (target / _CACHE).rename(kept)
    shutil.rmtree(target, ignore_errors=True)
    (target / ".chalice").mkdir(parents=True)
    for name in (*_NEEDED, *_OPTIONAL):
        if (source / name).is_dir():
            shutil.copytree(
                source / name, target / name, ignore=shutil.ignore_patterns("__pycache__")
            )
        elif (source / name).exists():
            shutil.copyfile(source / name, target / name)
    if kept.exists():
        kept.rename(target / _CACHE)
    if not _runs_lambdas_wheels():
        # This machine can't load the wheels that Chalice packages for Lambda. Workers run with
        # our Python, and find the same packages installed.
        (target / "requirements.txt").write_text("")


def chalice_of(project: Path, account: Account) -> Chalice:
    """Return the Chalice that deploys the copy into the emulated account, and says nothing."""
    emulator = (account.endpoint_url or "").replace(HOST, "localhost")
    return Chalice(
        project,
        environment=account.environment,
        command=(sys.executable, "-m", "tools.sandbox.chalice"),
        public_url=lambda api: f"{emulator}/_aws/execute-api/{api}/{API_STAGE}",
        quiet=True,
    )


def _runs_lambdas_wheels() -> bool:
    return (platform.system(), platform.machine()) == ("Linux", "x86_64")
