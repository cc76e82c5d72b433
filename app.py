"""Every trigger of Assent: routes, functions, queues and the schedule. Each calls one use case.

Importing this module makes no client and reads nothing of the environment but the stage's name.
"""

import os
import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from chalice.app import Chalice, CloudWatchEvent, IAMAuthorizer, Rate, Response, SQSEvent

import chalicelib.cold_start  # noqa: F401 (first, for the imports that follow)
from chalicelib.application import approvers, listing, operating
from chalicelib.application import tick as ticking
from chalicelib.domain.addresses import check_address
from chalicelib.domain.commands import Cancel, Command, Extend, Reassign, Remind
from chalicelib.domain.decoding import convert
from chalicelib.domain.errors import AssentError, InvalidRequest, NotFound
from chalicelib.domain.link_tokens import unknown_link
from chalicelib.domain.request import is_execution_name
from chalicelib.entrypoints import decision_links, queue_messages, web
from chalicelib.entrypoints.answering import Answering, error_facts, logged
from chalicelib.entrypoints.forms import (
    ApprovalQuery,
    ApprovalsQuery,
    ApproversQuery,
    ConfirmationForm,
)
from chalicelib.entrypoints.web import Call, Reply
from chalicelib.presentation import serializers
from chalicelib.wiring import Wiring

app = Chalice(app_name="assent")
wiring = Wiring(os.environ)
iam = IAMAuthorizer()
answered = Answering(app, Response, wiring.log, lambda: wiring.name)

STAGE = os.environ.get("ASSENT_STAGE", "dev")
"""Part of the queues' names, which Chalice reads at import (docs/decisions/0010-*.md)."""

ANY = {"content_types": ["*/*"]}
"""Chalice accepts every type, so that an unsupported one is refused in our words by any method."""
IDEMPOTENCY_KEY = re.compile(r"[A-Za-z0-9_-]{1,80}")
"""Names the execution. Step Functions accepts more, but logs to CloudWatch only executions with
such names, and a header and `links.self` hold them as they are."""
HANDOVER_MS = 75_000
"""A tick begins no approval when the function's time-out is this near."""


@app.route("/approve/{token}", methods=["GET", "HEAD", "POST"], **ANY)
@answered
def approve(call: Call, token: str) -> Reply:
    """Show an approver the page whose button approves; POST is that button."""
    return decision_links.decide(call, wiring, "approve", token)


@app.route("/reject/{token}", methods=["GET", "HEAD", "POST"], **ANY)
@answered
def reject(call: Call, token: str) -> Reply:
    """Show an approver the page whose button rejects; POST is that button."""
    return decision_links.decide(call, wiring, "reject", token)


@app.route("/pass/{token}", methods=["GET", "HEAD", "POST"], **ANY)
@app.route("/reassign/{token}", methods=["GET", "HEAD", "POST"], **ANY)
@answered
def reassign(call: Call, token: str) -> Reply:
    """Show an approver the page that has another person asked; POST is its button.

    `/pass` is its name on pages of unreleased versions.
    """
    return decision_links.reassign(call, wiring, token)


@app.route("/mine/{token}", methods=["GET", "HEAD", "POST"], **ANY)
@app.route("/inbox/{token}", methods=["GET", "HEAD", "POST"], **ANY)
@answered
def inbox(call: Call, token: str) -> Reply:
    """Show an approver all requests that wait for them; POST decides several at once.

    `/mine` is its name in mails of unreleased versions.
    """
    from chalicelib.entrypoints import inbox_link  # noqa: PLC0415 (cold start)

    return inbox_link.inbox(call, wiring, token)


@app.route("/delegation/{token}", methods=["GET", "HEAD", "POST"], **ANY)
@answered
def delegation(call: Call, token: str) -> Reply:
    """Show an approver who decides while they are away; POST sets or ends that."""
    from chalicelib.entrypoints import delegation_link  # noqa: PLC0415 (cold start)

    return delegation_link.delegation(call, wiring, token)


@app.route("/cancel/{token}", methods=["GET", "HEAD", "POST"], **ANY)
@answered
def cancel(call: Call, token: str) -> Reply:
    """Show the requester how the request stands; POST reminds the approvers, or cancels."""
    from chalicelib.entrypoints import requester_link  # noqa: PLC0415 (cold start)

    return requester_link.follow(call, wiring, token)


