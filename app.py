"""DOORS: every route and function of Assent. Parse, call one use case, answer.

The map: pure rules in `chalicelib/approval.py`, the order of effects in `chalicelib/workflow.py`,
clients in `chalicelib/wiring.py`. Nothing reads the environment or makes a client at import.
"""

import os
import re
import time
import traceback
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any, TypeVar
from urllib.parse import parse_qsl, unquote

from chalice.app import Chalice, CloudWatchEvent, IAMAuthorizer, Rate, Request, Response

from chalicelib import pages, settle, views, workflow
from chalicelib.approval import Approval, Approver, Choice
from chalicelib.errors import (
    AlreadyDecided,
    AssentError,
    Cancelled,
    Expired,
    InvalidRequest,
    NotFound,
    Reassigned,
    TooLarge,
    Unavailable,
    UnsupportedType,
    WrongCode,
)
from chalicelib.links import is_id
from chalicelib.operations import Cancel, Extend, Operation, Reassign, Remind
from chalicelib.request import Answer, Confirmation, Passing, check_address, read_json, shape
from chalicelib.rules import refuse_if_over
from chalicelib.wiring import Wiring

app = Chalice(app_name="assent")
wiring = Wiring(os.environ)
iam = IAMAuthorizer()

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
ANY = {"content_types": ["*/*"]}
"""Chalice takes every type; what we don't is refused by us, in our words."""
BODY_BYTES = 131_072
"""The largest body read: a request's every field at its longest is smaller."""
EXECUTION_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}")
"""What Step Functions takes as an execution's name, and we therefore as Idempotency-Key."""
OVER = (AlreadyDecided, Expired, Cancelled, Reassigned)
"""Why nothing more can be said to an approval; its pages show what came of it."""
OVERDUE = timedelta(minutes=10)
"""How long after its outcome an approval may wait for its task before an alarm says so."""
HANDOVER_MS = 75_000
"""A tick with less time than this left leaves the rest to the next one."""

T = TypeVar("T")
Headers = dict[str, str | list[str]]

HEADERS: Headers = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow",
    "Strict-Transport-Security": "max-age=31536000",
}


def door(handler: Callable[..., Response]) -> Callable[..., Response]:
    """Answer whatever happens inside, our errors with their status, a bug with 500; log it once."""

    @wraps(handler)
    def answered(**parameters: str) -> Response:
        started = time.perf_counter()
        facts: dict[str, Any] = {}
        try:
            response = handler(**parameters)
        except AssentError as e:
            facts = {"code": e.code} | ({"why": e.message} if e.status >= 500 else {})
            response = _error(e)
        except Exception as e:  # The door is the last to catch: a bug must not show its insides.
            facts = {"error": type(e).__name__, "trace": traceback.format_tb(e.__traceback__)}
            response = _error(AssentError(""))
        took = round((time.perf_counter() - started) * 1000, 1)
        request = _request()
        wiring.log(
            handler.__name__,
            method=request.method,
            status=response.status_code,
            ms=took,
            requestId=_reference(),
            **_ids(request),
            **facts,
        )
        if request.method == "HEAD":
            response.body = ""
        return response

    return answered


@app.route("/approve/{token}", methods=["GET", "HEAD", "POST"], **ANY)
@door
def approve(token: str) -> Response:
    """Show an approver the page with the button that approves; POST is that button."""
    return _decision("approve", token)


@app.route("/reject/{token}", methods=["GET", "HEAD", "POST"], **ANY)
@door
def reject(token: str) -> Response:
    """Show an approver the page with the button that rejects; POST is that button."""
    return _decision("reject", token)


@app.route("/pass/{token}", methods=["GET", "HEAD", "POST"], **ANY)
@door
def pass_on(token: str) -> Response:
    """Show an approver the page that has somebody else asked; POST is its button."""
    if _request().method != "POST":
        return _pass_page(token, Passing())
    passing = Passing()
    try:
        passing = _sent(Passing)
        to, note, code = passing.to, passing.note, passing.code
        return _shown(*workflow.pass_on(wiring, token, to, note, "page", code), 200)
    except OVER as e:
        return _shown(*workflow.show(wiring, token), e.status, e)
    except (InvalidRequest, WrongCode) as e:
        if not _wants_html():
            raise
        return _pass_page(token, passing, e)


