"""The model: what must be true of all approvals, after each step and at the end of a story.

`checked_store.py` checks each single write as well.
"""

from collections import Counter
from datetime import datetime
from itertools import combinations

import msgspec

from chalicelib.application.bulk_deciding import PAGE_SIZE
from chalicelib.domain.approval import Approval, Decision
from chalicelib.domain.events import EVENTS_KEPT
from chalicelib.domain.outbox_entries import Mail
from chalicelib.presentation import serializers
from tests.unit.state_machine.backends import StoryPorts
from tests.unit.state_machine.checked_store import undecided

MOST_BYTES = 409_600
"""DynamoDB's limit of an item."""
ERROR_NAMES = {
    "approved": None,
    "rejected": "Rejected",
    "expired": "Expired",
    "cancelled": "Cancelled",
}
"""Outcome -> the error name that its task fails with; None if the task succeeds."""


class Model:
    """What was observed so far, which later steps may not change, and the checks."""

    def __init__(self, ports: StoryPorts) -> None:
        self._ports = ports
        self._outcomes: dict[str, tuple[str, datetime | None]] = {}
        self._decisions: dict[tuple[str, str], Decision] = {}

    def check(self) -> None:
        """Raise AssertionError for what isn't true of the approvals as they are stored now."""
        self._outcomes_are_final()
        self._outcomes_match_decisions()
        self._decisions_are_final()
        self._nobody_is_asked_twice()
        self._tasks_are_answered_once()
        self._only_undecided_approvers_are_asked()
        self._duplicates_need_a_fault()
        self._announcements_hold_the_outcome()
        self._inboxes_show_what_waits()
        self._approvals_fit_in_an_item()

    def check_everything_is_delivered(self) -> None:
        """Check at the end of a story that every approval is closed and its outbox empty.

        The backend must have got each mail and announcement that its adapter accepted, and each
        task must have ended with the outcome.
        """
        ports = self._ports
        for approval in ports.store.all():
            assert approval.outcome != "pending"
            assert approval.resumed_at is not None
            assert approval.outbox == ()
        sent = Counter((to, email.subject) for to, email in ports.mailer.sent)
        assert ports.backend.mails() == sent
        announced = Counter(detail["approvalId"] for detail, _ in ports.event_bus.announced)
        undecidable = Counter(detail["approvalId"] for detail in ports.event_bus.undecidable)
        assert ports.backend.announcements() == announced + undecidable
        assert announced.keys() == {approval.id for approval in ports.store.all()}
        for approval in ports.store.all():
            assert approval.id in ports.store.by_outcome(approval.outcome, most=10)[0]
            assert approval.task_token == "", "kept after its task was answered"
            result = ports.backend.task_result(ports.store.task_tokens[approval.id])
            assert result == (ERROR_NAMES[approval.outcome] or approval.outcome)

    def _outcomes_are_final(self) -> None:
        """Check that a closed approval keeps its outcome and its time."""
        for approval in self._ports.store.all():
            if approval.outcome != "pending":
                outcome = (approval.outcome, approval.closed_at)
                assert self._outcomes.setdefault(approval.id, outcome) == outcome
            assert (approval.closed_at is None) == (approval.outcome == "pending")

    def _outcomes_match_decisions(self) -> None:
        """Check that an approval is closed as soon as its decisions make the outcome certain."""
        for approval in self._ports.store.all():
            made = [(a, d.choice) for a, d in approval.decisions]
            yes = [approver.groups for approver, choice in made if choice == "approve"]
            open_ = [a.groups for a in approval.active_approvers if a.decision is None]
            alone = any(decision.break_glass for _, decision in approval.decisions)
            approved = alone or _fill(approval, yes)
            rejections = len(made) - len(yes)
            rejected = not approved and (
                rejections >= approval.request.rejections_needed
                or not _fill(approval, [*yes, *open_])
            )
            assert (approval.outcome == "approved") == approved
            assert (approval.outcome == "rejected") == rejected

    def _decisions_are_final(self) -> None:
        """Check that no decision is lost or altered, and that a replaced approver has none."""
        found = {
            (approval.id, approver.address): decision
            for approval in self._ports.store.all()
            for approver, decision in approval.decisions
        }
        assert found.items() >= self._decisions.items()
        self._decisions = found
        for approval in self._ports.store.all():
            assert not [a for a in approval.approvers if a.replaced_by and a.decision]

    def _nobody_is_asked_twice(self) -> None:
        """Check that each person is one approver, and each replaced one knows who is asked now."""
        for approval in self._ports.store.all():
            people = [approver.address.lower() for approver in approval.approvers]
            assert len(people) == len(set(people))
            active = {approver.address for approver in approval.active_approvers}
            assert {approval.asked_instead_of(a) for a in approval.approvers} == active

    def _tasks_are_answered_once(self) -> None:
        """Check that each task token is answered once, with the outcome, and not before it."""
        ports = self._ports
        answers = {answer.task_token: answer for answer in ports.executions.answers}
        assert len(answers) == len(ports.executions.answers)
        assert len(ports.executions.refused) <= ports.faults.possible_duplicates
        for approval in ports.store.all():
            resumed = sum(event.what == "resumed" for event in approval.events)
            assert resumed == (approval.resumed_at is not None)
            answer = answers.get(ports.store.task_tokens[approval.id])
            assert answer is not None or not resumed
            if answer is not None:
                assert approval.outcome != "pending"
                assert answer.error == ERROR_NAMES[approval.outcome]

    def _only_undecided_approvers_are_asked(self) -> None:
        """Check that mails ask undecided approvers of pending approvals alone."""
        for approval in self._ports.store.all():
            asked = {e.to for e in approval.outbox if isinstance(e, Mail) and e.asks}
            assert asked <= undecided(approval)
            assert not asked or approval.outcome == "pending"
        faults = self._ports.faults
        assert self._ports.mailer.late <= faults.interruptions + faults.possible_duplicates

    def _duplicates_need_a_fault(self) -> None:
        """Check that only a crash or a lost answer makes a mail or an announcement repeat."""
        mailer, announced = self._ports.mailer, self._ports.event_bus.announced
        sent = Counter(mailer.key(to, email) for to, email in mailer.sent)
        duplicates = sum((sent - self._ports.store.entered).values())
        duplicates += len(announced) - len({detail["approvalId"] for detail, _ in announced})
        undecidable = self._ports.event_bus.undecidable
        duplicates += len(undecidable) - len({(d["approvalId"], d["since"]) for d in undecidable})
        assert duplicates <= self._ports.faults.possible_duplicates

    def _announcements_hold_the_outcome(self) -> None:
        """Check that the event bus got each approval as it was closed.

        Of an ended execution it may hear before the task is answered; here that task still waits.
        """
        approvals = {approval.id: approval for approval in self._ports.store.all()}
        for detail, at in self._ports.event_bus.announced:
            approval = approvals[detail["approvalId"]]
            heard, told = dict(detail), dict(serializers.announcement(approval))
            if approval.execution_ended or approval.superseded_by:
                heard.pop("resumed", None)
                told.pop("resumed", None)
            assert heard == told
            assert at == approval.closed_at

    def _inboxes_show_what_waits(self) -> None:
        """Check that each inbox holds the requests that wait for its approver, by deadline."""
        now, approvals = self._ports.now(), self._ports.store.all()
        for person in {approver.address for a in approvals for approver in a.approvers}:
            waiting = [
                (approval.expires_at, approval.id)
                for approval in approvals
                if approval.expires_at > now
                and person in [approver.address for approver in approval.waits_for]
            ]
            shown, more = self._ports.store.waiting_for(person, now, PAGE_SIZE)
            assert [approval.id for approval in shown] == [found for _, found in sorted(waiting)]
            assert not more

    def _approvals_fit_in_an_item(self) -> None:
        """Check that approvals stay within DynamoDB's limit, however long the story."""
        for approval in self._ports.store.all():
            assert len(msgspec.json.encode(approval)) < MOST_BYTES
            assert len(approval.events) <= EVENTS_KEPT


def _fill(approval: Approval, people: list[tuple[int, ...]]) -> bool:
    """Return whether people of these groups fill all groups, by Hall's condition.

    Any groups together must have as many people in them as they need.
    """
    groups = approval.request.groups
    sets = (set(c) for n in range(1, len(groups) + 1) for c in combinations(range(len(groups)), n))
    return all(
        sum(groups[g].needed for g in chosen) <= sum(bool(chosen & set(own)) for own in people)
        for chosen in sets
    )
