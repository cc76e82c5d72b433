"""Checks of the API: it answers, clock, permission, what is overdue, approvers, policies."""

from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import requests

from ..client import Assent
from ..errors import Forbidden, NotFound, Refused, Unreachable
from ..types import Policy
from .finding import Finding, ok, wrong

CLOCK_SECONDS = 60
"""AWS refuses signatures whose time is more than five minutes off; a minute is worth mending."""
MOST_APPROVERS = 500
"""More approvers aren't looked at: each costs two calls of SNS."""
MOST_POLICIES = 100
"""More policies aren't checked: each costs up to three calls of SNS for each of its people."""


def stage_of(url: str) -> tuple[str, requests.Response]:
    """Return the name of the stage whose API answers at this URL, and the answer.

    Raises Unreachable if none does.
    """
    try:
        answer = requests.get(f"{url.rstrip('/')}/health", timeout=30, allow_redirects=False)
    except (requests.RequestException, ValueError) as e:
        raise Unreachable(f"{url} can't be reached ({type(e).__name__})") from None
    try:
        stage = str(answer.json()["stage"])
    except (ValueError, KeyError, TypeError):
        said = f"{url}/health answers {answer.status_code}, and not as an API of Assent"
        raise Unreachable(said) from None
    return stage, answer


def clock(answer: requests.Response, now: datetime | None = None) -> Iterator[Finding]:
    """Yield whether this machine's clock is the API's."""
    date = answer.headers.get("Date")
    if date is None:
        yield Finding("clock", "unknown", "the API's answer has no date")
        return
    off = (parsedate_to_datetime(date) - (now or datetime.now(UTC))).total_seconds()
    if abs(off) <= CLOCK_SECONDS:
        yield ok("clock", "agrees with the API's")
    else:
        said = f"this machine's clock is {abs(off):.0f} seconds {'slow' if off > 0 else 'fast'}"
        yield wrong("clock", said, "set it: AWS refuses signatures that are five minutes off")


def permission(api: Assent) -> Iterator[Finding]:
    """Yield whether these credentials may call the operators' routes."""
    try:
        api.approvals_page(limit=1)
    except Forbidden:
        said = "the API refuses these credentials"
        yield wrong(
            "permission", said, "attach the operator policy (the stack's OperatorPolicyArn)"
        )
    else:
        yield ok("permission", "the operators' routes are open to these credentials")


def overdue(api: Assent) -> Iterator[Finding]:
    """Yield whether the tick does its work in time."""
    late = api.approvals_page(due="overdue", limit=50)
    if not late["approvals"]:
        yield ok("tick", "nothing is overdue")
        return
    number = len(late["approvals"])
    waiting = "1 approval waits" if number == 1 else f"{number} approvals wait"
    more = ", and more" if late["next"] else ""
    said = f"{waiting} for the tick for ten minutes or longer{more}"
    yield wrong("tick", said, "assent list --due overdue; then docs/operating.md, Overdue")


def approvers(api: Assent) -> Iterator[Finding]:
    """Yield whom mail doesn't reach; asking also puts the policy of each topic right."""
    seen = unconfirmed = 0
    for one in api.approvers(page=50):
        seen += 1
        who, waiting = one["approver"], one["waiting"]
        if one["subscription"] == "refused":
            said = f"{who}: mail is refused, {one.get('refusal', 'unknown')}"
            yield wrong("approvers", said, "docs/operating.md, Refused mail, says what to do")
        elif one["subscription"] != "confirmed":
            unconfirmed += 1
            if waiting:
                wait = "1 request waits" if waiting == 1 else f"{waiting} requests wait"
                said = f"{who} hasn't confirmed, and {wait} for them"
                yield wrong("approvers", said, f"ask them to, or: assent approvers add {who}")
        if seen == MOST_APPROVERS:
            break
    more = " (no more were looked at)" if seen == MOST_APPROVERS else ""
    said = f"{seen} invited{more}, {unconfirmed} of them haven't confirmed"
    yield ok("approvers", said)


def policies(api: Assent) -> Iterator[Finding]:
    """Yield the problems of each policy: a group short of people, an unread invitation."""
    seen = 0
    for one in api.policies(page=50):
        try:
            checked = api.policy(one["name"], check=True)
        except NotFound:
            continue  # It was deleted just now.
        seen += 1
        for problem in checked.get("problems", []):
            yield wrong("policies", f"{one['name']}: {problem}", _remedy(checked, problem))
        if seen == MOST_POLICIES:
            break
    more = " (no more were looked at)" if seen == MOST_POLICIES else ""
    yield ok("policies", f"{seen} {'is' if seen == 1 else 'are'} checked{more}")


def _remedy(checked: Policy, problem: str) -> str:
    """Return what to do about a problem of a policy: it may begin with a person of it."""
    replaced = "name somebody else in its file, then: assent policies apply FILE"
    for one in checked.get("people", []):
        if one["subscription"] == "pending" and problem.startswith(f"{one['approver']} "):
            return f"ask them to, or: assent approvers add {one['approver']}; else {replaced}"
    return replaced


def public_url(url: str, stage: str) -> Iterator[Finding]:
    """Yield whether mailed links lead to this stage; `url` is the functions' ASSENT_PUBLIC_URL."""
    todo = "set ASSENT_PUBLIC_URL in .chalice/config.json, and deploy"
    try:
        found, _ = stage_of(url)
    except (Unreachable, Refused) as e:
        yield wrong("public URL", f"mailed links lead nowhere: {e}", todo)
        return
    if found == stage:
        yield ok("public URL", f"mailed links lead to {url}")
    else:
        yield wrong("public URL", f"mailed links lead to stage {found}: {url}", todo)
