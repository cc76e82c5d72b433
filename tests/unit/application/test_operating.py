"""What operators do: commands to approvals, and executions of the approval workflow."""

import pytest

from chalicelib.application import deciding, listing, operating
from chalicelib.domain import link_tokens
from chalicelib.domain.commands import Cancel, Command, Extend, Reassign, Remind
from chalicelib.domain.errors import (
    AlreadyDecided,
    Cancelled,
    Expired,
    IdempotencyConflict,
    InvalidRequest,
    NotFound,
    Reassigned,
)
from chalicelib.presentation.audit_report import audit_report
from chalicelib.presentation.serializers import operator_view
from tests.builders import people, request_approval, request_body
from tests.fakes import FakePorts, FakeStore
from tests.unit.steps import (
    ADA,
    GRACE,
    LINUS,
    MARY,
    OPERATOR,
    decide,
    events,
    operate,
    pass_minutes,
    run_tick,
    stored,
    subjects,
)

COMMANDS: list[Command] = [
    Remind(),
    Extend(expires_in=999_999),
    Reassign(from_=ADA, to=GRACE),
    Cancel(),
]


def test_cancelling_fails_the_task_at_once_and_notifies_with_the_next_tick(
    ports: FakePorts,
) -> None:
    """A second time it changes nothing and returns the same."""
    approval_id = request_approval(ports, requestedBy=MARY)
    cancelled = operate(ports, approval_id, Cancel(reason="not needed"))
    assert [answer.error for answer in ports.executions.answers] == ["Cancelled"]
    assert cancelled.resumed_at == ports.time
    before = ports.snapshot()
    assert operate(ports, approval_id, Cancel(reason="again")) == cancelled
    assert ports.snapshot() == before
    with pytest.raises(Cancelled):
        decide(ports)
    run_tick(ports)
    assert [to for to, _ in ports.mailer.sent[-2:]] == [MARY, ADA]
    assert all("not needed" in email.text for _, email in ports.mailer.sent[-2:])


def test_reminding_mails_undecided_approvers_with_the_next_tick(ports: FakePorts) -> None:
    """Two commands before it are one mail; the record has both."""
    approval_id = request_approval(ports, approvers=[ADA, GRACE], approvalsNeeded=2)
    decide(ports, GRACE)
    operate(ports, approval_id, Remind())
    operate(ports, approval_id, Remind())
    run_tick(ports)
    assert len(subjects(ports, ADA)) == 2
    assert len(subjects(ports, GRACE)) == 1
    assert len(events(ports, approval_id, "reminded")) == 2


def test_extending_moves_the_deadline(ports: FakePorts) -> None:
    """Nothing happens at the old one."""
    approval_id = request_approval(ports, expiresIn=60)
    operate(ports, approval_id, Extend(expires_in=600))
    pass_minutes(ports, 9)
    assert ports.executions.answers == []
    pass_minutes(ports, 1)
    assert [answer.error for answer in ports.executions.answers] == ["Expired"]


def test_extending_mails_the_undecided_and_the_requester(ports: FakePorts) -> None:
    """With a link that works, by the next tick, once for two commands before it."""
    approval_id = request_approval(
        ports, approvers=[ADA, GRACE], approvalsNeeded=2, requestedBy=MARY, expiresIn=600
    )
    run_tick(ports)
    decide(ports, GRACE)
    for seconds in (86_400, 172_800):
        operate(ports, approval_id, Extend(expires_in=seconds))
    run_tick(ports)
    assert subjects(ports, ADA)[1:] == ["More time, approval needed: Release 4.2"]
    assert subjects(ports, MARY)[1:] == ["More time: Release 4.2"]
    assert len(subjects(ports, GRACE)) == 1
    for _, email in ports.mailer.sent[-2:]:
        assert "Tue 24 Nov, 09:00 UTC" in email.text
    assert deciding.find_for_requester(ports, ports.token_mailed_to(MARY, "cancel"))
    assert decide(ports, ADA).outcome == "approved"


def test_extending_does_not_invite_a_requester_who_never_confirmed(ports: FakePorts) -> None:
    """Their receipt was given up after some hours; nothing else is sent to them."""
    ports.mailer.subscriptions[MARY] = "none"
    approval_id = request_approval(ports, requestedBy=MARY, expiresIn=86_400)
    pass_minutes(ports, 5 * 60)
    invited = ports.mailer.invitations.count(MARY)
    operate(ports, approval_id, Extend(expires_in=172_800))
    pass_minutes(ports, 5 * 60)
    assert ports.mailer.invitations.count(MARY) == invited > 0
    assert len(subjects(ports, ADA)) == 2


