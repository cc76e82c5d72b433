"""Every page there is, made of one approval, or with one text in every place for text."""

from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from chalicelib.domain import link_tokens
from chalicelib.domain.approval import Approval, Choice, Decision
from chalicelib.domain.delegation import Delegation
from chalicelib.domain.errors import InvalidRequest, NotFound
from chalicelib.domain.events import Event
from chalicelib.presentation.pages import inbox
from chalicelib.presentation.pages.decision import decide_page, locked_page, reassign_page
from chalicelib.presentation.pages.delegation import delegation_page
from chalicelib.presentation.pages.fields import FormError
from chalicelib.presentation.pages.outcome import (
    outcome_for_approver,
    outcome_for_requester,
    reassigned_page,
)
from chalicelib.presentation.pages.problem import problem_page, unavailable_page
from chalicelib.presentation.pages.requester import requester_page
from tests.builders import approval_of
from tests.fakes import START
from tests.unit.presentation.parsed_page import Page

SECRET = link_tokens.secret(b"\x07" * link_tokens.SECRET_BYTES)


def token_of(approval: Approval) -> str:
    """Return a link token of this approval."""
    return f"{approval.id}.{SECRET}"


@dataclass
class Typed:
    """What somebody typed into a form, and the error that it caused."""

    text: str = ""
    error: str = ""
    field: str = ""
    """The field that the error is about."""


ABOUT_NO_REQUEST = (
    "problem",
    "reassigned",
    "delegation",
    "delegation in force",
    "not recorded yet",
)
"""The pages that show nothing of a request."""


def every_page(approval: Approval, choice: Choice, typed: Typed) -> dict[str, Page]:
    """Return each page of one approval, by name."""
    approver, token = approval.approvers[0], token_of(approval)
    text, error = typed.text, FormError(typed.error, typed.field) if typed.error else None
    results = [(approval, None), (approval, InvalidRequest(typed.error or "x"))]
    made = {
        "decide": decide_page(
            approval,
            approver,
            choice,
            token=token,
            now=START,
            reason=text,
            code=text,
            error=error,
        ),
        "reassign": reassign_page(
            approval,
            approver,
            token=token,
            now=START,
            to=text,
            note=text,
            code=text,
            error=error,
        ),
        "locked": locked_page(approval, START),
        "not recorded yet": unavailable_page("approve", [("reason", text), ("x", text)], "ref-1"),
        "requester": requester_page(approval, approver, now=START, reason=text, error=error),
        "reminded": requester_page(approval, approver, now=START, reminded=True),
        "outcome": outcome_for_approver(approval, approver, START),
        "refused": outcome_for_approver(
            approval, approver, START, refused=FormError("Too late.", heading="Not", typed=text)
        ),
        "reassigned": reassigned_page(approver.address),
        "outcome for the requester": outcome_for_requester(approval, START),
        "inbox": inbox.inbox_page(
            approver.address, [approval], after="x", now=START, error=error, token=token
        ),
        "delegation": delegation_page(
            approver.address, None, token=token, to=text, last=text, reason=text, error=error
        ),
        "delegation in force": delegation_page(
            approver.address,
            Delegation(approver.address, START, START, text, approver.address, "arn"),
            token=token,
        ),
        "confirm": inbox.confirm_page(
            approver.address,
            [approval],
            choice,
            closed=1,
            token=token,
            now=START,
            reason=text,
            error=error,
        ),
        "receipt": inbox.receipt_page(
            choice, results, token, missing=[NotFound(typed.error or "x")]
        ),
        "problem": problem_page(NotFound(typed.error or "x"), text or "x"),
    }
    return {name: Page(html) for name, html in made.items()}


def pages_full_of(text: str, details: Any) -> dict[str, Page]:
    """Return each page of an approval that has this text in every place for text."""
    asked = approval_of(3, approvalsNeeded=2)
    request = replace(asked.request, subject=text, details=details, requested_by=text)
    first = replace(asked.approvers[0], address=text, decision=Decision("approve", START, text))
    approval = replace(
        asked,
        request=request,
        approvers=(first, *asked.approvers[1:]),
        events=(*asked.events, Event(START, "cancelled", text, "api", text)),
    )
    cancelled = replace(approval, outcome="cancelled", closed_at=START)
    return every_page(approval, "reject", Typed(text, text)) | {
        "cancelled": Page(outcome_for_approver(cancelled, first, START)),
    }
