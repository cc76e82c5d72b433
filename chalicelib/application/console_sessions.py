"""Signing in to the console: a link is offered to an IAM principal, and opens a session once.

Nothing but the button of the link's page opens it: GET changes nothing.
"""

from ..domain import console_session
from ..domain.console_session import OPEN_FOR, ConsoleSession
from ..domain.errors import LinkOver, NotFound, SignInNeeded
from ..domain.link_tokens import is_id, read_token
from .ports import Ports

MOST_SESSIONS = 50
"""So many sessions are on one page of the list."""


def offer(ports: Ports, principal: str, *, may_operate: bool) -> tuple[ConsoleSession, str]:
    """Store a session for that IAM principal; return it and the link that opens it once."""
    secret = ports.secret()
    session = console_session.offer(secret, principal, may_operate=may_operate, now=ports.now())
    ports.sessions.create(session)
    return session, f"{ports.public_url}/console/sessions/{session.id}.{secret}"


def find_offered(ports: Ports, link: str) -> ConsoleSession:
    """Return the session that this link opens; LinkOver if it opens none (any more)."""
    session_id, secret = _read(link, LinkOver())
    found = ports.sessions.get(session_id)
    return console_session.check_offered(found, secret, ports.now())


def open_session(ports: Ports, link: str) -> tuple[ConsoleSession, str]:
    """Open the session of this link; return it and its cookie, which is stored as a hash alone.

    Raises LinkOver if the link opens none (any more), also if another press opened it just now.
    """
    offered, secret = find_offered(ports, link), ports.secret()
    session = console_session.opened(offered, secret, ports.now())
    if not ports.sessions.replace(offered, session):
        raise LinkOver()
    return session, f"{session.id}.{secret}"


def signed_in(ports: Ports, cookie: str) -> tuple[ConsoleSession, str]:
    """Return the open session of this cookie, and the token of its forms; or SignInNeeded."""
    session_id, secret = _read(cookie, SignInNeeded())
    found = ports.sessions.get(session_id)
    session = console_session.check_open(found, secret, ports.now())
    return session, console_session.form_token(secret)


def open_sessions(ports: Ports, before: str = "") -> tuple[list[ConsoleSession], str]:
    """Return open sessions of everybody, last opened first, and where the next page begins.

    `before` is where a page begins; "" is the beginning, as a result the end.
    """
    return ports.sessions.opened_since(ports.now() - OPEN_FOR, MOST_SESSIONS, before)


def end(ports: Ports, session_id: str) -> ConsoleSession:
    """End a session, and return it; one that has ended stays as it is. NotFound for others."""
    session = ports.sessions.get(session_id) if is_id(session_id) else None
    if session is None or session.opened_at is None:
        raise NotFound("There is no session of that name.")
    if session.ended_at is not None:
        return session
    over = console_session.ended(session, ports.now())
    if not ports.sessions.replace(session, over):
        return end(ports, session_id)  # Somebody has ended it meanwhile.
    return over


def _read(copied: str, refusal: LinkOver | SignInNeeded) -> tuple[str, str]:
    try:
        return read_token(copied)
    except NotFound:
        raise refusal from None