def test_a_typo_in_a_reassignment_can_be_mended(ports: FakePorts) -> None:
    """By an operator: Ada is asked again, with a fresh link; neither old link decides."""
    approval_id = request_approval(ports)
    first = ports.token_mailed_to(ADA)
    deciding.reassign(ports, first, "lnius@example.com", note="", via="page")
    run_tick(ports)
    operate(ports, approval_id, Reassign(from_="lnius@example.com", to=ADA, note="a typo"))
    run_tick(ports)
    text = ports.mailer.sent[-1][1].text
    assert "You are asked instead of lnius@example.com: " in " ".join(text.split())
    assert "| a typo" in text
    for old in (first, ports.token_mailed_to("lnius@example.com")):
        with pytest.raises(Reassigned):
            deciding.decide(ports, old, "approve", reason="", via="page")
    assert decide(ports, ADA).outcome == "approved"


def test_each_note_of_a_reassignment_to_and_fro_is_on_record(ports: FakePorts) -> None:
    """The approver has the newest one, the events have all."""
    approval_id = request_approval(ports)
    moves = [(ADA, LINUS, "one"), (LINUS, ADA, "two"), (ADA, LINUS, "three")]
    for from_, to, note in moves:
        approval = operate(ports, approval_id, Reassign(from_=from_, to=to, note=note))
    assert approval.approver(LINUS).note == "three"
    assert [event.why for event in events(ports, approval_id, "reassigned")] == [
        "one", "two", "three",
    ]  # fmt: skip


def test_reassigning_kills_the_links_of_the_approver_before(ports: FakePorts) -> None:
    """At once; the next tick mails the new approver, with the note."""
    approval_id = request_approval(ports, approvers=[ADA, LINUS], approvalsNeeded=2)
    reassigned = operate(ports, approval_id, Reassign(from_=ADA, to=GRACE, note="Ada is\naway"))
    for choice in ("approve", "reject"):
        with pytest.raises(Reassigned, match=GRACE):
            decide(ports, ADA, choice)
    before = ports.snapshot()
    again = operate(ports, approval_id, Reassign(from_=ADA, to="Grace@example.com"))
    assert again == reassigned
    assert ports.snapshot() == before
    run_tick(ports)
    assert "| Ada is\n| away" in ports.mailer.sent[-1][1].text
    decide(ports, GRACE)
    assert [a.address for a, _ in decide(ports, LINUS).decisions] == [GRACE, LINUS]


@pytest.mark.parametrize(
    ("command", "field"),
    [
        (Reassign(from_=ADA, to="somebody@elsewhere.example"), "to"),
        (Reassign(from_=ADA, to="no address"), "to"),
        (Reassign(from_="no address", to=GRACE), "from"),
        (Reassign(from_=f"ada{chr(0)}@example.com", to=GRACE), "from"),
        (Reassign(from_=LINUS, to=GRACE), "from"),
        (Reassign(from_=ADA, to=MARY), "to"),
        (Reassign(from_=ADA, to=GRACE, note="x" * 2_001), "note"),
        (Reassign(from_=ADA, to=GRACE, note="a\ud800b"), "note"),
        *((kind(reason="x" * 2_001), "reason") for kind in (Cancel, Remind)),
        *((kind(reason="a\ud800b"), "reason") for kind in (Cancel, Remind)),
        (Extend(expires_in=60), "expiresIn"),
        (Extend(expires_in=604_800), "expiresIn"),
        (Extend(expires_in=60, reason="x" * 2_001), "reason"),
        (Extend(expires_in=60, reason="a\ud800b"), "reason"),
    ],
)
def test_a_bad_command_is_refused_by_field_and_has_no_effect(
    ports: FakePorts, command: Command, field: str
) -> None:
    """Addresses and domains are checked as when asking, reasons and notes as on a page."""
    approval_id = request_approval(ports, requestedBy=MARY)
    before = ports.snapshot()
    with pytest.raises(InvalidRequest) as refusal:
        operate(ports, approval_id, command)
    assert refusal.value.field == field
    assert ports.snapshot() == before


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: type(command).__name__)
def test_a_closed_or_expired_approval_takes_no_command(ports: FakePorts, command: Command) -> None:
    """Nothing is written, mailed or resumed."""
    decided = request_approval(ports)
    decide(ports)
    late = request_approval(ports, "another-token", expiresIn=60)
    ports.later(seconds=60)
    before = ports.snapshot()
    with pytest.raises(AlreadyDecided):
        operate(ports, decided, command)
    with pytest.raises(Expired):
        operate(ports, late, command)
    assert ports.snapshot() == before


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: type(command).__name__)
@pytest.mark.parametrize(
    "approval_id", [link_tokens.approval_id("never"), "a" * 25, "A" * 26, "", "%00", "a" * 3_000]
)
def test_an_id_that_no_approval_has_is_not_found(
    ports: FakePorts, approval_id: str, command: Command
) -> None:
    before = ports.snapshot()
    with pytest.raises(NotFound):
        operate(ports, approval_id, command)
    with pytest.raises(NotFound):
        operating.find_approval(ports, approval_id)
    assert ports.snapshot() == before


