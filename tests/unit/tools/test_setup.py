"""`tools/setup.sh` installs what a command needs, or names all of it in one sentence and stops."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[3]
THERE = ("cat", "cksum", "dirname", "env", "grep", "mktemp", "rm", "tail")
"""What every Debian has."""


class Machine:
    """A folder of programs that is all that the script finds, and a copy of the project in it."""

    def __init__(self, folder: Path) -> None:
        self._programs, self._project = folder / "bin", folder / "project"
        self._programs.mkdir()
        (self._project / "tools").mkdir(parents=True)
        shutil.copy(CHECKOUT / "tools" / "setup.sh", self._project / "tools")
        (self._project / "client").mkdir()
        for name in ("requirements-dev.txt", "client/pyproject.toml"):
            (self._project / name).touch()
        for name in THERE:
            (self._programs / name).symlink_to(shutil.which(name) or name)
        self.has("id", "echo 1000")
        self.has("ldconfig", "echo libatomic.so.1")

    def has(self, program: str, does: str = "exit 0") -> None:
        """Put a program there."""
        path = self._programs / program
        path.write_text(f"#!/bin/sh\n{does}\n")
        path.chmod(0o755)

    def has_venv(self) -> None:
        """Make the .venv that the script would make."""
        (self._project / ".venv").mkdir()
        files = ("requirements-dev.txt", "client/pyproject.toml", "tools/setup.sh")
        text = b"".join((self._project / name).read_bytes() for name in files)
        cksum = str(self._programs / "cksum")
        summed = subprocess.run([cksum], input=text, capture_output=True, check=True)
        (self._project / ".venv" / "ready").write_bytes(summed.stdout)

    def set_up(self, *programs: str) -> tuple[int, str, str]:
        """Run the script; return its status and what it printed."""
        done = subprocess.run(
            ["/bin/sh", str(self._project / "tools" / "setup.sh"), *programs],
            env={"PATH": str(self._programs), "TMPDIR": os.environ.get("TMPDIR", "/tmp")},  # noqa: S108
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_where_nothing_is_missing_it_says_nothing(machine: Machine) -> None:
    """It runs before each command."""
    machine.has_venv()
    machine.has("curl")
    machine.has("chromium")
    assert machine.set_up("curl", "browser") == (0, "", "")


def test_what_is_missing_is_named_in_one_sentence(machine: Machine) -> None:
    """Everything at once, so that one installation by hand suffices."""
    machine.has("ldconfig")
    machine.has("apt-get")
    status, said, complaint = machine.set_up("curl", "browser")
    assert (status, said) == (1, "")
    assert complaint == (
        "assent: this needs Python 3.11 or newer, curl, Chromium, the library libatomic; "
        "run 'apt-get install python3 python3-venv curl chromium libatomic1' as root "
        "and try again.\n"
    )


def test_without_a_password_for_sudo_it_asks_for_none(machine: Machine) -> None:
    """It names the command for a person to type."""
    machine.has_venv()
    machine.has("apt-get")
    machine.has("sudo", "echo 'sudo: a password is required' >&2; exit 1")
    assert machine.set_up("curl") == (
        1,
        "",
        "assent: this needs curl; run 'sudo apt-get install curl' and try again.\n",
    )


def test_on_other_systems_it_names_what_to_install(machine: Machine) -> None:
    """Without apt-get it can install nothing."""
    machine.has_venv()
    status, _, complaint = machine.set_up("browser")
    assert status == 1
    assert complaint.startswith("assent: this needs Chromium; install it")


@pytest.mark.parametrize("sudo", [False, True])
def test_where_it_may_install_it_does(machine: Machine, tmp_path: Path, *, sudo: bool) -> None:
    """As root, or by a sudo that asks for no password; apt-get's own words are not shown."""
    machine.has_venv()
    machine.has("apt-get", f'echo "noise"; echo "$@" >>{tmp_path}/calls')
    if sudo:
        machine.has("sudo", f'case $1 in -n) ;; *) echo sudo >>{tmp_path}/calls; "$@" ;; esac')
    else:
        machine.has("id", "echo 0")
    assert machine.set_up("curl") == (0, "assent: installing curl (curl).\n", "")
    calls = (tmp_path / "calls").read_text().split("\n")
    assert [call for call in calls if call != "sudo"] == ["update -qq", "install -qq -y curl", ""]
    assert calls.count("sudo") == (2 if sudo else 0)


def test_without_a_network_it_says_so(machine: Machine) -> None:
    """apt-get's errors, and then the sentence."""
    machine.has_venv()
    machine.has("id", "echo 0")
    machine.has("apt-get", "echo 'W: noise'; echo 'E: Unable to locate package curl' >&2; exit 100")
    status, _, complaint = machine.set_up("curl")
    assert status == 1
    assert complaint == (
        "E: Unable to locate package curl\n"
        "assent: this needs curl, and 'apt-get install curl' failed as above; is there a network?\n"
    )


def test_packages_that_cannot_be_installed_leave_no_finished_venv(
    machine: Machine, tmp_path: Path
) -> None:
    """Its errors, and then the sentence; the next command tries again."""
    machine.has("pip", "echo 'ERROR: Could not find a version'; echo 'WARNING: noise'; exit 1")
    for name in ("mkdir", "cp"):
        machine.has(name, f'exec {shutil.which(name)} "$@"')
    machine.has(
        "python3",
        'case "$*" in "-m venv .venv") mkdir -p .venv/bin; '
        f"cp {tmp_path}/bin/pip .venv/bin/python ;; esac",
    )
    for _ in range(2):
        status, said, complaint = machine.set_up()
        assert status == 1
        assert said.startswith("assent: installing what is pinned in requirements-dev.txt")
        assert complaint == (
            "ERROR: Could not find a version\n"
            "assent: the packages of requirements-dev.txt could not be installed, see above; "
            "is there a network?\n"
        )


def test_a_python_that_is_too_old_is_named(machine: Machine) -> None:
    """Before anything is installed."""
    machine.has("python3", 'case $1 in --version) echo "Python 3.9.2" ;; *) exit 1 ;; esac')
    status, said, complaint = machine.set_up("curl")
    assert (status, said) == (1, "")
    assert complaint.startswith("assent: Python 3.9.2 is too old, 3.11 or newer is needed")