@app.route("/", methods=["GET", "HEAD"], **ANY)
@app.route("/approve", methods=["GET", "HEAD"], **ANY)
@app.route("/reject", methods=["GET", "HEAD"], **ANY)
@app.route("/reassign", methods=["GET", "HEAD"], **ANY)
@app.route("/inbox", methods=["GET", "HEAD"], **ANY)
@app.route("/delegation", methods=["GET", "HEAD"], **ANY)
@app.route("/cancel", methods=["GET", "HEAD"], **ANY)
@answered
def cut_link(call: Call) -> Reply:
    """Answer a link that was cut before its token as any other bad link.

    Without these routes API Gateway answers by itself: 403 and `Missing Authentication Token`.
    """
    raise unknown_link()


@app.route("/executions", methods=["POST"], authorizer=iam, **ANY)
@answered
def start_execution(call: Call) -> Reply:
    """Start an execution of the approval workflow."""
    name = call.headers.get("Idempotency-Key", wiring.secret())
    if not IDEMPOTENCY_KEY.fullmatch(name):
        raise InvalidRequest(
            "Idempotency-Key: must be 1 to 80 letters, digits, hyphens or underscores",
            field="Idempotency-Key",
        )
    started = operating.start_execution(wiring, call.json(), name)
    return web.json({**started, "links": {"self": f"{wiring.public_url}/executions/{name}"}}, 201)


@app.route("/executions/{name}", methods=["GET"], authorizer=iam, **ANY)
@answered
def get_execution(call: Call, name: str) -> Reply:
    """Return an execution, its newest approval with the outcome, and a list of all of them."""
    name = unquote(name)
    if not is_execution_name(name):
        raise NotFound("There is no execution of that name: none can have it.")
    found, approvals = operating.find_execution(wiring, name)
    newest = approvals[0] if approvals else None
    view = {
        "outcome": newest and newest.outcome,
        "approval": newest and serializers.operator_view(newest),
        "approvals": [serializers.summary(approval) for approval in approvals],
    }
    return web.json({**found, **view})


@app.route("/approvals", methods=["GET"], authorizer=iam, **ANY)
@answered
def list_approvals(call: Call) -> Reply:
    """Return a page of approvals: of one outcome, approver, requester, policy or deadline."""
    query = convert(call.query, ApprovalsQuery, strict=False)
    web.check_place(query.next, "next")
    given = {"outcome", "approver", "requestedBy", "due", "policy"} & call.query.keys()
    if len(given) > 1:
        field = sorted(given)[1]
        wrong = f"{field}: is not combined with {sorted(given)[0]}; give one of them"
        raise InvalidRequest(wrong, field=field)
    paging = (query.limit, query.next)
    if query.approver:
        page = listing.waiting_for(wiring, query.approver, *paging)
    elif query.requested_by:
        page = listing.requested_by(wiring, query.requested_by, *paging)
    elif query.policy:
        page = listing.waiting_under(wiring, query.policy, *paging)
    elif query.due == "overdue":
        page = listing.overdue(wiring, *paging)
    elif query.due == "soon":
        page = listing.due_soon(wiring, *paging)
    else:
        page = listing.by_outcome(wiring, query.outcome or "pending", *paging)
    approvals = [serializers.summary(approval) for approval in page.approvals]
    return web.json({"approvals": approvals, "next": page.after or None})


@app.route("/approvals/{approval_id}", methods=["GET"], authorizer=iam, **ANY)
@answered
def get_approval(call: Call, approval_id: str) -> Reply:
    """Return one approval with all its events, as JSON or, for `?format=text`, as text."""
    wanted = convert(call.query, ApprovalQuery)
    found = operating.find_approval(wiring, approval_id)
    if wanted.format == "json":
        return web.json(serializers.operator_view(found))
    from chalicelib.presentation.audit_report import audit_report  # noqa: PLC0415 (cold start)

    return web.text(audit_report(found))


@app.route("/approvals/{approval_id}", methods=["DELETE"], authorizer=iam, **ANY)
@answered
def erase_approval(call: Call, approval_id: str) -> Reply:
    """Erase the personal data of a delivered approval; that it was decided stays on record."""
    erased = operating.erase(wiring, approval_id, by=call.caller, via="api")
    return web.json(serializers.operator_view(erased))


