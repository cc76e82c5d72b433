"""The console's page of one approval: question, answers, what happened, what can be done."""

import re
from collections.abc import Mapping
from urllib.parse import quote

from ...domain.approval import Approval, Approver
from ...domain.execution_history import ExecutionHistory
from ..groups import counted_for
from ..pages.details import details
from ..pages.fields import FormError
from ..pages.markup import NOTHING, Markup
from ..pages.parts import Page, facts, joined, reason
from ..wording import asked_again, needed, note_author, requester, when
from .approvals import cannot_be_approved, state
from .frame import Visit, approver_link, console_page, fill, policy_link
from .people import mailed, role, standing
from .state_picture import state_picture
from .timeline import timeline

COMMANDS = {
    "remind": "Remind",
    "extend": "Extend",
    "reassign": "Reassign",
    "cancel": "Cancel",
}
"""Last part of a command's address -> its button."""

_POLICY = Markup("{}, version {}")
_BUTTON = Markup('<li><a class="other" href="{}console/approvals/{}/{}">{}</a></li>\n')
_BUTTONS = Markup('<ul class="commands">\n{}</ul>\n')
_LINK = Markup('{} <a href="{}" rel="noreferrer">Open it in AWS\'s console</a>')
_PERSON = Markup(
    '<tr class="{}"><th scope="row">{}{}</th><td data-label="Decision">{}{}</td>'
    '<td data-label="Mail">{}</td></tr>\n'
)
_QUIET = Markup('<span class="fact">{}</span>')
_HOSTS = {
    "aws": "console.aws.amazon.com",
    "aws-cn": "console.amazonaws.cn",
    "aws-us-gov": "console.amazonaws-us-gov.com",
}
"""Partition -> where AWS's console is."""
_REGION = re.compile(r"[a-z0-9-]+")


def approval_page(
    visit: Visit,
    approval: Approval,
    history: ExecutionHistory | None,
    *,
    notice: str = "",
    error: FormError | None = None,
) -> Page:
    """Return the page; `history` is None if the execution is another state machine's, or gone."""
    rows = [
        ("Asked by", requester(approval)),
        ("Asked on", when(approval.created_at)),
        ("Deadline", when(approval.expires_at)),
        *_policy(visit, approval),
        ("Needed", needed(approval)),
        *([("Trouble", trouble)] if (trouble := cannot_be_approved(approval)) else []),
        *([("Note", f"Older request: {asked_again(approval)}")] if approval.asked_again_at else []),
        ("Result", _workflow(approval)),
        ("Execution", _execution(approval)),
        ("Reference", approval.id),
        *([("Erased", when(approval.erased_at))] if approval.erased_at else []),
    ]
    counted = counted_for(approval)
    drawn = state_picture(history) if history else NOTHING
    content = fill(
        "approval",
        root=visit.root,
        subject=approval.request.subject,
        outcome=approval.outcome,
        state=state(approval, visit),
        commands=_commands(visit, approval),
        facts=facts(rows),
        people=joined(_person(visit, one, approval, counted) for one in approval.approvers),
        details=details(approval),
        workflow=Markup("<h2>Workflow</h2>\n{}").format(drawn) if drawn else "",
        timeline=timeline(approval),
    )
    title = f"Approval: {approval.request.subject}"
    return console_page(visit, "", title, content, notice=notice, error=error)


def _policy(visit: Visit, approval: Approval) -> list[tuple[str, Markup]]:
    applied = approval.request.policy
    if applied is None:
        return []
    return [("Policy", _POLICY.format(policy_link(visit, applied.name), applied.version))]


def _commands(visit: Visit, approval: Approval) -> Markup:
    """Return the buttons; none for a session that may only read, or once it is closed."""
    if approval.outcome != "pending" or not visit.may_operate:
        return NOTHING
    buttons = (_BUTTON.format(visit.root, approval.id, *one) for one in COMMANDS.items())
    return _BUTTONS.format(joined(buttons))


def _workflow(approval: Approval) -> str:
    """Return whether the workflow has the outcome."""
    if approval.is_in_vain:
        return "the workflow was not waiting for it any more"
    if approval.outcome == "pending":
        return "not decided yet"
    told = approval.resumed_at
    return f"sent to the workflow on {when(told)}" if told else "not sent to the workflow yet"


def _execution(approval: Approval) -> Markup | str:
    """Return the execution's ARN with a link; without one where the ARN is none."""
    parts = approval.execution_arn.split(":")
    if len(parts) < 8 or parts[1] not in _HOSTS or not _REGION.fullmatch(parts[3]):
        return approval.execution_arn
    region, path = parts[3], quote(approval.execution_arn, safe=":")
    where = (
        f"https://{region}.{_HOSTS[parts[1]]}/states/home?region={region}#/v2/executions/details/"
    )
    return _LINK.format(approval.execution_arn, where + path)


def _person(
    visit: Visit, approver: Approver, approval: Approval, counted: Mapping[str, str]
) -> Markup:
    stands, decision = standing(approver, approval, counted), approver.decision
    said = stands.said
    if approver.replaced_by is not None:
        said = f"was replaced by {approver.replaced_by}"
    author = f"Asked with this note of {note_author(approver)}:" if approver.note_by else "Note:"
    note = _QUIET.format(author) + reason(approver.note) if approver.note else NOTHING
    asked_as = role(approver, approval)
    return _PERSON.format(
        stands.state,
        approver_link(visit, approver.address),
        _QUIET.format(asked_as) if asked_as else "",
        said,
        (reason(decision.reason) if decision and decision.reason else NOTHING) + note,
        stands.why or mailed(approver, approval),
    )
