"""Pages and mails of requests under a policy, in every state of their own."""

from datetime import timedelta

from msgspec.structs import replace

from chalicelib.domain import outbox, transitions
from chalicelib.domain.approval import Approval, Approver, Choice
from chalicelib.domain.decidability import BAD_ADDRESS, look_again
from chalicelib.domain.link_tokens import SecretHashes
from chalicelib.domain.outbox_entries import Mail
from chalicelib.domain.policy import GroupEscalation
from chalicelib.presentation.console.approval import approval_page
from chalicelib.presentation.console.approvals import Wanted, approvals_page
from chalicelib.presentation.console.policies import policies_page, policy_page
from chalicelib.presentation.json_types import PersonJson
from chalicelib.presentation.pages.decision import decide_page
from chalicelib.presentation.pages.fields import FormError
from chalicelib.presentation.pages.outcome import outcome_for_approver
from chalicelib.presentation.pages.parts import Page
from chalicelib.presentation.pages.requester import requester_page
from tests.builders import RELEASE
from tests.console_states import OPERATING, READING
from tests.fakes import START
from tests.policies import approval_under, approved, group, policy_version
from tests.unit.presentation.every_page import token_of

LATER = START + timedelta(hours=2)
POLICY = policy_version(
    group("security", "sam", "both"),
    group("operations", "ops1", "ops2", "ops3", "both", needed=2),
    breakGlass=["cto@example.com", "sam@example.com"],
    requesters=["*@example.com"],
)
CTO, SAM, BOTH, OPS = (f"{name}@example.com" for name in ("cto", "sam", "both", "ops1"))


def under_policy() -> Approval:
    """Return a request of Mary's to a group of security and one of operations, all mailed."""
    names = ("subject", "details", "requestedBy", "expiresIn")
    approval = approval_under(POLICY, **{name: RELEASE[name] for name in names})
    requester = Approver("mary@example.com", link_hashes=("hash",), mail="sent")
    approval = replace(approval, requester=requester)
    for entry in approval.outbox:
        if isinstance(entry, Mail):
            approval = outbox.mailed(approval, entry, START, "tick")
    return approval


def alone() -> Approval:
    """Return the request after one person approved it alone."""
    reason = "Checkout is down; nobody of operations answers."
    return transitions.decide(
        under_policy(), CTO, "approve", reason=reason, now=LATER, via="page", break_glass=True
    )


def undecidable() -> Approval:
    """Return the request after SNS refused the addresses of all of security."""
    approval = under_policy()
    for person in (SAM, BOTH):
        mail = Mail(person, START)
        approval = replace(approval, outbox=(*approval.outbox, mail))
        approval = outbox.not_mailed(
            approval,
            mail,
            unsent=SecretHashes(approval.approver(person).link_hashes[0], "none"),
            why="refused",
            note=BAD_ADDRESS,
            now=START,
            via="tick",
        )
    return look_again(approval, START)


def policy_pages() -> dict[str, Page]:
    """Return the pages."""
    half = approved(under_policy(), "both", "ops1")
    missing = FormError(
        "please say why, it is required", "reason", "Your approval was not recorded"
    )
    return {
        "approve for a group": _decide(under_policy(), OPS),
        "reject for a group": _decide(under_policy(), OPS, "reject"),
        "approve for one of two groups": _decide(half, "ops2@example.com"),
        "approve or alone": _decide(under_policy(), SAM),
        "approve alone": _decide(under_policy(), CTO),
        "approve alone without a reason": _decide(under_policy(), CTO, error=missing),
        "waiting for groups": outcome_for_approver(half, half.approver(BOTH), LATER),
        "approved alone": outcome_for_approver(alone(), alone().approver(OPS), LATER),
        "request under a policy": _followed(half),
        "request that nobody can approve": _followed(undecidable()),
    }


def policy_mails() -> dict[str, tuple[Approval, Mail]]:
    """Return the mails, each as its approval and outbox entry."""
    mary = "mary@example.com"
    return {
        "mail for a group": (under_policy(), Mail(BOTH, START)),
        "mail for emergencies": (under_policy(), Mail(CTO, START)),
        "mail receipt under a policy": (under_policy(), Mail(mary, START, about="receipt")),
        "mail cannot be approved": (
            undecidable(),
            Mail(mary, START, about="receipt"),
        ),
        "mail approved by groups": (
            approved(under_policy(), "sam", "ops1", "both"),
            Mail(OPS, START, about="outcome"),
        ),
        "mail approved alone": (alone(), Mail(OPS, START, about="outcome")),
    }


def _decide(
    approval: Approval, person: str, choice: Choice = "approve", error: FormError | None = None
) -> Page:
    return decide_page(
        approval,
        approval.approver(person),
        choice,
        token=token_of(approval),
        now=START,
        error=error,
    )


def _followed(approval: Approval) -> Page:
    requester = approval.requester or Approver("mary@example.com")
    return requester_page(approval, requester, now=LATER)


def policy_console() -> dict[str, Page]:
    """Return the console's pages."""
    written = replace(
        POLICY,
        policy=replace(
            POLICY.policy,
            description="Releases to production: security and operations agree.",
            expires_in=86_400,
            remind_every=7_200,
            escalation=GroupEscalation(14_400, ("lead@example.com",), "operations"),
        ),
        version=3,
    )
    everybody = ("sam", "both", "ops1", "ops2", "ops3", "lead", "cto")
    people: list[PersonJson] = [
        {"approver": f"{name}@example.com", "subscription": "confirmed"} for name in everybody
    ]
    people[0] = {"approver": SAM, "subscription": "refused", "refusal": BAD_ADDRESS}
    people[2] = {"approver": OPS, "subscription": "pending"}
    problems = ["ops1@example.com hasn't confirmed the subscription for more than a day"]
    other = replace(POLICY, name="refunds")
    listed = [(written, 2), (other, 100)]
    asked = under_policy()
    trouble = undecidable()
    return {
        "console policies": policies_page(OPERATING, listed, more="x"),
        "console policies none": policies_page(OPERATING, [], more=""),
        "console policy": policy_page(OPERATING, written, people, problems, [asked]),
        "console policy unused": policy_page(READING, other, people, [], []),
        "console approval under a policy": approval_page(OPERATING, asked, None),
        "console approval that nobody can approve": approval_page(OPERATING, trouble, None),
        "console waiting under a policy": approvals_page(
            OPERATING, Wanted("waiting", "policy", POLICY.name), [asked, trouble], more=""
        ),
    }
