"""Holds refusals of input to what every one of them must be: short, clean, and about a field."""

import json
from unicodedata import category

from chalicelib.domain.errors import InvalidRequest
from tests.unit.strategies import REORDERING

MESSAGE_CHARACTERS = 1_000
"""Longer than any of our sentences, and far shorter than a cause or a body may be."""
MEGABYTE = "x" * 1_000_000
SURROGATE = "\ud83d"
HOSTILE = [
    "\x00", "\x07", "\x0b", "\x0c", "\x1b[2J", "\x7f", "\x85", "\x9b", "\u2028", "\u2029",
    "\u202a", "\u202e", "\u2066", "\u2069", SURROGATE, "\udc00",
]  # fmt: skip
"""Control characters, marks that reorder text, and halves of surrogate pairs."""


def fit_to_send(error: InvalidRequest) -> InvalidRequest:
    """Return the refusal; fail if it is long, not printable, or doesn't begin with its field."""
    sent = json.dumps(error.as_json(), ensure_ascii=False).encode()
    assert len(sent.decode()) <= MESSAGE_CHARACTERS
    assert not [c for c in sent.decode() if category(c) == "Cc" or c in REORDERING]
    assert error.field is None or error.message.startswith(error.field.partition(".")[0])
    return error