@app.route("/cancel/{token}", methods=["GET", "HEAD", "POST"], **ANY)
@door
def cancel(token: str) -> Response:
    """Show the requester the page that withdraws; POST is its button."""
    reason, error = "", None
    if _request().method == "POST":
        try:
            reason = _sent(Answer).reason
            return _withdrawn(workflow.withdraw(wiring, token, reason, "page"), 200)
        except OVER as e:
            return _withdrawn(workflow.show_requester(wiring, token), e.status, e)
        except InvalidRequest as e:
            if not _wants_html():
                raise
            error = e
    approval = workflow.show_requester(wiring, token)
    open_ = approval.outcome == "pending" and wiring.now() < approval.expires_at
    if not (open_ and approval.requester and _wants_html()):
        return _withdrawn(approval, 200)
    said, status = _said(error)
    return _html(pages.cancel(approval, approval.requester, reason, said), status)


@app.route("/executions", methods=["POST"], authorizer=iam, **ANY)
@door
def start_execution() -> Response:
    """Start an execution of the approval workflow."""
    name = _request().headers.get("Idempotency-Key", wiring.secret())
    if not EXECUTION_NAME.fullmatch(name):
        raise InvalidRequest(
            "Idempotency-Key: must be 1 to 80 letters, digits, hyphens or underscores",
            field="Idempotency-Key",
        )
    started = workflow.start(wiring, _json_body(), name)
    return _json(started | {"links": {"self": f"{wiring.public_url}/executions/{name}"}}, 201)


@app.route("/executions/{name}", methods=["GET"], authorizer=iam)
@door
def get_execution(name: str) -> Response:
    """Return an execution, its outcome and its approval."""
    if not EXECUTION_NAME.fullmatch(name):
        raise NotFound(f"There is no execution named {name[:80]}.")
    found, approval = workflow.execution(wiring, name)
    outcome = approval and approval.outcome
    return _json(
        found | {"outcome": outcome, "approval": approval and views.for_operator(approval)}
    )


@app.route("/approvals/{approval_id}", methods=["GET"], authorizer=iam)
@door
def get_approval(approval_id: str) -> Response:
    """Return one approval with its whole record, as JSON or, for `?format=text`, in words."""
    asked: dict[str, str] = dict(_request().query_params or {})
    wanted = asked.get("format", "json")
    if wanted not in ("json", "text"):
        raise InvalidRequest("format: is json or text", field="format")
    found = workflow.find(wiring, approval_id)
    if wanted == "json":
        return _json(views.for_operator(found))
    from chalicelib.account import account  # noqa: PLC0415 (a first page doesn't pay for it)

    plain: Headers = {"Content-Type": "text/plain; charset=utf-8"}
    return Response(body=account(found), status_code=200, headers=HEADERS | plain)


@app.route("/approvals/{approval_id}/cancel", methods=["POST"], authorizer=iam, **ANY)
@door
def cancel_approval(approval_id: str) -> Response:
    """Withdraw an approval; its execution fails as `Cancelled`."""
    return _operate(approval_id, Cancel)


@app.route("/approvals/{approval_id}/remind", methods=["POST"], authorizer=iam, **ANY)
@door
def remind_approvers(approval_id: str) -> Response:
    """Mail those who haven't answered again."""
    return _operate(approval_id, Remind)


@app.route("/approvals/{approval_id}/extend", methods=["POST"], authorizer=iam, **ANY)
@door
def extend_approval(approval_id: str) -> Response:
    """Give an approval another deadline."""
    return _operate(approval_id, Extend)


@app.route("/approvals/{approval_id}/reassign", methods=["POST"], authorizer=iam, **ANY)
@door
def reassign_approval(approval_id: str) -> Response:
    """Ask one person instead of another."""
    return _operate(approval_id, Reassign)


@app.route("/approvers/{email}", methods=["GET"], authorizer=iam)
@door
def get_approver(email: str) -> Response:
    """Whether mail can reach an approver."""
    return _json(workflow.approver(wiring, unquote(email)))


@app.route("/approvers/{email}", methods=["PUT"], authorizer=iam, **ANY)
@door
def put_approver(email: str) -> Response:
    """Have SNS invite an approver, and with a body say who is asked while they are away."""
    away = _json_body(default=b"{}")
    if away == {}:
        return _json(workflow.approver(wiring, unquote(email), invite=True))
    return _json(workflow.write_absence(wiring, unquote(email), away))


@app.route("/approvers/{email}", methods=["DELETE"], authorizer=iam)
@door
def delete_approver(email: str) -> Response:
    """Delete an approver's topic and subscription."""
    workflow.forget_approver(wiring, unquote(email))
    return Response(body="", status_code=204, headers=HEADERS)


