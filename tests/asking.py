"""The old names of `tests/builders.py`, until every test imports that."""

from tests.builders import an_approval, asked, body, hashes_of, new_approval, people, ticked

__all__ = ["an_approval", "asked", "body", "hashes_of", "new_approval", "people", "ticked"]
