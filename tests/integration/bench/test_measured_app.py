"""The measured processes: each app does each work, and prints figures and nothing else."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from bench.canned_aws import SERVICE_OF
from bench.environment import ENVIRONMENT
from bench.packages import ROOT
from bench.works import WARM

FOLDERS = (ROOT / "bench" / "bare", ROOT)
CALLS = {"page": 1, "decision": 2, "decision that closes": 4}
"""The AWS calls that each may make."""


def printed(number: int, mode: str, works: list[Any]) -> str:
    """Return what a process of the bare app (0) or of Assent (1) prints."""
    return subprocess.run(
        [sys.executable, "-P", "-m", "bench.measured_app", mode],
        env=os.environ | ENVIRONMENT | {"PYTHONPATH": f"{FOLDERS[number]}{os.pathsep}{ROOT}"},
        input=json.dumps(works),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout


@pytest.mark.parametrize("number", [0, 1], ids=["bare", "Assent"])
def test_a_warm_process_prints_its_figures_alone(number: int) -> None:
    """No line of its log is among them; the calls are at most those that each request may make."""
    works = {name: both[number] for name, both in WARM.items()}
    figures = dict(
        zip(works, json.loads(printed(number, "warm", list(works.values()))), strict=True)
    )
    assert all(measured["ms"] > 0 for measured in figures.values())
    for name, most in CALLS.items():
        assert 0 < len(figures[name]["calls"]) <= most


def test_what_is_compared_makes_the_same_calls() -> None:
    """Where the name says so."""
    same = [both for name, both in WARM.items() if "same calls" in name]
    bare, ours = (
        json.loads(printed(number, "warm", [both[number] for both in same])) for number in (0, 1)
    )
    for one, other in zip(bare, ours, strict=True):
        assert sorted(one["calls"]) == sorted(other["calls"])
        assert set(one["calls"]) <= SERVICE_OF.keys()
