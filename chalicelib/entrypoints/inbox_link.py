"""The inbox link: all requests that wait for one approver, several decided at once.

Selecting shows a page that asks again, and only the button of that page decides.
"""

from ..application import bulk_deciding
from ..application.bulk_deciding import Inbox, Result
from ..application.ports import Ports
from ..domain.errors import AlreadyDecided, AssentError, InvalidRequest
from ..domain.link_tokens import as_mailed
from ..presentation import serializers
from ..presentation.json_types import BulkDecisionJson, BulkResultJson, InboxJson
from ..presentation.pages import inbox as pages
from . import web
from .forms import InboxForm
from .web import Call, Reply


def inbox(call: Call, ports: Ports, token: str) -> Reply:
    """Answer the inbox link: GET and HEAD show it, POST asks to confirm, or decides."""
    token = as_mailed(token)
    if call.method != "POST":
        return _inbox(call, ports, token)
    try:
        form = call.form(InboxForm)
        selected = bulk_deciding.select(ports, token, form.chosen)
    except InvalidRequest as e:
        return _inbox(call, ports, token, error=e)
    if not form.confirmed:
        return _confirm(call, ports, token, form, selected)
    try:
        results = bulk_deciding.decide_all(ports, selected, form.choice, form.reason)
    except InvalidRequest as e:
        return _confirm(call, ports, token, form, selected, error=e)
    missing = {one: bulk_deciding.not_found() for one in selected.missing}
    if call.wants_html:
        page = pages.receipt_page(
            form.choice, results, token, call.root, missing=list(missing.values())
        )
        return web.html(page)
    errors: list[BulkResultJson] = [
        {"id": one, "error": error.as_json()} for one, error in missing.items()
    ]
    decided: BulkDecisionJson = {
        "approver": selected.address,
        "decided": [_result(result) for result in results] + errors,
    }
    return web.json(decided)


def _inbox(call: Call, ports: Ports, token: str, error: AssentError | None = None) -> Reply:
    if error is not None and not call.wants_html:
        raise error
    after = call.query.get("after", "")
    web.check_place(after, "after")
    inbox = bulk_deciding.inbox(ports, token, after)
    if call.wants_html:
        page = pages.inbox_page(
            inbox.address,
            inbox.approvals,
            after=inbox.after,
            now=ports.now(),
            error=web.form_error(error),
            token=token,
            root=call.root,
        )
        return web.html(page, error.status if error else 200)
    view: InboxJson = {
        "approver": inbox.address,
        "approvals": [serializers.inbox_item(approval) for approval in inbox.approvals],
        "next": inbox.after or None,
    }
    return web.json(view)


def _confirm(
    call: Call,
    ports: Ports,
    token: str,
    form: InboxForm,
    selected: Inbox,
    error: AssentError | None = None,
) -> Reply:
    """Return the page that asks to confirm, and says why the last press failed."""
    if not call.wants_html:
        raise error or InvalidRequest('confirmed: must be "yes" to decide', field="confirmed")
    waiting = [a for a in selected.approvals if bulk_deciding.is_waiting_for(a, selected.address)]
    if not waiting:
        none_left = AlreadyDecided("None of these waits for you any more.")
        return _inbox(call, ports, token, error=none_left)
    page = pages.confirm_page(
        selected.address,
        waiting,
        form.choice,
        closed=len(selected.approvals) - len(waiting) + len(selected.missing),
        token=token,
        root=call.root,
        now=ports.now(),
        reason=form.reason,
        error=web.form_error(error, "Nothing was recorded"),
    )
    return web.html(page, error.status if error else 200)


def _result(result: Result) -> BulkResultJson:
    if result.error is not None:
        return {"id": result.approval.id, "error": result.error.as_json()}
    decided: BulkResultJson = {"id": result.approval.id, "outcome": result.approval.outcome}
    if result.approval.is_in_vain:
        decided["resumed"] = False
    return decided
