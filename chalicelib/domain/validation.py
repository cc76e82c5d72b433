"""Validation: untrusted JSON into a `Request`, or InvalidRequest naming the first wrong field.

msgspec checks shapes and bounds; the rules below span several fields or need words of their own.
"""

from collections.abc import Iterator
from math import isfinite
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from .addresses import check_address, check_people, same_person
from .bounds import MOST_APPROVERS, Approvers
from .decoding import convert
from .errors import InvalidRequest
from .policy import PolicyVersion, check_name, others
from .request import Detail, Escalation, Request
from .texts import is_blank, many_lines, one_line
from .tightening import merge_policy

DETAILS_BYTES = 16_384
LARGEST_NUMBER = 2**53
"""JSON readers that know only doubles (Step Functions' among them) change a larger number."""

Details = dict[str, Any] | str


class SentRequest(Request, frozen=True, forbid_unknown_fields=True):
    """A request as sent; unknown fields are refused, since its sender may rely on them.

    It has `approvers`, or the name of a `policy`.
    """

    details: dict[str, Any] | str = ""  # `_rows` checks the values: its refusal names their label
    approvers: Approvers = ()
    policy: Annotated[str, Meta(max_length=64)] | None = None  # type: ignore[assignment]
    started_by: Any = msgspec.field(default=None, name="AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID")
    """A parent puts this into its child's input so that Step Functions' console links the two."""


def policy_named(untrusted: object) -> str | None:
    """Return the name of the policy that a request asks for, None if it names none.

    Raises InvalidRequest, naming `policy`, if no policy can have that name.
    """
    name = untrusted.get("policy") if isinstance(untrusted, dict) else None
    return None if name is None else check_name(name)


def check_request(
    untrusted: object, domains: tuple[str, ...], policy: PolicyVersion | None = None
) -> Request:
    """Return the `Request` in `untrusted` (decoded JSON), under the policy that it names.

    `domains` are the mail domains that may be asked; `("*",)` allows any.
    Raises InvalidRequest, naming the first wrong field.
    """
    fields = msgspec.structs.asdict(convert(untrusted, SentRequest))
    del fields["started_by"]
    if policy is not None and isinstance(untrusted, dict):
        sent = {name for name, value in untrusted.items() if value is not None}
        fields |= merge_policy(fields, sent, policy, domains)
    elif not fields["approvers"]:
        raise InvalidRequest("approvers: is required", field="approvers")
    fields["subject"] = _subject(fields["subject"])
    fields["details"] = _details(fields["details"])
    if fields["requested_by"] is not None:
        fields["requested_by"] = check_address(fields["requested_by"], "requestedBy", ("*",))
    if policy is not None:
        return _without_barred(Request(**fields))
    fields["approvers"] = check_people(fields["approvers"], "approvers", domains)
    fields["escalation"] = _escalation(fields["escalation"], fields["approvers"], domains)
    request = Request(**fields)
    _check_escalation_is_in_time(request)
    request = _without_requester(request) if request.exclude_requester else request
    _check_requester(request)
    _check_numbers(request)
    return request


def _subject(subject: str) -> str:
    subject = subject.strip()
    if is_blank(subject):
        raise InvalidRequest("subject: must not be blank", field="subject")
    return one_line(subject, "subject")


def _details(details: Details) -> Details:
    field = "details"
    if isinstance(details, str):
        checked: Details = "" if is_blank(details) else many_lines(details, field).strip()
    else:
        checked = dict(_rows(details))
    if len(msgspec.json.encode(checked)) > DETAILS_BYTES:
        raise InvalidRequest(f"{field}: is larger than {DETAILS_BYTES} bytes", field=field)
    return checked


def _rows(details: dict[str, Any]) -> Iterator[tuple[str, Detail]]:
    for label, value in details.items():
        shown = label.strip()[:100]
        field = f"details.{shown}"
        if is_blank(label) or len(label) > 100:
            raise InvalidRequest("details: a label has 1 to 100 characters", field="details")
        one_line(label, "details")
        if not isinstance(value, Detail):
            raise InvalidRequest(f"{field}: must be text, a number, true or false", field=field)
        if isinstance(value, int) and abs(value) > LARGEST_NUMBER:
            raise InvalidRequest(f"{field}: send so large a number as text", field=field)
        if isinstance(value, float) and not isfinite(value):
            raise InvalidRequest(f"{field}: is not a number that JSON has", field=field)
        yield label, many_lines(value, field) if isinstance(value, str) else value


