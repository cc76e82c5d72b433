"""Actions by mailed links, and what each must lead to. `link` counts back from the newest one."""

from chalicelib.application import bulk_deciding, deciding
from chalicelib.application.ports import Ports
from chalicelib.domain.approval import OUTCOME_OF, Approval, Choice, find_person
from chalicelib.domain.errors import (
    AlreadyDecided,
    Cancelled,
    Expired,
    InvalidRequest,
    NotFound,
    Reassigned,
    TooSoon,
    Unavailable,
)
from chalicelib.domain.reminding import PAUSE, last_reminder
from tests.unit.state_machine.backends import StoryPorts
from tests.unit.state_machine.faults import stored_hash

OVER = (AlreadyDecided, Expired, Cancelled, Reassigned)


def decide(ports: StoryPorts, link: int, choice: Choice) -> None:
    """Decide by any decision link that was mailed."""
    mailed = [found for found in ports.mailer.links if found[1] == "approve"]
    if not mailed:
        return
    address, _, token = mailed[-1 - link % len(mailed)]
    before = _linked(ports, token)
    own = find_person(before.approvers, address)
    alone = own is not None and before.may_break_glass(own) and (not own.groups or link % 2 == 0)
    try:
        after, approver = deciding.decide(
            ports, token, choice, reason="so", via="page", break_glass=alone and choice == "approve"
        )
    except InvalidRequest:
        assert own is not None
        assert not own.groups, "only who is in no group may be refused a decision"
        return
    except OVER:
        now = _linked(ports, token)
        if _is_dead(ports, "approve", token):
            return
        assert is_over(ports, now, address), "refused without a reason"
        repeated = _is_repeated(now, address, choice)
        assert not repeated or alone, "a repeated decision is refused"
        return
    except NotFound:
        assert _is_revoked(ports, "approve", token)
        return
    assert approver == after.approver(address)
    assert approver.replaced_by is None, "a replaced approver decided"
    assert _is_repeated(after, address, choice), "the decision isn't stored"
    if is_over(ports, before, address):
        assert after == before, "a repeated decision changes something"


def reassign(ports: StoryPorts, link: int, to: str) -> None:
    """Have another person asked, by any decision link that was mailed."""
    mailed = [found for found in ports.mailer.links if found[1] == "approve"]
    if not mailed:
        return
    address, _, token = mailed[-1 - link % len(mailed)]
    before = _linked(ports, token)
    try:
        after, replaced = deciding.reassign(ports, token, to, note="please", via="page")
        asked = after.approver(replaced.replaced_by or "")
        assert to in (asked.address, asked.stands_in_for)
        if is_over(ports, before, address):
            assert after == before, "a repeated reassignment changes something"
    except OVER:
        over = is_over(ports, _linked(ports, token), address)
        assert over or _is_dead(ports, "approve", token), "refused without a reason"
    except InvalidRequest:
        now = _linked(ports, token)
        refused = [*(a.address for a in now.active_approvers if a.groups), *now.request.barred]
        assert to in refused or not now.approver(address).groups
    except NotFound:
        assert _is_revoked(ports, "approve", token)


def decide_all(ports: StoryPorts, link: int, choice: Choice) -> None:
    """Decide all requests of an inbox, opened by any inbox link that was mailed."""
    mailed = [found for found in ports.mailer.links if found[1] == "inbox"]
    if not mailed:
        return
    address, _, token = mailed[-1 - link % len(mailed)]
    linked = _linked(ports, token)
    replaced = linked.approver(address).replaced_by is not None
    try:
        inbox = bulk_deciding.inbox(ports, token)
    except Reassigned:
        assert replaced or _is_dead(ports, "inbox", token)
        return
    except Expired:
        ended = linked.closed_at or linked.expires_at
        assert ports.now() > ended + bulk_deciding.LINK_LIFETIME
        return
    except NotFound:
        assert _is_revoked(ports, "inbox", token)
        return
    assert inbox.address == address
    assert not replaced, "the inbox of a replaced approver opens"
    if not inbox.approvals:
        return
    ids = [approval.id for approval in inbox.approvals]
    selected = bulk_deciding.select(ports, token, ids)
    for result in bulk_deciding.decide_all(ports, selected, choice, "so"):
        if result.error is None:
            assert _own_decision(result.approval, address) == (choice, "so")
        elif not isinstance(result.error, Unavailable):
            assert isinstance(result.error, OVER)
            now = stored(ports, result.approval.id)
            assert is_over(ports, now, address)
            assert _own_decision(now, address) != (choice, "so")


