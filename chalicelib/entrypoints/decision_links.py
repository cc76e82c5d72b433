"""The links in mails about one approval: pages to decide and reassign, and to follow a request.

GET and HEAD show a page; the POST of its button acts. Programs get the same as JSON.
"""

from ..application import deciding
from ..application.ports import Ports
from ..domain.approval import Approval, Approver, Choice
from ..domain.errors import (
    AlreadyDecided,
    AssentError,
    Cancelled,
    Expired,
    InvalidRequest,
    Reassigned,
    TooSoon,
    WrongCode,
)
from ..domain.link_tokens import as_mailed
from ..domain.link_view import is_outcome_alone, outcome_alone
from ..domain.refusals import why_cannot_decide
from ..presentation import serializers
from ..presentation.json_types import DecisionLinkJson, ReassignedLinkJson
from ..presentation.pages.decision import decide_page, reassign_page
from ..presentation.pages.outcome import (
    outcome_for_approver,
    outcome_for_requester,
    reassigned_page,
)
from ..presentation.pages.requester import requester_page
from . import web
from .forms import DecisionForm, ReassignForm, RequesterForm
from .web import Call, Reply

OVER = (AlreadyDecided, Expired, Cancelled, Reassigned)
"""The errors that end an approval for its reader: the page then shows the outcome."""


def decide(call: Call, ports: Ports, choice: Choice, token: str) -> Reply:
    """Answer a link that approves or rejects."""
    token = as_mailed(token)
    if call.method != "POST":
        return _decide_page(call, ports, choice, token, DecisionForm())
    form = DecisionForm()
    try:
        form = call.form(DecisionForm)
        approval, approver = deciding.decide(
            ports, token, choice, reason=form.reason, via="page", code=form.code
        )
    except OVER as e:
        approval, approver = deciding.find_for_approver(ports, token)
        return _outcome(call, ports, approval, approver, error=e)
    except (InvalidRequest, WrongCode) as e:
        if not call.wants_html:
            raise
        return _decide_page(call, ports, choice, token, form, error=e)
    return _outcome(call, ports, approval, approver)


def reassign(call: Call, ports: Ports, token: str) -> Reply:
    """Answer the link by which an approver has another person asked."""
    token = as_mailed(token)
    if call.method != "POST":
        return _reassign_page(call, ports, token, ReassignForm())
    form = ReassignForm()
    try:
        form = call.form(ReassignForm)
        approval, approver = deciding.reassign(
            ports, token, form.to, note=form.note, via="page", code=form.code
        )
    except OVER as e:
        approval, approver = deciding.find_for_approver(ports, token)
        return _outcome(call, ports, approval, approver, error=e)
    except (InvalidRequest, WrongCode) as e:
        if not call.wants_html:
            raise
        return _reassign_page(call, ports, token, form, error=e)
    return _outcome(call, ports, approval, approver)


def cancel(call: Call, ports: Ports, token: str) -> Reply:
    """Answer the link by which a requester follows the request, has others reminded or cancels."""
    if call.method != "POST":
        return _requester_page(call, ports, deciding.find_for_requester(ports, token))
    form = RequesterForm()
    try:
        form = call.form(RequesterForm)
        if form.action == "remind":
            reminded = deciding.remind(ports, token, form.reason, "page")
            return _requester_page(call, ports, reminded, reminded=True)
        approval = deciding.cancel(ports, token, form.reason, "page")
    except OVER as e:
        return _outcome_for_requester(
            call, ports, deciding.find_for_requester(ports, token), error=e
        )
    except (InvalidRequest, TooSoon) as e:
        if not call.wants_html:
            raise
        found = deciding.find_for_requester(ports, token)
        return _requester_page(call, ports, found, form.reason, error=e)
    return _outcome_for_requester(call, ports, approval)


def _decide_page(
    call: Call,
    ports: Ports,
    choice: Choice,
    token: str,
    form: DecisionForm,
    error: AssentError | None = None,
) -> Reply:
    approval, approver = deciding.find_for_approver(ports, token)
    if answer := _answer_without_button(call, ports, approval, approver):
        return answer
    page = decide_page(
        approval,
        approver,
        choice,
        token=token,
        now=ports.now(),
        root=call.root,
        reason=form.reason,
        code=form.code,
        error=web.form_error(error),
    )
    return web.html(page, error.status if error else 200)


