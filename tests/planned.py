"""What a command of the Makefile would run."""

import os
import shlex
import subprocess
from pathlib import Path

_CHECKOUT = Path(__file__).parents[1]
_OUTER_MAKE = ("MAKEFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "MFLAGS")
"""What the make that runs these tests hands down: its variables and how it prints."""


def planned(*arguments: str) -> list[str]:
    """Return the words of the last command that `make` with these arguments would run."""
    made = subprocess.run(
        ["/usr/bin/env", "make", "-n", "--no-print-directory", *arguments],
        cwd=_CHECKOUT,
        env={name: value for name, value in os.environ.items() if name not in _OUTER_MAKE},
        check=True,
        capture_output=True,
        text=True,
    )
    return shlex.split(made.stdout.replace("\\\n", " ").splitlines()[-1])