def test_the_record_says_who_sent_each_command_and_why(ports: FakePorts) -> None:
    """As JSON and as text."""
    approval_id = request_approval(ports, expiresIn=60)
    operate(ports, approval_id, Remind(reason="The window opens at two"))
    operate(ports, approval_id, Extend(expires_in=600, reason="Ada is on a train"))
    operate(ports, approval_id, Reassign(from_=ADA, to=GRACE, note="Please look at 3"))
    approval = operate(ports, approval_id, Cancel(reason="Not this week"))
    acted = [(e.what, e.via) for e in approval.events if e.who == OPERATOR]
    assert acted == [(w, "api") for w in ("reminded", "extended", "reassigned", "cancelled")]
    texts = ["The window opens at two", "Ada is on a train", "Please look at 3", "Not this week"]
    for text in texts:
        assert text in str(operator_view(approval))
        assert text in audit_report(approval)


def test_every_link_of_an_approver_stays_valid_after_reminders(ports: FakePorts) -> None:
    """The first one too, after many reminders."""
    approval_id = request_approval(ports)
    first = ports.token_mailed_to(ADA)
    for _ in range(15):
        operate(ports, approval_id, Remind())
        pass_minutes(ports, 1)
    assert ports.token_mailed_to(ADA) != first
    approval, secret = stored(ports, approval_id), first.split(".")[1]
    assert link_tokens.approver_of(approval, secret).address == ADA
    assert len(approval.approvers[0].link_hashes) == 10


def test_the_same_name_and_request_find_the_same_execution(ports: FakePorts) -> None:
    """However its fields are ordered; another request is a conflict."""
    body = request_body()
    reordered = dict(reversed(body.items()))
    first = operating.start_execution(ports, body, "key")
    assert operating.start_execution(ports, reordered, "key") == first
    with pytest.raises(IdempotencyConflict):
        operating.start_execution(ports, request_body(subject="y"), "key")
    assert len(ports.executions.inputs) == 1


def test_a_bad_request_starts_no_execution(ports: FakePorts) -> None:
    with pytest.raises(InvalidRequest):
        operating.start_execution(ports, request_body(approvers=people(51)), "key")
    assert ports.effects.done == []


def test_an_execution_is_found_with_its_approval_once_it_has_one(ports: FakePorts) -> None:
    operating.start_execution(ports, request_body(), "release-42")
    execution, approvals = operating.find_execution(ports, "release-42")
    assert (execution["status"], approvals) == ("RUNNING", [])
    approval_id = request_approval(ports)
    assert operating.find_execution(ports, "release-42")[1] == [stored(ports, approval_id)]
    with pytest.raises(NotFound):
        operating.find_execution(ports, "another")


class LaggingStore(FakeStore):
    """A store whose index lists every approval under every outcome."""

    def by_outcome(self, *_: object) -> tuple[list[str], str]:
        return [approval.id for approval in self._all()], ""


def test_an_approval_is_not_listed_under_an_outcome_that_it_had_before() -> None:
    """The index is eventually consistent; the approvals themselves are read consistently."""
    ports = FakePorts()
    ports.store = LaggingStore(ports.effects)
    ids = [request_approval(ports, f"token-{n}") for n in range(2)]
    operate(ports, ids[0], Cancel())
    page = listing.by_outcome(ports, "pending", 50)
    assert [approval.id for approval in page.approvals] == ids[1:]