@app.route("/approvals/{approval_id}/cancel", methods=["POST"], authorizer=iam, **ANY)
@answered
def cancel_approval(call: Call, approval_id: str) -> Reply:
    """Cancel an approval; its execution fails as `Cancelled`."""
    return _change(call, approval_id, Cancel)


@app.route("/approvals/{approval_id}/remind", methods=["POST"], authorizer=iam, **ANY)
@answered
def remind_approvers(call: Call, approval_id: str) -> Reply:
    """Send another mail to each approver who hasn't decided."""
    return _change(call, approval_id, Remind)


@app.route("/approvals/{approval_id}/extend", methods=["POST"], authorizer=iam, **ANY)
@answered
def extend_approval(call: Call, approval_id: str) -> Reply:
    """Move an approval's deadline."""
    return _change(call, approval_id, Extend)


@app.route("/approvals/{approval_id}/reassign", methods=["POST"], authorizer=iam, **ANY)
@answered
def reassign_approval(call: Call, approval_id: str) -> Reply:
    """Ask one person instead of another."""
    return _change(call, approval_id, Reassign)


@app.route("/approvers", methods=["GET"], authorizer=iam, **ANY)
@answered
def list_approvers(call: Call) -> Reply:
    """Return the approvers whom Assent has invited, and whether mail reaches them."""
    query = convert(call.query, ApproversQuery, strict=False)
    web.check_place(query.next, "next")
    listed, more = approvers.list_approvers(wiring, query.limit, query.next)
    return web.json({"approvers": listed, "next": more or None})


@app.route("/approvers/{email}", methods=["GET"], authorizer=iam, **ANY)
@answered
def get_approver(call: Call, email: str) -> Reply:
    """Return whether mail can reach an approver."""
    return web.json(approvers.find_approver(wiring, unquote(email)))


@app.route("/approvers/{email}", methods=["PUT"], authorizer=iam, **ANY)
@answered
def put_approver(call: Call, email: str) -> Reply:
    """Have SNS invite an approver; a body is a delegation, stored for them."""
    sent = call.json(default=b"{}")
    if sent == {}:
        return web.json(approvers.invite(wiring, unquote(email)))
    status = approvers.delegate(wiring, unquote(email), sent, call.caller)
    absence = status.get("absence")
    claimed = {"by": absence["by"]} if absence and "by" in absence else {}
    return web.json(status)._replace(facts=claimed)


@app.route("/approvers/{email}/delegation", methods=["DELETE"], authorizer=iam, **ANY)
@answered
def end_delegation(call: Call, email: str) -> Reply:
    """End an approver's delegation; approver and delegate are told."""
    approvers.end_delegation(wiring, unquote(email), by=call.caller, principal=call.caller)
    return Reply("", 204, web.HEADERS)


@app.route("/approvers/{email}", methods=["DELETE"], authorizer=iam, **ANY)
@answered
def delete_approver(call: Call, email: str) -> Reply:
    """Delete an approver's topic and subscription."""
    approvers.forget(wiring, unquote(email))
    return Reply("", 204, web.HEADERS)


@app.route("/approvers/{email}/confirmation", methods=["POST"], authorizer=iam, **ANY)
@answered
def confirm_approver(call: Call, email: str) -> Reply:
    """Confirm an approver with the link of SNS's invitation, safe from mail scanners."""
    form = convert(call.json(), ConfirmationForm)
    return web.json(approvers.confirm(wiring, unquote(email), form.url))


@app.route("/policies", methods=["GET"], authorizer=iam, **ANY)
@answered
def list_policies(call: Call) -> Reply:
    """Return the policies, last written first."""
    from chalicelib.entrypoints import policies  # noqa: PLC0415 (cold start)

    return policies.list_policies(call, wiring)


@app.route("/policies/{name}", methods=["GET"], authorizer=iam, **ANY)
@answered
def get_policy(call: Call, name: str) -> Reply:
    """Return a policy, or an older version of it."""
    from chalicelib.entrypoints import policies  # noqa: PLC0415 (cold start)

    return policies.get_policy(call, wiring, unquote(name))


@app.route("/policies/{name}", methods=["PUT"], authorizer=iam, **ANY)
@answered
def put_policy(call: Call, name: str) -> Reply:
    """Write a new version of a policy."""
    from chalicelib.entrypoints import policies  # noqa: PLC0415 (cold start)

    return policies.put_policy(call, wiring, unquote(name))


