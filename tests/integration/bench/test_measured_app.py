"""The measured processes: each answers, and prints figures and nothing else."""

import json
import os
import subprocess
import sys

import pytest

from bench.__main__ import MAX_CALLS
from bench.approvals import items_for
from bench.environment import ENVIRONMENT
from bench.packages import ROOT

FOLDERS = {"assent": ROOT, "bare": ROOT / "bench" / "bare"}


@pytest.mark.parametrize("name", FOLDERS)
def test_a_warm_process_prints_its_figures_alone(name: str) -> None:
    """No line of its log is among them; the calls are at most those that each request may make."""
    printed = subprocess.run(
        [sys.executable, "-P", "-m", "bench.measured_app", name, "warm"],
        env=os.environ | ENVIRONMENT | {"PYTHONPATH": f"{FOLDERS[name]}{os.pathsep}{ROOT}"},
        input=json.dumps(items_for(name)),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout
    figures = json.loads(printed)
    assert figures.keys() == MAX_CALLS.keys()
    assert all(0 < figures[request]["calls"] <= most for request, most in MAX_CALLS.items())
