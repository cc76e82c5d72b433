"""Who may see a page of the console: the cookie of an open session, and a form's origin.

A page needs a session. A form needs one that may operate, the session's token in it, and a browser
that says it was sent by one of our own pages.
"""

import hmac
from collections.abc import Mapping
from typing import TypeVar

from msgspec import Struct

from ..application import console_sessions
from ..application.ports import Ports
from ..domain.errors import AssentError, NotPermitted
from ..presentation.console.frame import HEADERS, Visit
from ..presentation.pages.parts import Page
from . import web
from .web import Call, Headers, Reply


class ConsoleForm(Struct, frozen=True, forbid_unknown_fields=True):
    """The field of every form of the console."""

    csrf: str = ""


Form = TypeVar("Form", bound=ConsoleForm)


def cookie_name(ports: Ports) -> str:
    """Return the name of the stage's cookie: two stages may share a domain."""
    return f"__Host-assent-{ports.stage}"


def signed_in(call: Call, ports: Ports) -> Visit:
    """Return who looks at a page; SignInNeeded without an open session."""
    session, token = console_sessions.signed_in(ports, call.cookie(cookie_name(ports)))
    principal, may_operate = session.principal, session.may_operate
    return Visit(session.id, principal, may_operate, token, call.root, ports.now())


def own_form(call: Call, ports: Ports, wanted: type[Form]) -> tuple[Visit, Form]:
    """Return who sent a form, and the form as a `wanted`.

    Raises SignInNeeded without an open session, and NotPermitted unless one of our own pages, of
    this session, has sent it.
    """
    visit = signed_in(call, ports)
    check_origin(call, ports)
    form = call.form(wanted)
    if not hmac.compare_digest(form.csrf.encode(), visit.form_token.encode()):
        raise NotPermitted("This form is of another session: please open its page again.")
    return visit, form


def operators_form(call: Call, ports: Ports, wanted: type[Form]) -> tuple[Visit, Form]:
    """Return what `own_form` does; NotPermitted also if the session may only read."""
    visit, form = own_form(call, ports, wanted)
    check_may_operate(visit)
    return visit, form


def check_may_operate(visit: Visit) -> None:
    """Raise NotPermitted if the session may only read."""
    if not visit.may_operate:
        raise NotPermitted(
            "Your session may only read. To change something, ask for a session without "
            "--read-only, which needs the operator policy."
        )


def check_origin(call: Call, ports: Ports) -> None:
    """Raise NotPermitted if another site sent this form, or the browser doesn't say who did."""
    if not call.is_from(ports.public_url):
        raise NotPermitted("This form came from another site, so nothing was changed.")


def done(visit: Visit, path: str, what: str, facts: Mapping[str, str]) -> Reply:
    """Lead to a page below `console`, which says what was done: loaded anew, it does nothing."""
    location = {"Location": f"{visit.root}console{path}?done={what}"}
    logged = {**facts, "principal": visit.principal}
    return Reply("", 303, {**web.HEADERS, **HEADERS, **location}, logged)


def notice(call: Call, ports: Ports, words: Mapping[str, str]) -> str:
    """Return what a page says was done; "" if no page of ours has led here."""
    what = call.query.get("done", "")
    return words.get(what, "") if what and call.is_from(ports.public_url) else ""


def reply(
    visit: Visit | None,
    page: Page,
    error: AssentError | None = None,
    more: Headers | None = None,
) -> Reply:
    """Return a page of the console; the log says for whom."""
    facts = {} if visit is None else {"principal": visit.principal}
    facts |= {"code": error.code} if error else {}
    headers = HEADERS | (more or {}) | web.retry_after(error)
    return web.html(page, error.status if error else 200, headers)._replace(facts=facts)
