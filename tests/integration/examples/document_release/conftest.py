"""The example over AWS services that exist in this process alone."""

import pytest

from tests.integration.examples.document_release.moto_wiring import MotoWiring


@pytest.fixture
def wiring(account: None) -> MotoWiring:  # noqa: ARG001 (it must be there first)
    """Give the example's bucket and table, empty."""
    return MotoWiring()
