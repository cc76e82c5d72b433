"""Approvers: whether mail can reach them, and who decides while they are absent."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal, NotRequired, TypedDict

from ..domain.addresses import check_address
from ..domain.bounds import MOST_WAITING
from ..domain.decidability import BAD_ADDRESS
from ..domain.decoding import convert
from ..domain.delegation import Delegation, DelegationForm, check_delegation, ended, to_be_told
from ..domain.errors import InvalidRequest, Refused, Unavailable
from ..domain.invitation import Invitation
from ..domain.texts import check_reason
from ..presentation.delegation_json import DelegationJson, delegation_json
from ..presentation.json_types import MailSeenJson
from . import outbox_relay
from .ports import Ports, Subscription


class ApproverStatusJson(TypedDict):
    """Whether mail can reach an approver, and the delegation that is or will be in force."""

    approver: str
    subscription: Subscription
    absence: NotRequired[DelegationJson]


class _WithoutMailJson(TypedDict):
    approver: str
    absence: NotRequired[DelegationJson]
    waiting: int


class _MailJson(TypedDict):
    subscription: Subscription | Literal["refused"]
    refusal: NotRequired[str]


class ListedApproverJson(_WithoutMailJson, _MailJson):
    """One approver in an operator's list; `waiting` counts what waits for them, up to 100.

    `refused`: SNS or Assent refuses their mail; `refusal` is the name of the error.
    """


def list_approvers(
    ports: Ports, most: int, after: str = ""
) -> tuple[list[ListedApproverJson], str]:
    """Return approvers whom Assent has invited, last invited first, and where the next page begins.

    Costs two calls of SNS for each, and two small reads.
    """
    addresses, more = ports.store.approvers(most, after)
    return [overview(ports, address) for address in addresses], more


def overview(ports: Ports, address: str) -> ListedApproverJson:
    """Return what an operators' list says of an approver, invited or not."""
    return {**_without_mail(ports, address), **_mail(ports, address)}


def seen(ports: Ports, address: str) -> Mapping[str, object]:
    """Return what `overview` does for a page; `subscription` is `unknown` if SNS doesn't answer."""
    return {**_without_mail(ports, address), **mail_seen(ports, address)}


def mail_seen(ports: Ports, address: str) -> MailSeenJson:
    """Return whether mail reaches a person; `unknown` if SNS doesn't answer."""
    try:
        return {**_mail(ports, address)}
    except Unavailable:
        return {"subscription": "unknown"}


def list_seen(ports: Ports, most: int, after: str) -> tuple[list[Mapping[str, object]], str]:
    """Return what `list_approvers` does, for a page, as `seen` does."""
    addresses, more = ports.store.approvers(most, after)
    return [seen(ports, address) for address in addresses], more


def _mail(ports: Ports, address: str) -> _MailJson:
    try:
        return {"subscription": ports.mailer.subscription(address)}
    except Refused as e:
        return {"subscription": "refused", "refusal": e.name}


def _without_mail(ports: Ports, address: str) -> _WithoutMailJson:
    now = ports.now()
    waiting = ports.store.count_waiting(address, now, MOST_WAITING)
    found: _WithoutMailJson = {"approver": address, "waiting": waiting}
    delegation = current_delegation(ports, address, now)
    if delegation is not None:
        found["absence"] = delegation_json(delegation)
    return found


def find_approver(ports: Ports, address: str) -> ApproverStatusJson:
    """Return the status of an approver; InvalidRequest if they may not be asked."""
    address = check_address(address, "approver", ports.approver_domains)
    return _status(ports, address, ports.mailer.subscription(address), ports.now())


def invite(ports: Ports, address: str) -> ApproverStatusJson:
    """Have SNS invite an approver who hasn't confirmed a subscription, and return the status.

    Raises InvalidRequest if they may not be asked, or if SNS refuses the address, and Refused for
    another refusal of SNS, which says nothing about the address.
    """
    address = check_address(address, "approver", ports.approver_domains)
    subscription = ports.mailer.subscription(address)
    if subscription == "confirmed":
        ports.store.put_approver(address, Invitation(ports.now()))
    else:
        try:
            outbox_relay.invite(ports, address)
        except Refused as e:
            if e.name != BAD_ADDRESS:
                raise
            wrong = f"approver: SNS takes no mail for {address}"
            raise InvalidRequest(wrong, field="approver") from None
        subscription = ports.mailer.subscription(address)
    return _status(ports, address, subscription, ports.now())


def delegate(
    ports: Ports, address: str, untrusted: object, principal: str = ""
) -> ApproverStatusJson:
    """Store the delegation that an operator sends for an approver, and invite the approver.

    It holds for requests made from then on. `principal` is the IAM principal that signed the call.
    """
    address = check_address(address, "approver", ports.approver_domains)
    sent = convert(untrusted, DelegationForm)
    by = principal if sent.by is None else check_address(sent.by, "by", ("*",))
    store_delegation(ports, address, sent, by=by, principal=principal)
    return invite(ports, address)


def store_delegation(
    ports: Ports, address: str, sent: DelegationForm, *, by: str, principal: str = ""
) -> Delegation:
    """Store a delegation of this approver and return it; the next tick tells both people.

    Raises InvalidRequest, naming the field, if the approver can't have it.
    """
    now, reason = ports.now(), check_reason(sent.reason)
    to = check_address(sent.delegate, "delegate", ports.approver_domains)
    delegation = Delegation(to, sent.from_, sent.until, reason, by, principal, at=now)
    check_delegation(address, delegation, now, ports.store.delegation)
    written = to_be_told(address, delegation, now)
    ports.store.put_delegation(address, written)
    return written


def current_delegation(ports: Ports, address: str, now: datetime) -> Delegation | None:
    """Return the approver's delegation that is or will be in force; None if there is none."""
    found = ports.store.delegation(address)
    return None if found is None or found.until <= now else found


def end_delegation(ports: Ports, address: str, *, by: str, principal: str = "") -> None:
    """End an approver's delegation; the next tick tells both people. Nothing if there is none."""
    address = check_address(address, "approver", ("*",))
    now = ports.now()
    delegation = current_delegation(ports, address, now)
    if delegation is None:
        return
    over = ended(delegation, by, principal, now)
    ports.store.put_delegation(address, to_be_told(address, over, now))


def confirm(ports: Ports, address: str, url: str) -> ApproverStatusJson:
    """Confirm an approver's subscription with the link of SNS's invitation to them.

    Confirmed this way, the Unsubscribe link of later mails asks for IAM credentials, so a mail
    scanner that follows it unsubscribes nobody.
    """
    address = check_address(address, "approver", ports.approver_domains)
    if not ports.mailer.confirm(address, url):
        raise InvalidRequest(
            "url: SNS refuses this link; invite the approver again and use the new one", field="url"
        )
    return {"approver": address, "subscription": ports.mailer.subscription(address)}


def forget(ports: Ports, address: str) -> None:
    """Delete an approver's topic; requests that still wait for the approver invite them again."""
    address = check_address(address, "approver", ("*",))
    ports.mailer.forget(address)
    ports.store.drop_approver(address, ports.now())


def _status(
    ports: Ports, address: str, subscription: Subscription, now: datetime
) -> ApproverStatusJson:
    status: ApproverStatusJson = {"approver": address, "subscription": subscription}
    delegation = current_delegation(ports, address, now)
    if delegation is not None:
        status["absence"] = delegation_json(delegation)
    return status
