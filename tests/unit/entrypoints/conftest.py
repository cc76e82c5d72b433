"""The app, with ports in memory handed in."""

from pathlib import Path

import pytest
from chalice.test import Client

import app as doors_module
from tests.unit.entrypoints.client import DoorPorts, Doors


@pytest.fixture
def ports(monkeypatch: pytest.MonkeyPatch) -> DoorPorts:
    """Return what the app works with in this test; afterwards its own wiring is back."""
    ports = DoorPorts()
    monkeypatch.setattr(doors_module, "wiring", ports)
    monkeypatch.setattr(doors_module.answered, "log", ports.log)
    return ports


@pytest.fixture
def doors(ports: DoorPorts, tmp_path: Path) -> Doors:  # noqa: ARG001 (it must be there first)
    """Return the app's doors; no stage's configuration of this machine comes in."""
    return Doors(Client(doors_module.app, project_dir=str(tmp_path)))
