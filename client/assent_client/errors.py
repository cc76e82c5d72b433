"""What a call of the API may raise."""

from typing import Any


class AssentError(Exception):
    """Base of all errors of this package."""


class Unreachable(AssentError):
    """The API didn't answer, or AWS answered that it can't now. The call may be sent again."""


class Refused(AssentError):
    """The API refuses the call. Sending it again unchanged gets the same answer.

    `code` is stable and `field`, if not None, names the part at fault (docs/api.md); `message` is
    for people. `reference` is the request's id in the function's log, of faults alone.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        field: str | None = None,
        reference: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.field = field
        self.reference = reference


class InvalidRequest(Refused):
    """A part of the input breaks a rule; nothing was written."""


class Undecidable(InvalidRequest):
    """Some group could never reach its count; the message says which, and who is missing."""


class VersionConflict(Refused):
    """Somebody else wrote or deleted the policy since you read it."""


class NotFound(Refused):
    """Nothing has that name or id."""


class AlreadyDecided(Refused):
    """The approval has another outcome already."""


class NotSettled(Refused):
    """The approval is pending, or its outcome isn't delivered yet."""


class Expired(Refused):
    """The deadline has passed."""


class IdempotencyConflict(Refused):
    """The key was used with another request."""


class Forbidden(Refused):
    """API Gateway refuses: the call isn't signed by somebody with the operator policy."""


KINDS: dict[str, type[Refused]] = {
    kind.__name__: kind
    for kind in (
        *(InvalidRequest, NotFound, AlreadyDecided, NotSettled, Expired),
        *(IdempotencyConflict, Forbidden, Undecidable, VersionConflict),
    )
}
"""Code -> the exception; a code that isn't here is a Refused."""


def refusal(status: int, body: Any) -> Refused:
    """Return the exception for an answer of 4xx, or of 5xx that isn't worth another try."""
    found: dict[str, Any] = body if isinstance(body, dict) else {}
    code = str(found.get("code") or ("Forbidden" if status == 403 else f"HTTP{status}"))
    message = str(found.get("message") or found.get("Message") or f"the API answered {status}")
    kind = KINDS.get(code, Refused)
    return kind(status, code, message, field=found.get("field"), reference=found.get("reference"))
