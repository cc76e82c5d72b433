"""Requests: what is checked before one is asked or started: its policy, and who can decide it."""

from datetime import datetime
from functools import cache

from ..domain.asking_people import Authors, people_of
from ..domain.decidability import check_decidable
from ..domain.delegation import authors_of, delegates_for
from ..domain.errors import InvalidRequest
from ..domain.request import Request
from ..domain.validation import check_request, policy_named
from .ports import Ports


def read_request(ports: Ports, untrusted: object) -> Request:
    """Return the `Request` in `untrusted`, under the newest version of the policy that it names.

    Raises InvalidRequest, naming the first wrong field.
    """
    name = policy_named(untrusted)
    if name is None:
        if ports.require_policy:
            wrong = "policy: is required on this stage; list them with: assent policies list"
            raise InvalidRequest(wrong, field="policy")
        return check_request(untrusted, ports.approver_domains)
    policy = ports.policies.newest(name)
    if policy is None or policy.removed:
        raise InvalidRequest(f"policy: there is no policy {name}", field="policy")
    return check_request(untrusted, ports.approver_domains, policy)


def delegates_if_decidable(
    ports: Ports, request: Request, now: datetime
) -> tuple[dict[str, str], Authors]:
    """Return who decides for the absent people of a request, and who wrote each delegation.

    Raises Undecidable if the people asked could never approve it, as far as is known before they
    are mailed: SNS has refused some of them before.
    """
    delegation = cache(ports.store.delegation)
    under_policy = request.policy is not None
    delegates = delegates_for(
        request.approvers, now, delegation, request.barred, own_alone=under_policy
    )
    people = people_of(request, delegates)
    asked = [*(person.address for person in people), *request.fallback]
    invited = ports.store.invitations(asked)
    refused = {address: one.refusal for address, one in invited.items() if one.refusal}
    check_decidable(request, people, refused)
    return delegates, authors_of(delegates, delegation)
