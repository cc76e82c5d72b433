"""Every page of the console in every state, for looking at, for axe, and for hostile text."""

from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from chalicelib.domain import console_session, transitions
from chalicelib.domain import figures as counted
from chalicelib.domain.approval import Approval, Choice
from chalicelib.domain.console_session import ConsoleSession
from chalicelib.domain.errors import NotFound, NotPermitted, SignInNeeded
from chalicelib.domain.events import Event
from chalicelib.domain.execution_history import ExecutionHistory, StateRun
from chalicelib.presentation.console.approval import approval_page
from chalicelib.presentation.console.approvals import Wanted, approvals_page
from chalicelib.presentation.console.approvers import approver_page, approvers_page, removal_page
from chalicelib.presentation.console.figures import figures_page
from chalicelib.presentation.console.frame import Visit
from chalicelib.presentation.console.problem import console_problem, signed_out_page
from chalicelib.presentation.console.sessions import sessions_page, sign_in_page
from chalicelib.presentation.console.steering import command_page, second_look_page
from chalicelib.presentation.pages.fields import FormError
from chalicelib.presentation.pages.parts import Page
from tests.builders import RELEASE, an_approval, cancelled, decided
from tests.fakes import DEFINITION, START

ADA, GRACE, LINUS, MARY = (f"{name}@example.com" for name in ("ada", "grace", "linus", "mary"))
PRINCIPAL = "arn:aws:iam::111122223333:user/olga"
NOW = START + timedelta(hours=2)
OPERATING = Visit("s" * 26, PRINCIPAL, True, "f" * 32, "../", NOW)
READING = OPERATING._replace(may_operate=False)
WAITING = Wanted("waiting", "approver", "")
TYPED = {"reason": "", "number": "", "unit": "", "from": "", "to": "", "note": ""}
FORMS = {"url": "", "delegate": "", "from": "", "until": "", "reason": ""}


def session(principal: str = PRINCIPAL, *, may_operate: bool = True) -> ConsoleSession:
    """Return a session that was opened just now."""
    offered = console_session.offer("link", principal, may_operate=may_operate, now=START)
    return console_session.opened(offered, "cookie", START)


def listed(**fields: Any) -> dict[str, Any]:
    """Return an approver as the list has them."""
    found = {"approver": ADA, "subscription": "confirmed", "waiting": 3}
    return {**found, **fields}


def history(*states: StateRun, has_succeeded: bool = False) -> ExecutionHistory:
    """Return what happened in an execution of the workflow."""
    return ExecutionHistory(DEFINITION, states, has_succeeded)


ASKING = StateRun("RequestApproval", "waits", START)
CAUGHT = StateRun("RequestApproval", "failed", START, "Rejected")
REJECTED = (
    CAUGHT,
    StateRun("OnReject", "passed", NOW),
    StateRun("Rejected", "failed", NOW),
)


def with_silent_people(approval: Approval) -> Approval:
    """Return the approval with each of its approvers silent for another reason."""
    ada, grace, linus = approval.approvers
    events = (
        *approval.events,
        Event(START, "mailed", ada.address, "tick"),
        Event(START + timedelta(hours=1), "mailed", ada.address, "tick", "reminder"),
        Event(START, "invited", grace.address, "tick"),
        Event(START, "refused", linus.address, "tick", "InvalidParameter"),
    )
    people = (replace(ada, mail="sent"), grace, replace(linus, mail="failed"))
    return replace(approval, events=events, approvers=people, outbox=approval.outbox[1:])


def console_states() -> dict[str, Page]:
    """Return each page of the console, by name."""
    asked = an_approval(**RELEASE)
    return {
        **_lists(asked),
        **_approvals(asked),
        **_commands(with_silent_people(asked)),
        **_approvers(asked),
        **_figures(asked),
        **_sessions(),
    }


def _lists(asked: Approval) -> dict[str, Page]:
    silent = with_silent_people(asked)
    answered = decided(replace(silent, id="b" * 26), 0, "approve", "Tested on staging.", NOW)
    refund = replace(
        an_approval(subject="Refund 1,250.00 EUR to customer 88213?", requestedBy=MARY),
        id="c" * 26,
        expires_at=NOW + timedelta(minutes=50),
    )
    many = an_approval(approvers=[f"approver{n}@example.com" for n in range(9)])
    over = [
        decided(decided(asked, 0, "approve", now=NOW), 1, "approve", now=NOW),
        decided(decided(asked, 0, "reject", now=NOW), 1, "reject", now=NOW),
        cancelled(asked, "The release is off.", NOW),
    ]
    wrong = FormError("approver: is not an e-mail address", "q", "Nothing was found")
    return {
        "console": approvals_page(OPERATING, WAITING, [silent, answered, refund, many], more="x"),
        "console empty": approvals_page(OPERATING, WAITING, [], more=""),
        "console overdue": approvals_page(OPERATING, Wanted("overdue", "", ""), [], more=""),
        "console decided": approvals_page(OPERATING, Wanted("decided", "", ""), over, more=""),
        "console found": approvals_page(
            READING, Wanted("waiting", "approver", ADA), [silent], more=""
        ),
        "console not found": approvals_page(
            OPERATING, Wanted("waiting", "approver", "ada"), [], more="", error=wrong
        ),
    }


