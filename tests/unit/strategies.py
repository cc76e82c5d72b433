"""Hypothesis strategies: requests and approvals that are allowed, and JSON that may not be."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

from chalicelib.domain.approval import Approval
from chalicelib.domain.errors import AssentError
from chalicelib.domain.policy import Policy, PolicyVersion
from chalicelib.domain.policy_check import check_policy
from chalicelib.domain.texts import is_blank
from chalicelib.domain.transitions import decide
from chalicelib.domain.validation import check_request
from tests.builders import new_approval
from tests.fakes import EXECUTION, START
from tests.policies import approval_of_request

many = settings(max_examples=3 * settings().max_examples)
"""More examples, for cheap properties; the profile in tests/conftest.py has the base number."""

REORDERING = "".join(map(chr, (*range(0x2028, 0x202F), *range(0x2066, 0x206A))))
"""Line and paragraph separators, and the marks that make text read backwards."""
_HOT = "<>&\"'{}|`%\\/ .-:;=@0aZ" + "é審査承認한글\uff21😀👩🏽\u200d🚀عربשלום\u0301\u200b\u00a0"
_ATOM = "abcXYZ019.!#$%&'*+/=?^_`{|}~-"

fit = st.one_of(
    st.sampled_from(_HOT),
    st.characters(exclude_categories=("Cs", "Cc"), exclude_characters=REORDERING),
)
pasted = st.text(
    st.one_of(
        fit,
        st.characters(exclude_categories=["Cs"]),
        st.sampled_from(
            "กำ\u0e33क\u094dषि🇩🇪🇫\u200d\u200c\ufe0f\u1100\u1161e\u0301\t\n\x0b\x85\u2028\u202e\x1b\u3164"
        ),
    ),
    max_size=200,
)
"""What people type or paste: any text at all, and often text whose characters belong together."""
one_line = st.text(fit, max_size=60)
many_lines = st.text(st.one_of(fit, st.sampled_from("\n\n\t")), max_size=120)
subjects = st.one_of(
    st.text(fit, min_size=1, max_size=40), st.text(fit, min_size=150, max_size=200)
).filter(lambda subject: not is_blank(subject))
labels = st.text(fit, min_size=1, max_size=100).filter(lambda label: not is_blank(label))
numbers = st.one_of(
    st.integers(-(2**53), 2**53), st.floats(allow_nan=False, allow_infinity=False), st.booleans()
)
details = st.one_of(many_lines, st.dictionaries(labels, st.one_of(many_lines, numbers), max_size=5))
addresses = (
    st.one_of(st.text(_ATOM, min_size=1, max_size=12), st.text(_ATOM, min_size=64, max_size=64))
    .filter(lambda local: all(local.split(".")))
    .map(lambda local: f"{local}@example.com")
)

anything = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(st.one_of(st.characters(), st.sampled_from("\x00\n\u202e\ud800\udfff<`$"))),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(st.characters()), inner, max_size=4)
    ),
    max_leaves=12,
)
"""Everything that `json.loads` may return: lone surrogates, NaN and huge numbers included."""


@st.composite
def bodies(draw: st.DrawFn) -> dict[str, Any]:
    """Draw an allowed request, as JSON."""
    people = draw(st.lists(addresses, min_size=1, max_size=6, unique_by=str.lower))
    number = st.integers(1, len(people))
    optional: Mapping[str, st.SearchStrategy[Any]] = {
        "details": details,
        "approvalsNeeded": st.one_of(number, st.just("all")),
        "rejectionsNeeded": number,
        "requestedBy": addresses,
        "expiresIn": st.integers(60, 31_536_000),
        "reasonRequired": st.sampled_from(["never", "onReject", "always"]),
        "onReject": st.sampled_from(["fail", "return"]),
    }
    chosen = draw(st.fixed_dictionaries({}, optional=dict(optional)))
    subject = draw(subjects)
    return {"subject": subject, "approvers": people, "allowSelfApproval": True} | chosen


@st.composite
def pending_approvals(draw: st.DrawFn) -> Approval:
    """Draw the pending approval of an allowed request; its links are `hashes_of` its approvers."""
    return new_approval(check_request(draw(bodies()), ("*",)))


@st.composite
def approvals(draw: st.DrawFn) -> Approval:
    """Draw an approval with any number of decisions, and any reasons."""
    approval = draw(pending_approvals())
    for approver in approval.approvers:
        choice = draw(st.sampled_from(["approve", "reject", None]))
        reason = draw(many_lines)
        if choice is not None:
            approval = try_to_decide(approval, approver.address, choice, reason, START)
    return approval


def largest_under_policy(details: Any) -> Approval:
    """Return what `largest_approval` does, under a policy with every field at its longest.

    All its people must approve: twenty of one group, and two in each of nine others, which name
    people of the first too.
    """
    people = [f"{n:02}{LONGEST_ADDRESS[2:]}" for n in range(40)]
    needed = [people[:20], *(people[20 + 2 * n : 22 + 2 * n] for n in range(9)), people[38:]]
    own = [*needed[:9], [*needed[9], *needed[10]]]
    also = [[], *(people[4 * n : 4 * n + 5] for n in range(4)), *(people[:4] for _ in range(5))]
    groups = [
        {
            "name": f"{n}" + "\U00010000" * 39,
            "approvers": [*members, *others],
            "approvalsNeeded": len(members),
        }
        for n, (members, others) in enumerate(zip(own, also, strict=True))
    ]
    policy = check_policy(
        {
            "description": "\U0001f680" * 500,
            "groups": groups,
            "requesters": [f"{n:02}{LONGEST_ADDRESS[2:]}" for n in range(19)] + [LONGEST_ADDRESS],
            "rejectionsNeeded": 40,
            "breakGlass": people,
        },
        ("*",),
    )
    return _largest_of(policy, details)


def fallback_alone(details: Any) -> Approval:
    """Return a large approval under a policy whose fallback approvers may approve alone so far."""
    people = [f"{n:02}{LONGEST_ADDRESS[2:]}" for n in range(40)]
    policy = check_policy(
        {
            "groups": [{"name": "all", "approvers": people[:20], "approvalsNeeded": 20}],
            "escalation": {"after": 60, "approvers": people[20:]},
            "breakGlass": people[20:],
            "rejectionsNeeded": 20,
        },
        ("*",),
    )
    return _largest_of(policy, details)


def _largest_of(policy: Policy, details: Any) -> Approval:
    plain = largest_approval(details)
    body = {
        "subject": plain.request.subject,
        "details": details,
        "policy": "p" * 64,
        "requestedBy": LONGEST_ADDRESS,
    }
    written = PolicyVersion("p" * 64, 10**9, policy, START, "x")
    request = check_request(body, ("*",), written)
    return approval_of_request(request, plain.task_token, plain.execution_arn)


def try_to_decide(
    approval: Approval, address: str, choice: Any, reason: str, now: datetime
) -> Approval:
    """Return the approval with that decision; unchanged if it is refused."""
    try:
        return decide(
            approval, address, choice, reason=reason, now=now + timedelta(minutes=1), via="page"
        )
    except AssentError:
        return approval


LONGEST_ADDRESS = "x" * 64 + "@" + ".".join(["d" * 43] * 4) + ".example.com"


def largest_approval(details: Any) -> Approval:
    """Return a pending approval with every field at its longest, and these details."""
    longest_arn = EXECUTION.rpartition(":")[0].rpartition(":")[0] + f":{'m' * 80}:{'n' * 80}"
    request = check_request(
        {
            "subject": "\U0001f680" * 200,
            "details": details,
            "approvers": [f"{n:02}{LONGEST_ADDRESS[2:]}" for n in range(50)],
            "approvalsNeeded": "all",
            "rejectionsNeeded": 50,
            "requestedBy": LONGEST_ADDRESS,
            "expiresIn": 31_536_000,
        },
        ("*",),
    )
    return new_approval(request, ("AQC/" * 512)[:2_048], longest_arn)
