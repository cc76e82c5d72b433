"""What was shown: the SHA-256 of what a decision's page showed of the request.

A workflow that makes the same hash of what it is about to do knows that just this was approved.
"""

import hashlib
from typing import Any

import msgspec

from .request import Detail, Request

LARGEST_PLAIN = 1e16
"""From here on Python writes a number without a fraction with an exponent."""


def shown_hash(request: Request) -> str:
    """Return the SHA-256, in hexadecimal, of the canonical JSON of what was shown."""
    return hashlib.sha256(canonical_json(request)).hexdigest()


def canonical_json(request: Request) -> bytes:
    """Return subject, details and policy as canonical JSON in UTF-8.

    `{"details":...,"policy":{"name":...,"version":...},"subject":...}`, with `"policy":null` for a
    request without one: names sorted, no blanks, no escapes that JSON doesn't need, and numbers
    without a fraction as integers, as RFC 8785 has it.
    """
    details, applied = request.details, request.policy
    shown: dict[str, Any] = {
        "subject": request.subject,
        "details": details
        if isinstance(details, str)
        else {label: _plain(value) for label, value in details.items()},
        "policy": applied and {"name": applied.name, "version": applied.version},
    }
    return msgspec.json.encode(shown, order="sorted")


def _plain(value: Detail) -> Detail:
    whole = isinstance(value, float) and value.is_integer() and abs(value) < LARGEST_PLAIN
    return int(value) if whole else value
