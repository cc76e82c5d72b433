"""The fixtures of the entrypoints' tests: the app with ports in memory, and its client."""

from pathlib import Path

import pytest

from tests.unit.entrypoints.client import AppClient, AppPorts, install


@pytest.fixture
def ports(monkeypatch: pytest.MonkeyPatch) -> AppPorts:
    """Return the ports that the app has in this test."""
    return install(monkeypatch)


@pytest.fixture
def client(ports: AppPorts, tmp_path: Path) -> AppClient:  # noqa: ARG001 (it must be set first)
    """Return the app's client; no stage's configuration of this machine is read."""
    return AppClient(str(tmp_path))
