"""The client of Assent: human approval steps for AWS Step Functions."""

from .client import Assent
from .errors import (
    AlreadyDecided,
    AssentError,
    Expired,
    Forbidden,
    IdempotencyConflict,
    InvalidRequest,
    NotFound,
    NotSettled,
    Refused,
    Undecidable,
    Unreachable,
    VersionConflict,
)

__all__ = [
    "AlreadyDecided",
    "Assent",
    "AssentError",
    "Expired",
    "Forbidden",
    "IdempotencyConflict",
    "InvalidRequest",
    "NotFound",
    "NotSettled",
    "Refused",
    "Undecidable",
    "Unreachable",
    "VersionConflict",
]
