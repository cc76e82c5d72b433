"""The example in an account that exists in this process alone."""

import pytest

from tests.examples.document_release.world import World


@pytest.fixture
def world(account: None) -> World:  # noqa: ARG001 (it must be there first)
    """Give the example's bucket and table, empty."""
    return World()
