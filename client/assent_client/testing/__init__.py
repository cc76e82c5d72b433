"""A fake of the API, for the tests of programs that use it; it needs no AWS and no network."""

from .fake import FakeAssent

__all__ = ["FakeAssent"]
