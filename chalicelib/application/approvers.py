"""Approvers: whether mail can reach them, and who decides while they are absent."""

from datetime import datetime
from typing import NotRequired, TypedDict

import msgspec

from ..domain.addresses import check_address
from ..domain.decoding import convert
from ..domain.delegation import Delegation, check_delegation
from ..domain.errors import InvalidRequest, Refused
from .ports import Ports, Subscription

# `from` is a keyword of Python, hence the functional form.
DelegationJson = TypedDict("DelegationJson", {"delegate": str, "from": str, "until": str})


class ApproverStatusJson(TypedDict):
    """Whether mail can reach an approver, and the delegation that is or will be in force."""

    approver: str
    subscription: Subscription
    absence: NotRequired[DelegationJson]


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
    if subscription != "confirmed":
        try:
            ports.mailer.invite(address)
        except Refused as e:
            if e.name != "InvalidParameter":
                raise
            wrong = f"approver: SNS takes no mail for {address}"
            raise InvalidRequest(wrong, field="approver") from None
        subscription = ports.mailer.subscription(address)
    return _status(ports, address, subscription, ports.now())


def delegate(ports: Ports, address: str, untrusted: object) -> ApproverStatusJson:
    """Store an approver's delegation, for requests made from then on, and invite the approver."""
    address = check_address(address, "approver", ports.approver_domains)
    sent = convert(untrusted, Delegation)
    to = check_address(sent.delegate, "delegate", ports.approver_domains)
    delegation = Delegation(to, sent.from_, sent.until)
    check_delegation(address, delegation, ports.now(), ports.store.delegation)
    ports.store.put_delegation(address, delegation)
    return invite(ports, address)


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


def _status(
    ports: Ports, address: str, subscription: Subscription, now: datetime
) -> ApproverStatusJson:
    status: ApproverStatusJson = {"approver": address, "subscription": subscription}
    delegation = ports.store.delegation(address)
    if delegation is not None and delegation.until > now:
        status["absence"] = msgspec.to_builtins(delegation)
    return status
