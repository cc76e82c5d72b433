"""The old name of `tests/unit/entrypoints/functions.py`, until every test imports that."""

from tests.unit.entrypoints.functions import deliver

__all__ = ["deliver"]
