"""DOORS: every route and function of Assent. Parse, call one use case, answer.

The map: what mailed links open in `chalicelib/linked.py`, what comes as a message in
`chalicelib/messages.py`, the order of effects in `chalicelib/workflow.py`, pure rules in
`chalicelib/rules.py`, clients in `chalicelib/wiring.py`. Nothing makes a client at import, and
nothing but the stage's name is read of the environment.
"""

import os
import re
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from functools import wraps
from typing import Any
from urllib.parse import unquote

from chalice.app import Chalice, CloudWatchEvent, IAMAuthorizer, Rate, Response, SQSEvent

from chalicelib import linked, messages, settle, views, web, workflow
from chalicelib.approval import Approval, Mail
from chalicelib.errors import AlreadyDecided, AssentError, InvalidRequest, NotFound
from chalicelib.operations import Cancel, Extend, Operation, Reassign, Remind
from chalicelib.request import Confirmation, Listing, check_address, shape
from chalicelib.web import Call, Reply
from chalicelib.wiring import Wiring

app = Chalice(app_name="assent")
wiring = Wiring(os.environ)
iam = IAMAuthorizer()

STAGE = os.environ.get("ASSENT_STAGE", "dev")
"""Names the queues below when `chalice deploy` reads this file (docs/decisions/0010-*.md)."""

ANY = {"content_types": ["*/*"]}
"""Chalice takes every type; what we don't is refused by us, in our words."""
EXECUTION_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}")
"""What Step Functions takes as an execution's name, and we therefore as Idempotency-Key."""
OVERDUE = timedelta(minutes=10)
"""How long after its outcome a task may wait for it, or the event bus, before an alarm says so."""
HANDOVER_MS = 75_000
"""A tick with less time than this left leaves the rest to the next one."""


def door(handler: Callable[..., Reply]) -> Callable[..., Response]:
    """Answer whatever happens inside, our errors with their status, a bug with 500; log it once."""

    @wraps(handler)
    def answered(**parameters: str) -> Response:
        started = time.perf_counter()
        facts: dict[str, Any] = {}
        call = _call()
        try:
            reply = handler(call, **parameters)
        except AssentError as e:
            facts = {"code": e.code} | ({"why": e.message} if e.status >= 500 else {})
            reply = web.error(call, e)
        except Exception as e:  # The door is the last to catch: a bug must not show its insides.
            facts = {"error": type(e).__name__, "trace": traceback.format_tb(e.__traceback__)}
            reply = web.error(call, AssentError(""))
        wiring.log(
            handler.__name__,
            method=call.method,
            status=reply.status,
            ms=_milliseconds(started),
            requestId=call.reference,
            **call.ids,
            **facts,
        )
        body = "" if call.method == "HEAD" else reply.body
        return Response(body=body, status_code=reply.status, headers=reply.headers)

    return answered


@app.route("/approve/{token}", methods=["GET", "HEAD", "POST"], **ANY)
@door
def approve(call: Call, token: str) -> Reply:
    """Show an approver the page with the button that approves; POST is that button."""
    return linked.decision(call, wiring, "approve", token)


@app.route("/reject/{token}", methods=["GET", "HEAD", "POST"], **ANY)
@door
def reject(call: Call, token: str) -> Reply:
    """Show an approver the page with the button that rejects; POST is that button."""
    return linked.decision(call, wiring, "reject", token)


@app.route("/pass/{token}", methods=["GET", "HEAD", "POST"], **ANY)
@door
def pass_on(call: Call, token: str) -> Reply:
    """Show an approver the page that has somebody else asked; POST is its button."""
    return linked.passing_on(call, wiring, token)


@app.route("/mine/{token}", methods=["GET", "HEAD", "POST"], **ANY)
@door
def mine(call: Call, token: str) -> Reply:
    """Show an approver all that waits for them, and let them decide several at once."""
    from chalicelib import listed  # noqa: PLC0415 (a first page doesn't pay for it)

    return listed.mine(call, wiring, token)


@app.route("/cancel/{token}", methods=["GET", "HEAD", "POST"], **ANY)
@door
def cancel(call: Call, token: str) -> Reply:
    """Show the requester the page that withdraws; POST is its button."""
    return linked.withdrawal(call, wiring, token)


