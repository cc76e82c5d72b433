"""Every page and mail in every state that its reader can meet: for looking at, and for axe.

`make pictures` takes photographs of them; tests/sandbox/test_accessibility.py examines them.
"""

import dataclasses
from collections.abc import Mapping
from datetime import timedelta
from typing import NamedTuple

from msgspec.structs import replace

from chalicelib.domain import outbox, transitions
from chalicelib.domain.approval import Approval, Approver, Choice
from chalicelib.domain.delegation import Delegation
from chalicelib.domain.erasure import erase
from chalicelib.domain.errors import AlreadyDecided, NotFound, TooSoon
from chalicelib.domain.link_tokens import MailSecrets
from chalicelib.domain.link_view import as_shown
from chalicelib.domain.outbox_entries import Mail, MailKind
from chalicelib.domain.reminding import remind_for_requester
from chalicelib.domain.request import Escalation
from chalicelib.presentation import delegation_emails
from chalicelib.presentation.console.frame import HEADERS as CONSOLE
from chalicelib.presentation.emails import write_email
from chalicelib.presentation.pages import inbox
from chalicelib.presentation.pages.decision import decide_page, locked_page, reassign_page
from chalicelib.presentation.pages.delegation import delegation_page
from chalicelib.presentation.pages.fields import FormError
from chalicelib.presentation.pages.outcome import (
    outcome_for_approver,
    outcome_for_requester,
    reassigned_page,
)
from chalicelib.presentation.pages.parts import HEADERS, Page
from chalicelib.presentation.pages.problem import problem_page, unavailable_page
from chalicelib.presentation.pages.requester import requester_page
from tests.builders import (
    RELEASE,
    after_tick,
    an_approval,
    cancelled,
    decided,
    ended,
    in_vain,
    replaced_by_newer,
)
from tests.console_states import console_states
from tests.fakes import START
from tests.policy_states import policy_console, policy_mails, policy_pages
from tests.unit.presentation.every_page import SECRET, token_of
from tools.sandbox.inbox_pages import (
    CONTENT_SECURITY_POLICY,
    list_page,
    message_page,
    missing_page,
)
from tools.sandbox.mailbox import Message

NAME = "Example Ltd, production"
RECEIVED = "2026-11-22T09:00:00Z"
HTML = "text/html; charset=utf-8"
SECRETS = MailSecrets(SECRET, "709123")
ADA, GRACE, LINUS, MARY = (f"{name}@example.com" for name in ("ada", "grace", "linus", "mary"))
LATER = START + timedelta(hours=2)
TOO_LONG = FormError("is 12 characters too long. At most 2,000 characters.", "reason")


class State(NamedTuple):
    """A page as it is served."""

    html: str
    headers: Mapping[str, str]


def every_state() -> dict[str, State]:
    """Return each page in each state, and each mail as the sandbox's inbox shows it, by name."""
    pages = {
        **_decision_pages(),
        **_requester_pages(),
        **_inbox_pages(),
        **_delegation_pages(),
        **_outcome_pages(),
        **policy_pages(),
    }
    console = {**console_states(), **policy_console()}
    headers = {"Content-Security-Policy": CONTENT_SECURITY_POLICY, "Content-Type": HTML}
    return {
        **{name: State(page.html(NAME), HEADERS) for name, page in pages.items()},
        **{name: State(page.html(NAME), CONSOLE) for name, page in console.items()},
        **{name: State(html, headers) for name, html in _sandbox_pages().items()},
    }


def asked(**fields: object) -> Approval:
    """Return a request of Mary's to three approvers, whose mails went out."""
    approval = an_approval(**RELEASE, **fields)
    approval = replace(approval, requester=Approver(MARY, link_hashes=("hash",), mail="sent"))
    for entry in approval.outbox:
        if isinstance(entry, Mail):
            approval = outbox.mailed(approval, entry, START, "tick")
    return approval


def mixed() -> Approval:
    """Return a request in which each approver is in another state."""
    approval = decided(asked(), 0, "approve", "Tested on staging.\nGo.")
    approval = transitions.reassign(
        approval, LINUS, "zoë@example.com", by=LINUS, note="private", now=START, via="page"
    )
    grace = approval.approver(GRACE)
    return approval.with_approver(replace(grace, mail="failed", stands_in_for="ken@example.com"))


def _decide(
    approval: Approval,
    choice: Choice = "approve",
    error: FormError | None = None,
    approver: str = ADA,
) -> Page:
    return decide_page(
        approval,
        approval.approver(approver),
        choice,
        token=token_of(approval),
        now=START,
        reason="Because." if error else "",
        code="123" if error else "",
        error=error,
    )