def cancel(ports: StoryPorts, link: int) -> None:
    """Cancel by any link that was mailed; only the requester's own link may do that."""
    if (found := _requesters_link_or_any(ports, link)) is None:
        return
    address, page, token = found
    before = _linked(ports, token)
    try:
        after = deciding.cancel(ports, token, "changed my mind", "page")
    except (AlreadyDecided, Expired):
        now = _linked(ports, token)
        assert is_over(ports, now)
        assert now.outcome != "cancelled", "a repeated cancel is refused"
        return
    except NotFound:
        assert page != "cancel" or _is_revoked(ports, page, token)
        return
    assert page == "cancel", f"a link of {address} as an approver cancels"
    assert after.outcome == "cancelled"
    if is_over(ports, before):
        assert after == before, "a repeated cancel changes something"


def remind(ports: StoryPorts, link: int) -> None:
    """Have the others reminded by any link that was mailed: the requester's, once an hour."""
    if (found := _requesters_link_or_any(ports, link)) is None:
        return
    address, page, token = found
    before = _linked(ports, token)
    last = last_reminder(before)
    try:
        after = deciding.remind(ports, token, "", "page")
    except (AlreadyDecided, Expired):
        assert is_over(ports, _linked(ports, token))
        return
    except TooSoon:
        assert last is not None
        assert ports.now() < last + PAUSE
        return
    except NotFound:
        assert page != "cancel" or _is_revoked(ports, page, token)
        return
    assert page == "cancel", f"a link of {address} as an approver reminds"
    assert after.outcome == "pending"
    assert last is None or after == before or ports.now() >= last + PAUSE


def stored(ports: StoryPorts, approval_id: str) -> Approval:
    """Return the approval of that id as it is stored now."""
    found = ports.store.get(approval_id)
    assert found is not None
    return found


def is_over(ports: Ports, approval: Approval, address: str = "") -> bool:
    """Return whether the approval takes no decision any more, or none of that approver."""
    approver = approval.approver(address) if address else None
    done = approver is not None and (
        approver.decision is not None or approver.replaced_by is not None
    )
    return done or approval.outcome != "pending" or ports.now() >= approval.expires_at


def _requesters_link_or_any(ports: StoryPorts, link: int) -> tuple[str, str, str] | None:
    """Return address, page and token of a mailed link, every other time of a requester's own."""
    own = [found for found in ports.mailer.links if found[1] == "cancel"]
    mailed = own if own and link % 2 else ports.mailer.links
    return mailed[-1 - link % len(mailed)] if mailed else None


def _linked(ports: StoryPorts, token: str) -> Approval:
    return stored(ports, token.partition(".")[0])


def _is_revoked(ports: StoryPorts, page: str, token: str) -> bool:
    return stored_hash(page, token) in ports.store.revoked


def _is_dead(ports: StoryPorts, page: str, token: str) -> bool:
    """Return whether the link's approver was replaced and asked again since."""
    approvers = _linked(ports, token).approvers
    return any(stored_hash(page, token) in approver.dead_hashes for approver in approvers)


def _own_decision(approval: Approval, address: str) -> tuple[Choice, str] | None:
    decision = approval.approver(address).decision
    return None if decision is None else (decision.choice, decision.reason)


def _is_repeated(approval: Approval, address: str, choice: Choice) -> bool:
    """Return whether that choice is the approver's own, or, without one, the outcome."""
    own = _own_decision(approval, address)
    if own is not None:
        return own == (choice, "so")
    replaced = approval.approver(address).replaced_by is not None
    return approval.outcome == OUTCOME_OF[choice] and not replaced
