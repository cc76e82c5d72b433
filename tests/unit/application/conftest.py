"""The fixture of the use cases' tests."""

import pytest

from tests.fakes import FakePorts


@pytest.fixture
def ports() -> FakePorts:
    """Return ports in memory."""
    return FakePorts()