@app.route("/approvers/{email}/confirmation", methods=["POST"], authorizer=iam, **ANY)
@door
def confirm_approver(email: str) -> Response:
    """Confirm an approver with the link of SNS's invitation, safe from mail scanners."""
    link = shape(_json_body(), Confirmation)
    return _json(workflow.confirm_approver(wiring, unquote(email), link.url))


@app.route("/health", methods=["GET"])
@door
def health() -> Response:
    """Say that the stage runs and is configured."""
    return _json({"status": "ok", "stage": wiring.settings.stage})


@app.lambda_function(name="request_approval")
def request_approval(event: Any, context: Any) -> dict[str, str | None]:
    """Ask for an answer to a task token; for `lambda:invoke.waitForTaskToken`.

    `event` is a `request.Question`. Raises Unavailable, which the state machine retries, only
    while nothing has been written.
    """
    started = time.perf_counter()
    approval_id = workflow.request(wiring, event, "function")
    took = round((time.perf_counter() - started) * 1000, 1)
    request_id = str(getattr(context, "aws_request_id", "-"))
    wiring.log("request_approval", approvalId=approval_id, ms=took, requestId=request_id)
    return {"approvalId": approval_id}


@app.schedule(Rate(1, unit=Rate.MINUTES), name="tick")
def tick(event: CloudWatchEvent) -> None:
    """Settle whatever is due; one approval that can't be settled is not in the others' way."""
    context: Any = event.context
    counts = {"due": 0, "settled": 0, "failed": 0, "overdue": 0, "unreached": 0}
    for approval_id in wiring.store.due(wiring.now()):
        if context.get_remaining_time_in_millis() < HANDOVER_MS:
            counts["overdue"] += 1  # If this happens each time, ticks can't keep up.
            break
        counts["due"] += 1
        try:
            approval = settle.advance(wiring, approval_id)
        except Exception as e:  # Whatever is wrong with one, the others are still due.
            counts["failed"] += 1
            counts["overdue"] += 1
            trace = traceback.format_tb(e.__traceback__)
            wiring.log("tick_failed", approvalId=approval_id, error=type(e).__name__, trace=trace)
        else:
            counts["settled"] += approval is not None and not approval.outbox
            counts["overdue"] += approval is not None and _overdue(approval)
            counts["unreached"] += approval is not None and _unreached(approval)
    wiring.log("tick", **counts)


def _overdue(approval: Approval) -> bool:
    """Return whether the outcome is old and the task still unanswered."""
    return (
        approval.closed_at is not None
        and approval.settled_at is None
        and wiring.now() - approval.closed_at > OVERDUE
    )


def _unreached(approval: Approval) -> bool:
    """Return whether somebody should answer whom no mail has reached."""
    return approval.outcome == "pending" and any(a.mail != "sent" for a in approval.undecided)


def _operate(approval_id: str, kind: type[Operation]) -> Response:
    operation = shape(_json_body(default=b"{}"), kind)
    identity = _request().context.get("identity") or {}
    by = operation.by or str(identity.get("userArn") or "operator")
    if operation.by is not None:
        check_address(operation.by, "by", ("*",))
    try:
        changed = workflow.operate(wiring, approval_id, operation, by, "api")
    except AlreadyDecided as e:
        if e.status != 200:
            raise
        changed = workflow.find(wiring, approval_id)
    return _json(views.for_operator(changed))


def _decision(choice: Choice, token: str) -> Response:
    """Answer a decision link: GET and HEAD show, POST decides."""
    if _request().method != "POST":
        return _page(choice, token)
    reason = ""
    try:
        answer = _sent(Answer)
        reason = answer.reason
        decided = workflow.decide(wiring, token, choice, reason, "page", answer.code)
        return _shown(*decided, 200)
    except OVER as e:
        return _shown(*workflow.show(wiring, token), e.status, e)
    except (InvalidRequest, WrongCode) as e:
        if not _wants_html():
            raise
        return _page(choice, token, reason, e)


def _page(
    choice: Choice, token: str, reason: str = "", error: AssentError | None = None
) -> Response:
    """Return the page that asks, with what was wrong just now, or what came of it if it is over."""
    approval, approver = workflow.show(wiring, token)
    try:
        refuse_if_over(approval, approver, choice, wiring.now())
    except OVER as e:
        return _shown(approval, approver, 200 if isinstance(e, AlreadyDecided) else e.status)
    if not _wants_html():
        return _shown(approval, approver, 200)
    said, status = _said(error)
    return _html(pages.ask(approval, approver, choice, token, reason, said), status)


