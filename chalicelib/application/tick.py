"""The tick: once a minute, apply the deadlines and deliver the outbox entries that are due.

Delegations of which people are to be told are due too, under the approver's address.
"""

import traceback
from collections import Counter
from datetime import datetime, timedelta

from ..domain.approval import Approval
from ..domain.decidability import trouble
from ..domain.link_tokens import is_id
from ..domain.outbox_entries import Mail
from .outbox_relay import relay
from .ports import Ports
from .telling import tell

OVERDUE = timedelta(minutes=10)
"""A task or an announcement that is undelivered so long after the outcome counts as overdue."""
OVERDUE_TRIES = 4
"""A mail that asks is overdue after so many failed tries, which take some twelve minutes."""

COUNTS = ("due", "delivered", "failed", "overdue", "unreached", "undecidable")
"""What a tick counts and logs; alarms read the last three."""


def tick(ports: Ports, until: datetime) -> None:
    """Relay the outbox of each due approval until that time, and log what was counted.

    An approval that fails is logged and doesn't hold up the others.
    """
    counts = Counter(dict.fromkeys(COUNTS, 0))
    for due in ports.store.due(ports.now()):
        if ports.now() >= until:
            counts["overdue"] += 1  # Each minute again, this means that ticks can't keep up.
            break
        counts["due"] += 1
        try:
            if not is_id(due):
                tell(ports, due)
                continue
            approval = relay(ports, due)
        except Exception as e:  # Any fault of one approval leaves the others due.
            counts.update(failed=1, overdue=1)
            trace = traceback.format_tb(e.__traceback__)
            which = {"approvalId": due} if is_id(due) else {}
            ports.log("tick_failed", **which, error=type(e).__name__, trace=trace)
            continue
        if approval is not None:
            counts.update(
                delivered=not approval.outbox,
                overdue=_is_overdue(approval, ports.now()),
                unreached=_has_unreached(approval),
                undecidable=bool(trouble(approval)),
            )
    ports.log("tick", **counts)


def _is_overdue(approval: Approval, now: datetime) -> bool:
    """Return whether the outcome is old, and task or event bus still don't have it.

    Also if a mail that asks fails, unless its approver is unconfirmed: they are unreached.
    """
    late = approval.closed_at is not None and now - approval.closed_at > OVERDUE
    return any(
        _fails(approval, entry) if isinstance(entry, Mail) else late for entry in approval.outbox
    )


def _fails(approval: Approval, mail: Mail) -> bool:
    """Return whether SNS refuses that question, or was away, at each of its tries."""
    last = approval.last_mail_event(mail.to)
    unconfirmed = last is not None and last.what in ("invited", "unconfirmed")
    return mail.asks and mail.tries >= OVERDUE_TRIES and not unconfirmed


def _has_unreached(approval: Approval) -> bool:
    """Return whether the approval waits for an approver whom no mail has reached."""
    return any(approver.mail != "sent" for approver in approval.waits_for)
