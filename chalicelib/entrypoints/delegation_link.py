"""The page on which an approver says who decides while they are away; the inbox leads to it.

GET and HEAD show it, the POST of one of its buttons acts. Programs get the same as JSON.
"""

from ..application import own_delegation
from ..application.own_delegation import OwnDelegation
from ..application.ports import Ports
from ..domain.errors import AssentError, InvalidRequest
from ..domain.link_tokens import as_mailed
from ..presentation.delegation_json import OwnDelegationJson, delegation_json
from ..presentation.pages.delegation import delegation_page
from . import web
from .forms import OwnDelegationForm
from .web import Call, Reply


def delegation(call: Call, ports: Ports, token: str) -> Reply:
    """Answer the page of an approver's own delegation."""
    token, form = as_mailed(token), OwnDelegationForm()
    if call.method != "POST":
        return _page(call, token, own_delegation.find(ports, token), form)
    try:
        form = call.form(OwnDelegationForm)
        own = _act(ports, token, form)
    except InvalidRequest as e:
        if not call.wants_html:
            raise
        return _page(call, token, own_delegation.find(ports, token), form, error=e)
    return _page(call, token, own, OwnDelegationForm())


def _act(ports: Ports, token: str, form: OwnDelegationForm) -> OwnDelegation:
    if form.end:
        return own_delegation.end(ports, token)
    return own_delegation.delegate(
        ports, token, form.delegate, first=form.from_, last=form.until, reason=form.reason
    )


def _page(
    call: Call,
    token: str,
    own: OwnDelegation,
    form: OwnDelegationForm,
    error: AssentError | None = None,
) -> Reply:
    if not call.wants_html:
        absence = None if own.delegation is None else delegation_json(own.delegation)
        view: OwnDelegationJson = {"approver": own.address, "absence": absence}
        return web.json(view)
    page = delegation_page(
        own.address,
        own.delegation,
        token=token,
        root=call.root,
        to=form.delegate,
        first=form.from_,
        last=form.until,
        reason=form.reason,
        error=web.form_error(error, "Your delegation was not changed"),
    )
    return web.html(page, error.status if error else 200)