def _decision_pages() -> dict[str, Page]:
    approval, coded = asked(), asked(codeRequired=True)
    long = replace(approval.request, details="A line.\n" * 300)
    ada, token = approval.approvers[0], token_of(approval)
    rows = replace(approval.request, details={f"Row {n}": f"value {n}" for n in range(20)})
    one = replace(approval.request, approvers=(ADA,), approvals_needed=1)
    alone = replace(approval, request=one, approvers=approval.approvers[:1])
    arabic = replace(one, subject="هل ننشر الإصدار 4.2.0؟", details={"التغيير": "صفحة دفع جديدة"})
    again = replace(approval, asked_again_at=START)
    wrong_code = FormError(
        "This is not the code from your mail; 4 tries are left with this link.",
        "code",
        "Your approval was not recorded",
    )
    wrong_to = FormError("is not an e-mail address", "to")
    return {
        "approve": _decide(approval),
        "reject": _decide(approval, "reject"),
        "with a code": _decide(coded),
        "one approver": _decide(alone),
        "right to left": _decide(replace(alone, request=arabic)),
        "for an absent approver": _decide(mixed(), approver=GRACE),
        "many rows": _decide(replace(approval, request=rows)),
        "locked": locked_page(approval, START),
        "not recorded yet": unavailable_page("approve", [("reason", "Tests are green.")], "ref-1"),
        "long details": _decide(replace(approval, request=long)),
        "asked again": _decide(again),
        "wrong code": _decide(coded, error=wrong_code),
        "reason too long": _decide(approval, "reject", TOO_LONG),
        "unknown field": _decide(approval, error=FormError("is unknown", "colour")),
        "reassign": reassign_page(approval, ada, token=token, now=START),
        "reassign to nobody": reassign_page(
            coded, ada, token=token, now=START, to="zoë@example", note="Please.", error=wrong_to
        ),
    }


def _requester_pages() -> dict[str, Page]:
    def shown(approval: Approval, minutes: int = 120, **more: object) -> Page:
        now = START + timedelta(minutes=minutes)
        requester = approval.requester or Approver(MARY)
        return requester_page(approval, requester, now=now, **more)  # type: ignore[arg-type]

    reminded = remind_for_requester(mixed(), MARY, now=LATER, via="page")
    too_soon = FormError(TooSoon(2_400).message)
    return {
        "request": shown(asked()),
        "request half answered": shown(mixed()),
        "request reminded": shown(reminded, 120, reminded=True),
        "request reminded too soon": shown(reminded, 140, error=too_soon),
        "request with a reason too long": shown(mixed(), reason="Because.", error=TOO_LONG),
        "request over": outcome_for_requester(_closed("approve"), LATER),
        "request expired": outcome_for_requester(_expired(mixed()), LATER),
    }


def _inbox_pages() -> dict[str, Page]:
    release, token = asked(), token_of(asked())
    refund = replace(
        asked(codeRequired=True),
        id="a" * 26,
        expires_at=START + timedelta(hours=2),
        request=replace(
            release.request,
            subject="Refund 1,250.00 EUR to customer 88213?",
            details={"Reason": "Delivered twice"},
            code_required=True,
        ),
    )
    archive = replace(
        release,
        id="b" * 26,
        expires_at=START + timedelta(days=5),
        request=replace(
            release.request, subject="Let Linus read the archive of invoices?", details=""
        ),
    )
    waiting = [refund, release, archive]
    many = [replace(release, id=f"{n:026}") for n in range(25)]
    none = FormError("please select at least one request", "chosen")
    failed = (archive, AlreadyDecided("This was rejected already, by others."))
    late = (in_vain(_closed("approve")), None)

    def show(approvals: list[Approval], after: str = "", error: FormError | None = None) -> Page:
        return inbox.inbox_page(ADA, approvals, after=after, now=START, error=error, token=token)

    def confirm(error: FormError | None = None) -> Page:
        return inbox.confirm_page(
            ADA, [release, archive], "reject", closed=1, token=token, now=START, error=error
        )

    return {
        "inbox": show(waiting),
        "inbox of many": show(many, "x"),
        "inbox empty": show([]),
        "inbox nothing selected": show(waiting, error=none),
        "inbox codes alone": show([refund], error=none),
        "confirm": confirm(),
        "confirm without a reason": confirm(FormError("please say why, it is required", "reason")),
        "receipt": inbox.receipt_page("approve", [(_closed("approve"), None), failed], token),
        "receipt recorded": inbox.receipt_page("approve", [(_closed("approve"), None)], token),
        "receipt too late": inbox.receipt_page("approve", [late], token),
        "receipt failed": inbox.receipt_page("approve", [failed], token),
    }


def _closed(choice: Choice) -> Approval:
    return decided(decided(decided(asked(), 2, "approve"), 0, choice, "So."), 1, choice)


def _expired(approval: Approval) -> Approval:
    return after_tick(approval, approval.expires_at)


