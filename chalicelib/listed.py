"""DOORS: the link of the list: all that waits for one approver, several decided at once.

Choosing shows what was chosen, and only that page's button decides.
"""

from . import together, views, web
from .errors import AlreadyDecided, AssentError, InvalidRequest
from .linked import said
from .pages import many
from .ports import Ports
from .request import Choosing
from .together import Told, Waiting
from .web import Call, Reply


def mine(call: Call, ports: Ports, token: str) -> Reply:
    """Answer the link of the list: GET and HEAD show it, POST shows what is chosen, or decides."""
    if call.method != "POST":
        return _list(call, ports, token)
    try:
        sent = call.sent(Choosing)
        chosen = together.chosen(ports, token, sent.chosen)
    except InvalidRequest as e:
        return _list(call, ports, token, e)
    if not sent.confirmed:
        return _confirm(call, ports, token, sent, chosen)
    try:
        told = together.decide(ports, chosen, sent.choice, sent.reason)
    except InvalidRequest as e:
        return _confirm(call, ports, token, sent, chosen, e)
    if call.wants_html:
        return web.html(many.receipt(sent.choice, told, token))
    return web.json({"approver": chosen.address, "decided": [_line(line) for line in told]})


def _list(call: Call, ports: Ports, token: str, error: AssentError | None = None) -> Reply:
    if error is not None and not call.wants_html:
        raise error
    after = call.query.get("after", "")
    web.check_place(after, "after")
    seen = together.waiting(ports, token, after)
    words, status = said(error)
    if call.wants_html:
        page = many.waiting(seen.address, seen.approvals, seen.after, ports.now(), words)
        return web.html(page, status)
    approvals = [views.waiting(approval) for approval in seen.approvals]
    return web.json({"approver": seen.address, "approvals": approvals, "next": seen.after or None})


def _confirm(
    call: Call,
    ports: Ports,
    token: str,
    sent: Choosing,
    chosen: Waiting,
    error: AssentError | None = None,
) -> Reply:
    """Return the page that asks whether these shall be decided, with what was wrong just now."""
    if not call.wants_html:
        raise error or InvalidRequest('confirmed: must be "yes" to decide', field="confirmed")
    still = [a for a in chosen.approvals if together.waits_for(a, chosen.address)]
    if not still:
        return _list(
            call, ports, token, AlreadyDecided("None of these waits for you any more.", same=False)
        )
    gone = len(chosen.approvals) - len(still)
    words, status = said(error)
    page = many.confirm(still, gone, sent.choice, token, ports.now(), sent.reason, words)
    return web.html(page, status)


def _line(told: Told) -> dict[str, object]:
    """Return what came of one of them, for programs."""
    if told.error is not None:
        return {"id": told.approval.id, "error": told.error.as_json()}
    return {"id": told.approval.id, "outcome": told.approval.outcome}