@app.route("/executions", methods=["POST"], authorizer=iam, **ANY)
@door
def start_execution(call: Call) -> Reply:
    """Start an execution of the approval workflow."""
    name = call.headers.get("Idempotency-Key", wiring.secret())
    if not EXECUTION_NAME.fullmatch(name):
        raise InvalidRequest(
            "Idempotency-Key: must be 1 to 80 letters, digits, hyphens or underscores",
            field="Idempotency-Key",
        )
    started = workflow.start(wiring, call.json(), name)
    return web.json(started | {"links": {"self": f"{wiring.public_url}/executions/{name}"}}, 201)


@app.route("/executions/{name}", methods=["GET"], authorizer=iam)
@door
def get_execution(call: Call, name: str) -> Reply:
    """Return an execution, its outcome and its approval."""
    if not EXECUTION_NAME.fullmatch(name):
        raise NotFound(f"There is no execution named {name[:80]}.")
    found, approval = workflow.execution(wiring, name)
    outcome = approval and approval.outcome
    return web.json(
        found | {"outcome": outcome, "approval": approval and views.for_operator(approval)}
    )


@app.route("/approvals", methods=["GET"], authorizer=iam)
@door
def list_approvals(call: Call) -> Reply:
    """Return approvals with one outcome, newest first: `?outcome=pending&limit=50&next=...`."""
    asked = shape(call.query, Listing, strict=False)
    web.check_place(asked.next, "next")
    found, more = workflow.listed(wiring, asked.outcome, asked.limit, asked.next)
    approvals = [views.summary(approval) for approval in found]
    return web.json({"approvals": approvals, "next": more or None})


@app.route("/approvals/{approval_id}", methods=["GET"], authorizer=iam)
@door
def get_approval(call: Call, approval_id: str) -> Reply:
    """Return one approval with its whole record, as JSON or, for `?format=text`, in words."""
    wanted = call.query.get("format", "json")
    if wanted not in ("json", "text"):
        raise InvalidRequest("format: is json or text", field="format")
    found = workflow.find(wiring, approval_id)
    if wanted == "json":
        return web.json(views.for_operator(found))
    from chalicelib.account import account  # noqa: PLC0415 (a first page doesn't pay for it)

    return web.text(account(found))


@app.route("/approvals/{approval_id}/cancel", methods=["POST"], authorizer=iam, **ANY)
@door
def cancel_approval(call: Call, approval_id: str) -> Reply:
    """Withdraw an approval; its execution fails as `Cancelled`."""
    return _operate(call, approval_id, Cancel)


@app.route("/approvals/{approval_id}/remind", methods=["POST"], authorizer=iam, **ANY)
@door
def remind_approvers(call: Call, approval_id: str) -> Reply:
    """Mail those who haven't answered again."""
    return _operate(call, approval_id, Remind)


@app.route("/approvals/{approval_id}/extend", methods=["POST"], authorizer=iam, **ANY)
@door
def extend_approval(call: Call, approval_id: str) -> Reply:
    """Give an approval another deadline."""
    return _operate(call, approval_id, Extend)


@app.route("/approvals/{approval_id}/reassign", methods=["POST"], authorizer=iam, **ANY)
@door
def reassign_approval(call: Call, approval_id: str) -> Reply:
    """Ask one person instead of another."""
    return _operate(call, approval_id, Reassign)


@app.route("/approvers/{email}", methods=["GET"], authorizer=iam)
@door
def get_approver(call: Call, email: str) -> Reply:
    """Whether mail can reach an approver."""
    return web.json(workflow.approver(wiring, unquote(email)))


@app.route("/approvers/{email}", methods=["PUT"], authorizer=iam, **ANY)
@door
def put_approver(call: Call, email: str) -> Reply:
    """Have SNS invite an approver, and with a body say who is asked while they are away."""
    away = call.json(default=b"{}")
    if away == {}:
        return web.json(workflow.approver(wiring, unquote(email), invite=True))
    return web.json(workflow.write_absence(wiring, unquote(email), away))


@app.route("/approvers/{email}", methods=["DELETE"], authorizer=iam)
@door
def delete_approver(call: Call, email: str) -> Reply:
    """Delete an approver's topic and subscription."""
    workflow.forget_approver(wiring, unquote(email))
    return Reply("", 204, web.HEADERS)


