"""What the API refuses in a request, by field; the rules are those of docs/api.md."""

import re
from collections.abc import Mapping
from typing import Any

from ..errors import Refused, refusal

ADDRESS = re.compile(r"[^@\s,;<>\"]+@[^@\s,;<>\"]+\.[^@\s,;<>\"]+")
YEAR = 31_536_000
FIELDS = {
    "subject": str,
    "details": (str, dict),
    "policy": (str, type(None)),
    "approvers": list,
    "approvalsNeeded": (int, str),
    "rejectionsNeeded": int,
    "requestedBy": (str, type(None)),
    "expiresIn": int,
    "remindEvery": (int, type(None)),
    "escalation": (dict, type(None)),
    "reasonRequired": str,
    "codeRequired": bool,
    "allowSelfApproval": bool,
    "excludeRequester": bool,
    "onReject": str,
    "supersedes": bool,
}
"""Field -> the types that it may have in Python."""


def invalid(field: str, why: str) -> Refused:
    """Return the refusal of a field."""
    body = {"code": "InvalidRequest", "message": f"{field}: {why}", "field": field}
    return refusal(400, body)


def check_request(request: Mapping[str, Any]) -> None:
    """Raise InvalidRequest, naming the field, if the API would refuse the request."""
    for field, value in request.items():
        if field not in FIELDS:
            raise invalid(field, "is unknown")
        if not isinstance(value, FIELDS[field]):  # type: ignore[arg-type]
            raise invalid(field, "has the wrong type")
    subject = str(request.get("subject", "")).strip()
    if not 1 <= len(subject) <= 200 or "\n" in subject:
        raise invalid("subject", "is required: 1 to 200 characters on one line")
    people = _people(request)
    within("expiresIn", request.get("expiresIn", 604_800), 60, YEAR)
    within("remindEvery", request.get("remindEvery") or 300, 300, YEAR)
    for field in ("approvalsNeeded", "rejectionsNeeded"):
        if request.get("policy"):
            break  # The policy's counts apply.
        number = request.get(field, 1)
        if number == "all" and field == "approvalsNeeded":
            continue
        if not isinstance(number, int) or number < 1:
            raise invalid(field, "must be 1 or more")
        if number > len(people):
            raise invalid(field, f"{number} is more than the {len(people)} approvers asked")


def within(field: str, seconds: int, least: int, most: int) -> None:
    """Raise InvalidRequest unless a duration is within its limits."""
    if not least <= seconds <= most:
        raise invalid(field, f"must be {least} to {most} seconds")


def check_address(address: object, field: str) -> str:
    """Return an address without blanks around it, or raise InvalidRequest."""
    found = str(address).strip()
    if not ADDRESS.fullmatch(found):
        raise invalid(field, f"{found} is not an e-mail address")
    return found


def asked_first(request: Mapping[str, Any]) -> list[str]:
    """Return whom a valid request asks."""
    requester = str(request.get("requestedBy") or "").lower()
    left_out = requester if request.get("excludeRequester") else ""
    return [one.strip() for one in request["approvers"] if one.strip().lower() != left_out]


def _people(request: Mapping[str, Any]) -> list[str]:
    if not request.get("approvers"):
        raise invalid("approvers", "is required: 1 to 50 e-mail addresses")
    seen = set[str]()
    requester = str(request.get("requestedBy") or "").lower()
    tolerated = request.get("allowSelfApproval") or request.get("excludeRequester")
    for position, one in enumerate(request["approvers"]):
        field = f"approvers[{position}]"
        address = check_address(one, field).lower()
        if address in seen:
            raise invalid(field, f"{one} is named twice")
        if address == requester and not tolerated:
            raise invalid(field, f"{one} asks, and may not approve their own request")
        seen.add(address)
    return asked_first(request)
