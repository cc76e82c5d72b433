"""Deciding: what approvers and requesters do through the links in their mails.

Each use case reads downwards: load, check, transition, save, deliver.
"""

from collections.abc import Iterator
from datetime import datetime
from functools import cache

from ..domain import link_tokens, refusals, reminding, transitions
from ..domain.addresses import check_address
from ..domain.approval import Approval, Approver, Choice
from ..domain.delegation import authors_of, more_delegates_for
from ..domain.errors import NotFound
from ..domain.events import Channel
from ..domain.texts import check_reason, clean
from .outbox_relay import resume
from .ports import Ports
from .saving import save, too_many_conflicts, versions


def load_linked(ports: Ports, token: str) -> tuple[Approval, str]:
    """Return the approval that a link token names, and the token's secret, which isn't checked.

    Raises NotFound if the token is malformed or names no approval.
    """
    approval_id, secret = link_tokens.read_token(token)
    approval = ports.store.get(approval_id)
    if approval is None:
        raise link_tokens.unknown_link()
    return approval, secret


def find_for_approver(ports: Ports, token: str) -> tuple[Approval, Approver]:
    """Return the approval and the approver of a decision link; NotFound for a bad link."""
    approval, secret = load_linked(ports, token)
    return approval, link_tokens.approver_of(approval, secret)


def find_for_requester(ports: Ports, token: str) -> Approval:
    """Return the approval of a requester's cancel link; NotFound for a bad link."""
    approval, secret = load_linked(ports, token)
    link_tokens.requester_of(approval, secret)
    return approval


def decide(
    ports: Ports,
    token: str,
    choice: Choice,
    *,
    reason: str,
    via: Channel,
    code: str = "",
    break_glass: bool = False,
) -> tuple[Approval, Approver]:
    """Record an approver's decision, and resume the task if that closes the approval.

    `break_glass` approves alone. Returns approval and approver as stored then; unchanged if that
    choice was made already. Raises what `transitions.decide` does, NotFound for a bad link,
    InvalidRequest for a bad reason or a missing code: nothing is written then. A wrong code is
    recorded and raises WrongCode.
    """
    reason = check_reason(reason)
    approval_id, secret = link_tokens.read_token(token)
    began = ports.now()
    for current in _linked_versions(ports, approval_id):
        now = ports.now()
        approver = link_tokens.approver_of(current, secret)
        if refusals.changes_nothing(current, approver, choice, break_glass=break_glass):
            return current, approver  # A second click needs no code (docs/decisions/0017).
        refusals.check_can_decide(current, approver, now)
        if not _is_code_right(current, approver, secret, code):
            _record_wrong_code(ports, current, approver, secret, now, via)
            continue  # A version conflict: judge the code by the newer version.
        changed = transitions.decide(
            current,
            approver.address,
            choice,
            reason=reason,
            now=now,
            via=via,
            break_glass=break_glass,
        )
        if saved := save(ports, current, changed):
            delivered = resume(ports, saved, via, began)
            return delivered, delivered.approver(approver.address)
    raise too_many_conflicts()


def reassign(
    ports: Ports, token: str, to: str, *, note: str, via: Channel, code: str = ""
) -> tuple[Approval, Approver]:
    """Have another person asked instead of a link's approver, whose links decide nothing then.

    While that person is absent, their delegate is asked. Returns approval and approver as stored
    then; unchanged if just that was done already. Raises what `transitions.reassign` does, NotFound
    for a bad link, and the errors of `decide` for a missing or wrong code: without it, a link alone
    could be reassigned to its finder.
    """
    note = check_reason(note, "note")
    to = check_address(clean(to), "to", ports.approver_domains)
    approval_id, secret = link_tokens.read_token(token)
    for current in _linked_versions(ports, approval_id):
        now = ports.now()
        approver = link_tokens.approver_of(current, secret)
        if transitions.is_replaced_by(current, approver, to):
            return current, approver  # A second press needs no code, as with `decide`.
        refusals.check_can_decide(current, approver, now)
        if not _is_code_right(current, approver, secret, code):
            _record_wrong_code(ports, current, approver, secret, now, via)
            continue  # A version conflict: judge the code by the newer version.
        delegation = cache(ports.store.delegation)
        delegates = more_delegates_for(current, (to,), now, delegation)
        changed = transitions.reassign(
            current,
            approver.address,
            to,
            by=approver.address,
            note=note,
            now=now,
            via=via,
            delegates=delegates,
            authors=authors_of(delegates, delegation),
        )
        if saved := save(ports, current, changed):
            return saved, saved.approver(approver.address)
    raise too_many_conflicts()


def cancel(ports: Ports, token: str, reason: str, via: Channel) -> Approval:
    """Cancel an approval by its requester's own link; the execution fails as `Cancelled`.

    Unchanged if it is cancelled already. Raises what `transitions.cancel` does, and NotFound for a
    bad link.
    """
    reason = check_reason(reason)
    approval_id, secret = link_tokens.read_token(token)
    began = ports.now()
    for current in _linked_versions(ports, approval_id):
        requester = link_tokens.requester_of(current, secret)
        changed = transitions.cancel(
            current, requester.address, reason=reason, now=ports.now(), via=via
        )
        if changed == current:
            return current  # Cancelled already: the writer of that has the lease on Resume.
        if saved := save(ports, current, changed):
            return resume(ports, saved, via, began)
    raise too_many_conflicts()


def remind(ports: Ports, token: str, reason: str, via: Channel) -> Approval:
    """Have the undecided approvers reminded, by the requester's own link; the tick mails them.

    Unchanged if this is the last press again. Raises what `reminding.remind_for_requester` does,
    and NotFound for a bad link.
    """
    reason = check_reason(reason)
    approval_id, secret = link_tokens.read_token(token)
    for current in _linked_versions(ports, approval_id):
        requester = link_tokens.requester_of(current, secret)
        changed = reminding.remind_for_requester(
            current, requester.address, reason=reason, now=ports.now(), via=via
        )
        if saved := save(ports, current, changed):
            return saved
    raise too_many_conflicts()


def _linked_versions(ports: Ports, approval_id: str) -> Iterator[Approval]:
    """Yield what `versions` does; a missing approval raises the same NotFound as a bad link.

    So the answer doesn't reveal which ids exist.
    """
    try:
        yield from versions(ports, approval_id)
    except NotFound:
        raise link_tokens.unknown_link() from None


def _is_code_right(approval: Approval, approver: Approver, secret: str, code: str) -> bool:
    """Return whether the code is right, or the request needs none.

    Raises WrongCode if this link is locked, and InvalidRequest if it doesn't have six digits.
    """
    if not approval.request.code_required:
        return True
    refusals.check_not_locked(approver, link_tokens.digest(secret))
    return link_tokens.is_code_of(approval, approver, secret, link_tokens.read_code(code))


def _record_wrong_code(
    ports: Ports,
    current: Approval,
    approver: Approver,
    secret: str,
    now: datetime,
    via: Channel,
) -> None:
    """Save that the code was wrong and raise WrongCode; return on a version conflict."""
    link_hash = link_tokens.digest(secret)
    changed = transitions.record_wrong_code(current, approver.address, link_hash, now, via)
    if save(ports, current, changed):
        raise refusals.wrong_code(changed.approver(approver.address), link_hash)