def _pass_page(token: str, passing: Passing, error: AssentError | None = None) -> Response:
    approval, approver = workflow.show(wiring, token)
    try:
        refuse_if_over(approval, approver, "approve", wiring.now())
    except OVER as e:
        return _shown(approval, approver, 200 if isinstance(e, AlreadyDecided) else e.status)
    if not _wants_html():
        return _shown(approval, approver, 200)
    said, status = _said(error)
    page = pages.pass_on(approval, approver, token, passing.to, passing.note, said)
    return _html(page, status)


def _withdrawn(approval: Approval, status: int, error: AssentError | None = None) -> Response:
    """Return an approval as its requester sees it."""
    if _wants_html():
        return _html(pages.withdrawn(approval, wiring.now()), status)
    seen = {"approval": views.for_approver(approval)}
    return _json(seen if status == 200 or error is None else error.as_json() | seen, status)


def _shown(
    approval: Approval, approver: Approver, status: int, error: AssentError | None = None
) -> Response:
    """Return an approval as its approver sees it, with what they decided and why not now."""
    if _wants_html():
        return _html(pages.answer(approval, approver, wiring.now()), status)
    own = approver.decision and approver.decision.choice
    seen = {"approval": views.for_approver(approval), "approver": approver.address, "decision": own}
    return _json(seen if status == 200 or error is None else error.as_json() | seen, status)


def _sent(wanted: type[T]) -> T:
    """Return what a page sent, as a form or as JSON."""
    if _type() != FORM:
        return shape(_json_body(default=b"{}"), wanted)
    try:
        pairs = parse_qsl(
            _body().decode(), keep_blank_values=True, max_num_fields=20, errors="strict"
        )
    except ValueError:  # UnicodeDecodeError among them
        raise InvalidRequest("body: is not a form in UTF-8") from None
    return shape(dict(pairs), wanted)


def _json_body(default: bytes = b"") -> Any:
    if _type() not in (JSON, ""):
        raise UnsupportedType(f"The body must be {JSON}, in UTF-8.")
    return read_json(_body() or default)


def _type() -> str:
    """Return the body's media type in lower case, without its parameters."""
    header: str = _request().headers.get("Content-Type", "")
    return header.partition(";")[0].strip().lower()


def _body() -> bytes:
    body: bytes = _request().raw_body  # type: ignore[assignment]  # bytes, whatever its type says
    if len(body) > BODY_BYTES:
        raise TooLarge(f"The body is larger than {BODY_BYTES} bytes.")
    return body


def _error(error: AssentError) -> Response:
    if error.status >= 500:
        # What exactly is in the log, under the reference; a reader can't do anything with it.
        error.message = "We can't do that just now. What was recorded is kept; please try again."
    headers: Headers = (
        {"Retry-After": str(error.retry_after)} if isinstance(error, Unavailable) else {}
    )
    if _wants_html():
        return _html(pages.problem(error, _reference()), error.status, headers)
    reference = {"reference": _reference()} if error.status >= 500 else {}
    return _json(error.as_json() | reference, error.status, headers)


def _json(body: dict[str, Any], status: int = 200, more: Headers | None = None) -> Response:
    headers = HEADERS | {"Content-Type": JSON} | (more or {})
    return Response(body=body, status_code=status, headers=headers)


def _html(page: str, status: int = 200, more: Headers | None = None) -> Response:
    return Response(body=page, status_code=status, headers=HEADERS | pages.HEADERS | (more or {}))


def _wants_html() -> bool:
    """Return whether the reader is a browser; on decision links also whoever doesn't say JSON."""
    request = _request()
    accept = request.headers.get("Accept", "*/*").lower()
    if "text/html" in accept or JSON in accept:
        return "text/html" in accept
    return "token" in (request.uri_params or {}) and _type() != JSON


def _request() -> Request:
    request = app.current_request
    if request is None:
        raise LookupError("a door is opened by a request")
    return request


def _ids(request: Request) -> dict[str, str]:
    """Return what this request is about, for the log: never the secret half of a token."""
    found = request.uri_params or {}
    named = found.get("approval_id", found.get("token", "").partition(".")[0])
    ids = {"approvalId": named if is_id(named) else "", "execution": found.get("name", "")}
    return {key: value[:80] for key, value in ids.items() if value}


def _said(error: AssentError | None) -> tuple[str, int]:
    """Return what a page says of an error, without the field that programs want, and its status."""
    if error is None:
        return "", 200
    words = error.message.removeprefix(f"{error.field}: ")
    return words[:1].upper() + words[1:] + ("" if words.endswith(".") else "."), error.status


def _reference() -> str:
    """Return the id under which this request stands in the log."""
    return str(_request().context.get("requestId", "-"))
