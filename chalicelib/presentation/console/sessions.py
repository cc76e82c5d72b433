"""The pages by which people sign in to the console, and see and end its sessions."""

from collections.abc import Sequence

from ...domain.console_session import ConsoleSession
from ..pages.markup import NOTHING, Markup
from ..pages.parts import Page, joined
from ..wording import when
from .frame import Visit, console_page, fill, next_page, plain_page, token_field

_END = Markup(
    '<form method="post" action="{}console/sign-out">\n{}'
    '<input type="hidden" name="session" value="{}">\n'
    '<button class="plain">End<span class="unseen"> the session of {}</span></button>\n</form>\n'
)


def may(session: ConsoleSession) -> str:
    """Return what a session may do, in words."""
    return "may change approvals and approvers" if session.may_operate else "may only read"


def sign_in_page(session: ConsoleSession) -> Page:
    """Return the page of a link, whose button opens the session."""
    return plain_page(
        "Open the console?", fill("sign_in", principal=session.principal, may=may(session))
    )


def sessions_page(
    visit: Visit, sessions: Sequence[ConsoleSession], *, more: str = "", notice: str = ""
) -> Page:
    """Return a page of the open sessions; an operating session may end those of others.

    `more` is the query of the next page, "" if there is none.
    """
    rows = joined(_row(visit, session) for session in sessions)
    content = fill("sessions", rows=rows, more=next_page(more))
    return console_page(visit, "/sessions", "Sessions", content, notice=notice)


def _row(visit: Visit, session: ConsoleSession) -> Markup:
    own = session.id == visit.session_id
    end = _END.format(visit.root, token_field(visit), session.id, session.principal)
    return Markup(
        '<tr><th scope="row">{}{}</th><td data-label="What">{}</td><td data-label="Since">{}</td>'
        '<td data-label="Until">{}</td><td>{}</td></tr>\n'
    ).format(
        session.principal,
        Markup('<span class="fact">this session</span>') if own else "",
        may(session),
        when(session.opened_at) if session.opened_at else "",
        when(session.expires_at),
        end if own or visit.may_operate else NOTHING,
    )
