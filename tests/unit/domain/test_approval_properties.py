"""The domain against an oracle that is written another way, over any order of events."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from itertools import permutations, product
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.approval import Approval, Choice
from chalicelib.domain.errors import AssentError
from chalicelib.domain.link_tokens import SecretHashes
from chalicelib.domain.outbox import announced, mailed, not_mailed, resumed
from chalicelib.domain.outbox_entries import Announce, Mail, Resume
from chalicelib.domain.transitions import cancel, decide
from tests.builders import after_tick, an_approval, people
from tests.fakes import START
from tests.unit.strategies import many, pending_approvals

EXPIRES_IN = 1000


@cache
def _ends(k: int, r: int, approved: int, rejected: int, undecided: int) -> frozenset[str]:
    """Return the outcomes that are still possible, by trying every decision of the undecided.

    The first number that is reached decides; without k approvals in the end it is rejected.
    """
    if approved == k:
        return frozenset({"approved"})
    if rejected == r or not undecided:
        return frozenset({"rejected"})
    yes = _ends(k, r, approved + 1, rejected, undecided - 1)
    return yes | _ends(k, r, approved, rejected + 1, undecided - 1)


def _certain(k: int, r: int, choices: list[Choice], n: int) -> str:
    """Return the only outcome that is still possible, or pending if there are two."""
    approved = choices.count("approve")
    ends = _ends(k, r, approved, len(choices) - approved, n - len(choices))
    return next(iter(ends)) if len(ends) == 1 else "pending"


@dataclass
class Step:
    """One event: `do`, by the approver at that place, after so many seconds."""

    do: str
    who: int
    choice: Choice
    seconds: int


@dataclass
class History:
    """An approval's quorum and all that happens to it."""

    n: int
    k: Any
    r: int
    steps: list[Step]


