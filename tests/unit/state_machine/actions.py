"""Actions: what approvers, requesters, operators and the tick do."""

from dataclasses import dataclass
from typing import Literal, get_args

from hypothesis import strategies as st

from chalicelib.application import operating, outbox_relay
from chalicelib.application.ending import end_approvals
from chalicelib.application.ports import Ports
from chalicelib.domain.approval import Choice
from chalicelib.domain.commands import Cancel, Command, Extend, Reassign, Remind
from chalicelib.domain.errors import AlreadyDecided, AssentError, Expired, InvalidRequest
from tests.fakes import EXECUTION
from tests.unit.state_machine import link_actions
from tests.unit.state_machine.backends import StoryPorts
from tests.unit.state_machine.link_actions import is_over, stored
from tests.unit.state_machine.requests import PEOPLE, REQUESTER

Kind = Literal[
    "decide", "decide all", "reassign by link", "cancel by link",
    "remind by link",
    "remind", "extend", "reassign", "cancel",
    "end",
    "tick",
]  # fmt: skip
"""By a mailed link; by an operator's command; by the execution's own end; by the clock."""
KINDS: tuple[Kind, ...] = get_args(Kind)
NOT_CLOSING: tuple[Kind, ...] = (
    "decide",
    "decide all",
    "reassign by link",
    "remind by link",
    "remind",
    "extend",
    "reassign",
    "tick",
)
"""The kinds of actions that can leave an approval pending."""


@dataclass(frozen=True)
class Action:
    """What somebody does. `link` counts the mailed links back from the newest one."""

    kind: Kind
    link: int = 0
    choice: Choice = "approve"
    person: str = REQUESTER
    seconds: int = 600
    approval: int = 0


ACTIONS = st.builds(
    Action,
    kind=st.sampled_from(["decide", *NOT_CLOSING, "cancel by link", "cancel", "end"]),
    link=st.integers(0, 12),
    choice=st.sampled_from(["approve", "reject"]),
    person=st.sampled_from(PEOPLE),
    seconds=st.sampled_from([600, 86_400, 1_209_600]),
    approval=st.integers(0, 1),
)


def perform(ports: StoryPorts, action: Action) -> None:
    """Do it, if there is a link or an approval yet; raises Unavailable if AWS is unavailable."""
    match action.kind:
        case "decide":
            link_actions.decide(ports, action.link, action.choice)
        case "decide all":
            link_actions.decide_all(ports, action.link, action.choice)
        case "reassign by link":
            link_actions.reassign(ports, action.link, action.person)
        case "cancel by link":
            link_actions.cancel(ports, action.link)
        case "remind by link":
            link_actions.remind(ports, action.link)
        case "end":
            _end(ports)
        case "tick":
            tick(ports)
        case _:
            _operate(ports, action)


def tick(ports: Ports) -> None:
    """Relay every due approval; as in `application/tick.py`, one that fails stops no other."""
    for approval_id in ports.store.due(ports.now()):
        try:
            outbox_relay.relay(ports, approval_id)
        except AssentError:
            continue


def _end(ports: StoryPorts) -> None:
    """Report that the execution ended; what it asked before is pending no longer."""
    now = ports.now()
    end = {"executionArn": EXECUTION, "status": "FAILED", "stopDate": int(now.timestamp() * 1000)}
    before = {one.id for one in ports.store.all() if one.created_at <= now}
    closed = end_approvals(ports, end)
    assert not [one for one in ports.store.all() if one.id in before and one.outcome == "pending"]
    assert set(closed) <= before


def _operate(ports: StoryPorts, action: Action) -> None:
    """Send an operator's command."""
    approvals = ports.store.all()
    if not approvals:
        return
    before = approvals[action.approval % len(approvals)]
    leaving = before.approvers[action.link % len(before.approvers)].address
    commands: dict[Kind, Command] = {
        "cancel": Cancel(reason="not needed"),
        "remind": Remind(),
        "extend": Extend(expires_in=action.seconds),
        "reassign": Reassign(from_=leaving, to=action.person, note="please"),
    }
    command = commands[action.kind]
    try:
        after = operating.change(ports, before.id, command, by=REQUESTER, via="api")
    except (AlreadyDecided, Expired):
        now = stored(ports, before.id)
        assert is_over(ports, now)
        assert action.kind != "cancel" or now.outcome != "cancelled", "a repeated cancel is refused"
        return
    except InvalidRequest:
        assert action.kind in ("reassign", "extend")
        return
    assert action.kind != "cancel" or after.outcome == "cancelled"
    if is_over(ports, before):
        assert action.kind == "cancel"
        assert after == before, "a repeated cancel changes something"
