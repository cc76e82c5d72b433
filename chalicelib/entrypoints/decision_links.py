"""The links by which an approver decides on one approval, or has somebody else asked.

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
    WrongCode,
)
from ..domain.link_tokens import as_mailed, digest
from ..domain.link_view import as_shown
from ..domain.refusals import is_locked, why_cannot_decide
from ..presentation import serializers
from ..presentation.json_types import DecisionLinkJson, ReassignedLinkJson
from ..presentation.pages.decision import decide_page, locked_page, reassign_page
from ..presentation.pages.fields import FormError
from ..presentation.pages.outcome import (
    outcome_for_approver,
    reassigned_page,
)
from . import web
from .forms import DecisionForm, ReassignForm
from .web import Call, Reply

OVER = (AlreadyDecided, Expired, Cancelled, Reassigned)
"""The errors that end an approval for its reader: the page then shows the outcome."""

_NOT_DECIDED: dict[Choice, str] = {
    "approve": "Your approval was not recorded",
    "reject": "Your rejection was not recorded",
}
_NOT_REASSIGNED = "The request was not reassigned"
"""What a page says first of a press that changed nothing."""


def decide(call: Call, ports: Ports, choice: Choice, token: str) -> Reply:
    """Answer a link that approves or rejects."""
    token = as_mailed(token)
    if call.method != "POST":
        return _decide_page(call, ports, choice, token, DecisionForm())
    form = DecisionForm()
    try:
        form = call.form(DecisionForm)
        if form.show:
            return _decide_page(call, ports, choice, token, form)
        approval, approver = deciding.decide(
            ports,
            token,
            choice,
            reason=form.reason,
            via="page",
            code=form.code,
            break_glass=bool(form.breakGlass),
        )
    except OVER as e:
        approval, approver = deciding.find_for_approver(ports, token)
        refused = web.form_error(e, _NOT_DECIDED[choice], form.reason)
        return _outcome(call, ports, approval, approver, error=e, refused=refused)
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
        refused = web.form_error(e, _NOT_REASSIGNED, form.note)
        return _outcome(call, ports, approval, approver, error=e, refused=refused)
    except (InvalidRequest, WrongCode) as e:
        if not call.wants_html:
            raise
        return _reassign_page(call, ports, token, form, error=e)
    return _reassigned(call, approval, approver, just_now=True)


def _decide_page(
    call: Call,
    ports: Ports,
    choice: Choice,
    token: str,
    form: DecisionForm,
    error: AssentError | None = None,
) -> Reply:
    approval, approver = deciding.find_for_approver(ports, token)
    if answer := _answer_without_button(call, ports, approval, approver, token):
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
        error=web.form_error(error, _NOT_DECIDED[choice]),
    )
    return web.html(page, error.status if error else 200)


def _reassign_page(
    call: Call, ports: Ports, token: str, form: ReassignForm, error: AssentError | None = None
) -> Reply:
    approval, approver = deciding.find_for_approver(ports, token)
    if answer := _answer_without_button(call, ports, approval, approver, token):
        return answer
    page = reassign_page(
        approval,
        approver,
        token=token,
        now=ports.now(),
        root=call.root,
        to=form.to,
        note=form.note,
        code=form.code,
        error=web.form_error(error, _NOT_REASSIGNED),
    )
    return web.html(page, error.status if error else 200)


def _answer_without_button(
    call: Call,
    ports: Ports,
    approval: Approval,
    approver: Approver,
    token: str,
) -> Reply | None:
    """Return the answer where there is nothing to press: it is over, locked, or no browser asks."""
    now = ports.now()
    over = why_cannot_decide(approval, approver, now)
    if over is not None and not isinstance(over, AlreadyDecided):
        return _outcome(call, ports, approval, approver, error=over)
    if over is not None or not call.wants_html:
        return _outcome(call, ports, approval, approver)
    if is_locked(approver, digest(token.partition(".")[2])):
        return web.html(locked_page(approval, now), WrongCode.status)
    return None


def _outcome(
    call: Call,
    ports: Ports,
    approval: Approval,
    approver: Approver,
    *,
    error: AssentError | None = None,
    refused: FormError | None = None,
) -> Reply:
    """Return an approval as its approver sees it, with their decision, and the error if any.

    `refused` is what the page says of a press that changed nothing.
    """
    if approver.replaced_by is not None:
        return _reassigned(call, approval, approver, error=error, refused=refused)
    shown, alone = as_shown(approval, ports.now(), ports.details_kept)
    if call.wants_html:
        own = shown.approver(approver.address)
        page = outcome_for_approver(shown, own, ports.now(), outcome_alone=alone, refused=refused)
        return web.with_error(web.html(page), error)
    view: DecisionLinkJson = {
        "approval": serializers.approver_view(shown, outcome_alone=alone),
        "approver": approver.address,
        "decision": approver.decision.choice if approver.decision else None,
    }
    return web.with_error(web.json(view), error)


def _reassigned(
    call: Call,
    approval: Approval,
    approver: Approver,
    *,
    just_now: bool = False,
    error: AssentError | None = None,
    refused: FormError | None = None,
) -> Reply:
    """Return who is asked in the place of a replaced approver, and nothing of the approval."""
    asked = approval.asked_instead_of(approver)
    if call.wants_html:
        page = reassigned_page(asked, just_now=just_now, refused=refused)
        return web.with_error(web.html(page), error)
    view: ReassignedLinkJson = {
        "approver": approver.address,
        "decision": None,
        "replacedBy": asked,
    }
    return web.with_error(web.json(view), error)
