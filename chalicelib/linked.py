"""DOORS: what the links in mails open: the pages on which people decide, pass on and withdraw.

GET and HEAD show; the POST of a page's button does. Programs get the same as JSON.
"""

from collections.abc import Callable

from . import pages, views, web, workflow
from .approval import Approval, Approver, Choice
from .errors import (
    AlreadyDecided,
    AssentError,
    Cancelled,
    Expired,
    InvalidRequest,
    Reassigned,
    WrongCode,
)
from .ports import Ports
from .request import Answer, Passing, Withdrawal
from .rules import refuse_if_over
from .web import Call, Reply

OVER = (AlreadyDecided, Expired, Cancelled, Reassigned)
"""Why nothing more can be said to an approval; its pages show what came of it."""

Seen = tuple[Approval, Approver]
Write = Callable[[Approval, Approver, str], str]
"""Writes the page that asks, with what was wrong just now."""


def decision(call: Call, ports: Ports, choice: Choice, token: str) -> Reply:
    """Answer a decision link."""
    answer = Answer()

    def write(approval: Approval, approver: Approver, wrong: str) -> str:
        return pages.ask(approval, approver, choice, token, answer.reason, wrong)

    def act() -> Seen:
        nonlocal answer
        answer = call.sent(Answer)
        return workflow.decide(ports, token, choice, answer.reason, "page", answer.code)

    return _pressed(call, ports, token, choice, act, write)


def passing_on(call: Call, ports: Ports, token: str) -> Reply:
    """Answer the link by which an approver has somebody else asked."""
    passing = Passing()

    def write(approval: Approval, approver: Approver, wrong: str) -> str:
        return pages.pass_on(approval, approver, token, passing.to, passing.note, wrong)

    def act() -> Seen:
        nonlocal passing
        passing = call.sent(Passing)
        return workflow.pass_on(ports, token, passing.to, passing.note, "page", passing.code)

    return _pressed(call, ports, token, "approve", act, write)


def withdrawal(call: Call, ports: Ports, token: str) -> Reply:
    """Answer the link by which a requester withdraws."""
    reason, error = "", None
    if call.method == "POST":
        try:
            reason = call.sent(Withdrawal).reason
            return _withdrawn(call, ports, workflow.withdraw(ports, token, reason, "page"), 200)
        except OVER as e:
            return _withdrawn(call, ports, workflow.show_requester(ports, token), e.status, e)
        except InvalidRequest as e:
            if not call.wants_html:
                raise
            error = e
    approval = workflow.show_requester(ports, token)
    open_ = approval.outcome == "pending" and ports.now() < approval.expires_at
    if not (open_ and approval.requester and call.wants_html):
        return _withdrawn(call, ports, approval, 200)
    words, status = said(error)
    return web.html(pages.cancel(approval, approval.requester, reason, words), status)


def _pressed(
    call: Call, ports: Ports, token: str, choice: Choice, act: Callable[[], Seen], write: Write
) -> Reply:
    """Return the page that asks; if its button was pressed, what came of that."""
    if call.method != "POST":
        return _asking(call, ports, token, choice, write)
    try:
        return _shown(call, ports, *act(), 200)
    except OVER as e:
        return _shown(call, ports, *workflow.show(ports, token), e.status, e)
    except (InvalidRequest, WrongCode) as e:
        if not call.wants_html:
            raise
        return _asking(call, ports, token, choice, write, e)


def _asking(
    call: Call,
    ports: Ports,
    token: str,
    choice: Choice,
    write: Write,
    error: AssentError | None = None,
) -> Reply:
    """Return the page that asks, with what was wrong just now, or what came of it if it is over."""
    approval, approver = workflow.show(ports, token)
    try:
        refuse_if_over(approval, approver, choice, ports.now())
    except OVER as e:
        status = 200 if isinstance(e, AlreadyDecided) else e.status
        return _shown(call, ports, approval, approver, status)
    if not call.wants_html:
        return _shown(call, ports, approval, approver, 200)
    words, status = said(error)
    return web.html(write(approval, approver, words), status)


def _withdrawn(
    call: Call, ports: Ports, approval: Approval, status: int, error: AssentError | None = None
) -> Reply:
    """Return an approval as its requester sees it."""
    if call.wants_html:
        return web.html(pages.withdrawn(approval, ports.now()), status)
    return _seen({"approval": views.for_approver(approval)}, status, error)


def _shown(
    call: Call,
    ports: Ports,
    approval: Approval,
    approver: Approver,
    status: int,
    error: AssentError | None = None,
) -> Reply:
    """Return an approval as its approver sees it, with what they decided and why not now."""
    if call.wants_html:
        return web.html(pages.answer(approval, approver, ports.now()), status)
    own = approver.decision and approver.decision.choice
    seen: dict[str, object] = {"approval": views.for_approver(approval)}
    seen |= {"approver": approver.address, "decision": own}
    return _seen(seen, status, error)


def _seen(seen: dict[str, object], status: int, error: AssentError | None) -> Reply:
    return web.json(seen if status == 200 or error is None else error.as_json() | seen, status)


def said(error: AssentError | None) -> tuple[str, int]:
    """Return what a page says of an error, without the field that programs want, and its status."""
    if error is None:
        return "", 200
    words = error.message.removeprefix(f"{error.field}: ")
    return words[:1].upper() + words[1:] + ("" if words.endswith(".") else "."), error.status