@app.route("/policies/{name}", methods=["DELETE"], authorizer=iam, **ANY)
@answered
def delete_policy(call: Call, name: str) -> Reply:
    """Delete a policy; what waits under it goes on."""
    from chalicelib.entrypoints import policies  # noqa: PLC0415 (cold start)

    return policies.delete_policy(call, wiring, unquote(name))


@app.route("/console/sessions", methods=["POST"], authorizer=iam, **ANY)
@answered
def offer_console_session(call: Call) -> Reply:
    """Return a link that opens a session of the console once, for the principal that signed."""
    from chalicelib.entrypoints import console_sessions  # noqa: PLC0415 (cold start)

    return console_sessions.offer(call, wiring, may_operate=True)


@app.route("/console/read-only-sessions", methods=["POST"], authorizer=iam, **ANY)
@answered
def offer_read_only_session(call: Call) -> Reply:
    """Return a link that opens a session which may change nothing."""
    from chalicelib.entrypoints import console_sessions  # noqa: PLC0415 (cold start)

    return console_sessions.offer(call, wiring, may_operate=False)


@app.route("/console/sessions/{link}", methods=["GET", "HEAD", "POST"], **ANY)
@answered
def console_sign_in(call: Call, link: str) -> Reply:
    """Show the page of such a link; POST is its button, which signs in."""
    from chalicelib.entrypoints import console_sessions  # noqa: PLC0415 (cold start)

    return console_sessions.sign_in(call, wiring, link)


@app.route("/console/sessions", methods=["GET", "HEAD"], **ANY)
@answered
def console_list_sessions(call: Call) -> Reply:
    """Show the open sessions of the console."""
    from chalicelib.entrypoints import console_sessions  # noqa: PLC0415 (cold start)

    return console_sessions.sessions(call, wiring)


@app.route("/console/sign-out", methods=["POST"], **ANY)
@answered
def console_sign_out(call: Call) -> Reply:
    """End a session of the console."""
    from chalicelib.entrypoints import console_sessions  # noqa: PLC0415 (cold start)

    return console_sessions.sign_out(call, wiring)


@app.route("/console", methods=["GET", "HEAD"], **ANY)
@answered
def console(call: Call) -> Reply:
    """Show operators a list of approvals."""
    from chalicelib.entrypoints import console_approvals  # noqa: PLC0415 (cold start)

    return console_approvals.approvals(call, wiring)


@app.route("/console/approvals/{approval_id}", methods=["GET", "HEAD"], **ANY)
@answered
def console_approval(call: Call, approval_id: str) -> Reply:
    """Show operators one approval."""
    from chalicelib.entrypoints import console_approvals  # noqa: PLC0415 (cold start)

    return console_approvals.approval(call, wiring, approval_id)


@app.route("/console/approvals/{approval_id}/{command}", methods=["GET", "HEAD", "POST"], **ANY)
@answered
def console_command(call: Call, approval_id: str, command: str) -> Reply:
    """Show operators the form of a command (cancel, remind, extend, reassign); POST sends it."""
    from chalicelib.entrypoints import console_approvals  # noqa: PLC0415 (cold start)

    return console_approvals.command(call, wiring, approval_id, command)


@app.route("/console/approvers", methods=["GET", "HEAD", "POST"], **ANY)
@answered
def console_approvers(call: Call) -> Reply:
    """Show operators the approvers; POST invites one."""
    from chalicelib.entrypoints import console_approvers  # noqa: PLC0415 (cold start)

    return console_approvers.everybody(call, wiring)


@app.route("/console/approvers/{email}", methods=["GET", "HEAD", "POST"], **ANY)
@answered
def console_approver(call: Call, email: str) -> Reply:
    """Show operators one approver; POST changes something about them."""
    from chalicelib.entrypoints import console_approvers  # noqa: PLC0415 (cold start)

    return console_approvers.one(call, wiring, email)


@app.route("/console/policies", methods=["GET", "HEAD"], **ANY)
@answered
def console_policies(call: Call) -> Reply:
    """Show the policies in the console."""
    from chalicelib.entrypoints import console_policies  # noqa: PLC0415 (cold start)

    return console_policies.everything(call, wiring)


@app.route("/console/policies/{name}", methods=["GET", "HEAD"], **ANY)
@answered
def console_policy(call: Call, name: str) -> Reply:
    """Show a policy in the console, and what waits under it."""
    from chalicelib.entrypoints import console_policies  # noqa: PLC0415 (cold start)

    return console_policies.one(call, wiring, name)