def _delegation_pages() -> dict[str, Page]:
    token = token_of(asked())
    holiday = Delegation(GRACE, START, LATER, "On holiday", "operator@example.com", "arn:aws:iam")
    missing = FormError("must be a day, such as 2026-12-24", "until")
    return {
        "delegation": delegation_page(ADA, None, token=token),
        "delegation in force": delegation_page(ADA, holiday, token=token),
        "delegation without a day": delegation_page(
            ADA, None, token=token, to=GRACE, reason="On holiday", error=missing
        ),
    }


def _outcome_pages() -> dict[str, Page]:
    closed = _closed("approve")
    settled = replace(closed, outbox=(), resumed_at=START)
    states = {
        "waiting for others": decided(asked(), 0, "approve"),
        "approved": settled,
        "rejected": _closed("reject"),
        "expired": _expired(asked()),
        "cancelled": cancelled(asked(), "The release is off."),
        "ended by itself": ended(asked()),
        "superseded": replaced_by_newer(asked()),
        "too late": in_vain(closed),
        "erased": erase(settled, "operator@example.com", START, "api"),
    }
    pages = {
        name: outcome_for_approver(approval, approval.approvers[0], START)
        for name, approval in states.items()
    }
    final = FormError(
        "You have decided on this already; a decision is final.",
        heading="Your rejection was not recorded",
        typed="I saw an error in the logs.\nPlease wait.",
    )
    ada = settled.approvers[0]
    return {
        **pages,
        "refused": outcome_for_approver(settled, ada, START, refused=final),
        "outcome alone": outcome_for_approver(
            as_shown(settled, LATER, timedelta(hours=1))[0], ada, START, outcome_alone=True
        ),
        "reassigned": reassigned_page("zoë@example.com"),
        "just reassigned": reassigned_page("zoë@example.com", just_now=True),
        "problem": problem_page(NotFound("This link is cut off."), "ref-1"),
    }


def _mails() -> dict[str, Message]:
    asking, closed = asked(), _closed("approve")
    escalation = Escalation(7_200, (LINUS,))
    escalated = replace(asking, request=replace(asking.request, escalation=escalation))
    taken = transitions.reassign(
        asking, ADA, "zoë@example.com", by=ADA, note="You know the shop.", now=START, via="page"
    )
    long = replace(asking, request=replace(asking.request, details="A line of prose.\n" * 40))
    absence = Delegation(GRACE, START, LATER, "On holiday", "boss@example.com", "arn:aws:iam")
    told = delegation_emails.write_email(ADA, absence, ADA, name=NAME)
    return {
        "mail": _mail(asking, ADA, "request"),
        "mail with a code": _mail(asked(codeRequired=True), ADA, "request"),
        "mail with long details": _mail(long, ADA, "request"),
        "mail to a delegate": _mail(mixed(), GRACE, "request"),
        "mail reminder": _mail(asking, ADA, "reminder"),
        "mail escalation": _mail(escalated, LINUS, "escalation"),
        "mail reassignment": _mail(taken, "zoë@example.com", "reassignment"),
        "mail receipt": _mail(asking, MARY, "receipt"),
        "mail approved": _mail(closed, LINUS, "outcome"),
        "mail rejected": _mail(_closed("reject"), MARY, "outcome"),
        "mail expired": _mail(_expired(asking), ADA, "outcome"),
        "mail cancelled": _mail(cancelled(asking, "The release is off."), ADA, "outcome"),
        "mail ended by itself": _mail(ended(asking), MARY, "outcome"),
        "mail superseded": _mail(replaced_by_newer(asking), ADA, "outcome"),
        "mail too late": _mail(in_vain(closed), LINUS, "outcome"),
        **{name: _written(*one) for name, one in policy_mails().items()},
        "mail delegation": Message("1", ADA, told.subject, told.text, RECEIVED),
    }


def _mail(approval: Approval, to: str, about: MailKind) -> Message:
    return _written(approval, Mail(to, START, about=about))


def _written(approval: Approval, mail: Mail) -> Message:
    url = "https://abcdef1234.execute-api.us-east-1.amazonaws.com/api"
    email = write_email(approval, mail, SECRETS, public_url=url, now=START, name=NAME)
    return Message("1", mail.to, email.subject, email.text, RECEIVED)


def _sandbox_pages() -> dict[str, str]:
    mails = _mails()
    listed = [dataclasses.replace(message, id=str(n)) for n, message in enumerate(mails.values())]
    return {
        **{name: message_page(message) for name, message in mails.items()},
        "mailbox": list_page(listed, (ADA, GRACE, LINUS, MARY), None, {"0", "3"}),
        "mailbox empty": list_page([], (ADA,), ADA),
        "mailbox missing": missing_page(),
    }