def _approvals(asked: Approval) -> dict[str, Page]:
    silent = with_silent_people(asked)
    moved = transitions.reassign(
        silent, GRACE, "zoë@example.com", by=PRINCIPAL, note="You know the shop.", now=NOW,
        via="console", principal=PRINCIPAL,
    )  # fmt: skip
    rejected = decided(decided(moved, 0, "reject", "Not\ntoday.", NOW), 2, "reject", now=NOW)
    approved = decided(decided(asked, 0, "approve", now=NOW), 1, "approve", now=NOW)
    elsewhere = replace(asked, execution_arn="arn:aws:states:eu-west-1:1:execution:other:x")
    succeeded = history(StateRun("RequestApproval", "passed", START), has_succeeded=True)
    refused = FormError("It was approved already.", heading="The request was not cancelled")
    return {
        "console approval": approval_page(OPERATING, moved, history(ASKING)),
        "console approval read only": approval_page(READING, silent, history(ASKING)),
        "console approval approved": approval_page(OPERATING, approved, succeeded, error=refused),
        "console approval rejected": approval_page(OPERATING, rejected, history(*REJECTED)),
        "console approval elsewhere": approval_page(
            OPERATING, elsewhere, None, notice="The deadline was moved."
        ),
    }


def _commands(asked: Approval) -> dict[str, Page]:
    extended = replace(asked, expires_at=asked.expires_at + timedelta(days=3))
    to = {**TYPED, "from": GRACE, "to": "zoë@example.com", "note": "You know the shop."}
    moved = transitions.reassign(
        asked, GRACE, to["to"], by=PRINCIPAL, note="", now=NOW, via="console"
    )
    days = {**TYPED, "number": "3", "unit": "days", "reason": "Ada is away."}
    late = FormError("the deadline is later already", "number", "The deadline was not moved")
    nobody = FormError("is not an e-mail address", "to", "The request was not reassigned")
    return {
        "console cancel": command_page(OPERATING, asked, "cancel", TYPED),
        "console remind": command_page(OPERATING, asked, "remind", TYPED),
        "console extend": command_page(OPERATING, asked, "extend", TYPED),
        "console extend wrong": command_page(OPERATING, asked, "extend", days, late),
        "console reassign": command_page(OPERATING, asked, "reassign", TYPED),
        "console reassign wrong": command_page(OPERATING, asked, "reassign", to, nobody),
        "console cancel once more": second_look_page(OPERATING, asked, "cancel", days, asked),
        "console remind once more": second_look_page(OPERATING, asked, "remind", TYPED, asked),
        "console extend once more": second_look_page(OPERATING, asked, "extend", days, extended),
        "console reassign once more": second_look_page(OPERATING, asked, "reassign", to, moved),
    }


def _approvers(asked: Approval) -> dict[str, Page]:
    away = {"delegate": GRACE, "from": "2026-11-20T00:00:00Z", "until": "2026-12-01T00:00:00Z"}
    everybody = [
        listed(absence=away),
        listed(approver=GRACE, subscription="pending"),
        listed(approver=LINUS, subscription="refused", refusal="InvalidParameter", waiting=100),
        listed(approver=MARY, subscription="none", waiting=0),
    ]
    wrong = FormError("SNS refuses this link; invite the approver again", "url", "Nothing changed")
    nobody = FormError("is not an e-mail address", "email", "Nobody was invited")
    return {
        "console approvers": approvers_page(OPERATING, everybody, more="x"),
        "console approvers read only": approvers_page(READING, everybody, more=""),
        "console approvers wrong": approvers_page(
            OPERATING, [], more="", email="zoë@example", error=nobody
        ),
        "console approver": approver_page(OPERATING, listed(absence=away), [asked], FORMS),
        "console approver unconfirmed": approver_page(
            OPERATING, everybody[1], [asked], FORMS, notice="Invited."
        ),
        "console approver wrong": approver_page(
            OPERATING, everybody[1], [], {**FORMS, "url": "https://x.example.com"}, error=wrong
        ),
        "console approver read only": approver_page(READING, listed(), [], FORMS),
        "console removal": removal_page(OPERATING, everybody[1]),
    }


def _figures(asked: Approval) -> dict[str, Page]:
    approvals = []
    for number in range(60):
        begun = replace(asked, created_at=START - timedelta(days=number % 13, hours=number % 30))
        at = START - timedelta(days=number % 13)
        begun = replace(begun, expires_at=at + timedelta(days=1))
        if number % 9 == 0:
            approvals.append(cancelled(begun, now=at))
            continue
        choice: Choice = "reject" if number % 5 == 0 else "approve"
        approvals.append(decided(decided(begun, 0, choice, now=at), 1, choice, now=at))
    some = counted.figures(approvals, [asked], START)
    none = counted.figures([], [], START)
    return {
        "console figures": figures_page(OPERATING, some, most=500, most_waiting=100),
        "console figures of nothing": figures_page(OPERATING, none, most=500, most_waiting=100),
    }


def _sessions() -> dict[str, Page]:
    other = session("arn:aws:sts::111122223333:assumed-role/readers/rob", may_operate=False)
    own = replace(session(), id=OPERATING.session_id)
    return {
        "console sign in": sign_in_page(session()),
        "console sessions": sessions_page(
            OPERATING, [own, other], more="x", notice="A session is over."
        ),
        "console sessions read only": sessions_page(READING, [own, other]),
        "console signed out": signed_out_page("You are signed out", "Run: assent console"),
        "console not signed in": console_problem(SignInNeeded(), "../", "ref-1"),
        "console not permitted": console_problem(NotPermitted("It may only read."), "../", "ref-1"),
        "console nothing found": console_problem(NotFound("There is none."), "../", "ref-1"),
    }