@app.route("/console/figures", methods=["GET", "HEAD"], **ANY)
@answered
def console_figures(call: Call) -> Reply:
    """Show operators how requests are decided."""
    from chalicelib.entrypoints import console_figures  # noqa: PLC0415 (cold start)

    return console_figures.figures(call, wiring)


@app.route("/health", methods=["GET"], **ANY)
@answered
def health(call: Call) -> Reply:
    """Return that the stage runs and has its settings."""
    return web.json({"status": "ok", "stage": wiring.settings.stage})


@app.route("/openapi.json", methods=["GET"], **ANY)
@answered
def openapi(call: Call) -> Reply:
    """Return the API's description."""
    description = Path(web.__file__).with_name("openapi.json").read_text("utf-8")
    return Reply(description, 200, web.HEADERS | {"Content-Type": web.JSON})


@app.lambda_function(name="request_approval")
def request_approval(event: Any, context: Any) -> queue_messages.RequestedJson:
    """Make the approval that a waiting state asks for; for `lambda:invoke.waitForTaskToken`.

    `event` is a `request.TaskRequest`. Raises Unavailable, which the state machine retries, only
    while nothing is written.
    """
    with logged(wiring.log, "request_approval", context) as facts:
        requested = queue_messages.request_approval(wiring, event, "function")
        facts.update(_result_facts(requested))
        return requested


@app.lambda_function(name="record_decision")
def record_decision(event: Any, context: Any) -> queue_messages.RecordedJson:
    """Record an approver's decision for other programs of this account.

    `event` is a `queue_messages.DecisionMessage`. The same decision again gets the same answer.
    Errors keep their names: NotFound, AlreadyDecided, Expired, ...
    """
    with logged(wiring.log, "record_decision", context) as facts:
        facts.update(queue_messages.subject_of(event))
        return queue_messages.decide(wiring, event, "function")


@app.on_sqs_message(queue=f"assent-{STAGE}-decisions", name="decision_from_queue", batch_size=1)
def decision_from_queue(event: SQSEvent) -> None:
    """Record the decision in a message; a refused one is put on the dead-letter queue."""
    _take("decision_from_queue", "decision", event)


@app.on_sqs_message(queue=f"assent-{STAGE}-requests", name="request_from_queue", batch_size=1)
def request_from_queue(event: SQSEvent) -> None:
    """Make the approval in a message; for `sqs:sendMessage.waitForTaskToken`."""
    _take("request_from_queue", "request", event)


@app.on_sqs_message(queue=f"assent-{STAGE}-ended", name="execution_ended", batch_size=1)
def execution_ended(event: SQSEvent) -> None:
    """Cancel what an execution that ended had asked; the event bus sends the message."""
    _take("execution_ended", "ended", event)


@app.schedule(Rate(1, unit=Rate.MINUTES), name="tick")
def tick(event: CloudWatchEvent) -> None:
    """Apply deadlines and deliver outbox entries that are due."""
    context: Any = event.context
    left = timedelta(milliseconds=context.get_remaining_time_in_millis() - HANDOVER_MS)
    ticking.tick(wiring, until=wiring.now() + left)


def _change(call: Call, approval_id: str, kind: type[Command]) -> Reply:
    command = convert(call.json(default=b"{}"), kind)
    by = call.caller if command.by is None else check_address(command.by, "by", ("*",))
    changed = operating.change(
        wiring, approval_id, command, by=by, via="api", principal=call.caller
    )
    claimed = {} if command.by is None else {"by": by}
    return web.json(serializers.operator_view(changed))._replace(facts=claimed)


def _take(name: str, kind: queue_messages.Kind, event: SQSEvent) -> None:
    for record in event:
        with logged(wiring.log, name, event.context) as facts:
            message = queue_messages.open_message(record.to_dict())
            facts.update(messageId=message.id, via=message.via)
            result = queue_messages.take(wiring, kind, message)
            if isinstance(result, AssentError):
                facts.update(error_facts(result))
            else:
                facts.update(_result_facts(result))


def _result_facts(result: Mapping[str, object]) -> dict[str, object]:
    """Return what a log event says of a result; a null id is a bad request's."""
    refused = result.get("approvalId", "") is None
    return {**result, **({"status": InvalidRequest.status} if refused else {})}