@app.route("/approvers/{email}/confirmation", methods=["POST"], authorizer=iam, **ANY)
@door
def confirm_approver(call: Call, email: str) -> Reply:
    """Confirm an approver with the link of SNS's invitation, safe from mail scanners."""
    link = shape(call.json(), Confirmation)
    return web.json(workflow.confirm_approver(wiring, unquote(email), link.url))


@app.route("/health", methods=["GET"])
@door
def health(call: Call) -> Reply:
    """Say that the stage runs and is configured."""
    return web.json({"status": "ok", "stage": wiring.settings.stage})


@app.lambda_function(name="request_approval")
def request_approval(event: Any, context: Any) -> dict[str, str | None]:
    """Ask for an answer to a task token; for `lambda:invoke.waitForTaskToken`.

    `event` is a `request.Question`. Raises Unavailable, which the state machine retries, only
    while nothing has been written.
    """
    started = time.perf_counter()
    approval_id = workflow.request(wiring, event, "function")
    request_id = str(getattr(context, "aws_request_id", "-"))
    took = _milliseconds(started)
    wiring.log("request_approval", approvalId=approval_id, ms=took, requestId=request_id)
    return {"approvalId": approval_id}


@app.lambda_function(name="record_decision")
def record_decision(event: Any, context: Any) -> Mapping[str, str | None]:
    """Record an approver's decision for other code of this account; `event` is a `messages.Vote`.

    The same decision again is answered as the first one was. Raises our errors by their names.
    """
    with noted("record_decision", context) as line:
        line.update(messages.about(event))
        return messages.decide(wiring, event, "function")


@app.on_sqs_message(queue=f"assent-{STAGE}-decisions", name="decision_from_queue", batch_size=1)
def decision_from_queue(event: SQSEvent) -> None:
    """Record the decision in a message; one that is refused becomes a dead letter."""
    _take("decision_from_queue", event, messages.decide)


@app.on_sqs_message(queue=f"assent-{STAGE}-requests", name="request_from_queue", batch_size=1)
def request_from_queue(event: SQSEvent) -> None:
    """Ask what a message says; for `sqs:sendMessage.waitForTaskToken`."""
    _take("request_from_queue", event, messages.ask)


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
    """Return whether the outcome is old and the task still unanswered, or the bus without it."""
    late = approval.closed_at is not None and wiring.now() - approval.closed_at > OVERDUE
    return late and any(not isinstance(promise, Mail) for promise in approval.outbox)


def _unreached(approval: Approval) -> bool:
    """Return whether somebody should answer whom no mail has reached."""
    return any(approver.mail != "sent" for approver in approval.waits_for)


@contextmanager
def noted(door_name: str, context: Any) -> Iterator[dict[str, Any]]:
    """Log one line of what was done inside; a bug's insides are neither logged nor raised."""
    started = time.perf_counter()
    line: dict[str, Any] = {"status": 200}
    try:
        yield line
    except AssentError as e:
        line |= messages.why_not(e)
        raise
    except Exception as e:  # As at `door`: what a bug says may hold anything.
        trace = traceback.format_tb(e.__traceback__)
        line |= {"status": 500, "error": type(e).__name__, "trace": trace}
        raise AssentError("This went wrong on our side; please try again.") from None
    finally:
        request_id = str(getattr(context, "aws_request_id", "-"))
        wiring.log(door_name, **line, ms=_milliseconds(started), requestId=request_id)


def _take(name: str, event: SQSEvent, does: messages.Does) -> None:
    for record in event:
        with noted(name, event.context) as line:
            message = messages.opened(record.to_dict())
            line.update(messageId=message.id, via=message.via)
            came = messages.take(wiring, message, does)
            line.update(messages.why_not(came) if isinstance(came, AssentError) else came)


def _operate(call: Call, approval_id: str, kind: type[Operation]) -> Reply:
    operation = shape(call.json(default=b"{}"), kind)
    if operation.by is not None:
        check_address(operation.by, "by", ("*",))
    by = operation.by or call.caller
    try:
        changed = workflow.operate(wiring, approval_id, operation, by, "api")
    except AlreadyDecided as e:
        if e.status != 200:
            raise
        changed = workflow.find(wiring, approval_id)
    return web.json(views.for_operator(changed))


def _call() -> Call:
    request = app.current_request
    if request is None:
        raise LookupError("a door is opened by a request")
    return Call(request)


def _milliseconds(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 1)
