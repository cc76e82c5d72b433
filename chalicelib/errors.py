"""CORE: one tree of errors; each carries the facts that its reader needs.

Every error has a `code` (stable, for programs), an HTTP `status`, a `message` (for people) and,
where a part of the input is to blame, the `field`. No message ever holds a token, link or reason.
"""


class AssentError(Exception):
    """What Assent refuses or can't do; `status` is the HTTP status for it."""

    code = "AssentError"
    status = 500

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field

    def as_json(self) -> dict[str, str]:
        """Return the wire's error body: `{"code", "message"}`, and `"field"` if one is to blame."""
        body = {"code": self.code, "message": self.message}
        return body | {"field": self.field} if self.field is not None else body


class InvalidRequest(AssentError):
    """The input breaks a rule of the wire; `field` names where."""

    code = "InvalidRequest"
    status = 400


class WrongCode(AssentError):
    """The code from the mail is wrong, or was wrong too often."""

    code = "WrongCode"
    status = 403


class TooLarge(AssentError):
    """The body is larger than the door reads."""

    code = "RequestTooLarge"
    status = 413


class UnsupportedType(AssentError):
    """The body is neither JSON nor, where a page sends it, a form."""

    code = "UnsupportedType"
    status = 415


class NotFound(AssentError):
    """Nothing has that name; for a link token, whatever was wrong with it."""

    code = "NotFound"
    status = 404


class AlreadyDecided(AssentError):
    """It was answered before; 200 if this one says the same, 409 if the opposite."""

    code = "AlreadyDecided"
    status = 409

    def __init__(self, message: str, *, same: bool) -> None:
        super().__init__(message)
        self.status = 200 if same else 409


class Expired(AssentError):
    """The deadline has passed."""

    code = "Expired"
    status = 410


class Cancelled(AssentError):
    """The request was withdrawn."""

    code = "Cancelled"
    status = 410


class Reassigned(AssentError):
    """Somebody else has been asked instead."""

    code = "Reassigned"
    status = 410


class IdempotencyConflict(AssentError):
    """The Idempotency-Key was used before, with another body."""

    code = "IdempotencyConflict"
    status = 409


class Misconfigured(AssentError, LookupError):
    """The stage lacks settings; the message names all of them."""

    code = "Misconfigured"


class Unavailable(AssentError):
    """AWS didn't do what was asked after bounded retries; the same call may work later.

    The class's name stands in `statemachine.asl.json` as an error to retry.
    """

    code = "Unavailable"
    status = 503
    retry_after = 5
    """Seconds to wait before the next try."""
