"""What people and the clock do in a story, and what must come of each deed there and then."""

from dataclasses import dataclass

from hypothesis import strategies as st

from chalicelib.application import bulk_deciding, deciding, operating, outbox_relay
from chalicelib.application.ports import Ports
from chalicelib.domain.approval import Approval, Choice
from chalicelib.domain.commands import Cancel, Command, Extend, Reassign, Remind
from chalicelib.domain.errors import (
    AlreadyDecided,
    AssentError,
    Cancelled,
    Expired,
    InvalidRequest,
    NotFound,
    Reassigned,
    Unavailable,
)
from tests.unit.state_machine.backends import StagedPorts
from tests.unit.state_machine.faults import stored_of

MARY = "mary@example.com"
CAST = ["ada@example.com", "grace@example.com", "linus@example.com", "Alan@example.com"]
EVERYBODY = [*CAST, "barbara@example.com", "donald@example.com", MARY]
OVER = (AlreadyDecided, Expired, Cancelled, Reassigned)
OPEN = ["decide", "decide all", "pass on", "remind", "extend", "reassign", "tick"]
"""What can be done to an approval without always ending it; some is done by link, some by API."""


@dataclass(frozen=True)
class Deed:
    """Something that somebody does; `link` is any ever mailed, counted back from the newest."""

    verb: str
    link: int = 0
    choice: Choice = "approve"
    person: str = MARY
    seconds: int = 600
    approval: int = 0


DEEDS = st.builds(
    Deed,
    verb=st.sampled_from(["decide", *OPEN, "withdraw", "cancel"]),
    link=st.integers(0, 12),
    choice=st.sampled_from(["approve", "reject"]),
    person=st.sampled_from(EVERYBODY),
    seconds=st.sampled_from([60, 600, 86_400]),
    approval=st.integers(0, 1),
)


def do(ports: StagedPorts, deed: Deed) -> None:
    """Do it, if there is anything yet to do it to; raises Unavailable if AWS is."""
    match deed.verb:
        case "tick":
            tick(ports)
        case "decide" | "pass on":
            _by_link(ports, deed)
        case "decide all":
            _by_list(ports, deed)
        case "withdraw":
            _withdraw(ports, deed)
        case _:
            _operate(ports, deed)


def tick(ports: Ports) -> None:
    """Do what app.tick does: what goes wrong with one is not in the others' way."""
    for approval_id in ports.store.due(ports.now()):
        try:
            outbox_relay.relay(ports, approval_id)
        except AssentError:
            continue


def _by_link(ports: StagedPorts, deed: Deed) -> None:
    """Decide or pass on by a link that was mailed; what comes of it is what the record says."""
    mailed = [link for link in ports.mailer.links if link[1] == "approve"]
    if not mailed:
        return
    address, _, token = mailed[-1 - deed.link % len(mailed)]
    before = _asked_by(ports, token)
    holder = before.approver(address)
    try:
        if deed.verb == "pass on":
            approval, _ = deciding.reassign(ports, token, deed.person, note="please", via="page")
            assert approval.approver(address).replaced_by == deed.person
        else:
            approval, _ = deciding.decide(ports, token, deed.choice, reason="so", via="page")
            assert _said(approval, address) == (deed.choice, "so")
        assert before.outcome == "pending"
        assert holder.decision is None
        assert holder.replaced_by is None, "a link of somebody who was replaced did something"
    except OVER:
        assert _is_over(ports, _asked_by(ports, token), address), "refused without a reason"
    except InvalidRequest:
        assert deed.verb == "pass on"
    except NotFound:
        assert _was_taken_back(ports, "approve", token)


def _by_list(ports: StagedPorts, deed: Deed) -> None:
    """Decide all that somebody's list shows, opened from any mail of theirs."""
    mailed = [link for link in ports.mailer.links if link[1] == "mine"]
    if not mailed:
        return
    address, _, token = mailed[-1 - deed.link % len(mailed)]
    asked_by = _asked_by(ports, token)
    replaced = asked_by.approver(address).replaced_by is not None
    try:
        seen = bulk_deciding.inbox(ports, token)
        assert seen.address == address
        assert not replaced, "a list of somebody who was replaced opened"
    except Reassigned:
        assert replaced
        return
    except Expired:
        ended = asked_by.closed_at or asked_by.expires_at
        assert ports.now() > ended + bulk_deciding.LINK_LIFETIME
        return
    except NotFound:
        assert _was_taken_back(ports, "mine", token)
        return
    if seen.approvals:
        seen = bulk_deciding.select(ports, token, [approval.id for approval in seen.approvals])
        for told in bulk_deciding.decide_all(ports, seen, deed.choice, "so"):
            if told.error is None:
                assert _said(told.approval, address) == (deed.choice, "so")
            elif not isinstance(told.error, Unavailable):
                assert isinstance(told.error, OVER)
                assert _is_over(ports, _stored(ports, told.approval.id), address)


def _withdraw(ports: StagedPorts, deed: Deed) -> None:
    """Withdraw by a requester's link; and see that no approver's link does that."""
    mailed = ports.mailer.links
    if not mailed:
        return
    address, page, token = mailed[-1 - deed.link % len(mailed)]
    try:
        approval = deciding.cancel(ports, token, "changed my mind", "page")
        assert approval.outcome == "cancelled"
        assert page == "cancel", f"the link of {address} is an approver's"
    except (AlreadyDecided, Expired):
        assert _is_over(ports, _asked_by(ports, token))
    except NotFound:
        assert page != "cancel" or _was_taken_back(ports, page, token)


def _operate(ports: StagedPorts, deed: Deed) -> None:
    """Do what operators do by the API."""
    approvals = ports.store.all()
    if not approvals:
        return
    approval = approvals[deed.approval % len(approvals)]
    leaving = approval.approvers[deed.link % len(approval.approvers)].address
    operations: dict[str, Command] = {
        "cancel": Cancel(reason="not needed"),
        "remind": Remind(),
        "extend": Extend(expires_in=deed.seconds),
        "reassign": Reassign(from_=leaving, to=deed.person, note="please"),
    }
    try:
        operating.change(ports, approval.id, operations[deed.verb], by=MARY, via="api")
    except (AlreadyDecided, Expired):
        assert _is_over(ports, _stored(ports, approval.id))
    except InvalidRequest:
        assert deed.verb == "reassign"


def _asked_by(ports: StagedPorts, token: str) -> Approval:
    return _stored(ports, token.partition(".")[0])


def _stored(ports: StagedPorts, approval_id: str) -> Approval:
    found = ports.store.get(approval_id)
    assert found is not None
    return found


def _was_taken_back(ports: StagedPorts, page: str, token: str) -> bool:
    return stored_of(page, token) in ports.store.taken_back


def _said(approval: Approval, address: str) -> tuple[Choice, str] | None:
    decision = approval.approver(address).decision
    return None if decision is None else (decision.choice, decision.reason)


def _is_over(ports: Ports, approval: Approval, address: str = "") -> bool:
    """Return whether nothing more can be said to it, or not by that approver."""
    holder = approval.approver(address) if address else None
    done = holder is not None and (holder.decision is not None or holder.replaced_by is not None)
    return done or approval.outcome != "pending" or ports.now() >= approval.expires_at
