"""What pyproject.toml, the lock files, the changelog and the Makefile say of the same things."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

CHECKOUT = Path(__file__).parents[3]
PROJECT: dict[str, Any] = tomllib.loads((CHECKOUT / "pyproject.toml").read_text("utf-8"))


def normal(name: str) -> str:
    """Return a package's name as PyPI compares them."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(file: str) -> dict[str, str]:
    """Return the exact version of each package in a lock file."""
    text = (CHECKOUT / file).read_text("utf-8")
    found = re.findall(r"^([A-Za-z0-9._-]+)==(\S+)", text, re.MULTILINE)
    return {normal(name): version for name, version in found}


def direct(wanted: list[str]) -> set[str]:
    """Return the names in a list of requirements."""
    return {normal(re.split(r"[\[<>=!~ ;]", one, maxsplit=1)[0]) for one in wanted}


def test_the_version_is_the_newest_release_of_the_changelog() -> None:
    """With the date of that release."""
    changelog = (CHECKOUT / "CHANGELOG.md").read_text("utf-8")
    releases = re.findall(r"^## \[(\d\S*)\] - \d{4}-\d{2}-\d{2}$", changelog, re.MULTILINE)
    assert PROJECT["project"]["version"] == releases[0]


def test_every_direct_dependency_is_locked() -> None:
    """A dependency written by hand is in the lock that it belongs to."""
    runtime = direct(PROJECT["project"]["dependencies"])
    assert runtime == pins("requirements.txt").keys()
    assert (
        runtime | direct(PROJECT["dependency-groups"]["dev"]) <= pins("requirements-dev.txt").keys()
    )


def test_tests_run_with_the_versions_that_lambda_gets() -> None:
    """The lock for development has the same versions as the one for Lambda."""
    assert pins("requirements.txt").items() <= pins("requirements-dev.txt").items()


@pytest.mark.parametrize("file", ["requirements.txt", "requirements-dev.txt"])
def test_a_lock_names_exact_versions_and_no_host(file: str) -> None:
    """The person who installs chooses the registry."""
    lines = (CHECKOUT / file).read_text("utf-8").splitlines()
    packages = [line for line in lines if line and not line.startswith("#")]
    assert [line for line in packages if not re.match(r"[a-z0-9.-]+==\d", line)] == []
    assert [line for line in lines if "://" in line or "index" in line] == []


def test_make_alone_lists_every_command() -> None:
    """Except `machine`, which `make test` calls."""
    declared = re.findall(r"^\.PHONY: (\S+)$", (CHECKOUT / "Makefile").read_text("utf-8"), re.M)
    said = subprocess.run(
        [shutil.which("make") or "make", "--no-print-directory"],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=True,
    )
    listed = re.findall(r"^  make (\S+) +\S", said.stdout, re.MULTILINE)
    assert set(listed) == set(declared) - {"machine"}


@pytest.mark.parametrize("generated", [".sandbox/project", ".chalice/deployments", ".hypothesis"])
def test_lint_leaves_out_generated_folders_without_git(tmp_path: Path, generated: str) -> None:
    """A downloaded archive has no .git folder, so ruff doesn't read .gitignore there."""
    shutil.copy(CHECKOUT / "pyproject.toml", tmp_path)
    (tmp_path / generated).mkdir(parents=True)
    bad = tmp_path / generated / "bad.py"
    bad.write_text("import os\n")
    for command in (["check"], ["format", "--check"]):
        assert ruff(tmp_path, *command) == 0
    bad.rename(tmp_path / "bad.py")
    assert ruff(tmp_path, "check") == 1


def ruff(folder: Path, *command: str) -> int:
    """Return how ruff ends in that folder."""
    program = [sys.executable, "-m", "ruff", *command, "--no-cache", "--quiet", "."]
    return subprocess.run(program, cwd=folder, capture_output=True, check=False).returncode
