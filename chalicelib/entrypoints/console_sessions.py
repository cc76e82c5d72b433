"""Sessions of the console: the link that opens one, the list, and signing out."""

from urllib.parse import urlencode

from ..application import console_sessions
from ..application.ports import Ports
from ..domain.console_session import OPEN_FOR
from ..domain.timestamps import iso
from ..presentation.console.frame import HEADERS as PAGE_HEADERS
from ..presentation.console.problem import signed_out_page
from ..presentation.console.sessions import sessions_page, sign_in_page
from ..presentation.json_types import OfferedSessionJson
from . import console, web
from .console import ConsoleForm
from .web import Call, Headers, Reply

_COOKIE = "{}={}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={}"
"""`Lax`: a `Strict` cookie isn't sent when a mail's link leads to the console."""


class SignOutForm(ConsoleForm, frozen=True):
    """Which session to end; the own one if none is named."""

    session: str = ""


def offer(call: Call, ports: Ports, *, may_operate: bool) -> Reply:
    """Offer a session to the IAM principal that signed the call."""
    session, url = console_sessions.offer(ports, call.caller, may_operate=may_operate)
    offered: OfferedSessionJson = {"url": url, "expiresAt": iso(session.expires_at)}
    return web.json(offered, 201)._replace(facts={"session": session.id})


def sign_in(call: Call, ports: Ports, link: str) -> Reply:
    """Show the page of a link that opens a session; POST is its button."""
    if call.method != "POST":
        return console.reply(None, sign_in_page(console_sessions.find_offered(ports, link)))
    console.check_origin(call, ports)
    session, cookie = console_sessions.open_session(ports, link)
    seconds = int(OPEN_FOR.total_seconds())
    headers: Headers = {
        "Location": f"{call.root}console",
        "Set-Cookie": _COOKIE.format(console.cookie_name(ports), cookie, seconds),
    }
    facts = {"principal": session.principal, "session": session.id}
    return Reply("", 303, web.HEADERS | PAGE_HEADERS | headers, facts)


def sessions(call: Call, ports: Ports) -> Reply:
    """Show the open sessions."""
    visit, place = console.signed_in(call, ports), call.query.get("next", "")
    web.check_place(place, "next")
    listed, after = console_sessions.open_sessions(ports, place)
    more = urlencode({"next": after}) if after else ""
    notice = console.notice(call, ports, {"end": "The session is over."})
    return console.reply(visit, sessions_page(visit, listed, more=more, notice=notice))


def sign_out(call: Call, ports: Ports) -> Reply:
    """End the own session, or another one, which needs a session that may operate."""
    visit, form = console.own_form(call, ports, SignOutForm)
    wanted = form.session or visit.session_id
    if wanted != visit.session_id:
        console.check_may_operate(visit)
    ended = console_sessions.end(ports, wanted)
    facts = {"session": ended.id}
    if wanted != visit.session_id:
        return console.done(visit, "/sessions", "end", facts)
    gone = _COOKIE.format(console.cookie_name(ports), "", 0)
    page = signed_out_page("You are signed out", "To sign in again, run: assent console")
    out = console.reply(None, page, more={"Set-Cookie": gone})
    return out._replace(facts={**facts, "principal": visit.principal})
