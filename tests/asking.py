"""The old names of `tests/builders.py`, until every test imports that."""

from tests.builders import after_tick as ticked
from tests.builders import an_approval, hashes_of, new_approval, people
from tests.builders import request_approval as asked
from tests.builders import request_body as body

__all__ = ["an_approval", "asked", "body", "hashes_of", "new_approval", "people", "ticked"]
