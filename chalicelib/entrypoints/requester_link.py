"""The link by which a requester follows one request, has the approvers reminded, or cancels.

GET and HEAD show a page; the POST of one of its buttons acts. Programs get the same as JSON.
"""

from ..application import deciding
from ..application.ports import Ports
from ..domain.approval import Approval
from ..domain.errors import AssentError, InvalidRequest, TooSoon
from ..domain.link_view import as_shown
from ..presentation import serializers
from ..presentation.pages.fields import FormError
from ..presentation.pages.outcome import outcome_for_requester
from ..presentation.pages.requester import requester_page
from . import web
from .decision_links import OVER
from .forms import RequesterForm
from .web import Call, Reply

_NOT_DONE = {
    "cancel": "The request was not cancelled",
    "remind": "No reminder was sent",
}
"""Action -> what the page says first of a press that changed nothing."""


def follow(call: Call, ports: Ports, token: str) -> Reply:
    """Answer the link by which a requester follows the request, has others reminded or cancels."""
    if call.method != "POST":
        return _page(call, ports, deciding.find_for_requester(ports, token))
    form = RequesterForm()
    try:
        form = call.form(RequesterForm)
        if form.action == "remind":
            reminded = deciding.remind(ports, token, form.reason, "page")
            return _page(call, ports, reminded, reminded=True)
        approval = deciding.cancel(ports, token, form.reason, "page")
    except OVER as e:
        found = deciding.find_for_requester(ports, token)
        refused = web.form_error(e, _NOT_DONE[form.action], form.reason)
        return _outcome(call, ports, found, error=e, refused=refused)
    except (InvalidRequest, TooSoon) as e:
        if not call.wants_html:
            raise
        found = deciding.find_for_requester(ports, token)
        return _page(call, ports, found, form, error=e)
    return _outcome(call, ports, approval)


def _page(
    call: Call,
    ports: Ports,
    approval: Approval,
    form: RequesterForm = RequesterForm(),  # noqa: B008 (it is frozen)
    *,
    reminded: bool = False,
    error: AssentError | None = None,
) -> Reply:
    now = ports.now()
    is_open = approval.outcome == "pending" and now < approval.expires_at
    if not (is_open and approval.requester and call.wants_html):
        return _outcome(call, ports, approval)
    page = requester_page(
        approval,
        approval.requester,
        now=now,
        reason=form.reason,
        reminded=reminded,
        error=web.form_error(error, _NOT_DONE[form.action]),
    )
    return web.html(page, error.status if error else 200, web.retry_after(error))


def _outcome(
    call: Call,
    ports: Ports,
    approval: Approval,
    error: AssentError | None = None,
    refused: FormError | None = None,
) -> Reply:
    """Return an approval as its requester sees it, and the error if any."""
    shown, alone = as_shown(approval, ports.now(), ports.details_kept)
    if call.wants_html:
        page = outcome_for_requester(shown, ports.now(), outcome_alone=alone, refused=refused)
        return web.with_error(web.html(page), error)
    return web.with_error(web.json(serializers.requester_view(shown, outcome_alone=alone)), error)
