"""The errors of Assent: one tree; each carries what its reader needs.

Every error has a `code` (stable, for programs), an HTTP `status`, a `message` (for people) and,
where one part of the input is wrong, the `field`. No message holds a token, a link or a reason.
The message of a refusal may quote its sender, addresses included: it is for them, not for a log.
"""

import re

_FIELD = re.compile(r"[A-Za-z-]{1,24}(\[\d{1,3}\])?(\.[A-Za-z-]{1,24}(\[\d{1,3}\])?){0,3}")
"""A field as the wire names it. A link token is longer, an address has other characters."""


class AssentError(Exception):
    """Base of all errors; `status` is the HTTP status of the answer."""

    code = "AssentError"
    status = 500
    retry_after: int | None = None
    """Seconds to wait before the next try, where that is known."""

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field

    def as_json(self) -> dict[str, str]:
        """Return the wire's error body: `code`, `message`, and `field` if one part is wrong."""
        body = {"code": self.code, "message": self.message}
        return body | {"field": self.field} if self.field is not None else body

    def as_facts(self) -> dict[str, str]:
        """Return what a log may hold: the code, and nothing that the sender of a request wrote.

        For a refusal also the field: of a detail without its label, and not if an unknown field has
        a name that no field can have. For a fault (5xx) also the message, as `why`.
        """
        if self.status >= 500:
            return {"code": self.code, "why": self.message}
        field = self.field or ""
        field = "details" if field.startswith("details.") else field
        return {"code": self.code} | ({"field": field} if _FIELD.fullmatch(field) else {})


class InvalidRequest(AssentError):
    """The input breaks a documented rule; `field` names where."""

    code = "InvalidRequest"
    status = 400


class Undecidable(InvalidRequest):
    """Some group could never reach its count; the message names it, and who is missing."""

    code = "Undecidable"


class WrongCode(AssentError):
    """The code from the mail is wrong, or too many wrong codes were tried."""

    code = "WrongCode"
    status = 403

    def __init__(self, message: str) -> None:
        super().__init__(message, field="code")


class TooLarge(AssentError):
    """The body exceeds the limit for HTTP requests."""

    code = "RequestTooLarge"
    status = 413


class UnsupportedType(AssentError):
    """The body is neither JSON nor, on a page's route, a form."""

    code = "UnsupportedType"
    status = 415


class NotFound(AssentError):
    """Nothing has that name; for a link token, whatever is wrong with the token."""

    code = "NotFound"
    status = 404


class AlreadyDecided(AssentError):
    """The approval has another outcome, or the approver made the opposite decision, already."""

    code = "AlreadyDecided"
    status = 409


class NotSettled(AssentError):
    """The approval is pending, or its outcome isn't delivered yet."""

    code = "NotSettled"
    status = 409


class Expired(AssentError):
    """The deadline has passed."""

    code = "Expired"
    status = 410


class Cancelled(AssentError):
    """The request was cancelled."""

    code = "Cancelled"
    status = 410


class Reassigned(AssentError):
    """Another person is asked instead of this approver."""

    code = "Reassigned"
    status = 410


class SignInNeeded(AssentError):
    """No cookie of an open session of the console came along."""

    code = "SignInNeeded"
    status = 403

    def __init__(self) -> None:
        super().__init__(
            "You are not signed in, or your session is over. In a terminal with your AWS "
            "credentials, run: assent console"
        )


class LinkOver(AssentError):
    """The link to the console was used, is older than two minutes, or never was one."""

    code = "LinkOver"
    status = 410

    def __init__(self) -> None:
        super().__init__(
            "This link no longer works: it opens the console once, within two minutes. For a new "
            "one, run: assent console"
        )


class NotPermitted(AssentError):
    """A form of the console from another site, or in a session that may only read."""

    code = "NotPermitted"
    status = 403


class VersionConflict(AssentError):
    """Somebody else wrote or deleted the policy since its writer read it."""

    code = "VersionConflict"
    status = 409


class IdempotencyConflict(AssentError):
    """The Idempotency-Key was used before, with another body."""

    code = "IdempotencyConflict"
    status = 409


class TooSoon(AssentError):
    """The requester had the approvers reminded less than an hour ago."""

    code = "TooSoon"
    status = 429

    def __init__(self, retry_after: int) -> None:
        minutes = -(-retry_after // 60)
        super().__init__(
            "The approvers were reminded less than an hour ago; the next reminder is possible in "
            f"{minutes} minute{'s' if minutes > 1 else ''}."
        )
        self.retry_after = retry_after


class Refused(AssentError):
    """AWS or Assent refuses it for good, by that name; somebody has to change the account."""

    code = "Refused"
    status = 409

    def __init__(self, service: str, name: str) -> None:
        super().__init__(
            f"{service} refuses this ({name}); trying again won't help: see 'Refused mail' in "
            "docs/operating.md"
        )
        self.name = name


class Misconfigured(AssentError, LookupError):
    """The stage lacks settings; the message names all of them."""

    code = "Misconfigured"


class Unavailable(AssentError):
    """AWS failed after bounded retries, or too many writers met; the same call may work later.

    `statemachine.asl.json` names this class as an error to retry.
    """

    code = "Unavailable"
    status = 503
    retry_after = 5