def _reassign_page(
    call: Call, ports: Ports, token: str, form: ReassignForm, error: AssentError | None = None
) -> Reply:
    approval, approver = deciding.find_for_approver(ports, token)
    if answer := _answer_without_button(call, ports, approval, approver):
        return answer
    page = reassign_page(
        approval,
        approver,
        token=token,
        root=call.root,
        to=form.to,
        note=form.note,
        code=form.code,
        error=web.form_error(error),
    )
    return web.html(page, error.status if error else 200)


def _requester_page(
    call: Call,
    ports: Ports,
    approval: Approval,
    reason: str = "",
    *,
    reminded: bool = False,
    error: AssentError | None = None,
) -> Reply:
    now = ports.now()
    is_open = approval.outcome == "pending" and now < approval.expires_at
    if not (is_open and approval.requester and call.wants_html):
        return _outcome_for_requester(call, ports, approval)
    page = requester_page(
        approval,
        approval.requester,
        now=now,
        reason=reason,
        reminded=reminded,
        error=web.form_error(error),
    )
    return web.html(page, error.status if error else 200, web.retry_after(error))


def _answer_without_button(
    call: Call, ports: Ports, approval: Approval, approver: Approver
) -> Reply | None:
    """Return the answer where there is nothing to press: the approval is over, or no browser."""
    over = why_cannot_decide(approval, approver, ports.now())
    if over is not None and not isinstance(over, AlreadyDecided):
        return _outcome(call, ports, approval, approver, error=over)
    if over is not None or not call.wants_html:
        return _outcome(call, ports, approval, approver)
    return None


def _outcome(
    call: Call,
    ports: Ports,
    approval: Approval,
    approver: Approver,
    *,
    error: AssentError | None = None,
) -> Reply:
    """Return an approval as its approver sees it, with their decision, and the error if any."""
    if approver.replaced_by is not None:
        return _reassigned(call, approval, approver, error)
    shown, alone = _shown(ports, approval)
    if call.wants_html:
        page = outcome_for_approver(
            shown, shown.approver(approver.address), ports.now(), outcome_alone=alone
        )
        return _told(web.html(page), error)
    view: DecisionLinkJson = {
        "approval": serializers.approver_view(shown, outcome_alone=alone),
        "approver": approver.address,
        "decision": approver.decision.choice if approver.decision else None,
    }
    return _told(web.json(view), error)


def _outcome_for_requester(
    call: Call, ports: Ports, approval: Approval, error: AssentError | None = None
) -> Reply:
    """Return an approval as its requester sees it, and the error if any."""
    shown, alone = _shown(ports, approval)
    if call.wants_html:
        page = outcome_for_requester(shown, ports.now(), outcome_alone=alone)
        return _told(web.html(page), error)
    return _told(web.json(serializers.requester_view(shown, outcome_alone=alone)), error)


def _reassigned(
    call: Call, approval: Approval, approver: Approver, error: AssentError | None
) -> Reply:
    """Return who is asked in the place of a replaced approver, and nothing of the approval."""
    asked = approval.asked_instead_of(approver)
    if call.wants_html:
        return _told(web.html(reassigned_page(asked)), error)
    view: ReassignedLinkJson = {
        "approver": approver.address,
        "decision": None,
        "replacedBy": asked,
    }
    return _told(web.json(view), error)


def _shown(ports: Ports, approval: Approval) -> tuple[Approval, bool]:
    """Return the approval as its links show it now, and whether that is the outcome alone."""
    alone = is_outcome_alone(approval, ports.now(), ports.details_kept)
    return (outcome_alone(approval) if alone else approval), alone


def _told(reply: Reply, error: AssentError | None) -> Reply:
    """Return the reply with the status of the error, and for programs its code and message."""
    if error is None:
        return reply
    body = reply.body if isinstance(reply.body, str) else {**error.as_json(), **reply.body}
    return reply._replace(body=body, status=error.status, facts={"code": error.code})
