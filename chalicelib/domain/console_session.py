"""Sessions of the console: offered to an IAM principal as a link, opened once by its page's button.

Of the secrets in link and cookie only hashes are stored. IAM is asked when a session is offered, so
a session outlives a permission that is taken away by OPEN_FOR at the most.
"""

import hmac
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from .errors import LinkOver, SignInNeeded
from .link_tokens import derived, digest, id_from

OFFERED_FOR = timedelta(minutes=2)
"""How long the link opens a session."""
OPEN_FOR = timedelta(hours=8)
"""How long an opened session lasts."""


class ConsoleSession(Struct, frozen=True, omit_defaults=True, rename="camel"):
    """One session: who asked for it, what it may do, and how far it is."""

    id: str
    principal: str
    """The IAM principal that asked for the link; events of the session are recorded as by it."""
    may_operate: bool
    """Whether it may change anything."""
    offered_at: datetime
    link_hash: str
    opened_at: datetime | None = None
    cookie_hash: str = ""
    ended_at: datetime | None = None

    @property
    def expires_at(self) -> datetime:
        """When the link or the opened session ends by itself."""
        if self.opened_at is None:
            return self.offered_at + OFFERED_FOR
        return self.opened_at + OPEN_FOR

    def is_open(self, now: datetime) -> bool:
        """Return whether its cookie is let in."""
        return self.opened_at is not None and self.ended_at is None and now < self.expires_at


def offer(link_secret: str, principal: str, *, may_operate: bool, now: datetime) -> ConsoleSession:
    """Return a new session that waits for the button of its link."""
    return ConsoleSession(
        id=id_from(link_secret),
        principal=principal,
        may_operate=may_operate,
        offered_at=now,
        link_hash=digest(link_secret),
    )


def check_offered(
    session: ConsoleSession | None, link_secret: str, now: datetime
) -> ConsoleSession:
    """Return the session that this link opens; LinkOver if it opens none (any more)."""
    if session is None or not hmac.compare_digest(session.link_hash, digest(link_secret)):
        raise LinkOver()
    if session.opened_at is not None or session.ended_at is not None or now >= session.expires_at:
        raise LinkOver()
    return session


def opened(session: ConsoleSession, cookie_secret: str, now: datetime) -> ConsoleSession:
    """Return the session as its button leaves it: open to that cookie."""
    return replace(session, opened_at=now, cookie_hash=digest(cookie_secret))


def check_open(session: ConsoleSession | None, cookie_secret: str, now: datetime) -> ConsoleSession:
    """Return the session that this cookie is let into; SignInNeeded if there is none (any more)."""
    if session is None or not session.is_open(now):
        raise SignInNeeded()
    if not hmac.compare_digest(session.cookie_hash, digest(cookie_secret)):
        raise SignInNeeded()
    return session


def ended(session: ConsoleSession, now: datetime) -> ConsoleSession:
    """Return the session ended: its cookie and its link are refused from now on."""
    return replace(session, ended_at=now)


def form_token(cookie_secret: str) -> str:
    """Return the token that each form of the session's pages carries; no other site knows it."""
    return derived("form", cookie_secret)
