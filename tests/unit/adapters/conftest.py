"""What tests of adapters against stubs share: credentials that open nothing."""

import pytest


@pytest.fixture(autouse=True)
def _credentials(credentials: None) -> None:
    """Keep the machine's own AWS settings out of every test here."""