_OTHERS = ("tick", "mailed", "not mailed", "resumed", "announced", "cancel")
_JUMPS = (-20, 0, 0, 0, 1, 5, 60, EXPIRES_IN // 2)


def _step(n: int, story: int, seed: bytes) -> Step:
    """Return the step of four random bytes: a decision, or others as often as `story` says.

    Hypothesis draws a thousand bytes faster than a thousand steps.
    """
    other = story and seed[0] >= 256 - 16 * story
    return Step(
        do=_OTHERS[seed[0] % len(_OTHERS)] if other else "decide",
        who=seed[1] % n,
        choice="approve" if seed[2] % 2 else "reject",
        seconds=_JUMPS[seed[3] % len(_JUMPS)] if story else 0,
    )


@st.composite
def histories(draw: st.DrawFn) -> History:
    """Draw a quorum and its history: decisions, and now and then another event."""
    n = draw(st.integers(1, 50))
    k = draw(st.one_of(st.integers(1, n), st.just("all")))
    r = draw(st.integers(1, n))
    story, length = draw(st.integers(0, 5)), draw(st.integers(0, 2 * n))
    seeds = draw(st.binary(min_size=4 * length, max_size=4 * length))
    steps = [_step(n, story, seeds[i : i + 4]) for i in range(0, len(seeds), 4)]
    return History(n, k, r, steps)


def _happen(approval: Approval, step: Step, now: datetime) -> Approval:
    """Return the approval after the step; unchanged if the step is refused."""
    address = approval.approvers[step.who].address
    fresh = {
        a.address: SecretHashes(f"{now.isoformat()}{a.address}", "") for a in approval.approvers
    }
    mail = Mail(address, now)
    rules: dict[str, Callable[[], Approval]] = {
        "decide": lambda: decide(
            approval, address, step.choice, reason="because", now=now, via="page"
        ),
        "cancel": lambda: cancel(approval, "ada@example.com", reason="", now=now, via="api"),
        "tick": lambda: after_tick(approval, now, fresh),
        "mailed": lambda: mailed(approval, mail, now, "tick"),
        "not mailed": lambda: not_mailed(
            approval, mail, unsent=fresh[address], why="refused", now=now, via="tick"
        ),
        "resumed": lambda: resumed(approval, "", now, "tick"),
        "announced": lambda: announced(approval, Announce(START), now, "tick"),
    }
    try:
        return rules[step.do]()
    except AssentError:
        return approval


def _play(history: History) -> list[tuple[Step, datetime, Approval, Approval]]:
    """Return each step with its time, and the approval before and after it."""
    approval = an_approval(
        approvers=people(history.n),
        approvalsNeeded=history.k,
        rejectionsNeeded=history.r,
        expiresIn=EXPIRES_IN,
    )
    now, played = START, []
    for step in history.steps:
        now += timedelta(seconds=step.seconds)
        after = _happen(approval, step, now)
        played.append((step, now, approval, after))
        approval = after
    return played


@many
@given(histories())
def test_the_outcome_is_what_the_oracle_says_after_every_step(history: History) -> None:
    """It closes with the decision that makes the outcome certain, neither earlier nor later."""
    k = history.n if history.k == "all" else history.k
    choices: dict[int, Choice] = {}
    expected = "pending"
    expires_at = START + timedelta(seconds=EXPIRES_IN)
    for step, now, _, after in _play(history):
        if expected == "pending":
            if step.do == "decide" and step.who not in choices and now < expires_at:
                choices[step.who] = step.choice
                expected = _certain(k, history.r, list(choices.values()), history.n)
            elif step.do == "cancel" and now < expires_at:
                expected = "cancelled"
            elif step.do == "tick" and now >= expires_at:
                expected = "expired"
        assert after.outcome == expected
        made = {i: a.decision.choice for i, a in enumerate(after.approvers) if a.decision}
        assert made == choices


@many
@given(histories())
def test_an_outcome_is_set_once_and_never_changes(history: History) -> None:
    """The closing time is set with it."""
    for _, now, before, after in _play(history):
        assert (after.closed_at is None) == (after.outcome == "pending")
        if before.outcome != "pending":
            assert (after.outcome, after.closed_at) == (before.outcome, before.closed_at)
        elif after.outcome != "pending":
            assert after.closed_at == now


@many
@given(histories())
def test_a_decision_is_never_lost_or_changed(history: History) -> None:
    """One step makes one decision at most."""
    for _, _, before, after in _play(history):
        pairs = list(zip(before.approvers, after.approvers, strict=True))
        assert all(a.address == b.address for a, b in pairs)
        assert all(a.decision is None or a.decision == b.decision for a, b in pairs)
        assert sum(a.decision != b.decision for a, b in pairs) <= 1


@many
@given(histories())
def test_events_are_only_appended(history: History) -> None:
    for _, _, before, after in _play(history):
        assert after.events[: len(before.events)] == before.events


@many
@given(histories())
def test_the_outbox_gets_one_resume_when_the_approval_closes(history: History) -> None:
    """From no other step, and never a second one."""
    resumes = 0
    for _, _, before, after in _play(history):
        held = [e for e in after.outbox if isinstance(e, Resume)]
        new = len(held) > sum(isinstance(e, Resume) for e in before.outbox)
        resumes += new
        assert len(held) <= 1
        assert new == (before.outcome == "pending" != after.outcome)
        assert after.outcome == "pending" or not [
            e for e in after.outbox if isinstance(e, Mail) and e.asks
        ]
        assert (after.resumed_at is not None) == (after.outcome != "pending" and not held)
    assert resumes <= 1


@many
@given(histories())
def test_the_outbox_gets_one_announcement_when_the_approval_closes(history: History) -> None:
    """An event records it when the entry leaves the outbox."""
    for _, _, before, after in _play(history):
        held = [e for e in after.outbox if isinstance(e, Announce)]
        new = len(held) > sum(isinstance(e, Announce) for e in before.outbox)
        assert new == (before.outcome == "pending" != after.outcome)
        done = sum(event.what == "announced" for event in after.events)
        assert len(held) + done == (after.outcome != "pending")


@many
@given(histories())
def test_no_decision_is_made_at_or_after_the_deadline(history: History) -> None:
    for _, now, before, after in _play(history):
        if [a.decision for a in before.approvers] != [a.decision for a in after.approvers]:
            assert now < after.expires_at


@many
@given(histories())
def test_an_approval_is_due_until_its_outbox_is_empty(history: History) -> None:
    """`due_at` is None exactly when nothing is left to do, so the tick misses nothing."""
    for _, _, _, after in _play(history):
        assert (after.due_at is None) == (after.resumed_at is not None and not after.outbox)
        if after.outcome == "pending":
            assert after.due_at is not None
            assert after.due_at <= after.expires_at


@many
@given(histories())
def test_an_approval_of_any_history_is_the_same_after_storing(history: History) -> None:
    for *_, after in _play(history)[-3:]:
        encoded = msgspec.json.encode(after)
        assert msgspec.json.decode(encoded, type=Approval) == after


@many
@given(pending_approvals())
def test_an_approval_of_any_request_is_the_same_after_storing(approval: Approval) -> None:
    assert msgspec.json.decode(msgspec.json.encode(approval), type=Approval) == approval


def test_up_to_four_approvers_end_as_the_oracle_says_in_every_order() -> None:
    """All quorums, all orders, all choices: no sampling."""
    for n in range(1, 5):
        for k, r in product(range(1, n + 1), repeat=2):
            fresh = an_approval(approvers=people(n), approvalsNeeded=k, rejectionsNeeded=r)
            for order in permutations(range(n)):
                for choices in product(("approve", "reject"), repeat=n):
                    _decide_all(fresh, order, choices, k, r)


def _decide_all(
    approval: Approval, order: tuple[int, ...], choices: tuple[Any, ...], k: int, r: int
) -> None:
    n, made = len(order), list[Choice]()
    for who, choice in zip(order, choices, strict=True):
        made.append(choice)
        approval = decide(approval, people(n)[who], choice, reason="because", now=START, via="page")
        assert approval.outcome == _certain(k, r, made, n)
        if approval.outcome != "pending":
            return
    raise AssertionError("everybody has decided, and it is still pending")
