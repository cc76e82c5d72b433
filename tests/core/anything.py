"""The old name of `tests/unit/strategies.py`, until every test imports that."""

from tests.unit.strategies import largest_approval as the_largest

__all__ = ["the_largest"]