def _escalation(
    escalation: Escalation | None, approvers: tuple[str, ...], domains: tuple[str, ...]
) -> Escalation | None:
    if escalation is None:
        return None
    field = "escalation.approvers"
    fallback = check_people(escalation.approvers, field, domains)
    if len(approvers) + len(fallback) > MOST_APPROVERS:
        raise InvalidRequest(
            f"{field}: with approvers, more than {MOST_APPROVERS} people", field=field
        )
    if not _new_among(fallback, approvers):
        raise InvalidRequest(
            f"{field}: all of them are among approvers; name somebody who isn't", field=field
        )
    return Escalation(escalation.after, fallback)


def _without_barred(request: Request) -> Request:
    """Return a request under a policy without its requester among the people asked, if barred.

    An escalation that leads to nobody else then, or comes after the deadline, is dropped. Raises
    InvalidRequest for a request that contradicts itself.
    """
    _check_contradiction(request)
    escalation = request.escalation
    if escalation is not None:
        fallback = others(escalation.approvers, request.barred)
        in_time = escalation.after < request.expires_in
        escalation = replace(escalation, approvers=fallback) if fallback and in_time else None
    return replace(
        request,
        approvers=others(request.approvers, request.barred),
        # Nothing reads it here: after a rollback, older code then asks for as many approvals.
        approvals_needed=sum(group.needed for group in request.groups),
        escalation=escalation,
    )


def _new_among(fallback: tuple[str, ...], approvers: tuple[str, ...]) -> list[str]:
    asked = {address.lower() for address in approvers}
    return [address for address in fallback if address.lower() not in asked]


def _check_escalation_is_in_time(request: Request) -> None:
    escalation = request.escalation
    if escalation is not None and escalation.after >= request.expires_in:
        field = "escalation.after"
        raise InvalidRequest(
            f"{field}: {escalation.after} seconds must be less than expiresIn, which is "
            f"{request.expires_in}",
            field=field,
        )


def _check_contradiction(request: Request) -> None:
    if request.exclude_requester and request.allow_self_approval:
        field = "excludeRequester"
        raise InvalidRequest(
            f"{field}: contradicts allowSelfApproval; only one of them can be true", field=field
        )


def _without_requester(request: Request) -> Request:
    """Return the request with everybody asked but its requester.

    An escalation that leads to nobody else then is dropped.
    """
    _check_contradiction(request)
    requester, escalation = request.requested_by or "", request.escalation
    approvers = others(request.approvers, (requester,))
    if not approvers:
        raise InvalidRequest(
            f"approvers: nobody is left, because excludeRequester leaves out {requester}",
            field="approvers",
        )
    if escalation is not None:
        fallback = others(escalation.approvers, (requester,))
        new = _new_among(fallback, approvers)
        escalation = Escalation(escalation.after, fallback) if new else None
    return replace(request, approvers=approvers, escalation=escalation)


def _check_requester(request: Request) -> None:
    if request.requested_by is None:
        return
    asked = (("approvers", request.approvers), ("escalation.approvers", request.fallback))
    for named, people in asked:
        for position, address in enumerate(people):
            if same_person(address, request.requested_by) and not request.allow_self_approval:
                field = f"{named}[{position}]"
                raise InvalidRequest(
                    f"{field}: {address} asks, and may not approve their own request "
                    "(allowSelfApproval permits it, excludeRequester leaves them out)",
                    field=field,
                )


def _check_numbers(request: Request) -> None:
    most = len(request.approvers)
    besides = " besides the requester" if request.exclude_requester else ""
    for field, number in (
        ("approvalsNeeded", request.approvals_needed),
        ("rejectionsNeeded", request.rejections_needed),
    ):
        if number != "all" and number > most:
            raise InvalidRequest(
                f"{field}: {number} is more than the {most} approvers asked{besides}", field=field
            )
